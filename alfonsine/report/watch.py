"""What somebody sees who watches a run: one frozen value, read from its folder and from nothing else.

Every file is optional and may be damaged, since the run may be of an older version, not begun, or dead in the middle.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import lru_cache
from pathlib import Path
from time import monotonic
from typing import Any

from alfonsine.errors import InputError
from alfonsine.report.contents import failures_of, rounds_of
from alfonsine.report.parse import Damaged, json_value, number, study_settings, text
from alfonsine.report.pulse import Life, Pulse, life, moment
from alfonsine.report.records import Failure, Round
from alfonsine.report.remaining import Remaining
from alfonsine.report.run_folder import names_in, without_records
from alfonsine.report.watched_calls import ROUND, Asked, Counts, remaining
from alfonsine.report.watched_files import (
    Forecast,
    Planned,
    forecasts,
    log_lines,
    plain,
    rounds_on_disk,
    seconds_of,
    status_of,
)
from alfonsine.study.status import STATUS, Status

OURS = {"status.json", "history.json", "failures.json", "certificate.json", "study.yaml", "log", "rounds"}


@dataclass(frozen=True)
class View:
    """Where a run is.

    at           when this was read
    silence      seconds since its last sign of life; None where it gives none
    stage        what it is at, as it says; `doing` is what its clock is timing; step of total where that is known
    done, failed, running   exact calls; None where this is not known
    budget, limit           exact calls allowed, KL asked for [nats]; None where there is none
    seconds, total          wall-clock seconds by stage and in all, of the process that worked last
    certificate             as written, of the run that is finished; empty before
    notes                   what could not be read, in sentences
    """

    folder: Path
    title: str
    at: datetime
    life: Life
    silence: float | None
    status: Status | None
    stage: str
    doing: str
    step: int | None
    total_steps: int | None
    done: int | None
    failed: int | None
    running: int | None
    budget: int | None
    limit: float | None
    history: tuple[Round, ...]
    forecasts: tuple[Forecast, ...]
    failures: tuple[Failure, ...]
    seconds: Mapping[str, float]
    total: float | None
    remaining: Remaining | None
    certificate: Mapping[str, Any]
    log: tuple[str, ...]
    notes: tuple[str, ...]

    @property
    def over(self) -> bool:
        """Whether nothing is being computed."""
        return self.ended or self.life is Life.DEAD

    @property
    def ended(self) -> bool:
        """Whether it has said that it ended; one that is dead may be out of reach, or resumed at any time."""
        return self.life in (Life.FINISHED, Life.STOPPED)

    @property
    def round(self) -> tuple[int, str] | None:
        """Number and purpose of the round whose exact calls are being made."""
        found = ROUND.match(self.stage)
        return None if found is None else (int(found["number"]), found["purpose"])


class Watcher:
    """Reads one run folder again and again, and remembers when it last saw a sign of life.

    InputError where there is no such folder, or nothing of a run in it.
    """

    def __init__(self, folder: str | Path) -> None:
        self.folder = Path(folder)
        self.pulse = Pulse()

    def look(self) -> View:
        """Read the folder as it is now."""
        view, self.pulse = _view(self.folder, self.pulse, monotonic(), datetime.now(UTC))
        return view


def _view(folder: Path, pulse: Pulse, now: float, at: datetime) -> tuple[View, Pulse]:
    names = _names(folder)
    notes: list[str] = []

    def take(name: str, read: Callable[[Path], Any], default: Any) -> Any:
        if name not in names:
            return default
        try:
            return read(folder / name)
        except Damaged as damage:
            notes.append(f"The file {name} is there but cannot be read: {plain(str(damage))}.")
            return default

    status: Status | None = take(STATUS, status_of, None)
    settings = take("study.yaml", _settings, {})
    certificate = take("certificate.json", lambda path: json_value(path, dict), {})
    history, failures = take("history.json", rounds_of, ()), take("failures.json", failures_of, ())
    rounds, lines = rounds_on_disk(folder), log_lines(folder / "log")
    if notes and not (status or history or failures or certificate or settings or rounds or lines):
        raise InputError(f"expected the records of a run in '{folder}', got damaged files; {notes[0]}")
    pulse = pulse.after(status, now)
    silence = None if status is None else pulse.silence(status, now, at)
    state = _without_status(rounds, history, lines, certificate) if status is None else life(status, silence or 0.0)
    if state is not Life.FINISHED:
        certificate = {}
    counts = Counts.of(status, rounds, history, failures, certificate)
    asked = Asked.of(status, settings)
    seconds = status.seconds if status is not None else _seconds(certificate, history)
    return View(
        folder=folder,
        title=plain(text(settings.get("title")) or folder.resolve().name),
        at=at,
        life=state,
        silence=silence,
        status=status,
        stage=_stage(status, rounds, state),
        doing="" if status is None else plain(status.doing),
        step=None if status is None or not status.stage else status.step,
        total_steps=None if status is None else status.total,
        done=counts.done,
        failed=counts.failed,
        running=0 if state in (Life.FINISHED, Life.STOPPED, Life.DEAD) else None if status is None else status.running,
        budget=asked.budget,
        limit=asked.limit,
        history=history,
        forecasts=forecasts(lines),
        failures=_last(status, failures),
        seconds=seconds_of(seconds),
        total=number(seconds.get("total")),
        remaining=remaining(status, state, rounds, history, asked),
        certificate=certificate,
        log=tuple(lines),
        notes=tuple(notes),
    ), pulse


def _names(folder: Path) -> set[str]:
    """What is in the folder; InputError where it is not a run folder."""
    names = names_in(folder)
    if names and not names & (OURS | {"archive.sqlite"}):
        raise without_records(folder)
    return names


def _settings(path: Path) -> Mapping[str, Any]:
    try:
        return _parsed(path, path.stat().st_mtime_ns)
    except OSError as error:
        raise Damaged(str(error)) from error


@lru_cache(maxsize=1)
def _parsed(path: Path, _changed: int) -> Mapping[str, Any]:
    return study_settings(path)[1]


def _without_status(
    rounds: tuple[Planned, ...], history: tuple[Round, ...], lines: list[str], certificate: Mapping[str, Any]
) -> Life:
    """An older version says no more than what it has written."""
    if certificate:
        return Life.FINISHED
    return Life.UNKNOWN if rounds or history or lines else Life.NOT_BEGUN


def _seconds(certificate: Mapping[str, Any], history: tuple[Round, ...]) -> Mapping[str, Any]:
    stored = certificate.get("seconds")
    if isinstance(stored, dict):
        return stored
    added: dict[str, float] = {}
    for entry in history:
        for stage, value in entry.seconds.items():
            added[stage] = added.get(stage, 0.0) + value
    return added


def _stage(status: Status | None, rounds: tuple[Planned, ...], state: Life) -> str:
    if status is not None:
        return plain(status.stage)
    if state is Life.UNKNOWN and rounds:
        last = rounds[-1]
        return plain(f"round {last.number}: exact calls to {last.purpose}")
    return ""


def _last(status: Status | None, failures: tuple[Failure, ...]) -> tuple[Failure, ...]:
    """The failed calls, those of the present round included."""
    recent = () if status is None else status.failures
    news = tuple(
        Failure(
            inputs=inputs if isinstance(inputs := entry.get("inputs"), dict) else {},
            reason=text(entry.get("reason")) or "no reason given",
            seconds=number(entry.get("seconds")),
        )
        for entry in recent
    )
    return (*(each for each in failures if each not in news), *news)


def since(view: View) -> float | None:
    """Seconds for which the present stage has been going on, by the clock of the run's machine."""
    if view.status is None or not view.status.since:
        return None
    begun, alive = moment(view.status.since), moment(view.status.alive)
    return None if begun is None or alive is None else max(0.0, (alive - begun).total_seconds())
