"""Points of a chain outside the emulator's domain: the first are told, all are counted, the end says how many.

The hosts give such a point no likelihood and go on, most of them without a word: nobody would see how much of the
posterior may be missing.
"""

import atexit
from collections import Counter
from collections.abc import Callable

from alfonsine.emulator.domain import OutsideDomain
from alfonsine.emulator.emulator import Emulator

TOLD = 3  # points whose reason is worth a line
LARGE = 0.01  # share of the points; a chain proposes a little beyond its posterior, with less nothing is lost
FAR = (
    "put the likelihoods of this chain into the emulator's study, which then learns around their posterior, "
    "and train again"
)


class Visited:
    """The points at which an emulator was asked, and those of them that lay outside.

    source   the emulator's name, for messages
    say      writes one line where the user of this host looks
    far      what to do where many points are too far from the middle of the training set
    """

    def __init__(self, source: str, say: Callable[[str], object], far: str = FAR) -> None:
        self.source, self.say, self.far_advice = source, say, far
        self.points = self.outside = self.far = 0
        self.beyond: Counter[str] = Counter()

    def refused(self, error: OutsideDomain) -> None:
        """Count a point outside; a line for each of the first."""
        if self.outside == 0:
            atexit.register(self.tell)
        self.outside += 1
        self.beyond.update(error.beyond)
        self.far += not error.beyond
        if self.outside <= TOLD:
            last = "; more of them are counted, and told at the end" if self.outside == TOLD else ""
            self.say(
                f"a point outside the domain of the emulator '{self.source}' has no likelihood: {error.reason}{last}"
            )

    def summary(self) -> str:
        """How many of how many points lay outside; with what to do, where that is many. Nothing where none did."""
        if self.outside == 0:
            return ""
        share = self.outside / self.points
        counted = (
            f"{self.outside} of {self.points} points lay outside the domain of the emulator '{self.source}' "
            f"({percent(share)}) and had no likelihood"
        )
        if share <= LARGE:
            return counted
        return (
            f"{counted}: the posterior may reach the edge of what was learned, and be cut off there (expected "
            f"{percent(LARGE)} at most); {self._advice()}"
        )

    def _advice(self) -> str:
        if self.beyond.total() and max(self.beyond.values()) >= self.far:
            names = " and ".join(name for name, _ in self.beyond.most_common(2))
            return f"give {names} a wider prior in the emulator's study, and train again"
        return self.far_advice

    def tell(self) -> None:
        """Say the summary, once: when the host ends, or else the process. Nothing where no point lay outside."""
        atexit.unregister(self.tell)
        if line := self.summary():
            self.say(line)
        self.points = self.outside = self.far = 0
        self.beyond.clear()


def percent(share: float) -> str:
    """A share as `0.052 %`, `12 %` or `100 %`: two digits where there are no more before the point."""
    value = 100 * share
    return f"{value:.0f} %" if value >= 10 else f"{value:.2g} %"


def held(emulator: Emulator) -> str:
    """What an emulator serves, for messages: its functions, and its numbers, by name."""
    functions = [name for name, output in emulator.outputs.items() if output.axes]
    numbers = [label for output in emulator.outputs.values() if not output.axes for label in output.labels]
    words = [", ".join(functions)] if functions else []
    return " and ".join(words + ([f"the numbers {', '.join(numbers)}"] if numbers else []))
