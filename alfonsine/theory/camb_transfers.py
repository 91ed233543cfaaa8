"""Solved perturbations of CAMB, kept for the points that differ in the primordial spectrum only.

They are CAMB's sources over time, before any projection on the sky and any non-linear correction: the power spectra
made from them are those of a fresh run, non-linear lensing included. A solution holds some hundred megabytes, so few
are kept.
"""

from collections import OrderedDict
from collections.abc import Callable
from typing import Any


class Transfers:
    """The last few solutions of this process, and how many it has made.

    capacity   solutions kept
    solves     solutions made so far
    """

    def __init__(self, capacity: int = 2) -> None:
        self.capacity = capacity
        self.solves = 0
        self._kept: OrderedDict[object, Any] = OrderedDict()

    def of(self, key: object, solve: Callable[[], Any]) -> Any:
        """The solution of `key`: a kept one, or a new one from `solve`, which counts."""
        if key in self._kept:
            self._kept.move_to_end(key)
            return self._kept[key]
        while len(self._kept) >= self.capacity:
            self._kept.popitem(last=False)  # before the next is made: memory is what they cost
        found = solve()
        self.solves += 1
        self._kept[key] = found
        return found

    def forget(self, key: object) -> None:
        """Drop a solution, where there is one."""
        self._kept.pop(key, None)


TRANSFERS = Transfers()
