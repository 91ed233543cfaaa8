r"""CONNECT's iterative sampling (Nygaard et al. 2022, arXiv:2205.15726, sections 3.1 and 3.2), judged like all else.

    data      = exact calls at a Latin hypercube over the prior
    repeat
        emulator  = trained from nothing on data
        points    = last N of chains that sample prior x likelihood^(1/T) of the emulator
        points    = those where data are thin                         the over-density filter
        data      = data + exact calls at points                      the initial design, and the points of the first
                                                                      iteration, are discarded once there are others
        stop when R - 1 between the samples of two iterations is small, or hardly any point passes the filter
    exact calls at plain draws of the last posterior judge it

A likelihood to the power 1/T widens a Gaussian by :math:`\sqrt{T}`: with T = 5 the points lie within 2.2 times the
widths of the posterior. (The paper says by T, which would be 5 times; it is an error there.)

What is ours: every point is archived before anything else happens, and a run that dies goes on where it was. R - 1
between iterations compares all draws of their chains, of which the kept points are the last: of a few dozen points it
would be mostly their own noise, 1/N. Iterations that agree with each other say nothing about the exact code: in the end
the certificate does, from exact calls that no emulator has learned. Where discarding would leave too few calls for a
fit, they are kept. The budget of the study holds for everything together.
"""

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array

from alfonsine.emulator.around.focus import Focus
from alfonsine.errors import InputError
from alfonsine.points.design import space_filling
from alfonsine.points.overdensity import thinly_sampled
from alfonsine.posterior.convergence import between_over_within
from alfonsine.posterior.posterior import Posterior
from alfonsine.study.box import box
from alfonsine.study.clock import Clock
from alfonsine.study.exact import Computed, check_observables
from alfonsine.study.infer import BLOCKS, CANDIDATES, sample_target
from alfonsine.study.iterations import Proposed, Sets, by_chain, forget_after, keep, last_points
from alfonsine.study.iterative_settings import IterativeSettings, Sizes
from alfonsine.study.judge import tempered_surprise
from alfonsine.study.learn import Around, Lesson, fewest_to_fit, learn
from alfonsine.study.learned import Learned
from alfonsine.study.loop import Ending, Run
from alfonsine.study.prepare import Study
from alfonsine.study.preset import check_preset
from alfonsine.study.progress import Progress
from alfonsine.study.rounds import LEARN, START
from alfonsine.study.trained import train_networks
from alfonsine.theory.engine import Engine

PRIOR_DRAWS = 1000  # that stand for the posterior before there is one
ENOUGH = 2.5  # times the effective size per chain at which R - 1 is expected at the tolerance: it differs by parameter
ATTEMPTS, LONGER = 3, 4  # chains that still disagree are run again, this many times longer


def settings_of(study: Study) -> IterativeSettings:
    """What the study says of the iterations; InputError where it has none."""
    found = study.settings.points.iterative
    if found is None:
        raise InputError("expected a study with points: iterative, got none; add it")
    return found


def sizes_of(study: Study) -> Sizes:
    """Exact calls of each part."""
    accuracy = study.settings.accuracy
    return settings_of(study).sizes(accuracy.calls - accuracy.judging, study.space.dimension)


def check_iterations(study: Study) -> None:
    """InputError for what cannot be begun with this budget, or trained from so few calls, before the first of them."""
    sizes, accuracy, source = sizes_of(study), study.settings.accuracy, study.settings.source
    least = sizes.initial + sizes.first + accuracy.judging
    if accuracy.calls < least:
        raise source.error(
            ("accuracy", "calls"),
            f"expected at least {least} ({sizes.initial} to begin, {sizes.first} for a first iteration, "
            f"{accuracy.judging} to judge), got {accuracy.calls}",
        )
    if sizes.initial < (fewest := fewest_to_fit(study.space.dimension)):
        raise source.error(
            ("points", "iterative", "initial"),
            f"expected at least {fewest} points in {study.space.dimension} dimensions, got {sizes.initial}",
        )
    if study.settings.emulator.preset != "alfonsine":
        box(study)
        check_preset(study.settings.emulator, source, min(sizes.initial, sizes.first))


