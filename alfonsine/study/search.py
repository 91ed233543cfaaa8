"""Where the posterior is, found from the box of the prior alone.

    points = spread over the box                         where the cheap part of the code has an answer
    best   = the largest ln L among them, each with its exactly known scaling at its best
    repeat
        emulator = polynomial about the best point       after one step along each parameter from there
        points   = its maxima within trust regions of several sizes
        best     = the best of all that is known
    until the emulator promises little more, having kept its last promise

Every point is an exact call that is learned from later; none is a test. The climb follows one slope: where the
posterior has several summits it finds one of them, and says nothing of others.
"""

from collections.abc import Callable
from dataclasses import dataclass

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float

from alfonsine.emulator.around.features import Features
from alfonsine.emulator.around.focus import Focus
from alfonsine.emulator.domain import Domain
from alfonsine.errors import InputError
from alfonsine.points.climb import TrustRegion, nearest_lengths
from alfonsine.points.design import space_filling, steps
from alfonsine.posterior.coordinates import Coordinates
from alfonsine.posterior.optimum import find_optimum
from alfonsine.posterior.target import Target
from alfonsine.study.emulate import emulator_inputs, fit_emulator
from alfonsine.study.exact import Computed, exact_log_likelihood, training_set
from alfonsine.study.feasible import Feasible
from alfonsine.study.infer import study_target
from alfonsine.study.prepare import Study
from alfonsine.study.propose import spread_number
from alfonsine.study.scaled import best_scaled

SHARE = 0.5  # of the budget that the search may spend
SETTLED = 3.0  # nats above d/2 that may still be promised when the search ends
PENALTIES = tuple(10.0 ** np.arange(8, -4.1, -0.5))  # from steps of nothing to free ones
STALE = 2  # batches without a better point: the slopes are taken anew
ANEW = 6  # batches after which slopes far from the best point are taken anew as well
FAR = 6.0  # steps away
Make = Callable[[Callable[[], np.ndarray]], Computed]


@dataclass(frozen=True)
class Found:
    """Where the search ended.

    computed   all exact calls that it made
    draws      (n, d) draws that stand for the posterior there: a normal of the emulated curvature, within the prior
    promised   nats that the emulator still promised
    """

    computed: Computed
    draws: Float[np.ndarray, "n d"]
    promised: float


class Damped(eqx.Module):
    """A log density with a penalty on the distance from a centre, in units of `scale`."""

    log_density: Target
    centre: Float[Array, " d"]
    scale: Float[Array, " d"]
    penalty: Float[Array, ""]

    def __call__(self, theta: Float[Array, " d"]) -> Float[Array, ""]:
        """Evaluate at one point."""
        return self.log_density(theta) - 0.5 * self.penalty * jnp.sum(((theta - self.centre) / self.scale) ** 2)


