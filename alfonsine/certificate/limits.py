r"""Limits on the divergence that hold at their stated confidence.

The size of the divergence comes from the values of l alone: S = s^2/2, with s^2 their variance. How far S may lie from
the true divergence K depends on the shape of l: for a Gaussian l (the emulator shifts the posterior) S/K is
chi-square over its n - 1 degrees of freedom; where one direction has the wrong width, l is like the square of a normal
variable, most draws see little of it, and S falls short of K five times as often; where K is of order one, S is not K
even on average. All of this is in the distribution of the ratio R = S/K for l of a given shape. `shape` draws forms
that could have produced these l; each is put through n fresh draws many times; the pooled ratios give

.. math:: K_{95} = S / q_{0.05}(R), \qquad K_{05} = S / q_{0.95}(R).

For a Gaussian l this is the chi-square limit, s^2/2 times (n-1)/chi^2_{0.05,n-1}: 2.07 at n = 16, 1.76 at n = 24. The
model is asked for a ratio only, never for the size. Limits are infinite where over 5 % of the shapes have no exact
posterior (the exact one may be wider than n points can show). Coverage is simulated in
`benchmarks/certificate_coverage.py`, for l that is quadratic in the parameters.

Where l is not, and its large values are too rare to be among the n draws, the limit is too low, possibly by far: such a
case stands in `tests/study/test_heavy_tails.py`, with its figures in `benchmarks/RESULTS.md`.

Two limits no analysis of l lowers: mass of the exact posterior where the emulated one has none is not seen; and an
exact code that is not smooth (CLASS: variance 3e-4 of ln L between parameters 1e-8 apart) leaves half its variance,
1.5e-4 nats, as a floor of both divergences that is not the emulator's fault.
"""

from dataclasses import dataclass
from functools import lru_cache
from math import ceil, inf

import numpy as np
from jaxtyping import Float
from scipy.stats import chi2

from alfonsine.certificate.estimates import equal_or_given
from alfonsine.certificate.quadratic_form import TAILS, QuadraticForms, divergences
from alfonsine.certificate.shape import draw_shapes

FEWEST = 4  # draws; below, a variance has no limit worth stating
_SHAPES, _SEED = 40, 1252


@dataclass(frozen=True)
class Limits:
    """95 % limits [nats] on both divergences and on the larger of the two; infinite where none can be stated."""

    forward_upper95: float
    reverse_upper95: float
    upper95: float
    lower95: float


UNLIMITED = Limits(inf, inf, inf, 0.0)


def kl_limits(
    log_ratio: Float[np.ndarray, " n"],
    whitened: Float[np.ndarray, "n d"],
    log_weights: Float[np.ndarray, " n"] | None = None,
) -> Limits:
    """Limits from l at n draws of P_E, up to a constant, and their whitened parameters: no randomness of its own.

    upper95 bounds max(D(P||P_E), D(P_E||P)): each of the upper limits is exceeded by the truth in 5 % of certificates.
    """
    weight = equal_or_given(len(log_ratio), log_weights)
    n = int(1 / np.sum(weight**2) + 1e-9)  # weighted draws are worth fewer equal ones
    if n < FEWEST:
        return UNLIMITED
    size = half_variance(log_ratio, weight)
    if size <= 1e-24:
        return Limits(0.0, 0.0, 0.0, 0.0)
    forms = draw_shapes(log_ratio, whitened, weight, _SHAPES, np.random.default_rng(_SEED))
    forward, reverse = divergences(forms)
    simulated = _half_variances(forms, n)
    limits = [
        _divide(size, np.quantile(simulated / kl[:, None], level))
        for kl, level in (
            (forward, 0.05),
            (reverse, 0.05),
            (np.maximum(forward, reverse), 0.05),
            (np.maximum(forward, reverse), 0.95),
        )
    ]
    return Limits(*limits)


def half_variance(log_ratio: Float[np.ndarray, " n"], weight: Float[np.ndarray, " n"]) -> float:
    """S: half the unbiased variance of l, the low-order form of both divergences."""
    deviation = log_ratio - weight @ log_ratio
    return float(0.5 * (weight @ deviation**2) / (1 - np.sum(weight**2)))


def _divide(size: float, ratio: float) -> float:
    return float(size / ratio) if ratio > 0 else inf


def _half_variances(forms: QuadraticForms, n: int) -> Float[np.ndarray, "m r"]:
    """S of n fresh draws, r times for each of the m forms."""
    m, d = forms.a.shape
    rough = forms.s[:, None] * (forms.tail[:, None] == np.arange(len(TAILS)))
    coefficients = np.concatenate([forms.b, rough, forms.a], axis=1)
    log_ratio = (_fresh(n, d, m) @ coefficients[..., None]).reshape(m, -1, n)
    return 0.5 * log_ratio.var(axis=2, ddof=1)


@lru_cache(maxsize=2)
def _fresh(n: int, d: int, m: int) -> Float[np.ndarray, "m rn k"]:
    """Normal coordinates, a noise, and half the squared coordinates: kept, since certificates come in rows."""
    repeats = max(10, min(100, 120_000 // (n * (2 * d + 1))))
    rng = np.random.default_rng(_SEED + 1)
    z = rng.normal(size=(m, repeats * n, d))
    normal = rng.normal(size=(m, repeats * n, 1))
    rough = [normal * (np.sqrt((k - 2) / rng.chisquare(k, size=normal.shape)) if k < np.inf else 1.0) for k in TAILS]
    return np.concatenate([z, *rough, 0.5 * z**2], axis=2)


def calls_needed(estimate: float, tolerance: float) -> int | None:
    """Judging calls after which a Gaussian l with this divergence would show it below tolerance; None if never."""
    if not 0 <= estimate < tolerance:
        return None
    for n in [*range(8, 64), *(ceil(64 * 1.15**k) for k in range(40))]:
        if estimate * (n - 1) / chi2.ppf(0.05, n - 1) <= tolerance:
            return n
    return None
