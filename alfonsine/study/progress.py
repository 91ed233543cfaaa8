"""What a long run tells whoever watches: stages, steps, and lines that stay."""

from datetime import UTC, datetime
from pathlib import Path
from typing import Protocol, runtime_checkable


@runtime_checkable
class Progress(Protocol):
    """Told by the loop what happens; decides alone how to show it."""

    def start(self, stage: str, total: int | None = None) -> None:
        """A stage begins, of `total` steps where the number is known."""

    def advance(self, note: str = "") -> None:
        """One step of the stage is done; `note` says in a few words how it went."""

    def doing(self, what: str) -> None:
        """What the run's clock times now, in words; empty where it times nothing. Worth no line of its own."""

    def say(self, line: str) -> None:
        """A line to keep: one for each round of the loop, and what the user should know."""

    def stop(self) -> None:
        """The stage is over."""


class Silent:
    """Shows nothing: for library use and `--quiet`."""

    def start(self, stage: str, total: int | None = None) -> None:
        """Ignore it."""

    def advance(self, note: str = "") -> None:
        """Ignore it."""

    def doing(self, what: str) -> None:
        """Ignore it."""

    def say(self, line: str) -> None:
        """Ignore it."""

    def stop(self) -> None:
        """Ignore it."""


class Logged:
    """Passes everything on, and keeps stages and lines in a file with the time of each."""

    def __init__(self, progress: Progress, path: Path) -> None:
        self._progress, self._path = progress, path

    def start(self, stage: str, total: int | None = None) -> None:
        """Note that a stage begins."""
        self._write(stage if total is None else f"{stage} ({total})")
        self._progress.start(stage, total)

    def advance(self, note: str = "") -> None:
        """Pass on; only what went otherwise than expected is noted."""
        if note:
            self._write(f"  {note}")
        self._progress.advance(note)

    def doing(self, what: str) -> None:
        """Pass on: the log would be full of it."""
        self._progress.doing(what)

    def say(self, line: str) -> None:
        """Note the line."""
        self._write(line)
        self._progress.say(line)

    def stop(self) -> None:
        """Pass on."""
        self._progress.stop()

    def _write(self, line: str) -> None:
        with open(self._path, "a", encoding="utf-8") as file:
            file.write(f"{datetime.now(UTC).isoformat(timespec='seconds')} {line}\n")
