"""The state of a run as a small file in its folder, for those who watch it from another process or machine.

A thread of its own writes the file: a slow disk never holds up the run, a full one never ends it. The file is replaced
as a whole, at most every `SHORTEST` seconds, and at least every `BEAT` seconds, so that its silence says something.
"""

import contextlib
import json
import os
import threading
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

STATUS = "status.json"
SHORTEST = 0.5  # seconds from one writing to the next
BEAT = 5.0  # seconds after which a sign of life is due although nothing has changed
PARTING = 5.0  # seconds that the end of a run waits for its last word to be written
FINISHED, INTERRUPTED = "finished", "interrupted"


@dataclass(frozen=True)
class Status:
    """Where a run is. Times are of the run's machine, ISO 8601 in UTC.

    command           run, train, certify
    process, host     what works on it, and where
    started, alive    when it began, and last said so; `beat` counts how often it did
    stage, since      what it is at, in words, and since when; empty where nothing is announced
    step, total       finished steps of the stage, and how many it has where that is known
    exact             whether these are exact calls
    doing             the stage on the run's clock: fit, sample, ...; empty where none is timed
    running, workers  calls that are being computed now, and that can be at once
    done, failed      exact calls of the study so far, those found in the archive included; the latter have no result
    timed, call_seconds      how many of these calls have told how long they took, and the sum of that
    failures          the last that failed: reason, seconds, inputs
    seconds           wall-clock seconds by stage, and in total, of this process
    limit, budget, judging   KL asked for, exact calls allowed, and what a verdict needs of them; None where without
    ended             empty while the run goes on; finished, interrupted, or the error that ended it
    """

    command: str
    process: int
    host: str
    started: str
    alive: str
    beat: int = 0
    stage: str = ""
    since: str = ""
    step: int = 0
    total: int | None = None
    exact: bool = False
    doing: str = ""
    running: int = 0
    workers: int = 1
    done: int = 0
    failed: int = 0
    timed: int = 0
    call_seconds: float = 0.0
    failures: tuple[Mapping[str, Any], ...] = ()
    seconds: Mapping[str, float] = field(default_factory=dict)
    limit: float | None = None
    budget: int | None = None
    judging: int | None = None
    ended: str = ""


def write_status(path: Path, status: Status) -> bool:
    """Replace the file as a whole; False where that cannot be done, which is no reason to stop."""
    draft = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        draft.write_text(json.dumps(asdict(status), indent=1), encoding="utf-8")
        os.replace(draft, path)
    except (OSError, TypeError, ValueError):
        with contextlib.suppress(OSError):
            draft.unlink()
        return False
    return True


class StatusFile:
    """Keeps the file true to what `compose` says, from the first change to the end."""

    def __init__(self, path: Path, compose: Callable[[], Status]) -> None:
        self._path, self._compose = path, compose
        self._changed, self._over = threading.Event(), threading.Event()
        self._thread: threading.Thread | None = None

    def changed(self) -> None:
        """There is something new to say; returns at once."""
        self._changed.set()
        if self._thread is None:
            self._thread = threading.Thread(target=self._keep, name="status", daemon=True)
            self._thread.start()

    def close(self) -> None:
        """Write once more, where anything was ever written, and stop."""
        self._over.set()
        self._changed.set()
        if self._thread is not None:
            self._thread.join(PARTING)

    def _keep(self) -> None:
        while not self._over.is_set():
            self._changed.wait(BEAT)
            self._changed.clear()
            self._write()
            self._over.wait(SHORTEST)
        self._write()

    def _write(self) -> None:
        with contextlib.suppress(Exception):  # the run goes on without its status, whatever is wrong with that
            write_status(self._path, self._compose())
