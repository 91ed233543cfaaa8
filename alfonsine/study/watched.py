"""A run that can be watched: what it tells of its progress is also kept as its status."""

import os
import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from functools import wraps
from inspect import signature
from typing import Any, ParamSpec, TypeVar

from alfonsine.study.clock import DOING, Clock
from alfonsine.study.prepare import Study
from alfonsine.study.progress import Logged, Progress, Silent
from alfonsine.study.status import FINISHED, INTERRUPTED, STATUS, Status, StatusFile
from alfonsine.theory.call import Call
from alfonsine.theory.theory import one_line

P, R = ParamSpec("P"), TypeVar("R")
EXACT = "exact calls"  # names the stages whose steps are these
FAILED = "failed"  # begins the note on one without a result
LAST_FAILURES = 5  # that a watcher sees while a round goes on; all are in failures.json after it


class Watched:
    """Passes everything on, and keeps the status of the run in its folder.

    The first stage begins the file: what ends before that leaves the folder as it was.
    """

    def __init__(self, progress: Progress, study: Study, command: str) -> None:
        self._progress = progress
        self._lock = threading.Lock()
        self._clock: Clock | None = None
        self._stage: dict[str, Any] = {}
        self._done = self._failed = self._timed = self._beat = 0
        self._call_seconds = 0.0
        self._failures: tuple[dict[str, Any], ...] = ()
        self._ended = ""
        self._fixed = {
            "command": command,
            "process": os.getpid(),
            "host": socket.gethostname(),
            "started": _now(),
            "workers": study.settings.compute.count,
            **_asked(study, command),
        }
        self._file = StatusFile(study.folder / STATUS, self.status)

    def start(self, stage: str, total: int | None = None) -> None:
        """A stage begins."""
        self._set(stage=stage, total=total, step=0, since=_now(), exact=EXACT in stage)
        self._progress.start(stage, total)

    def advance(self, note: str = "") -> None:
        """One step of the stage is done."""
        with self._lock:
            self._stage["step"] = self._stage.get("step", 0) + 1
            if self._stage.get("exact"):
                failed = note.startswith(FAILED)
                self._done, self._failed = self._done + (not failed), self._failed + failed
        self._changed()
        self._progress.advance(note)

    def finished(self, call: Call) -> None:
        """One exact call is finished: a step of the stage."""
        with self._lock:
            self._timed, self._call_seconds = self._timed + 1, self._call_seconds + call.seconds
            if not call.done:
                failure = {"reason": call.reason, "seconds": call.seconds, "inputs": dict(call.inputs)}
                self._failures = (*self._failures, failure)[-LAST_FAILURES:]
        self.advance(note_of(call))

    def doing(self, what: str) -> None:
        """Pass on; of its own clock it hears itself."""
        self._progress.doing(what)

    def say(self, line: str) -> None:
        """A line to keep."""
        self._progress.say(line)

    def stop(self) -> None:
        """The stage is over."""
        self._set()
        self._progress.stop()

    def follow(self, clock: Clock) -> None:
        """Tell from now on also what this clock is timing."""
        self._clock = clock

    def heard(self) -> None:
        """A stage of the clock begins or ends."""
        self._changed()
        if self._clock is not None:
            self._progress.doing(DOING.get(self._clock.doing, ""))

    def end(self, how: str) -> None:
        """The run is over: `finished`, `interrupted`, or an error in a line."""
        with self._lock:
            self._stage, self._ended = {}, how
        self._file.close()

    def status(self) -> Status:
        """Where the run is now."""
        clock, now = self._clock, _now()
        seconds = {} if clock is None else {**clock.so_far(), "total": clock.total}
        with self._lock:
            self._beat += 1
            stage, total = dict(self._stage), self._stage.get("total")
            workers, left = self._fixed["workers"], (total or 0) - stage.get("step", 0)
            return Status(
                **self._fixed,
                **stage,
                alive=now,
                beat=self._beat,
                doing="" if clock is None or self._ended else clock.doing,
                running=max(0, min(workers, left)) if stage.get("exact") else 0,
                done=self._done,
                failed=self._failed,
                timed=self._timed,
                call_seconds=round(self._call_seconds, 3),
                failures=self._failures,
                seconds={name: round(value, 3) for name, value in seconds.items()},
                ended=self._ended,
            )

    def _set(self, **stage: Any) -> None:
        with self._lock:
            self._stage = stage
        self._changed()

    def _changed(self) -> None:
        self._file.changed()


def note_of(call: Call) -> str:
    """How a call went, in a few words: none where it went well."""
    return "" if call.done else f"{FAILED}: {call.reason}"


def heard_by(progress: Progress) -> Callable[[Call], None]:
    """What is to hear of every finished exact call, as a step of the stage."""
    if isinstance(progress, Watched):
        return progress.finished
    return lambda call: progress.advance(note_of(call))


def clock_of(progress: Progress) -> Clock:
    """A new clock, of whose stages the status tells."""
    if not isinstance(progress, Watched):
        return Clock()
    clock = Clock(progress.heard)
    progress.follow(clock)
    return clock


def watched(command: str) -> Callable[[Callable[P, R]], Callable[P, R]]:
    """Have a function of a study and a `progress` keep a log and a status of what it is told; `command` names it.

    Inside another such function it is that one's progress which goes on.
    """

    def decorate(function: Callable[P, R]) -> Callable[P, R]:
        arguments = signature(function)

        @wraps(function)
        def wrapped(*args: P.args, **kwargs: P.kwargs) -> R:
            bound = arguments.bind(*args, **kwargs)
            study, progress = bound.arguments["study"], bound.arguments.get("progress")
            if isinstance(progress, Watched):
                return function(*args, **kwargs)
            outer = Watched(Logged(progress or Silent(), study.folder / "log"), study, command)
            bound.arguments["progress"] = outer
            with _ending(outer):
                return function(*bound.args, **bound.kwargs)

        return wrapped

    return decorate


@contextmanager
def _ending(progress: Watched) -> Iterator[None]:
    try:
        yield
    except KeyboardInterrupt:
        progress.end(INTERRUPTED)
        raise
    except BaseException as error:
        progress.end(_words(error))
        raise
    progress.end(FINISHED)


def _words(error: BaseException) -> str:
    kind = "" if type(error).__name__ == "InputError" else f"{type(error).__name__}: "
    return kind + (one_line(error) or "no reason given")


def _asked(study: Study, command: str) -> dict[str, Any]:
    """Accuracy and budget, where the command has them."""
    settings = study.settings
    if command == "certify":
        return {"limit": settings.accuracy.kl}
    if settings.design is not None:
        return {"budget": settings.design.number + settings.design.held_out}
    return {
        "limit": settings.accuracy.kl,
        "budget": settings.accuracy.calls,
        "judging": settings.accuracy.judging if command == "run" else 0,
    }


def _now() -> str:
    return datetime.now(UTC).isoformat(timespec="milliseconds")
