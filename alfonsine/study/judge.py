"""Exact calls as evidence: what they say about the posterior that proposed them."""

import numpy as np
from jaxtyping import Bool, Float

from alfonsine.certificate.certificate import Certificate, Hedge, Tolerance, certify
from alfonsine.study.exact import Computed, exact_log_likelihood
from alfonsine.study.infer import emulated_log_likelihood
from alfonsine.study.learn import Lesson
from alfonsine.study.prepare import Study


def log_ratio(study: Study, lesson: Lesson, computed: Computed) -> Float[np.ndarray, " n"]:
    """Difference l = ln L_exact - ln L_emulated of the finished calls."""
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
    weights = np.exp(-0.5 * distance**2 * (1.0 - 1.0 / study.settings.points.temperature))
    mean = np.average(ratio, weights=weights)
    return 0.5 * float(np.average((ratio - mean) ** 2, weights=weights))


def certificate_of(study: Study, lesson: Lesson, judged: Computed) -> Certificate:
    """What draws of the posterior, and the training points when each is left out, say of it."""
    accuracy = study.settings.accuracy
    return certify(
        log_ratio(study, lesson, judged),
        judged.theta[judged.done],
        study.space.names,
        samples=lesson.posterior.samples,
        failed=len(judged.failures),
        tolerance=Tolerance(kl=accuracy.kl, shift=accuracy.shift),
        tempered=hedge(study, lesson),
    )


def hedge(study: Study, lesson: Lesson) -> Hedge | None:
    """Leave-one-out differences at the tempered training points, which look where the posterior has little mass."""
    near: Bool[np.ndarray, " n"] = lesson.near
    if near.sum() < 4:
        return None
    points = lesson.taught[near]
    temperature = study.settings.points.temperature
    emulated = emulated_log_likelihood(lesson.target, points)
    return Hedge(
        log_ratio=(lesson.exact - lesson.left_out)[near],
        points=points,
        log_weights=(1.0 - 1.0 / temperature) * (emulated - emulated.max()),
    )


def worth_more(certificate: Certificate, study: Study, more: int) -> bool:
    """Whether `more` draws of the same posterior could still turn the verdict into a pass.

    For nearly Gaussian l the limit is about the estimate times (n - 1) over the 5 % point of chi-square.
    """
    from scipy.stats import chi2

    n = max(certificate.judged + more, study.settings.accuracy.judging)
    return certificate.kl.estimate * (n - 1) / float(chi2.ppf(0.05, n - 1)) <= study.settings.accuracy.kl
