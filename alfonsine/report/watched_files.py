"""The files of a run that may be going on, read without a trace: status, rounds, and the forecasts in the log.

The archive is never opened: a reader of a write-ahead log writes beside it, and another machine's must not.
"""

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any

from alfonsine.report.parse import Damaged, json_value, number, text
from alfonsine.study.status import Status

LONGEST_LOG = 1_000_000  # bytes of its end that are read
BEGINNING = "round 0:"  # the first line of the log that each process writes
_FORECAST = re.compile(
    r"^\S+\s+(?P<calls>\d+) exact calls: .*leave-one-out error (?P<error>\S+)(?:.*forecast KL (?P<kl>\S+))?"
)
_REQUIRED = ("command", "process", "host", "started", "alive")


@dataclass(frozen=True)
class Forecast:
    """What the emulator says of itself after `calls` exact calls, leaving one of them out.

    error   in chi-square; kl [nats] is None while there are too few calls for a forecast
    """

    calls: int
    error: float | None
    kl: float | None


@dataclass(frozen=True)
class Planned:
    """A round whose points are on disk: what for, and how many."""

    number: int
    purpose: str
    points: int


def status_of(path: Path) -> Status:
    """The status; what is not of its type is left out, and `Damaged` says that the rest is of no use."""
    values = json_value(path, dict)
    kinds = {f.name: f for f in fields(Status)}
    found = {name: _as(kinds[name].type, value) for name, value in values.items() if name in kinds}
    found = {name: value for name, value in found.items() if value is not None}
    missing = [name for name in _REQUIRED if name not in found]
    if missing:
        raise Damaged(f"it has no '{missing[0]}'")
    return Status(**found)


def _as(kind: Any, value: Any) -> Any:
    """The value as the field of a status wants it; None where it is something else."""
    name = getattr(kind, "__name__", str(kind)).split(" ")[0]
    if name == "str":
        return value if isinstance(value, str) else None
    if name == "bool":
        return value if isinstance(value, bool) else None
    if name == "int":
        exact = number(value)
        return None if exact is None else int(exact)
    if name == "float":
        return number(value)
    if name == "tuple":
        return tuple(v for v in value if isinstance(v, dict)) if isinstance(value, list) else None
    return {str(k): x for k, v in value.items() if (x := number(v)) is not None} if isinstance(value, dict) else None


def rounds_on_disk(folder: Path) -> tuple[Planned, ...]:
    """The rounds of the study that was worked on last, in order; those that cannot be read are left out."""
    try:
        studies = [path for path in (folder / "rounds").iterdir() if path.is_dir()]
        latest = max(studies, key=lambda path: path.stat().st_mtime, default=None)
        paths = [] if latest is None else sorted(latest.glob("[0-9]*.json"))
    except OSError:
        return ()
    return tuple(found for path in paths if (found := _planned(path)) is not None)


def _planned(path: Path) -> Planned | None:
    try:
        values = json.loads(path.read_text(encoding="utf-8"))
        return Planned(int(values["number"]), text(values["purpose"]), len(values["theta"]))
    except (OSError, ValueError, KeyError, TypeError):
        return None


def log_lines(path: Path) -> list[str]:
    """What the process that wrote last has logged, in order; control characters are taken out."""
    try:
        with path.open("rb") as stream:
            stream.seek(max(0, path.stat().st_size - LONGEST_LOG))
            written = stream.read().decode(errors="replace")
    except OSError:
        return []
    lines = [plain(line) for line in written.splitlines()]
    beginnings = [i for i, line in enumerate(lines) if BEGINNING in line]
    return lines[beginnings[-1] :] if beginnings else lines


def forecasts(lines: Sequence[str]) -> tuple[Forecast, ...]:
    """What the lines of a log say of the emulator, one for each number of calls."""
    found: dict[int, Forecast] = {}
    for line in lines:
        if match := _FORECAST.match(line):
            calls = int(match["calls"])
            found[calls] = Forecast(calls, _number(match["error"]), _number(match["kl"]))
    return tuple(found[calls] for calls in sorted(found))


def _number(written: str | None) -> float | None:
    try:
        return None if written is None else number(float(written))
    except ValueError:
        return None


def plain(words: str) -> str:
    """Words on one line without control characters, which a terminal would obey."""
    return "".join(c if c.isprintable() else " " for c in words).rstrip()


def seconds_of(values: Mapping[str, Any]) -> dict[str, float]:
    """Stages with their seconds, without the total."""
    found = {plain(str(k)): number(v) for k, v in values.items() if k != "total"}
    return {name: value for name, value in found.items() if value is not None and value >= 0}
