"""The loop: every exact call is first a test, then a lesson.

    points    = first points
    repeat
        exact     = compute(points)               archived before anything else
        evidence  = compare(posterior, exact)     the new points judge the posterior that proposed them
        emulator  = fit(all exact calls)
        posterior = sample(prior x likelihood of emulated observables)
        stop when the certificate passes, or the budget is spent
        points    = choose(posterior)

While the emulator's leave-one-out forecast is not well below the limit, points are chosen to teach; then they are plain
draws of the posterior, and judge it. A verdict that fails is a lesson like any other.
"""

from collections.abc import Callable
from dataclasses import dataclass

import jax
import numpy as np

from alfonsine.certificate.certificate import Certificate
from alfonsine.certificate.outcome import Outcome
from alfonsine.errors import InputError
from alfonsine.study.begin import Beginning
from alfonsine.study.clock import Clock
from alfonsine.study.emulate import emulator_inputs
from alfonsine.study.exact import Computed, compute_points
from alfonsine.study.feasible import Feasible
from alfonsine.study.final import FinalPosterior
from alfonsine.study.history import History
from alfonsine.study.inputs import Inputs, described_inputs
from alfonsine.study.judge import certificate_of, past_learning, surprise, worth_more
from alfonsine.study.learn import Around, Lesson, fewest_to_fit, learn
from alfonsine.study.learned import Learned
from alfonsine.study.many import batch_size, heat
from alfonsine.study.prepare import Study
from alfonsine.study.progress import Progress
from alfonsine.study.propose import learning_points, rng
from alfonsine.study.rounds import JUDGE, LEARN, Round, Rounds
from alfonsine.study.warm_start import open_warm_start, own_key
from alfonsine.study.watched import heard_by
from alfonsine.theory.engine import Engine
from alfonsine.theory.theory import Theory

SURE = 0.1  # of the KL allowed may be forecast when a verdict is worth its calls: leaving one out misses rare errors
EXTRA = 3  # lessons that are spent on it once the forecast is below the whole of what is allowed
CUT = 0.5  # of the KL allowed is the part of the posterior that may lie where the emulator cannot be asked
MOST = 2  # verdicts may take this many times the calls that a verdict needs, while a pass is within reach


@dataclass(frozen=True)
class Ending:
    """Where the loop stopped: the last lesson, the calls that judged it, and what they say.

    final    the posterior at its full effective size, drawn or yet to be drawn
    cheap    number of calls of the exact code's inexpensive part
    inputs   what each input of the emulator is
    reused   number of earlier calls that were learned from
    """

    lesson: Learned
    judged: Computed
    certificate: Certificate
    calls: Computed
    final: FinalPosterior
    cheap: int
    inputs: tuple[str, ...]
    reused: int


