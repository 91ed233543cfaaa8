"""Points of a chain outside the emulator's domain: the first are told, all are counted, the end says how many.

MontePython writes what CosmoComputationError says at each such point, and goes on: a long line there would flood the
terminal, and nobody would see how much of the posterior may be missing.
"""

import atexit
from collections import Counter

from alfonsine.emulator.domain import OutsideDomain
from alfonsine.plugins.montepython.said import say

TOLD = 3  # points whose reason is worth a line
LARGE = 0.01  # share of the points; a chain proposes a little beyond its posterior, with less nothing is lost
SHORT = "outside the emulator's domain, no likelihood"


class Visited:
    """The points at which an emulator was asked, and those of them that lay outside.

    source   the emulator's name, for messages
    """

    def __init__(self, source: str) -> None:
        self.source = source
        self.points = self.outside = self.far = 0
        self.beyond: Counter[str] = Counter()

    def refused(self, error: OutsideDomain) -> None:
        """Count a point outside; a line for each of the first."""
        self.outside += 1
        self.beyond.update(error.beyond)
        self.far += not error.beyond
        if self.outside <= TOLD:
            last = "; more of them are counted, and told at the end" if self.outside == TOLD else ""
            say(f"a point outside the domain of the emulator '{self.source}' has no likelihood: {error.reason}{last}")

    def summary(self) -> str:
        """How many of how many points lay outside; with what to do, where that is many."""
        counted = f"{self.outside} of {self.points} points lay outside the domain of the emulator '{self.source}'"
        if self.outside == 0:
            return counted
        share = self.outside / self.points
        counted = f"{counted} ({100 * share:.2g} %) and had no likelihood"
        if share <= LARGE:
            return counted
        return (
            f"{counted}: the posterior may reach the edge of what was learned, and be cut off there (expected "
            f"{100 * LARGE:g} % at most); {self._advice()}, and train again"
        )

    def _advice(self) -> str:
        if self.beyond.total() and max(self.beyond.values()) >= self.far:
            names = " and ".join(name for name, _ in self.beyond.most_common(2))
            return f"give {names} a wider prior in the emulator's study"
        return "put the likelihoods of this chain into the emulator's study, which then learns around their posterior"

    def tell_at_exit(self) -> None:
        """Say the summary when the process ends, unless nothing was asked."""
        atexit.register(lambda: say(self.summary()) if self.points else None)
