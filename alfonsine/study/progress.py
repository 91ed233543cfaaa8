"""What a long run tells whoever watches: stages, steps, and lines that stay."""

from typing import Protocol


class Progress(Protocol):
    """Told by the loop what happens; decides alone how to show it."""

    def start(self, stage: str, total: int | None = None) -> None:
        """A stage begins, of `total` steps where the number is known."""

    def advance(self, note: str = "") -> None:
        """One step of the stage is done; `note` says in a few words how it went."""

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

    def say(self, line: str) -> None:
        """Ignore it."""

    def stop(self) -> None:
        """Ignore it."""
