"""One lesson: fit the emulator to all exact calls so far, and sample its posterior."""

from dataclasses import dataclass
from typing import NamedTuple

import jax
import numpy as np
from jaxtyping import Array, Bool, Float

from alfonsine.certificate.cut_off import beyond
from alfonsine.emulator.around.fit import Fit
from alfonsine.emulator.around.focus import Focus
from alfonsine.emulator.emulator import Emulator
from alfonsine.points.training_set import TrainingSet
from alfonsine.posterior.posterior import Posterior
from alfonsine.posterior.target import Target
from alfonsine.study.clock import Clock
from alfonsine.study.emulate import better_features, fit_emulator
from alfonsine.study.exact import Computed, exact_log_likelihood, training_set
from alfonsine.study.infer import left_out_log_likelihood, sample_target, study_target
from alfonsine.study.inputs import Inputs
from alfonsine.study.prepare import Study

SETTLED = 0.5  # a posterior that moved by less, in its own standard deviations, needs no new fit
REFITS = 3


def fewest_to_fit(dimension: int) -> int:
    """Points near the posterior with which leaving one out says anything."""
    return dimension + 4


def fewest_to_forecast(dimension: int) -> int:
    """Points with which it says enough: fewer flatter the shrinkage that they chose."""
    return 2 * (dimension + 1)


class Around(NamedTuple):
    """Where the emulator is fitted: a focus, and the draws of the emulator's inputs, (n, d), that it summarises."""

    focus: Focus
    draws: Float[np.ndarray, "n d"]


@dataclass(frozen=True)
class Lesson:
    """What is known after a fit.

    computed   every exact call that was learned from or failed
    training   the finished ones, as functions of the emulator's inputs
    around     where the emulator was fitted
    fit        emulator, leave-one-out predictions and error
    target     the emulated posterior, as a density
    posterior  draws of it
    exact      (n,) exact ln L of the training points
    held       whether the cheap quantities among the inputs are right wherever the posterior has draws; not tested
               before there is a forecast
    left_out   (n,) ln L that the emulator predicts for each training point when it has not seen it
    """

    computed: Computed
    training: TrainingSet
    around: Around
    fit: Fit
    target: Target
    posterior: Posterior
    exact: Float[np.ndarray, " n"]
    left_out: Float[np.ndarray, " n"]
    held: bool

    @property
    def emulator(self) -> Emulator:
        """As fitted."""
        return self.fit.emulator

    @property
    def error(self) -> float:
        """Leave-one-out error of the fit."""
        return self.fit.error

    @property
    def focus(self) -> Focus:
        """Around which the emulator was fitted."""
        return self.around.focus

    @property
    def cut_off(self) -> float:
        """Part of the posterior that lies where the emulator cannot be asked, so that no draw tells of it: `beyond`."""
        draws = self.posterior.samples[:, list(self.target.inputs)]
        return beyond(self.emulator.domain.way_to_edge(draws), self.posterior.weights)

    @property
    def taught(self) -> Float[np.ndarray, "n d"]:
        """Training points in the sampled space."""
        return self.computed.theta[self.computed.done]

    @property
    def near(self) -> Bool[np.ndarray, " n"]:
        """Which training points lie where the posterior is."""
        return within_reach(self.focus, self.training.theta)

    def expected_kl(self, temperature: float) -> float:
        """Half the variance of ln L exact over left-out, near points weighted from their spread to the posterior.

        A forecast to plan by, somewhat pessimistic; never evidence: the points have been learned.
        """
        near = self.near
        if near.sum() < fewest_to_forecast(self.training.theta.shape[1]):
            return np.inf
        distance = np.linalg.norm(self.focus.white(self.training.theta[near]), axis=1)
        weights = np.exp(-0.5 * distance**2 * (1.0 - 1.0 / temperature))
        ratio = (self.exact - self.left_out)[near]
        mean = np.average(ratio, weights=weights)
        return 0.5 * float(np.average((ratio - mean) ** 2, weights=weights))


def learn(study: Study, computed: Computed, around: Around, inputs: Inputs, key: Array, clock: Clock) -> Lesson:
    """Fit and sample, again where the posterior turns out to lie elsewhere than expected.

    Before that, the inputs are looked for in which the outputs are simple, where there is more to learn them from.
    """
    names = inputs.names
    training = training_set(study, computed, names)
    space = study.space
    start, width = np.asarray(space.reference).copy(), np.asarray(space.step).copy()
    columns = list(space.index(names))
    for attempt in range(REFITS):
        with clock.stage("inputs"):
            features = inputs.update(
                training, around.focus, around.draws, lambda *given: better_features(study, *given)
            )
        around = Around(Focus.of_samples(around.draws, features), around.draws)
        start[columns] = np.asarray(around.focus.middle)
        width[columns] = around.draws.std(axis=0)
        with clock.stage("fit"):
            one_key = jax.random.fold_in(key, 2 * attempt)
            fitted = fit_emulator(study, training, around.focus, one_key, inputs.words)
            target = study_target(study, fitted.emulator)
        with clock.stage("sample"):
            posterior = sample_target(study, target, start, width, jax.random.fold_in(key, 2 * attempt + 1))
        draws = posterior.samples[:, columns]
        found = Around(Focus.of_samples(draws, features), draws)
        few = len(training) < fewest_to_fit(len(names))
        there = within_reach(around.focus, training.theta).sum() >= fewest_to_forecast(len(names))
        with clock.stage("inputs"):
            held = not there or inputs.hold(draws)  # on the way to the posterior an input need not hold all over it
        if few or attempt == REFITS - 1 or (held and moved(around.focus, found.focus) < SETTLED):
            break
        around = found
    with clock.stage("fit"):
        exact = exact_log_likelihood(study, computed)
        left_out = left_out_log_likelihood(study, target, computed.theta[computed.done], fitted.left_out)
    return Lesson(computed, training, around, fitted, target, posterior, exact, left_out, held)


def within_reach(focus: Focus, theta: Float[np.ndarray, "n d"]) -> Bool[np.ndarray, " n"]:
    """Which points count fully where the emulator is used."""
    return np.linalg.norm(focus.white(theta), axis=1) <= focus.reach


def moved(before: Focus, after: Focus) -> float:
    """How far the centre moved, in standard deviations after, and how much the widths changed, whichever is more.

    Both of the same features.
    """
    shift = np.linalg.norm(np.linalg.solve(np.asarray(after.cholesky), np.asarray(before.centre - after.centre)))
    widths = [np.sqrt(np.sum(np.asarray(f.cholesky) ** 2, axis=1)) for f in (before, after)]
    return float(max(shift, np.max(np.abs(np.log(widths[0] / widths[1])))))
