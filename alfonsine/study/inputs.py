"""In which inputs the outputs are simple: found from exact calls, and from cheap ones that are counted apart."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from jaxtyping import Bool, Float, Int
from scipy.spatial import cKDTree

from alfonsine.emulator.around.cheap import CheapQuantities, learn_quantities
from alfonsine.emulator.around.features import Features, pool_names
from alfonsine.emulator.around.focus import Focus
from alfonsine.points.training_set import TrainingSet
from alfonsine.study.prepare import Study
from alfonsine.study.progress import Progress
from alfonsine.theory.engine import Engine
from alfonsine.theory.theory import Theory

CALLS = 100  # cheap ones at a time
MOST_CALLS = 700  # for one region
ROUGH = 0.1  # error of a quantity that is tried as an input, in standard deviations over the posterior
ACCURATE = 0.03  # and of one that is an input
TESTS = 24  # draws, those furthest from all cheap calls, at which quantities that are inputs are tested
LARGEST = 0.1  # error at these, in the same units
COVERED = 0.98  # of the draws must lie in the region that was learned
GROWN = 1.4  # factor by which the weight of the training set must have grown for another search to be worth its time
STRETCH = 2.0  # of the posterior about its mean: the region in which quantities are learned
SMALLEST_EFFECT = 1e-4  # of a parameter on a quantity, in units of the largest: below it there is none
Search = Callable[[TrainingSet, Focus, Features, np.ndarray], Features]


def cheap_theory(study: Study) -> Theory | None:
    """The exact code without its expensive part, where it has one that costs little."""
    return getattr(study.theory, "cheap", None)


@dataclass
class Inputs:
    """The features in use, and the cheap calls behind those that are quantities of the exact code.

    names    inputs of the emulator as sampled
    open     an engine for cheap calls
    progress hears of them
    """

    study: Study
    names: tuple[str, ...]
    open: Callable[[Theory], Engine]
    progress: Progress

    def __post_init__(self) -> None:
        d = len(self.names)
        columns = list(self.study.space.index(self.names))
        self.lower, self.upper = (np.asarray(x)[columns] for x in (self.study.space.lower, self.study.space.upper))
        self.positive = (self.lower > 0).astype(float)
        self.chosen = tuple(range(d))  # entries of the pool with all quantities
        self.learned, self.error = CheapQuantities.none(d), np.zeros(0)
        self.quantities: tuple[str, ...] = ()
        self.depends: tuple[tuple[int, ...], ...] = ()
        self.columns = np.zeros(0, dtype=int)  # of the quantities among all that the theory offers
        self.box = np.zeros(d), np.zeros(d)  # of the region in which they were learned
        self.found = (np.zeros((0, d)), np.zeros((0, 0)))  # cheap calls that serve it
        self.calls, self.searched = 0, 0.0

    @property
    def matter(self) -> list[int]:
        """Parameters on which any of the quantities depends."""
        return sorted({i for inputs in self.depends for i in inputs})

    def answers(self, theta: Float[np.ndarray, "n d"]) -> Bool[np.ndarray, " n"]:
        """Whether the cheap part of the exact code, where it has one, has an answer at points of the sampled space."""
        theory = cheap_theory(self.study)
        if theory is None:
            return np.ones(len(theta), dtype=bool)
        return self._exact(theory, theta[:, list(self.study.space.index(self.names))])[1]

    @property
    def words(self) -> tuple[str, ...]:
        """What each input is."""
        pool = pool_names(self.names, self.quantities)
        return tuple(pool[k] for k in self.chosen)

    @property
    def features(self) -> Features:
        """The inputs, with only those quantities in the pool that are used: each costs time at every point."""
        first, used = len(self.whole.pick) - len(self.quantities), self.used
        chosen = [k if k < first else first + used.index(k - first) for k in self.chosen]
        return Features.of(chosen, self.positive, self.learned.only(used))

    @property
    def whole(self) -> Features:
        """The inputs, with all quantities in the pool."""
        return Features.of(self.chosen, self.positive, self.learned)

    @property
    def used(self) -> tuple[int, ...]:
        """Which quantities are inputs."""
        first = len(self.whole.pick) - len(self.quantities)
        return tuple(sorted(k - first for k in self.chosen if k >= first))

    def update(self, training: TrainingSet, focus: Focus, draws: Float[np.ndarray, "n d"], search: Search) -> Features:
        """Learn quantities again where the posterior has moved, and search again where there is more to learn from."""
        near = training.theta[np.linalg.norm(focus.white(training.theta), axis=1) <= 2.0 * focus.reach]
        region = np.vstack([self._stretched(draws), near])
        counting = float(focus.weights(training.theta).sum())
        if counting >= GROWN * self.searched and len(training) >= len(self.names) + 5:
            if not self.searched:
                self._begin(region)
            self._learn(region, draws, range(len(self.quantities)), ROUGH)
            if not len(self.error):
                self.quantities = ()  # the code has no answer in this region
            self.searched = counting
            self.chosen = search(training, focus, self.whole, draws).chosen
        self._learn(region, draws, self.used, ACCURATE)
        return self.features

    def hold(self, draws: Float[np.ndarray, "n d"]) -> bool:
        """Whether the quantities that are inputs are right at draws far from all cheap calls; else they learn these.

        The calls lie where the posterior was when they were made. Where it is a ridge, that is little of their box, and
        a series that is right on the ridge may be far off beside it; the error over the calls themselves hides that.
        Nor do they hold where the posterior has outgrown the box: it is cut off at the edges.
        """
        rows, held = list(self.used), True
        if rows and self._outgrown(draws, self._stretched(draws)):
            return False
        draws = draws[within(self.box, draws, self.matter)]
        if not rows or len(draws) < TESTS:
            return True
        for _ in range(MOST_CALLS // TESTS):
            at = draws[loneliest(draws[:, self.matter], self.found[0][:, self.matter], TESTS)]
            predicted = self.learned.at(at)[:, rows]
            values, ok = self._add(at)
            error = np.abs(predicted - values[:, rows])[ok] / self.learned.at(draws)[:, rows].std(axis=0)
            if not ok.any() or error.max() <= LARGEST:
                break
            held = False
            self._fitted(rows, draws, ACCURATE)
        return held

    def _begin(self, region: Float[np.ndarray, "n d"]) -> None:
        """Find which quantities there are, and on which parameters they depend: one step along each."""
        theory = cheap_theory(self.study)
        if theory is None:
            return
        middle, spread = np.median(region, axis=0), region.std(axis=0)
        values, ok, labels = self._exact(theory, np.vstack([middle, middle + np.diag(spread) / 2]))
        if not ok.all():
            return  # where the code fails there is nothing to learn from
        effect = np.abs(values[1:] - values[0])
        moved = effect > SMALLEST_EFFECT * effect.max(axis=0)
        varies = effect.max(axis=0) > 1e-9 * np.abs(values[0])
        kept = np.flatnonzero(varies & (moved.sum(axis=0) > 1))  # of one parameter alone: no better than that parameter
        self.quantities = tuple(labels[i] for i in kept)
        self.depends = tuple(tuple(np.flatnonzero(moved[:, i]).tolist()) for i in kept)
        self.columns = kept
        self.found = (np.zeros((0, len(self.names))), np.zeros((0, len(kept))))

    def _outgrown(self, draws: Float[np.ndarray, "n d"], region: Float[np.ndarray, "m d"]) -> bool:
        """Whether posterior or training points lie beyond the region in which quantities were learned."""
        return any(within(self.box, x, self.matter).mean() < COVERED for x in (draws, region))

    def _learn(
        self,
        region: Float[np.ndarray, "m d"],
        draws: Float[np.ndarray, "n d"],
        wanted: Sequence[int],
        error: float,
    ) -> None:
        """Cheap calls in this region until these quantities err by that much of their spread over the draws, at most.

        With `MOST_CALLS` of one region they are as good as they get.
        """
        rows = list(wanted)
        if not rows:
            return
        outgrown = self._outgrown(draws, region)
        if not outgrown and (not self._coarse(rows, draws, error) or self._fitted(rows, draws, error)):
            return
        self.box = region.min(axis=0), region.max(axis=0)
        inside = within(self.box, self.found[0], self.matter)
        self.found = tuple(values[inside] for values in self.found)
        rng = np.random.default_rng(self.study.settings.seed + self.calls)
        edges = [*region.argmin(axis=0), *region.argmax(axis=0)]  # first: the calls shall span the region
        order = list(dict.fromkeys([*edges, *rng.permutation(len(region))]))
        waiting = order[: max(CALLS if outgrown else 0, MOST_CALLS - int(inside.sum()))]
        more = CALLS
        while waiting:
            new, waiting = region[waiting[:more]], waiting[more:]
            more *= 2  # a fit of the series costs as much as a hundred calls
            self._add(new)
            if self._fitted(rows, draws, error):
                break

    def _add(self, theta: Float[np.ndarray, "n d"]) -> tuple[np.ndarray, np.ndarray]:
        """Make cheap calls and keep them: the quantities found, (n, c), and which calls succeeded."""
        values, ok, _ = self._exact(cheap_theory(self.study), theta)
        values = values[:, self.columns] if ok.any() else np.full((len(theta), len(self.columns)), np.nan)
        known, found = self.found
        self.found = np.vstack([known, theta[ok]]), np.vstack([found, values[ok]])
        return values, ok

    def _fitted(self, rows: list[int], draws: Float[np.ndarray, "n d"], error: float) -> bool:
        """Fit these quantities to the calls there are; whether that is accurate enough."""
        theta, found = self.found
        if len(theta) < 2 * len(self.names):
            return False
        learned = learn_quantities(theta, found[:, rows], [self.depends[i] for i in rows])
        self.learned = learned.quantities.among(rows, len(self.quantities))
        self.error = np.full(len(self.quantities), np.inf)
        self.error[rows] = learned.error * found[:, rows].std(axis=0)
        return not self._coarse(rows, draws, error)

    def _coarse(self, rows: list[int], draws: Float[np.ndarray, "n d"], error: float) -> bool:
        """Whether any of these quantities errs by more than that much of its spread over the draws."""
        if not len(self.error):
            return True
        spread = self.learned.at(draws).std(axis=0)
        return bool((self.error[rows] > error * spread[rows]).any())

    def _exact(self, theory: Theory, theta: Float[np.ndarray, "n d"]) -> tuple[np.ndarray, np.ndarray, list[str]]:
        """Quantities at points of the emulator's inputs, (n, c), which calls succeeded, and the names."""
        others = dict(zip(self.study.space.names, np.asarray(self.study.space.reference).tolist(), strict=True))
        points = [
            self.study.parameters.theory_inputs(others | dict(zip(self.names, row, strict=True)))
            for row in theta.tolist()
        ]
        self.progress.start("cheap calls", len(points))
        with self.open(theory) as engine:
            calls = engine.compute(points, lambda call: self.progress.advance())
        self.progress.stop()
        self.calls += len(points)
        ok = np.array([call.done for call in calls])
        labels = next((list(c.observables.derived) for c in calls if c.observables is not None), [])
        nothing = [np.nan] * len(labels)
        rows = [[c.observables.derived[n] for n in labels] if c.observables else nothing for c in calls]
        return np.array(rows).reshape(len(calls), len(labels)), ok, labels

    def _stretched(self, draws: Float[np.ndarray, "n d"]) -> Float[np.ndarray, "n d"]:
        """Draws moved away from their mean, within the prior: the region that tempered points will lie in."""
        moved = draws.mean(axis=0) + STRETCH * (draws - draws.mean(axis=0))
        return np.clip(moved, self.lower, self.upper)


