"""Interpolation of tables, with gradients: what published likelihoods and predictions on grids are read with.

Cubic splines (not-a-knot, as FITPACK's interpolating splines) of one variable on even nodes, or of two on any.

Beyond an edge the position is *held* at the edge: what to make of the excess is the reader's.
"""

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float
from scipy.interpolate import CubicSpline

from alfonsine.errors import InputError

EVEN = 1e-4  # of a step: how far nodes may lie from an even grid, for tables that print few digits


class Curves(eqx.Module):
    """One function for each band, all on nodes 0, 1, ..., n.

    coefficients   (power, cell, band) highest power first
    """

    coefficients: Float[Array, "power cell band"]

    @property
    def last(self) -> int:
        """The last node."""
        return self.coefficients.shape[1]

    def held(self, x: Float[Array, " band"]) -> Float[Array, " band"]:
        """The nearest positions that the table has."""
        return jnp.clip(x, 0.0, float(self.last))

    def __call__(self, x: Float[Array, " band"]) -> Float[Array, " band"]:
        """Value of each function at its own position."""
        x = self.held(x)
        cell = jnp.clip(jax.lax.stop_gradient(jnp.floor(x)), 0, self.last - 1).astype(int)
        parts = self.coefficients[:, cell, jnp.arange(x.size)]
        return _horner(parts, x - cell)

    @property
    def slopes(self) -> Float[Array, "2 band"]:
        """Derivatives at the first and at the last node."""
        powers = jnp.arange(len(self.coefficients) - 1, -1, -1)[:, None]
        return jnp.stack([self.coefficients[-2, 0], jnp.sum(powers * self.coefficients[:, -1], axis=0)])


class Surface(eqx.Module):
    """One function of two variables, on increasing nodes of both.

    first, second  nodes, in the variables' own units
    coefficients   (power, power, cell, cell) of the distances from the nodes below, highest power first
    """

    first: Float[Array, " a"]
    second: Float[Array, " b"]
    coefficients: Float[Array, "4 4 first second"]

    def held(self, x: Float[Array, " 2"]) -> Float[Array, " 2"]:
        """The nearest position that the table has."""
        ends = jnp.stack([self.first[jnp.array([0, -1])], self.second[jnp.array([0, -1])]])
        return jnp.clip(x, ends[:, 0], ends[:, 1])

    def __call__(self, x: Float[Array, " 2"]) -> Float[Array, ""]:
        """Value at a position."""
        parts, u = self._local(x)
        return _horner(_horner(parts, u[0]), u[1])

    def slopes(self, x: Float[Array, " 2"]) -> Float[Array, " 2"]:
        """Derivatives at a position; at an edge, those of the table and not of what is beyond."""
        parts, u = self._local(x)
        return jax.grad(lambda u: _horner(_horner(parts, u[0]), u[1]))(u)

    def _local(self, x: Float[Array, " 2"]) -> tuple[Float[Array, "4 4"], Float[Array, " 2"]]:
        """The polynomial of the cell, and the position in it."""
        x = self.held(x)
        cell, below = [], []
        for nodes, value in ((self.first, x[0]), (self.second, x[1])):
            found = jnp.searchsorted(nodes, jax.lax.stop_gradient(value), side="right") - 1
            cell.append(jnp.clip(found, 0, nodes.size - 2))
            below.append(nodes[cell[-1]])
        return self.coefficients[:, :, cell[0], cell[1]], x - jnp.stack(below)


def cubic(values: Float[np.ndarray, "node band"]) -> Curves:
    """Cubic splines through the values."""
    return Curves(jnp.asarray(CubicSpline(np.arange(len(values)), values, axis=0).c))


def bicubic(
    first: Float[np.ndarray, " a"], second: Float[np.ndarray, " b"], values: Float[np.ndarray, "a b"]
) -> Surface:
    """Cubic splines in both directions; InputError unless there are four nodes of each, and a value at every pair."""
    for nodes in (first, second):
        if len(nodes) < 4 or np.any(np.diff(nodes) <= 0):
            raise InputError(f"expected four increasing nodes at least in both directions of a table, got {len(nodes)}")
    along = CubicSpline(first, values, axis=0).c  # (4, cell, second)
    both = CubicSpline(second, along, axis=2).c  # (4, cell of second, 4, cell of first)
    return Surface(jnp.asarray(first), jnp.asarray(second), jnp.asarray(np.transpose(both, (2, 0, 3, 1))))


def even(nodes: Float[np.ndarray, " n"], what: str) -> tuple[float, float]:
    """First node and step; InputError unless there are four nodes at least, in even steps upwards."""
    if len(nodes) < 4 or not nodes[-1] > nodes[0]:
        raise InputError(f"expected four values of {what} at least, increasing, got {len(nodes)}")
    step = (nodes[-1] - nodes[0]) / (len(nodes) - 1)
    off = np.abs(nodes - nodes[0] - step * np.arange(len(nodes))).max()
    if not off < EVEN * step:
        raise InputError(f"expected {what} in even steps of {step:.4g}, got values {off:.2g} away from them")
    return float(nodes[0]), float(step)


def _horner(parts: Float[Array, "power ..."], x: Float[Array, "..."]) -> Float[Array, "..."]:
    value = parts[0]
    for part in parts[1:]:
        value = value * x + part
    return value