class Search:
    """One search; `make` computes a batch of points, or finds what an earlier process computed."""

    def __init__(self, study: Study, make: Make, feasible: Feasible, key: Array, say: Callable[[str], None]) -> None:
        self.study, self.make, self.feasible, self.key, self.say = study, make, feasible, key, say
        self.names = emulator_inputs(study)
        self.columns = list(study.space.index(self.names))
        self.lower, self.upper = np.asarray(study.space.lower), np.asarray(study.space.upper)
        self.scale = np.asarray(study.space.step).copy()  # of every parameter, the likelihoods' own included
        self.budget = int(SHARE * (study.settings.accuracy.calls - study.settings.accuracy.judging))

    def go(self) -> Found:
        """Spread, then climb."""
        known = self.spread()
        best, slopes_at = best_scaled(self.study, known), None
        region, batches, promised = TrustRegion(), 0, np.inf
        known = known + self.slopes(best)
        best, slopes_at = self.best(known), best
        while True:
            target = self.emulated(known, best)
            summit = self.summit(target, best, 0.0)
            promised = float(target(jnp.asarray(summit)) - self.log_posterior(known)[1].max())
            settled = promised < SETTLED + 0.5 * len(best) and region.kept
            if settled or len(known.theta) >= self.budget:
                break
            stale = region.failures >= STALE or (
                batches >= ANEW and np.linalg.norm((best - slopes_at) / self.scale) > FAR
            )
            if stale:
                known, slopes_at, batches = known + self.slopes(best, known), best, 0
                region = TrustRegion(max(region.radius, 0.3))
                best = self.best(known)
                continue
            trial, length, promise = self.trials(target, best, region)
            before = self.log_posterior(known)[1].max()
            computed = self.make(lambda trial=trial: trial)
            gained = np.full(len(trial), -np.inf)
            gained[computed.done] = self.log_posterior(computed)[1] - before
            region = region.after(length, promise, gained)
            known, batches = known + computed, batches + 1
            best = self.best(known)
            self.say(
                f"  {len(known.theta)} exact calls: ln posterior {self.log_posterior(known)[1].max():.1f}, gained "
                f"{np.max(gained):.3g} of {promise[int(np.argmax(gained))]:.3g} promised, {promised:.3g} in all"
            )
        return Found(known, self.draws(target, summit), promised)

    def spread(self) -> Computed:
        """Points all over the box, where the cheap part of the code has an answer."""
        space, count = self.study.space, spread_number(self.study)
        kind = self.study.settings.points.start
        kind = kind if kind in ("sobol", "latin_hypercube") else "sobol"

        def points() -> np.ndarray:
            unit = space_filling(kind, 4 * count, space.dimension, self.study.settings.seed)
            theta = np.asarray(space.from_unit_cube(jnp.asarray(unit)))
            return self.feasible.first(theta, count)

        known = self.make(points)
        if known.done.sum() < 2:
            raise InputError(
                f"expected at least two exact models to begin with, got {int(known.done.sum())} of {len(known.done)}; "
                f"the last failure: {known.failures[-1].reason}; give a ref where the code has an answer"
            )
        return known

    def slopes(self, best: Float[np.ndarray, " d"], known: Computed | None = None) -> Computed:
        """One step along each parameter of the theory from the best point, which is computed too where it is new."""
        points = steps(best, self.scale, self.lower, self.upper)
        rows = [1 + i for i in self.columns]
        if known is None or not (known.theta == best).all(axis=1).any():
            rows = [0, *rows]
        computed = self.make(lambda: points[rows])
        failed = computed.theta[~computed.done]
        if len(failed):
            other = np.clip(2.0 * best - failed, 0.5 * (best + self.lower), 0.5 * (best + self.upper))
            computed = computed + self.make(lambda: other)
        return computed

    def log_posterior(self, known: Computed) -> tuple[np.ndarray, np.ndarray]:
        """Finished points, (n, d), and ln of prior times exact likelihood there, (n,)."""
        theta = known.theta[known.done]
        prior = np.asarray(jax.vmap(self.study.space.log_prior)(jnp.asarray(theta)))
        return theta, exact_log_likelihood(self.study, known) + prior

    def best(self, known: Computed) -> Float[np.ndarray, " d"]:
        """The most probable of the finished points."""
        theta, value = self.log_posterior(known)
        return theta[int(np.argmax(value))]

    def emulated(self, known: Computed, best: Float[np.ndarray, " d"]) -> Target:
        """The emulated posterior about a point, without an edge of its domain: the trust region is elsewhere."""
        middle, scale = best[self.columns], self.scale[self.columns]
        focus = Focus.of(middle, np.diag(scale**2))
        sub = self.study.space.select(self.names)
        everywhere = Domain(
            focus.middle, focus.cholesky, jnp.asarray(1e6), sub.lower, sub.upper, Features.identity(len(middle))
        )
        training = training_set(self.study, known, self.names)
        found = fit_emulator(self.study, training, focus, self.key, self.names, domain=everywhere)
        return study_target(self.study, found.emulator)

    def summit(self, target: Target, best: Float[np.ndarray, " d"], penalty: float) -> Float[np.ndarray, " d"]:
        """The emulated maximum under a penalty, kept a little inside the prior."""
        density = Damped(target, jnp.asarray(best), jnp.asarray(self.scale), jnp.asarray(penalty))
        coordinates = Coordinates.of(self.lower, self.upper, best, self.scale)
        found = np.asarray(find_optimum(density, coordinates, of="theta").theta)
        return np.clip(found, best + 0.95 * (self.lower - best), best + 0.95 * (self.upper - best))

    def trials(
        self, target: Target, best: Float[np.ndarray, " d"], region: TrustRegion
    ) -> tuple[Float[np.ndarray, "n d"], Float[np.ndarray, " n"], Float[np.ndarray, " n"]]:
        """Points to try side by side, the lengths of these steps, and the gain that each promises."""
        summits = np.array([self.summit(target, best, penalty) for penalty in PENALTIES])
        summits = summits[self.feasible.answers(summits)]
        if not len(summits):
            summits = np.array([self.summit(target, best, PENALTIES[0])])
        length = np.linalg.norm(((summits - best) / self.scale)[:, self.columns], axis=1)
        count = max(2, self.study.settings.compute.count)
        rows = nearest_lengths(length, region.wanted(min(count, 4)))
        promise = np.array([float(target(jnp.asarray(x)) - target(jnp.asarray(best))) for x in summits[rows]])
        return summits[rows], length[rows], promise

    def draws(self, target: Target, summit: Float[np.ndarray, " d"]) -> Float[np.ndarray, "n d"]:
        """Draws of a normal with the emulated curvature at the summit, folded back into the prior."""
        coordinates = Coordinates.of(self.lower, self.upper, summit, self.scale)
        found = find_optimum(target, coordinates, of="z")
        z = jax.random.normal(jax.random.fold_in(self.key, 1), (1000, len(summit)))
        return np.asarray(jax.vmap(found.coordinates.theta)(z))