def within(
    box: tuple[Float[np.ndarray, " d"], Float[np.ndarray, " d"]],
    theta: Float[np.ndarray, "n d"],
    columns: Sequence[int],
) -> Bool[np.ndarray, " n"]:
    """Which points lie in the box, in these columns."""
    lower, upper = (edge[list(columns)] for edge in box)
    return ((theta[:, list(columns)] >= lower) & (theta[:, list(columns)] <= upper)).all(axis=1)


def loneliest(
    draws: Float[np.ndarray, "n d"], known: Float[np.ndarray, "m d"], count: int
) -> Int[np.ndarray, " count"]:
    """The draws furthest from all known points and from each other, in whitened coordinates of the draws."""
    scale = np.linalg.cholesky(np.cov(draws.T).reshape(draws.shape[1], -1) + 1e-12 * np.diag(draws.var(axis=0)))
    draws, known = (np.linalg.solve(scale, x.T).T for x in (draws, known))
    distance = cKDTree(known).query(draws)[0]
    chosen = []
    for _ in range(count):
        chosen.append(int(np.argmax(distance)))
        distance = np.minimum(distance, np.linalg.norm(draws - draws[chosen[-1]], axis=1))
    return np.array(chosen)


def described_inputs(names: Sequence[str], words: Sequence[str]) -> str:
    """What is new, for a line of the log."""
    changed = [f"{word} for {name}" for name, word in zip(names, words, strict=True) if word != name]
    return ", ".join(changed) or "the parameters themselves"
