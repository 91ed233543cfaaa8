"""Whether a run that is watched is alive: by its own signs of life, never by touching it."""

import os
import socket
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import Enum

from alfonsine.study.status import BEAT, FINISHED, Status

GONE = 3 * BEAT  # seconds: a process that is not there, and has been silent for so long, is dead
SILENT = 6 * BEAT  # worth a word
DEAD = 12 * BEAT  # on this machine, whatever holds the number of its process now
DEAD_ELSEWHERE = 36 * BEAT  # a shared file system may show a file of a minute ago


class Life(Enum):
    """What is known of the process behind a run folder."""

    NOT_BEGUN = "not begun"
    RUNNING = "running"
    SILENT = "silent"
    DEAD = "dead"
    STOPPED = "stopped"
    FINISHED = "finished"
    UNKNOWN = "unknown"


@dataclass(frozen=True)
class Pulse:
    """Signs of life as one watcher has seen them.

    beat    the last that was seen; None before the first
    when    the watcher's own seconds at which it was new; None where it was there from the beginning
    """

    beat: tuple[str, int, int] | None = None
    when: float | None = None

    def after(self, status: Status | None, now: float) -> "Pulse":
        """What is known once `status` has been seen at `now`, in seconds of a clock that only runs forward."""
        if status is None:
            return self
        beat = (status.host, status.process, status.beat)
        if beat == self.beat:
            return self
        return Pulse(beat, None if self.beat is None else now)

    def silence(self, status: Status, now: float, at: datetime) -> float:
        """Seconds since the last sign of life: as watched, else by the clocks of both machines, which may differ."""
        by_clocks = (at - moment(status.alive)).total_seconds() if moment(status.alive) is not None else 0.0
        return max(0.0, by_clocks if self.when is None else now - self.when)


def life(status: Status, silence: float, here: str | None = None, exists: Callable[[int], bool] | None = None) -> Life:
    """What `status` and `silence`, in seconds, say of the run.

    here     name of the watcher's machine
    exists   whether there is a process of a number on it
    """
    if status.ended:
        return Life.FINISHED if status.ended == FINISHED else Life.STOPPED
    same = status.host == (socket.gethostname() if here is None else here)
    gone = same and not (exists or process_exists)(status.process)
    if (gone and silence > GONE) or silence > (DEAD if same else DEAD_ELSEWHERE):
        return Life.DEAD
    return Life.SILENT if silence > SILENT else Life.RUNNING


def process_exists(number: int) -> bool:
    """Whether this machine has a process of that number."""
    if number < 1:
        return False
    try:
        os.kill(number, 0)
    except ProcessLookupError:
        return False
    except (OSError, OverflowError):
        return True  # somebody else's
    return True


def moment(written: str) -> datetime | None:
    """A time as the status gives it; None for anything else."""
    try:
        found = datetime.fromisoformat(written)
    except ValueError:
        return None
    return found if found.tzinfo is not None else found.replace(tzinfo=UTC)
