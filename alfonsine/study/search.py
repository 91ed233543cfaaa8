"""Where the posterior is, found from the box of the prior alone.

    points = spread over the box                         where the cheap part of the code has an answer
    best   = the largest ln L among them, each with its exactly known scaling at its best
    repeat
        emulator = polynomial about the best point       after one step along each parameter from there
        points   = its maxima within trust regions of several sizes
        best     = the best of all that is known
    until the emulator promises little more, having kept its last promise, and its slopes were taken nearby

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
from alfonsine.study.propose import mirrored, spread_number
from alfonsine.study.scaled import best_scaled

SHARE = 0.5  # of the budget that the search may spend
SETTLED = 3.0  # nats above d/2 that may still be promised when the search ends
PENALTIES = tuple(10.0 ** np.arange(8, -4.1, -0.5))  # from steps of nothing to free ones
MOST_TRIALS = 4  # side by side
STALE = 2  # batches without a better point: the slopes are taken anew
ANEW = 6  # batches after which slopes far from the best point are taken anew as well
FAR = 6.0  # steps away
LOWEST = -1e300  # ln posterior before there is any
DRAWS = 1000  # that stand for the posterior where the search ended
Make = Callable[[Callable[[], np.ndarray]], Computed]


@dataclass(frozen=True)
class Found:
    """Where the search ended.

    computed   all exact calls that it made
    draws      (n, d) draws that stand for the posterior there: a normal of the emulated curvature, within the prior
    """

    computed: Computed
    draws: Float[np.ndarray, "n d"]


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
    """One search; `make` computes a batch of points, or finds what an earlier process computed.

    known    every exact call so far
    best     the most probable of the finished ones, and `height`, ln of prior times exact likelihood there
    """

    def __init__(self, study: Study, make: Make, feasible: Feasible, key: Array, say: Callable[[str], None]) -> None:
        self.study, self.make, self.feasible, self.key, self.say = study, make, feasible, key, say
        self.names = emulator_inputs(study)
        self.columns = list(study.space.index(self.names))
        self.lower, self.upper = np.asarray(study.space.lower), np.asarray(study.space.upper)
        self.scale = np.asarray(study.space.step)  # of every parameter, the likelihoods' own included
        self.budget = int(SHARE * (study.settings.accuracy.calls - study.settings.accuracy.judging))
        self.known = Computed(np.zeros((0, study.space.dimension)), ())
        self.best, self.height = np.asarray(study.space.reference), -np.inf

    def go(self) -> Found:
        """Spread, then climb."""
        self.spread()
        slopes_at = best_scaled(self.study, self.known)
        self.slopes(slopes_at)
        region, batches = TrustRegion(), 0
        while True:
            target = self.emulated()
            summit = self.summit(target, 0.0)
            promised = float(target(jnp.asarray(summit))) - self.height
            settled = region.kept and promised < SETTLED + 0.5 * len(self.best)
            far = bool(np.linalg.norm((self.best - slopes_at) / self.scale) > FAR)  # what it promises is a guess
            if (settled and not far) or len(self.known.theta) >= self.budget:
                return Found(self.known, self.draws(target, summit))
            if region.failures >= STALE or (far and (settled or batches >= ANEW)):
                slopes_at = self.best
                self.slopes(slopes_at)
                region, batches = TrustRegion(max(region.radius, 0.3)), 0
                continue
            trial, length, promise = self.trials(target, region)
            gained = self.compute(trial)
            region, batches = region.after(length, promise, gained), batches + 1
            best = int(np.argmax(gained))
            self.say(
                f"  {len(self.known.theta)} exact calls: ln posterior {self.height:.1f}, gained {gained[best]:.3g} of "
                f"{promise[best]:.3g} promised, {promised:.3g} in all"
            )

    def compute(self, points: Float[np.ndarray, "n d"]) -> Float[np.ndarray, " n"]:
        """Make exact calls: what each gains beside the best one before; minus infinity where there is no answer."""
        computed = self.make(lambda: points)
        before, done = max(self.height, LOWEST), computed.done
        value = np.full(len(computed.theta), -np.inf)
        prior = jax.vmap(self.study.space.log_prior)(jnp.asarray(computed.theta[done]))
        value[done] = exact_log_likelihood(self.study, computed) + np.asarray(prior)
        self.known = self.known + computed
        if value.max() > self.height:
            self.best, self.height = computed.theta[int(np.argmax(value))], float(value.max())
        return value - before

    def spread(self) -> None:
        """Points all over the box, where the cheap part of the code has an answer."""
        space, count = self.study.space, spread_number(self.study)
        unit = space_filling("sobol", 4 * count, space.dimension, self.study.settings.seed)
        self.compute(self.feasible.first(np.asarray(space.from_unit_cube(jnp.asarray(unit))), count))
        done = int(self.known.done.sum())
        if done < 2:
            raise InputError(
                f"expected at least two exact models to begin with, got {done} of {len(self.known.done)}; "
                f"the last failure: {self.known.failures[-1].reason}; give a ref where the code has an answer"
            )

    def slopes(self, about: Float[np.ndarray, " d"]) -> None:
        """One step along each parameter of the theory from a point, which is computed too where it is new."""
        points = steps(about, self.scale, self.lower, self.upper)
        new = not (self.known.theta == about).all(axis=1).any()
        gained = self.compute(points[[*([0] if new else []), *(1 + i for i in self.columns)]])
        failed = self.known.theta[-len(gained) :][~np.isfinite(gained)]
        if len(failed):
            self.compute(mirrored(self.study, failed, about))

    def emulated(self) -> Target:
        """The emulated posterior about the best point, without an edge of its domain: the trust region is elsewhere."""
        middle, scale = self.best[self.columns], self.scale[self.columns]
        focus = Focus.of(middle, np.diag(scale**2))
        sub = self.study.space.select(self.names)
        everywhere = Domain(
            focus.middle, focus.cholesky, jnp.asarray(1e6), sub.lower, sub.upper, Features.identity(len(middle))
        )
        training = training_set(self.study, self.known, self.names)
        found = fit_emulator(self.study, training, focus, self.key, self.names, domain=everywhere)
        return study_target(self.study, found.emulator)

    def summit(self, target: Target, penalty: float) -> Float[np.ndarray, " d"]:
        """The emulated maximum under a penalty, kept a little inside the prior."""
        density = Damped(target, jnp.asarray(self.best), jnp.asarray(self.scale), jnp.asarray(penalty))
        coordinates = Coordinates.of(self.lower, self.upper, self.best, self.scale)
        found = np.asarray(find_optimum(density, coordinates, of="theta").theta)
        return np.clip(found, self.best + 0.95 * (self.lower - self.best), self.best + 0.95 * (self.upper - self.best))

    def trials(
        self, target: Target, region: TrustRegion
    ) -> tuple[Float[np.ndarray, "n d"], Float[np.ndarray, " n"], Float[np.ndarray, " n"]]:
        """Points to try side by side, the lengths of these steps, and the gain that each promises."""
        summits = np.array([self.summit(target, penalty) for penalty in PENALTIES])
        length = np.linalg.norm(((summits - self.best) / self.scale)[:, self.columns], axis=1)
        wanted = region.wanted(min(max(2, self.study.settings.compute.count), MOST_TRIALS))
        likely = np.ones(len(summits), dtype=bool)
        while True:
            allowed = np.flatnonzero(likely)
            rows = allowed[nearest_lengths(length[allowed], wanted)]
            answered = self.feasible.answers(summits[rows])
            likely[rows[~answered]] = False
            if answered.all() or not likely.any():
                break
        if not len(rows):
            rows = np.array([0])  # the shortest: where the best point has an answer, it has one too
        here = float(target(jnp.asarray(self.best)))
        promise = np.array([float(target(jnp.asarray(x))) - here for x in summits[rows]])
        return summits[rows], length[rows], promise

    def draws(self, target: Target, summit: Float[np.ndarray, " d"]) -> Float[np.ndarray, "n d"]:
        """Draws of a normal with the emulated curvature at the summit, folded back into the prior."""
        coordinates = Coordinates.of(self.lower, self.upper, summit, self.scale)
        found = find_optimum(target, coordinates, of="z")
        z = jax.random.normal(jax.random.fold_in(self.key, 1), (DRAWS, len(summit)))
        return np.asarray(jax.vmap(found.coordinates.theta)(z))
