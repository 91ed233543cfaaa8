r"""Quantities that the exact code gives for little: learned from many cheap calls, to serve as inputs.

The angle of the sound horizon, densities or ages need no perturbations: a hundredth of the time of a full call. Each is
a Chebyshev series over the box of its calls (`emulator.box.series`), so that a sampler has it and its gradient at any
point without calling the code.
"""

from collections.abc import Sequence
from typing import NamedTuple

import equinox as eqx
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Bool, Float, Int

from alfonsine.emulator.box.chebyshev import powers, values
from alfonsine.emulator.box.series import fit_series, most_terms

TERMS = 150  # of one quantity, at most
HIGHEST = 16  # powers of one input; a fixed number, so that a series of other terms compiles nothing anew


class CheapQuantities(eqx.Module):
    r"""Series :math:`q_j(\theta) = \sum_k c_{jk} \prod_i T_{t_{jki}}(u_i)`, u = 2 (theta - lower)/(upper - lower) - 1.

    lower, upper   (d,) box of the cheap calls; beyond it a quantity is held at its value on the edge
    table          (c, terms, d) degrees
    coefficients   (c, terms)
    used           inputs that occur in any term
    """

    lower: Float[Array, " d"]
    upper: Float[Array, " d"]
    table: Int[Array, "c terms d"]
    coefficients: Float[Array, "c terms"]
    used: tuple[int, ...] = eqx.field(static=True)
    picks: Float[Array, "c used powers terms"]

    def __init__(self, lower: Array, upper: Array, table: Array, coefficients: Array) -> None:
        """Spell out which power of which input each term takes: products, since a look-up's gradient is a scatter."""
        self.lower, self.upper, self.table, self.coefficients = lower, upper, table, coefficients
        self.used = tuple(np.flatnonzero(np.asarray(table).max(axis=(0, 1), initial=0)).tolist())
        degrees = np.swapaxes(np.asarray(table)[:, :, self.used], 1, 2)[:, :, None, :]
        self.picks = jnp.asarray(np.arange(HIGHEST)[:, None] == degrees, dtype=float)

    def __call__(self, theta: Float[Array, " d"]) -> Float[Array, " c"]:
        """Evaluate at one point."""
        if not len(self.coefficients):
            return jnp.zeros(0)
        used = jnp.clip(self.unit(theta), -1.0, 1.0)
        factors = jnp.einsum("ip,cipt->cit", powers(used, HIGHEST), self.picks)
        return jnp.sum(jnp.prod(factors, axis=1) * self.coefficients, axis=1)

    def unit(self, theta: Float[Array, " d"]) -> Float[Array, " used"]:
        """The inputs that occur in any term, -1 to 1 in the box of the cheap calls."""
        u = 2.0 * (theta - self.lower) / (self.upper - self.lower) - 1.0
        return jnp.stack([u[i] for i in self.used])

    def covers(self, theta: Float[np.ndarray, "n d"]) -> Bool[np.ndarray, " n"]:
        """Which points lie in the box of the cheap calls, in the inputs that occur: all where there is no quantity."""
        rows = list(self.used)
        lower, upper = np.asarray(self.lower)[rows], np.asarray(self.upper)[rows]
        return ((theta[:, rows] >= lower) & (theta[:, rows] <= upper)).all(axis=1)

    def at(self, theta: Float[np.ndarray, "n d"]) -> Float[np.ndarray, "n c"]:
        """The same for a training set, without compiling anything for its length."""
        lower, upper = np.asarray(self.lower), np.asarray(self.upper)
        u = np.clip(2.0 * (theta - lower) / (upper - lower) - 1.0, -1.0, 1.0)
        pairs = zip(np.asarray(self.table), np.asarray(self.coefficients), strict=True)
        return np.column_stack([values(u, table) @ row for table, row in pairs] or [theta[:, :0]])

    def only(self, wanted: Sequence[int]) -> "CheapQuantities":
        """Some of them."""
        rows = np.asarray(wanted, dtype=int)
        return CheapQuantities(self.lower, self.upper, self.table[rows], self.coefficients[rows])

    def among(self, rows: Sequence[int], count: int) -> "CheapQuantities":
        """The same at these places among `count`, of which the others are zero."""
        table = np.zeros((count, *self.table.shape[1:]), dtype=int)
        coefficients = np.zeros((count, self.coefficients.shape[1]))
        table[list(rows)], coefficients[list(rows)] = self.table, self.coefficients
        return CheapQuantities(self.lower, self.upper, jnp.asarray(table), jnp.asarray(coefficients))

    @classmethod
    def none(cls, dimension: int) -> "CheapQuantities":
        """No quantity at all."""
        edges, table = jnp.zeros(dimension), np.zeros((0, 1, dimension), dtype=int)
        return cls(edges, edges + 1.0, jnp.asarray(table), jnp.zeros((0, 1)))


class Learned(NamedTuple):
    """Quantities, and the root mean square of their leave-one-out errors in units of their own spread, (c,)."""

    quantities: CheapQuantities
    error: Float[np.ndarray, " c"]


def learn_quantities(
    theta: Float[np.ndarray, "n d"], found: Float[np.ndarray, "n c"], depends: Sequence[Sequence[int]]
) -> Learned:
    """Fit every quantity as a series in the inputs on which it depends, positions in theta."""
    lower, upper = theta.min(axis=0), theta.max(axis=0)
    upper = np.where(upper > lower, upper, lower + 1.0)
    u = 2.0 * (theta - lower) / (upper - lower) - 1.0
    tables, coefficients, errors = [], [], []
    for column, inputs in zip(found.T, depends, strict=True):
        middle, spread = column.mean(), column.std() + 1e-300
        count = min(TERMS, most_terms(len(u), len(inputs)))
        series = fit_series(u[:, list(inputs)], ((column - middle) / spread)[:, None], count=count)
        kept = np.flatnonzero(series.table.max(axis=1) < HIGHEST)
        table = np.zeros((TERMS, theta.shape[1]), dtype=int)
        table[: len(kept), list(inputs)] = series.table[kept]
        row = np.zeros(TERMS)
        row[: len(kept)] = spread * series.coefficients[kept, 0]
        row[0] += middle  # the constant comes first
        tables.append(table)
        coefficients.append(row)
        errors.append(float(np.sqrt(np.mean(series.residuals**2))))
    quantities = CheapQuantities(
        jnp.asarray(lower), jnp.asarray(upper), jnp.asarray(np.stack(tables)), jnp.asarray(np.stack(coefficients))
    )
    return Learned(quantities, np.array(errors))
