r"""Pareto k-hat: how heavy the tail of the importance weights is.

The largest weights w, less a threshold, are fitted by a generalised Pareto density

.. math:: p(x) = \frac1\sigma \left(1 + k x/\sigma\right)^{-1/k - 1}

whose k tells which moments the weights have: below 1/2 a variance, below 1 a mean. The fit is the quasi-Bayesian
one of Zhang & Stephens (2009, Technometrics 51, 316), shrunk a little towards k = 1/2, and the tail length and the
sample-size-dependent threshold are those of Vehtari et al. (2024, JMLR 25, 1; arXiv 1507.02646).
"""

import math

import numpy as np
from jaxtyping import Float

SHORTEST_TAIL = 5  # below this many tail draws a fit of two parameters says nothing
PRIOR_DRAWS, PRIOR_K = 10.0, 0.5  # a weak prior worth ten tail draws, that steadies k in short tails


def pareto_khat(log_weights: Float[np.ndarray, " n"]) -> float:
    """k-hat of the upper tail of the weights; NaN for fewer than about 25 draws, -inf for equal weights."""
    n = len(log_weights)
    length = math.ceil(min(0.2 * n, 3 * math.sqrt(n)))
    if length < SHORTEST_TAIL:
        return math.nan
    ordered = np.sort(np.exp(log_weights - np.max(log_weights)))
    excess = ordered[-length:] - ordered[-length - 1]
    if excess[-1] <= 1e-14:
        return -math.inf
    k, _ = fit_generalised_pareto(excess)
    return (length * k + PRIOR_DRAWS * PRIOR_K) / (length + PRIOR_DRAWS)


def fit_generalised_pareto(excess: Float[np.ndarray, " m"]) -> tuple[float, float]:
    r"""Shape k and scale sigma of a generalised Pareto density, from sorted non-negative draws.

    With b = -k/sigma, the profile likelihood over k = mean ln(1 - b x) is averaged over a grid of b; the average
    (not the maximum) exists for every k and has nearly the efficiency of the maximum.
    """
    m = len(excess)
    grid_size = 30 + int(math.sqrt(m))
    quartile = excess[int(m / 4 + 0.5) - 1]
    quartile = quartile if quartile > 0 else excess[excess > 0][0]
    j = np.arange(1, grid_size + 1)
    b = 1.0 / excess[-1] + (1.0 - np.sqrt(grid_size / (j - 0.5))) / (3.0 * quartile)
    k = np.mean(np.log1p(-b[:, None] * excess), axis=1)
    log_likelihood = m * (np.log(-b / k) - k - 1.0)
    weight = np.exp(log_likelihood - log_likelihood.max())
    b_mean = float(np.sum(b * weight) / weight.sum())
    k_mean = float(np.mean(np.log1p(-b_mean * excess)))
    return k_mean, -k_mean / b_mean


def khat_threshold(n: int) -> float:
    """Largest k-hat at which n weighted draws can be relied on: min(1 - 1/log10 n, 0.7)."""
    return min(1.0 - 1.0 / math.log10(n), 0.7) if n > 1 else -math.inf
