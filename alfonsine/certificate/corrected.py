r"""The corrected posterior: what the judging calls already say about the exact one, for every emulated sample.

l is regressed on the whitened parameters,

.. math:: \hat l(z) = c + b\cdot z + \tfrac12 z^T A z ,

by ridge regression; order (constant, linear, quadratic) and ridge are those of the least leave-one-out error, in
closed form. Where neither order predicts left-out values better than the constant, the constant is taken and nothing
is reweighted. exp(l-hat) then weighs *all* emulated samples: n calls, but the statistics of the whole chain. What the
regression does not predict, the leave-one-out residual of variance r^2, is left in the corrected posterior: about
r^2/2 nats.
"""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float

from alfonsine.certificate.estimates import equal_or_given
from alfonsine.certificate.quadratic_form import features
from alfonsine.certificate.whiten import Whitening
from alfonsine.errors import InputError

RIDGES = tuple(10.0 ** np.arange(-8, 4.5, 0.5))
# Share of the variance of l that a fit must predict at left-out points to be believed: LEAST_SKILL, and above what the
# best of many fits shows on noise, about SKILL_OF_NOISE / sqrt(n) in 97 cases of 100.
LEAST_SKILL, SKILL_OF_NOISE = 0.1, 2.0
FEWEST = 6


@dataclass(frozen=True)
class Corrected:
    """Emulated samples with weights of the exact posterior, as far as the regression knows it.

    log_weights          (m,) for the m samples, to be added to those they have; mean weight one
    mean, sigma          (d,) corrected
    shift_sigma          (d,) corrected minus emulated mean, in emulated standard deviations
    width_ratio          (d,) corrected over emulated standard deviation
    delta_log_evidence   ln Z_exact - ln Z_emulated, the residual's share (r^2/2) included
    order                of the regression: 0 is a constant, that is, no correction
    skill                share of the variance of l predicted at left-out points, 0 for a constant
    residual             r: root mean square of what is not predicted [nats]
    residual_kl          r^2/2, about the divergence that is left [nats]
    ess                  effective number of samples after reweighting
    """

    log_weights: Float[np.ndarray, " m"]
    mean: Float[np.ndarray, " d"]
    sigma: Float[np.ndarray, " d"]
    shift_sigma: Float[np.ndarray, " d"]
    width_ratio: Float[np.ndarray, " d"]
    delta_log_evidence: float
    order: int
    skill: float
    residual: float
    residual_kl: float
    ess: float


def correct(
    log_ratio: Float[np.ndarray, " n"],
    points: Float[np.ndarray, "points d"],
    emulated: Whitening,
    samples: Float[np.ndarray, "m d"],
    weights: Float[np.ndarray, " m"] | None = None,
) -> Corrected:
    """Regress l on the points and reweight the samples of the emulated posterior.

    The points need not be draws of the posterior: tempered ones with exact calls serve as well.
    """
    log_ratio = np.asarray(log_ratio, float)
    if len(log_ratio) != len(points) or len(log_ratio) == 0 or not np.all(np.isfinite(log_ratio)):
        raise InputError("expected one finite log ratio for each of at least one point; leave out failed calls")
    z = emulated.whiten(np.asarray(points, float))
    order, skill, residual, coefficients = _fit(log_ratio, z)
    basis = features(emulated.whiten(np.asarray(samples, float)))[:, : len(coefficients) - 1]
    predicted = coefficients[0] + basis @ coefficients[1:]
    prior = equal_or_given(len(samples), None) if weights is None else np.asarray(weights, float) / np.sum(weights)
    top = predicted.max()
    log_mean = float(np.log(prior @ np.exp(predicted - top)) + top)
    log_weights = predicted - log_mean
    posterior = prior * np.exp(log_weights)
    before, after = _moments(samples, prior), _moments(samples, posterior)
    return Corrected(
        log_weights=log_weights,
        mean=after[0],
        sigma=after[1],
        shift_sigma=(after[0] - before[0]) / before[1],
        width_ratio=after[1] / before[1],
        delta_log_evidence=log_mean + 0.5 * residual**2,
        order=order,
        skill=skill,
        residual=residual,
        residual_kl=0.5 * residual**2,
        ess=float(1 / np.sum(posterior**2)),
    )


def _moments(samples, weight) -> tuple[Float[np.ndarray, " d"], Float[np.ndarray, " d"]]:
    mean = weight @ samples
    return mean, np.sqrt(weight @ (samples - mean) ** 2)


def _fit(
    log_ratio: Float[np.ndarray, " n"], z: Float[np.ndarray, "n d"]
) -> tuple[int, float, float, Float[np.ndarray, " q"]]:
    """Order, skill, left-out residual, coefficients (constant first) of the best fit."""
    n, d = z.shape
    best = (0, 0.0, float(log_ratio.std(ddof=1)) if n > 1 else float("nan"), np.array([log_ratio.mean()]))
    if n < FEWEST or log_ratio.std() == 0:
        return best
    constant_error = float(np.mean(((log_ratio - log_ratio.mean()) * n / (n - 1)) ** 2))
    least = (1 - max(LEAST_SKILL, SKILL_OF_NOISE / np.sqrt(n))) * constant_error
    for order, columns in ((1, d), (2, d * (d + 3) // 2)):
        f = features(z)[:, :columns]
        centre = f.mean(axis=0)
        u, s, vt = np.linalg.svd(f - centre, full_matrices=False)
        deviation = log_ratio - log_ratio.mean()
        for ridge in RIDGES:
            shrink = s**2 / (s**2 + ridge * n)
            leverage = 1.0 / n + u**2 @ shrink
            left_out = (deviation - u @ (shrink * (u.T @ deviation))) / np.maximum(1 - leverage, 1e-9)
            error = float(np.mean(left_out**2))
            if error < least:
                slope = vt.T @ (s / (s**2 + ridge * n) * (u.T @ deviation))
                constant = log_ratio.mean() - centre @ slope
                least = error
                best = (order, 1 - error / constant_error, error**0.5, np.concatenate([[constant], slope]))
    return best