class Run:
    """One pass through the loop. Holds what accumulates: rounds on disk, calls made, history."""

    def __init__(self, study: Study, engine: Engine, progress: Progress, clock: Clock) -> None:
        self.study, self.engine, self.progress, self.clock = study, engine, progress, clock
        self.rounds, self.history = Rounds(study.folder, study.settings.digest), History(study.folder, clock)
        self.names = emulator_inputs(study)
        self.inputs = Inputs(study, self.names, self.cheap_engine, progress)
        self.feasible = Feasible(self.inputs.answers, study.space.dimension)
        self.warm = open_warm_start(study, engine.archive, self.rounds)
        self.key = own_key(jax.random.key(study.settings.seed), self.warm)
        self.told = self.names  # inputs of which the log knows
        self.number = 0
        self.spent = 0
        self.reused = 0
        self.calls: Computed | None = None
        self.final: FinalPosterior | None = None

    @property
    def left(self) -> int:
        """Exact calls that the budget still allows."""
        return self.study.settings.accuracy.calls - self.spent

    def cheap_engine(self, theory: Theory) -> Engine:
        """The same workers for cheap calls, behind the same archive."""
        return self.engine.of(theory)

    def go(self) -> Ending:
        """Run until the certificate passes or the budget is spent."""
        lesson = self.train()
        while True:
            judged, certificate = self.judge(lesson)
            decided = certificate.outcome is Outcome.PASS or past_learning(certificate)
            if decided or self.left < self.study.settings.accuracy.judging:
                return self.ending(lesson, judged, certificate)
            self.close()
            lesson = self.train(lesson, judged)

    def ending(self, lesson: Learned, judged: Computed, certificate: Certificate) -> Ending:
        """All that is known where the loop stops."""
        assert self.final is not None
        cheap, words = self.inputs.calls, self.inputs.words
        return Ending(lesson, judged, certificate, self.calls, self.final, cheap, words, self.reused)

    def close(self) -> None:
        """Give up what goes on beside the exact calls."""
        if self.final is not None:
            self.final.give_up()

    def train(self, lesson: Lesson | None = None, news: Computed | None = None) -> Lesson:
        """Learn and teach until the forecast is good enough to be judged, or until only a verdict can be paid.

        Leaving one out does not see the errors of one draw in a hundred, which carry most of the divergence: so the
        forecast must fall well below what is allowed, where cheap inputs are right, or stay below it while three more
        batches are learned. Nor may an edge of the emulator's own cut the posterior, which no draw could tell. At least
        one batch of tempered draws comes first after a search, whose climb may end in a corner where draws agree with
        the exact code and yet are not of the posterior, and after a verdict that was no pass.
        """
        accuracy, points = self.study.settings.accuracy, self.study.settings.points
        if lesson is None or news is None:
            known, around = self.first()
        else:
            known, around = lesson.computed + news, lesson.around
        # a batch of tempered draws, where the forecast has nothing but a climb to go by, or has just been wrong
        owed = news is not None or (self.warm is None and self.study.settings.start == "search")
        promising = 0
        while True:
            lesson = learn(self.study, known, around, self.inputs, self.fresh_key(1), self.clock)
            around = lesson.around
            forecast = lesson.expected_kl(heat(points, len(self.names)))
            self.say(lesson, forecast)
            promising = promising + 1 if forecast <= accuracy.kl else 0
            ready = (forecast <= SURE * accuracy.kl and lesson.held) or promising > EXTRA
            sure = ready and lesson.cut_off <= CUT * accuracy.kl  # else a verdict could not pass
            if (sure and not owed) or self.left < accuracy.judging + points.batch:
                return lesson
            known = known + self.teach(lesson)
            owed = False

    def judge(self, lesson: Learned) -> tuple[Computed, Certificate]:
        """Exact calls at plain draws of the posterior, a few at a time, until they have decided."""
        accuracy = self.study.settings.accuracy
        most = min(MOST * accuracy.judging, self.left)
        draws = self.draws(lesson, most)
        self.final = FinalPosterior(self.study, lesson, self.study.settings.compute.leaves_a_core)
        judged = None
        while True:
            first = 0 if judged is None else len(judged.theta)
            chunk = draws[first : first + accuracy.judging // 2 or 1]
            computed, entry = self.make(JUDGE, lambda chunk=chunk: chunk)
            judged = computed if judged is None else judged + computed
            with self.clock.stage("judge"):
                certificate = certificate_of(self.study, lesson, judged)
            self.history.add(
                entry.number,
                calls=self.spent,
                training=len(lesson.training),
                judged=len(judged.theta),
                kl=certificate.kl.estimate,
                kl_upper95=certificate.kl.upper95,
                loo_error=lesson.error,
                outcome=certificate.outcome.value,
            )
            more = min(accuracy.judging - accuracy.judging // 2, most - len(judged.theta))
            enough = len(judged.theta) >= accuracy.judging and certificate.outcome is Outcome.PASS
            if enough or more < 1 or not worth_more(self.study, certificate, more):
                return judged, certificate

    def first(self) -> tuple[Computed, Around]:
        """The first exact calls, and what stands for the posterior before there is one."""
        beginning = Beginning(self.study, self.warm, self.inputs, self.feasible, self.make, self.progress.say)
        known, around = beginning.go(self.left, self.fresh_key(4))
        self.reused = beginning.reused
        return known, around

    def teach(self, lesson: Lesson) -> Computed:
        """A batch of points chosen to teach; they first test the posterior that proposed them."""
        batch = batch_size(self.study.settings.points, len(self.names))
        if int(lesson.near.sum()) < fewest_to_fit(len(self.names)):
            batch = max(batch, fewest_to_fit(len(self.names)))
        batch = min(batch, self.left - self.study.settings.accuracy.judging)

        def choose() -> np.ndarray:
            with self.clock.stage("choose"):
                return learning_points(
                    self.study, lesson.target, lesson.posterior, lesson.computed, lesson.focus, self.feasible, batch,
                    self.fresh_key(2),
                )  # fmt: skip

        computed, entry = self.make(LEARN, choose)
        self.history.add(
            entry.number,
            calls=self.spent,
            training=len(lesson.training),
            judged=int(computed.done.sum()),
            kl=surprise(self.study, lesson, computed),
            loo_error=lesson.fit.error,
            outcome="learned",
        )
        return computed

    def make(self, purpose: str, points: Callable[[], np.ndarray]) -> tuple[Computed, Round]:
        """Write a round down, or find it written, and make its exact calls."""
        entry = self.rounds.get(self.number)
        if entry is None:
            entry = Round(self.number, purpose, points())
            self.rounds.put(entry)
        elif entry.purpose != purpose:
            raise InputError(
                f"expected round {self.number} in '{self.rounds.folder}' to be '{purpose}', got '{entry.purpose}': "
                "another version wrote it; delete that folder, the archive keeps the exact calls"
            )
        self.number += 1
        self.progress.start(f"round {entry.number}: exact calls to {purpose}", len(entry.theta))
        with self.clock.stage("solver"):
            computed = compute_points(self.study, self.engine, entry.theta, heard_by(self.progress))
        self.progress.stop()
        self.spent += len(entry.theta)
        self.calls = computed if self.calls is None else self.calls + computed
        self.history.failures(self.calls)
        return computed, entry

    def draws(self, lesson: Learned, count: int) -> np.ndarray:
        """Plain draws of the emulated posterior."""
        return lesson.posterior.resampled(count, rng(self.fresh_key(3))).samples

    def fresh_key(self, use: int) -> jax.Array:
        """A key for one use in the present round."""
        return jax.random.fold_in(jax.random.fold_in(self.key, self.number), use)

    def say(self, lesson: Lesson, forecast: float) -> None:
        """One line per lesson."""
        told = f"forecast KL {forecast:.2g}" if np.isfinite(forecast) else "no forecast yet"
        self.progress.say(
            f"  {self.spent} exact calls: emulator from {len(lesson.training)}, leave-one-out error "
            f"{lesson.fit.error:.2g} in chi-square, {told}"
        )
        accuracy = self.study.settings.accuracy
        if forecast <= accuracy.kl and lesson.cut_off > CUT * accuracy.kl:
            self.progress.say(
                f"  about {lesson.cut_off:.1%} of the posterior lies beyond where the emulator can be asked"
            )
        if self.inputs.words != self.told:
            self.told = self.inputs.words
            self.progress.say(f"  inputs: {described_inputs(self.names, self.told)}")
