"""How a loop begins: the first exact calls, and what stands for the posterior before there is one.

Calls of earlier work where there are some; a search where nothing is known but the box of the prior; else steps from a
reference point, or points spread over the prior.
"""

from collections.abc import Callable

import jax
import numpy as np

from alfonsine.emulator.around.focus import Focus
from alfonsine.errors import InputError
from alfonsine.study.begin_warm import begin_warm
from alfonsine.study.emulate import emulator_inputs
from alfonsine.study.exact import Computed, check_observables
from alfonsine.study.feasible import Feasible
from alfonsine.study.inputs import Inputs
from alfonsine.study.learn import Around
from alfonsine.study.prepare import Study
from alfonsine.study.propose import first_draws, first_points, mirrored
from alfonsine.study.rounds import SEARCH, START, Round
from alfonsine.study.search import Search
from alfonsine.study.warm_start import WarmStart

Make = Callable[[str, Callable[[], np.ndarray]], tuple[Computed, Round]]


class Beginning:
    """The first exact calls of one run, which `make` writes down as rounds and carries out.

    spent    number of calls made so far
    made     number of these that have an answer
    reused   number of earlier calls that are learned from
    """

    def __init__(
        self,
        study: Study,
        warm: WarmStart | None,
        inputs: Inputs,
        feasible: Feasible,
        make: Make,
        say: Callable[[str], None],
    ) -> None:
        self.study, self.warm, self.inputs, self.feasible, self.say = study, warm, inputs, feasible, say
        self._make = make
        self.made = self.reused = self.spent = 0

    def go(self, left: int, key: jax.Array) -> tuple[Computed, Around]:
        """All that is known before the first lesson, from `left` exact calls at most, those of a verdict kept back."""
        if self.warm is not None:
            return self.from_earlier(self.warm, left - self.study.settings.accuracy.judging)
        return self.search(key) if self.study.settings.start == "search" else self.spread(left)

    def make(self, purpose: str, points: Callable[[], np.ndarray]) -> Computed:
        """The exact calls of one round."""
        computed, _ = self._make(purpose, points)
        self.spent += len(computed.theta)
        self.made += int(computed.done.sum())
        return computed

    def from_earlier(self, warm: WarmStart, left: int) -> tuple[Computed, Around]:
        """What earlier work knows, and where its posterior was."""
        known = begin_warm(self.study, warm, lambda points: self.make(START, points), left, self.say)
        self.reused = int(known.done.sum()) - self.made
        return known, Around(Focus.of_samples(warm.draws, self.inputs.features), warm.draws)

    def search(self, key: jax.Array) -> tuple[Computed, Around]:
        """Find where the posterior is in the box of the prior, and what stands for it there."""

        def make(points: Callable[[], np.ndarray]) -> Computed:
            first = self.spent == 0
            computed = self.make(SEARCH, points)
            if first:
                check_observables(self.study, computed.calls)
            return computed

        found = Search(self.study, make, self.feasible, key, self.say).go()
        return found.computed, self.around(found.draws)

    def spread(self, left: int) -> tuple[Computed, Around]:
        """The first round, and a second to the other side of the steps that failed."""
        known = self.make(START, lambda: first_points(self.study))
        if self.study.settings.start == "steps" and not known.done[0]:
            raise InputError(
                f"expected an exact model at the reference point, got a failure: {known.calls[0].reason}; "
                "move ref, or change the theory"
            )
        check_observables(self.study, known.calls)
        if not known.done.all() and left > self.spent:
            failed = known.theta[~known.done]
            known = known + self.make(
                START, lambda: mirrored(self.study, failed, np.asarray(self.study.space.reference))
            )
        if known.done.sum() < 2:
            raise InputError(
                f"expected at least two exact models to begin with, got {int(known.done.sum())} of "
                f"{len(known.done)}; the last failure: {known.failures[-1].reason}"
            )
        return known, self.around(first_draws(self.study, known.theta[known.done]))

    def around(self, draws: np.ndarray) -> Around:
        """The emulator's inputs of draws that stand for the posterior before there is one."""
        own = draws[:, list(self.study.space.index(emulator_inputs(self.study)))]
        return Around(Focus.of_samples(own, self.inputs.features), own)
