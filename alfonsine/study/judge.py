"""Exact calls as evidence: what they say about the posterior that proposed them."""

import numpy as np
from jaxtyping import Bool, Float

from alfonsine.certificate.certificate import Certificate, Tolerance, certify
from alfonsine.certificate.corrected import correct
from alfonsine.certificate.hedge import Hedge, hedge
from alfonsine.certificate.limits import calls_needed
from alfonsine.certificate.whiten import Whitening, whitening_of_samples
from alfonsine.study.exact import Computed, exact_log_likelihood
from alfonsine.study.infer import emulated_log_likelihood
from alfonsine.study.learn import Lesson
from alfonsine.study.learned import Learned
from alfonsine.study.many import heat
from alfonsine.study.prepare import Study

HALF = 0.5  # of the judging calls without an answer: the posterior lies where the code cannot compute


def log_ratio(study: Study, lesson: Learned, computed: Computed) -> Float[np.ndarray, " n"]:
    """Difference l = ln L_exact - ln L_emulated of the finished calls."""
    if not computed.done.any():
        return np.zeros(0)
    emulated = emulated_log_likelihood(lesson.target, computed.theta[computed.done])
    return exact_log_likelihood(study, computed) - emulated


def surprise(study: Study, lesson: Lesson, computed: Computed) -> float:
    """KL of the posterior that proposed a learning batch, roughly: half the variance of l, weighted to the posterior.

    The batch was spread by a design, so this is for the history, not for a verdict.
    """
    ratio = log_ratio(study, lesson, computed)
    if len(ratio) < 3:
        return float("nan")
    columns = list(lesson.target.inputs)
    distance = np.linalg.norm(lesson.focus.white(computed.theta[computed.done][:, columns]), axis=1)
    weights = np.exp(-0.5 * distance**2 * (1.0 - 1.0 / heat(study.settings.points, len(lesson.target.inputs))))
    mean = np.average(ratio, weights=weights)
    return 0.5 * float(np.average((ratio - mean) ** 2, weights=weights))


def tempered_surprise(study: Study, lesson: Learned, computed: Computed, temperature: float) -> float:
    """The same of draws of the tempered posterior, each weighted by its emulated likelihood to the power 1 - 1/T."""
    if computed.done.sum() < 3:
        return float("nan")
    value = emulated_log_likelihood(lesson.target, computed.theta[computed.done])
    ratio = exact_log_likelihood(study, computed) - value
    weights = np.exp((1.0 - 1.0 / temperature) * (value - value.max()))
    mean = np.average(ratio, weights=weights)
    return 0.5 * float(np.average((ratio - mean) ** 2, weights=weights))


def certificate_of(study: Study, lesson: Learned, judged: Computed) -> Certificate:
    """What draws of the posterior, and the training points when each is left out, say of it.

    Networks leave none out: then the draws alone.
    """
    return certify(
        log_ratio(study, lesson, judged),
        judged.theta[judged.done],
        study.space.names,
        emulated := whitening_of_samples(lesson.posterior.samples),
        failed=len(judged.failures),
        cut_off=lesson.cut_off if isinstance(lesson, Lesson) else 0.0,
        tempered=left_out_hedge(study, lesson, emulated) if isinstance(lesson, Lesson) else None,
        allowed=allowed(study),
    )


def allowed(study: Study) -> Tolerance:
    """The accuracy that the study asks for."""
    return Tolerance(kl=study.settings.accuracy.kl, shift=study.settings.accuracy.shift)


def left_out_hedge(study: Study, lesson: Lesson, emulated: Whitening) -> Hedge | None:
    """Leave-one-out differences at the tempered training points, which look where the posterior has little mass."""
    near: Bool[np.ndarray, " n"] = lesson.near
    if near.sum() < 4:
        return None
    points = lesson.taught[near]
    value = emulated_log_likelihood(lesson.target, points)
    return hedge(
        (lesson.exact - lesson.left_out)[near],
        emulated.standardise(points),
        (1.0 - 1.0 / heat(study.settings.points, len(lesson.target.inputs))) * (value - value.max()),
    )


def correction(
    study: Study, lesson: Learned, judged: Computed, samples: Float[np.ndarray, "m d"]
) -> Float[np.ndarray, " m"]:
    """Log weights of the emulated samples that make of them the posterior which the judging calls know to be better.

    All zero where no judging call had an answer.
    """
    if not judged.done.any():
        return np.zeros(len(samples))
    emulated = whitening_of_samples(samples)
    return correct(log_ratio(study, lesson, judged), judged.theta[judged.done], emulated, samples).log_weights


def worth_more(study: Study, certificate: Certificate, more: int) -> bool:
    """Whether `more` draws of the same posterior could still turn the verdict into a pass."""
    failed, judging = certificate.unaccounted.failed, study.settings.accuracy.judging
    if failed:  # there will be no pass; as many as a verdict needs make sure of the share that fails
        return certificate.n_judged + failed < judging
    if certificate.cut_off > study.settings.accuracy.kl:  # nor here: a lesson is worth more
        return certificate.n_judged < judging
    needed = calls_needed(certificate.kl.estimate, study.settings.accuracy.kl)
    return needed is not None and needed <= max(certificate.n_judged + more, judging)


def past_learning(certificate: Certificate) -> bool:
    """Whether what stands against a pass is that the code has no answer at some draws, or at most of them.

    Learning more does not change that, and to judge again until no draw happens to fail would be no judgement.
    """
    unaccounted = certificate.unaccounted
    return unaccounted.share > HALF or (unaccounted.failed > 0 and len(certificate.findings) == 1)