class Iterations(Run):
    """One run of them. Rounds, calls, history and the judges are those of the loop."""

    def __init__(self, study: Study, engine: Engine, progress: Progress, clock: Clock) -> None:
        super().__init__(study, engine, progress, clock)
        check_iterations(study)
        self.settings, self.sizes = settings_of(study), sizes_of(study)
        self.sets = Sets(self.settings, fewest_to_fit(len(self.names)), progress.say)

    @property
    def affordable(self) -> int:
        """Exact calls that the budget allows beside those of one verdict."""
        return self.left - self.study.settings.accuracy.judging

    def go(self) -> Ending:
        """Iterate to the end, then judge, once: a verdict that fails is the answer of this way of placing points."""
        learned = self.train()
        judged, certificate = self.judge(learned)
        return self.ending(learned, judged, certificate)

    def train(self, lesson: Lesson | None = None, news: Computed | None = None) -> Learned:
        """Iterate until two samples agree, hardly any point is new, or none more can be paid or is wanted."""
        self.sets.add(self.begin_design())
        learned = self.learn(None)
        keep(self.study.folder, 0, learned, self.calls, None)
        temperatures, previous, number = list(self.settings.temperature), None, 0
        halted = ""
        while not halted:
            number += 1
            drawn, proposed = self.propose(number, learned, temperatures[0], previous)
            computed, entry = self.compute(number, proposed)
            previous = drawn
            settled = self.settled(number, proposed)
            if settled and len(temperatures) > 1:
                temperatures.pop(0)
                previous, settled = None, ""  # samples of two temperatures are not to agree
            halted = settled or self.ended(number)
            self.history.add(
                entry,
                calls=self.spent,
                training=len(learned.training),
                judged=int(computed.done.sum()),
                kl=tempered_surprise(self.study, learned, computed, proposed.temperature),
                loo_error=learned.error,
                outcome="learned",
                iteration=number,
                temperature=proposed.temperature,
                proposed=len(proposed.kept),
                thin=int(proposed.thin.sum()),
                between=proposed.between,
                change=proposed.change,
                halted=halted,
            )
            self.sets.add(computed)
            if len(computed.theta) or number <= 2:  # else nothing has changed
                learned = self.learn(learned)
            keep(self.study.folder, number, learned, self.calls, proposed)
        forget_after(self.study.folder, number)
        self.progress.say(f"  iterations end: {halted}")
        return learned

    def begin_design(self) -> Computed:
        """Exact calls all over the prior."""
        settings, space = self.settings, self.study.space
        unit = space_filling(settings.design, self.sizes.initial, space.dimension, self.study.settings.seed)
        computed, _ = self.make(START, lambda: np.asarray(space.from_unit_cube(jnp.asarray(unit))))
        check_observables(self.study, computed.calls)
        if computed.done.sum() < self.sets.least:
            told = f"; the last failure: {computed.failures[-1].reason}" if computed.failures else ""
            raise InputError(
                f"expected at least {self.sets.least} exact models to begin with, got {int(computed.done.sum())} of "
                f"{len(computed.done)}{told}"
            )
        return computed

    def learn(self, before: Learned | None) -> Learned:
        """An emulator of the data of now, and its posterior; `before` says where to look for that."""
        study, known, space = self.study, self.sets.learned_from(), self.study.space
        if study.settings.emulator.preset == "alfonsine":
            around = before.around if isinstance(before, Lesson) else self.prior_around()
            learned: Learned = learn(study, known, around, self.inputs, self.fresh_key(1), self.clock)
        else:
            start, width = np.asarray(space.reference), np.asarray(space.step)
            if before is not None:
                start, width = before.posterior.mean(), before.posterior.std()
            learned = train_networks(study, known, start, width, self.fresh_key(1), self.clock, self.progress)
        self.progress.say(f"  {self.spent} exact calls: emulator from {len(learned.training)} of them")
        return learned

    def prior_around(self) -> Around:
        """What stands for the posterior before there is one: the prior."""
        unit = space_filling("latin_hypercube", PRIOR_DRAWS, self.study.space.dimension, self.study.settings.seed)
        draws = np.asarray(self.study.space.from_unit_cube(jnp.asarray(unit)))[:, self.columns]
        return Around(Focus.of_samples(draws, self.inputs.features), draws)

    @property
    def columns(self) -> list[int]:
        """Of the emulator's inputs, in the sampled space: other parameters are not the exact code's."""
        return list(self.study.space.index(self.names))

    def propose(
        self, number: int, learned: Learned, temperature: float, previous: Posterior | None
    ) -> tuple[Posterior, Proposed]:
        """Sample the tempered posterior, take the ends of the chains, and filter them beside the earlier data."""
        settings = self.settings
        with self.clock.stage("sample"):
            key = jax.random.fold_in(
                self.fresh_key(5), number
            )  # of its own, also where no call was made since the last
            drawn, between = self.tempered(learned, temperature, key)
        kept = last_points(drawn, self.sizes.first if number == 1 else self.sizes.samples)
        change = np.inf
        if previous is not None:
            change = float(np.max(between_over_within([previous.samples, drawn.samples])))
        with self.clock.stage("choose"):
            old = self.sets.earlier(number)[:, self.columns]
            thin = thinly_sampled(kept[:, self.columns], old, settings.neighbours, settings.deviations)
        return drawn, Proposed(kept, thin, between, change, temperature)

    def tempered(self, learned: Learned, temperature: float, key: Array) -> tuple[Posterior, float]:
        """Chains of the tempered posterior, as long as it takes them to agree, and R - 1 between them."""
        tolerance, sampler = self.settings.mcmc_tolerance, self.study.settings.sampler
        chains = sampler.nuts.chains if sampler.ensemble is None else sampler.ensemble.walkers
        wanted, blocks = max(CANDIDATES, self.sizes.samples, ENOUGH * chains / tolerance), BLOCKS
        posterior = learned.posterior
        for _ in range(ATTEMPTS):
            drawn = sample_target(
                self.study, learned.target, posterior.mean(), posterior.std(), key, wanted, temperature, blocks
            )
            between = float(np.max(between_over_within(list(by_chain(drawn)))))
            if between < tolerance:
                return drawn, between
            wanted, blocks = LONGER * wanted, LONGER * blocks
        self.progress.say(f"  chains at temperature {temperature:g} disagree: R - 1 = {between:.2g} between them")
        return drawn, between

    def compute(self, number: int, proposed: Proposed) -> tuple[Computed, int]:
        """Exact calls at the points that are left, as many as are wanted and can be paid; and the round's number."""
        most = self.sizes.first if number == 1 else self.sizes.most
        points = proposed.affordable(min(most, self.affordable))
        if not len(points):
            return Computed(points, ()), self.number - 1
        computed, entry = self.make(LEARN, lambda: points)
        change = f"; R - 1 = {proposed.change:.2g} to the iteration before" if np.isfinite(proposed.change) else ""
        self.progress.say(
            f"  iteration {number}: {int(proposed.thin.sum())} of {len(proposed.kept)} points are new, "
            f"{len(computed.theta)} computed ({len(computed.failures)} failed){change}"
        )
        return computed, entry.number

    def settled(self, number: int, proposed: Proposed) -> str:
        """Why there is nothing more to learn at this temperature; empty where there is."""
        if proposed.change < self.settings.iteration_tolerance:
            return f"R - 1 = {proposed.change:.2g} between the samples of two iterations"
        few = proposed.share < self.settings.fewest_new or not proposed.thin.any()  # of none there is nothing to learn
        if self.sets.kept(number) and few:
            return f"{100 * proposed.share:.2g} % of the points were new"
        return ""

    def ended(self, number: int) -> str:
        """Why there is no further iteration although there is more to learn."""
        if number >= self.settings.most_iterations:
            return f"{number} iterations, the most that the study wants"
        if self.affordable < 1:
            return "no exact calls are left but those of a verdict"
        return ""
