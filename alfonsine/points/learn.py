r"""Which of many candidates teach the most about the posterior.

The outputs are modelled as a polynomial with independent coefficients, large for the linear terms and smaller for
each higher degree. Then the variance of a prediction at :math:`\theta` given the points already computed is known
before any of them is computed, and the next point is the candidate that lowers its mean over the posterior most
(an I-optimal design, chosen greedily):

.. math:: V(\theta) = \phi^T (\Phi^T\Phi/\delta^2 + \Lambda^{-1})^{-1} \phi .

No monomial is formed, since there may be thousands: all that is needed is the covariance of the values at two points,

.. math:: k(x, y) = \phi(x)^T \Lambda \phi(y) = \sum_g s_g^2\, h_g(x_1 y_1, \dots, x_d y_d),

with :math:`h_g` the sum of all monomials of degree g, which follows from the power sums
:math:`p_m = \sum_i (x_i y_i)^m` by Newton's identity :math:`g\,h_g = \sum_{m=1}^{g} p_m h_{g-m}`. A computed point z
lowers the covariance of any two others by :math:`k(x, z)\,k(z, y)/(k(z, z) + \delta^2)`.
"""

import numpy as np
from jaxtyping import Float, Int
from scipy.linalg import cho_factor, solve_triangular

from alfonsine.errors import InputError

SPREAD_OF_DEGREE = (1e2, 1e2, 0.1, 0.02)  # prior standard deviation of a coefficient, by degree, inputs in sigma
NOISE = 0.02  # what a model of this kind cannot describe, same units


def choose(
    candidates: Float[np.ndarray, "c d"],
    known: Float[np.ndarray, "n d"],
    posterior: Float[np.ndarray, "p d"],
    count: int,
) -> Int[np.ndarray, " count"]:
    """Indices of `count` candidates that together lower the mean predictive variance over `posterior` most.

    All inputs are in comparable units, about one posterior standard deviation. No candidate is taken twice;
    InputError where there are too few.
    """
    if count > len(candidates):
        raise InputError(f"expected at least {count} candidates to choose {count} points from, got {len(candidates)}")
    everywhere = np.vstack([candidates, posterior])
    shared = covariance(everywhere, candidates)
    if len(known):
        lower = cho_factor(covariance(known, known) + NOISE**2 * np.eye(len(known)), lower=True)[0]
        reduced = solve_triangular(lower, covariance(known, everywhere), lower=True)
        shared -= reduced.T @ reduced[:, : len(candidates)]
    own, goal = shared[: len(candidates)], shared[len(candidates) :]
    chosen: list[int] = []
    for _ in range(count):
        variance = NOISE**2 + np.maximum(np.diag(own), 0.0)
        gain = np.sum(goal**2, axis=0) / variance
        gain[chosen] = -np.inf
        best = int(np.argmax(gain))
        chosen.append(best)
        shared -= np.outer(shared[:, best], shared[best] / variance[best])
    return np.array(chosen, dtype=int)


def covariance(x: Float[np.ndarray, "n d"], y: Float[np.ndarray, "m d"]) -> Float[np.ndarray, "n m"]:
    """Prior covariance k(x, y) of the values at any two points."""
    powers = [x**m @ (y**m).T for m in range(1, len(SPREAD_OF_DEGREE))]
    sums = [np.ones((len(x), len(y)))]
    for g in range(1, len(SPREAD_OF_DEGREE)):
        sums.append(sum(powers[m - 1] * sums[g - m] for m in range(1, g + 1)) / g)
    return sum(spread**2 * h for spread, h in zip(SPREAD_OF_DEGREE, sums, strict=True))
