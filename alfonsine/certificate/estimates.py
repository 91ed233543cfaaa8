r"""Distances between the emulated and the exact posterior, from exact calls at draws of the emulated one.

With l = ln L_exact - ln L_emulated at n draws of the emulated posterior P_E, every distance is a mean over P_E:

.. math::
    \Delta\ln Z = \ln\langle e^l\rangle, \quad
    D(P_E\|P) = -\langle l\rangle + \ln\langle e^l\rangle, \quad
    D(P\|P_E) = \frac{\langle l e^l\rangle}{\langle e^l\rangle} - \ln\langle e^l\rangle, \quad
    TV = \langle (1 - e^l/\langle e^l\rangle)_+\rangle

These are evaluated as they stand and then jackknifed. That removes the bias of order 1/n, so that for small l both
divergences become s^2/2 with the unbiased sample variance s^2 (their common low-order form) without a switch between
two formulas, and gives every standard error by the same rule. What no formula mends: once the variance of l is above
about one nat, n draws hardly meet the points that carry <e^l>, and D(P||P_E) comes out too low.
"""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float

from alfonsine.errors import InputError


@dataclass(frozen=True)
class Estimate:
    """A number and its standard error (NaN where a single draw gives none)."""

    estimate: float
    error: float


@dataclass(frozen=True)
class Estimates:
    """What n draws say about P (exact) and P_E (emulated). Divergences in nats, shifts exact minus emulated.

    forward, reverse     D(P||P_E), D(P_E||P)
    total_variation      misplaced probability, 0 to 1
    delta_log_evidence   ln Z_exact - ln Z_emulated
    ess                  effective number of the n draws after reweighting
    shift_sigma          shift of the mean, in emulated standard deviations, per parameter
    width_ratio          exact over emulated standard deviation, per parameter
    """

    forward: Estimate
    reverse: Estimate
    total_variation: Estimate
    delta_log_evidence: Estimate
    ess: Estimate
    shift_sigma: tuple[Estimate, ...]
    width_ratio: tuple[Estimate, ...]


def estimate(
    log_ratio: Float[np.ndarray, " n"],
    standardised: Float[np.ndarray, "points d"],
    log_weights: Float[np.ndarray, " weights"] | None = None,
) -> Estimates:
    """All distances, each with its jackknife standard error.

    log_ratio     l, up to a constant that only delta_log_evidence keeps
    standardised  (theta - mean) / sigma, mean and sigma of the emulated posterior
    log_weights   log importance weights of the draws with respect to P_E, up to a constant; None for equal ones
    """
    n, d = standardised.shape
    if len(log_ratio) != n or n == 0:
        raise InputError(f"expected as many log ratios as points, got {len(log_ratio)} and {n}; pass them in pairs")
    weight = equal_or_given(n, log_weights)
    value = _statistics(log_ratio, standardised, weight[None])[0]
    if n == 1:
        return _assemble(value, np.full(len(value), np.nan), d)
    left_out = _statistics(log_ratio, standardised, weight * (1 - np.eye(n)))
    corrected = n * value - (n - 1) * left_out.mean(axis=0)
    error = np.sqrt((n - 1) * np.mean((left_out - left_out.mean(axis=0)) ** 2, axis=0))
    corrected[4] = value[4]  # an effective size is no mean over P_E: left as it is
    corrected[:3] = np.maximum(corrected[:3], 0.0)
    corrected[2] = min(corrected[2], 1.0)
    return _assemble(corrected, error, d)


def unknown(d: int) -> Estimates:
    """What no draw at all says: NaN throughout."""
    return _assemble(np.full(5 + 2 * d, np.nan), np.full(5 + 2 * d, np.nan), d)


def equal_or_given(n: int, log_weights: Float[np.ndarray, " weights"] | None) -> Float[np.ndarray, " n"]:
    """Weights that sum to one."""
    if log_weights is None:
        return np.full(n, 1.0 / n)
    if len(log_weights) != n or not np.all(np.isfinite(log_weights)):
        raise InputError(f"expected {n} finite log weights, got {len(log_weights)}; drop points of zero weight")
    weight = np.exp(log_weights - np.max(log_weights))
    return weight / weight.sum()


def _statistics(
    log_ratio: Float[np.ndarray, " n"], z: Float[np.ndarray, "n d"], weight: Float[np.ndarray, "m n"]
) -> Float[np.ndarray, "m q"]:
    """All plug-in values for m sets of weights at once, each renormalised."""
    prior = weight / weight.sum(axis=1, keepdims=True)
    centre = log_ratio.mean()
    top = log_ratio.max()
    ratio = np.exp(log_ratio - top)  # at most one: nothing overflows
    mean_ratio = prior @ ratio
    posterior = prior * ratio / mean_ratio[:, None]
    log_mean = np.log(mean_ratio) + top - centre
    reverse = log_mean - prior @ (log_ratio - centre)
    forward = posterior @ (log_ratio - centre) - log_mean
    variation = 0.5 * np.abs(prior - posterior).sum(axis=1)
    ess = 1.0 / np.sum(posterior**2, axis=1)
    # differences over the same draws: the draws' own scatter about the mean and width of P_E cancels
    change = posterior - prior
    shift = change @ z
    variance = 1.0 + change @ z**2 - shift**2 - 2 * shift * (prior @ z)
    width = np.sqrt(np.maximum(variance, 0.0))
    return np.column_stack([forward, reverse, variation, log_mean + centre, ess, shift, width])


def _assemble(value: Float[np.ndarray, " q"], error: Float[np.ndarray, " q"], d: int) -> Estimates:
    pairs = [Estimate(float(v), float(e)) for v, e in zip(value, error, strict=True)]
    return Estimates(*pairs[:5], shift_sigma=tuple(pairs[5 : 5 + d]), width_ratio=tuple(pairs[5 + d :]))
