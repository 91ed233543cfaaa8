r"""Products of Chebyshev polynomials over a box: which of them, and their values.

.. math:: \phi_k(u) = \prod_i T_{k_i}(u_i), \qquad -1 \le u_i \le 1 .

The coefficients of a smooth function fall geometrically with every degree, faster along an input in which it bends
less. So a set of terms is made by one *decay* per input, :math:`0 < \rho_i < 1`: those with the largest
:math:`\prod_i \rho_i^{k_i}`.
"""

import numpy as np
from jaxtyping import Float, Int


def terms(decay: Float[np.ndarray, " d"], count: int) -> Int[np.ndarray, "terms d"]:
    """Degrees of the `count` largest terms, the constant first."""
    cost = -np.log(decay)
    low, high = 0.0, float(cost.min())
    while _number(cost, high, count) < count:
        low, high = high, 2.0 * high
    for _ in range(40):
        middle = 0.5 * (low + high)
        low, high = (middle, high) if _number(cost, middle, count) < count else (low, middle)
    table = _within(cost, high * (1.0 + 1e-9))
    return table[np.argsort(table @ cost, kind="stable")[:count]]


def values(u: Float[np.ndarray, "n d"], table: Int[np.ndarray, "terms d"]) -> Float[np.ndarray, "n terms"]:
    """Every term at every point."""
    result = np.ones((len(u), len(table)))
    for i, degrees in enumerate(table.T):
        powers = np.polynomial.chebyshev.chebvander(u[:, i], int(degrees.max()))
        result *= powers[:, degrees]
    return result


def _within(cost: Float[np.ndarray, " d"], budget: float) -> Int[np.ndarray, "terms d"]:
    """All degrees whose summed cost is within the budget."""
    table, spent = np.zeros((1, 0), dtype=int), np.zeros(1)
    for each in cost:
        most = np.floor((budget - spent) / each).astype(int)
        rows = np.repeat(np.arange(len(table)), most + 1)
        degrees = np.arange(len(rows)) - np.repeat(np.cumsum(most + 1) - most - 1, most + 1)
        table, spent = np.column_stack([table[rows], degrees]), spent[rows] + each * degrees
    return table


def _number(cost: Float[np.ndarray, " d"], budget: float, enough: int) -> int:
    """How many degrees are within the budget, counted no further than `enough`."""
    spent = np.zeros(1)
    for each in np.sort(cost)[::-1]:
        most = np.floor((budget - spent) / each).astype(int)
        if len(spent) >= enough or most.sum() + len(most) > 50 * enough:
            return enough
        rows = np.repeat(np.arange(len(spent)), most + 1)
        degrees = np.arange(len(rows)) - np.repeat(np.cumsum(most + 1) - most - 1, most + 1)
        spent = spent[rows] + each * degrees
    return len(spent)
