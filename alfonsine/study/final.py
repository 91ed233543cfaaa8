"""The posterior at its full effective size, drawn beside the exact calls that judge it where cores are free for that.

Of solving, fitting and sampling these two alone can go on together without a further exact call: every batch that
teaches is chosen from a posterior that has learned the one before. The draws are the same either way.
"""

from concurrent.futures import ThreadPoolExecutor
from threading import Event

import jax

from alfonsine.posterior.posterior import Posterior
from alfonsine.posterior.wanted import while_wanted
from alfonsine.study.infer import complete, sample_target
from alfonsine.study.learned import Learned
from alfonsine.study.prepare import Study

KEY = 1_000_000  # far from those of the rounds


def final_posterior(study: Study, lesson: Learned) -> Posterior:
    """Draws of the emulated posterior as many as the study asks for, with ln L of each data set and derived ones."""
    posterior = sample_target(
        study,
        lesson.target,
        lesson.posterior.mean(),
        lesson.posterior.std(),
        jax.random.fold_in(jax.random.key(study.settings.seed), KEY),
        ess=study.settings.sampler.effective_samples,
    )
    return complete(study, posterior, lesson.target, lesson.emulator)


class FinalPosterior:
    """The draws of one lesson, begun at once where `beside`, else when they are asked for."""

    def __init__(self, study: Study, lesson: Learned, beside: bool) -> None:
        self._study, self._lesson, self._given_up = study, lesson, Event()
        self._thread = ThreadPoolExecutor(1, "final posterior")
        self._begun = self._thread.submit(self._draw) if beside else None

    def _draw(self) -> Posterior:
        with while_wanted(lambda: not self._given_up.is_set()):
            return final_posterior(self._study, self._lesson)

    def draws(self) -> Posterior:
        """The posterior; waits for it."""
        if self._begun is None:
            return final_posterior(self._study, self._lesson)
        try:
            return self._begun.result()
        finally:  # who is interrupted while waiting does not wait for the rest
            self.give_up()

    def give_up(self) -> None:
        """Nobody will ask: end after the present block of draws, and wait for that end."""
        self._given_up.set()
        self._thread.shutdown()
