"""Seconds by stage."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from time import perf_counter

DOING = {
    "fit": "fitting the emulator", "sample": "sampling", "inputs": "searching inputs", "choose": "choosing points",
    "judge": "judging", "records": "writing records", "solver": "exact calls",
}  # fmt: skip
"""Stages in words for those who watch."""


class Clock:
    """Adds up wall-clock seconds under the name of the stage in which they were spent.

    heard   called whenever a stage begins or ends
    """

    def __init__(self, heard: Callable[[], None] | None = None) -> None:
        self.seconds: dict[str, float] = {}
        self._begun = perf_counter()
        self._open: tuple[tuple[str, float], ...] = ()
        self._heard = heard or (lambda: None)

    @contextmanager
    def stage(self, name: str) -> Iterator[None]:
        """Time what happens inside."""
        begun, before = perf_counter(), self._open
        self._open = (*before, (name, begun))
        self._heard()
        try:
            yield
        finally:
            self._open = before
            self.seconds[name] = self.seconds.get(name, 0.0) + perf_counter() - begun
            self._heard()

    @property
    def doing(self) -> str:
        """The stage that is going on, the innermost of several; empty where there is none."""
        return self._open[-1][0] if self._open else ""

    def so_far(self) -> dict[str, float]:
        """Seconds by stage, those of stages that are going on included; another thread may ask."""
        now, found = perf_counter(), self.seconds.copy()
        for name, begun in self._open:
            found[name] = found.get(name, 0.0) + now - begun
        return found

    @property
    def total(self) -> float:
        """Seconds since the clock was made."""
        return perf_counter() - self._begun
