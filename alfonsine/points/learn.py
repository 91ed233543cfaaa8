r"""Which of many candidates teach the most about the posterior.

The outputs are modelled as a polynomial with independent coefficients, large for the linear terms and smaller for
each higher degree. Then the variance of a prediction at :math:`\theta` given the points already computed is known
before any of them is computed, and the next point is the candidate that lowers its mean over the posterior most
(an I-optimal design, chosen greedily):

.. math:: V(\theta) = \phi^T (\Phi^T\Phi/\delta^2 + \Lambda^{-1})^{-1} \phi .
"""

import numpy as np
from jaxtyping import Float, Int

from alfonsine.errors import InputError
from alfonsine.space.polynomial import degree, monomials, values

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
    table = monomials(candidates.shape[1], len(SPREAD_OF_DEGREE) - 1)
    spread = np.array(SPREAD_OF_DEGREE)[degree(table)]
    phi, seen, goal = (values(x, table) * spread for x in (candidates, known, posterior))
    covariance = np.linalg.inv(seen.T @ seen / NOISE**2 + np.eye(len(table)))
    moment = goal.T @ goal / len(goal)
    chosen: list[int] = []
    for _ in range(count):
        projected = phi @ covariance
        variance = NOISE**2 + np.sum(projected * phi, axis=1)
        gain = np.sum((projected @ moment) * projected, axis=1) / variance
        gain[chosen] = -np.inf
        best = int(np.argmax(gain))
        chosen.append(best)
        covariance -= np.outer(projected[best], projected[best]) / variance[best]
    return np.array(chosen, dtype=int)
