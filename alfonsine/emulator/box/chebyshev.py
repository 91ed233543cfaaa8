r"""Products of Chebyshev polynomials over a box: which of them, and their values.

.. math:: \phi_k(u) = \prod_i T_{k_i}(u_i), \qquad -1 \le u_i \le 1 .

The coefficients of a smooth function fall geometrically with every degree, faster along an input in which it bends
less. So a set of terms is made by one *decay* per input, :math:`0 < \rho_i < 1`: those with the largest
:math:`\prod_i \rho_i^{k_i}`.
"""

from math import lgamma

import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float, Int

LESS = 0.8  # factor by which a budget is lowered as long as it holds enough terms


def terms(decay: Float[np.ndarray, " d"], count: int) -> Int[np.ndarray, "terms d"]:
    """Degrees of the `count` largest terms, the constant first."""
    cost = -np.log(decay)
    # a simplex of budget b has at least b^d/(d! prod(cost)) points: enough, and often far too many
    high = float(np.exp((np.log(count) + lgamma(len(cost) + 1) + np.log(cost).sum()) / len(cost)))
    while count > 1 and _number(cost, LESS * high, count) >= count:
        high *= LESS
    table = _within(cost, high * (1.0 + 1e-9))
    return table[np.argsort(table @ cost, kind="stable")[:count]]


def values(u: Float[np.ndarray, "n d"], table: Int[np.ndarray, "terms d"]) -> Float[np.ndarray, "n terms"]:
    """Every term at every point."""
    result = np.ones((len(u), len(table)))
    for i, degrees in enumerate(table.T):
        powers = np.polynomial.chebyshev.chebvander(u[:, i], int(degrees.max()))
        result *= powers[:, degrees]
    return result


def powers(x: Float[Array, " d"], count: int) -> Float[Array, "d count"]:
    """T_0(x) to T_{count - 1}(x), their number doubled at each step: T_{m+j} = 2 T_m T_j - T_{m-j}."""
    found = jnp.stack([jnp.ones_like(x), x], axis=1)
    while found.shape[1] < count:
        last = found[:, -1:]
        found = jnp.concatenate([found, 2.0 * last * found[:, 1:] - found[:, -2::-1]], axis=1)
    return found[:, :count]


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
