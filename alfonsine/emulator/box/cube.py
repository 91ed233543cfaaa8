"""The domain of an emulator that was trained all over a box, and the coordinates in which the box is a cube."""

from collections.abc import Sequence

import equinox as eqx
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Bool, Float

from alfonsine.emulator.domain import Domain

BEYOND = 1e-9  # an edge is inside, whatever rounding does


class Cube(eqx.Module):
    r"""Inputs in [-1, 1]: :math:`u = M (x - c)/s` with :math:`x = \theta`, or :math:`\ln\theta` where that is simpler.

    centre, scale   (d,) middle and half-width of the box, in x
    logarithmic     (d,) whether x is the logarithm
    mix             (d, d) M; rows whose absolute values sum to one keep the box in the cube
    """

    centre: Float[Array, " d"]
    scale: Float[Array, " d"]
    logarithmic: Bool[Array, " d"]
    mix: Float[Array, "d d"]

    @classmethod
    def of(cls, lower: Float[np.ndarray, " d"], upper: Float[np.ndarray, " d"], logarithmic: Sequence[bool]) -> "Cube":
        """The cube of a box."""
        log = np.asarray(logarithmic, dtype=bool)
        low, high = (np.where(log, np.log(np.where(log, edge, 1.0)), edge) for edge in (lower, upper))
        return cls(jnp.asarray((low + high) / 2), jnp.asarray((high - low) / 2), jnp.asarray(log), jnp.eye(len(log)))

    def mixed(self, shares: Float[np.ndarray, "d d"]) -> "Cube":
        """The same with sums of the inputs of a plain cube, in these shares, in the place of each."""
        mix = jnp.asarray(shares / np.abs(shares).sum(axis=1, keepdims=True))
        return Cube(self.centre, self.scale, self.logarithmic, mix)

    def at(self, theta: Float[np.ndarray, "n d"]) -> Float[np.ndarray, "n d"]:
        """The same for a training set, without compiling anything for its length."""
        log = np.asarray(self.logarithmic)
        x = np.where(log, np.log(np.where(log, theta, 1.0)), theta)
        return ((x - np.asarray(self.centre)) / np.asarray(self.scale)) @ np.asarray(self.mix).T

    def __call__(self, theta: Float[Array, " d"]) -> Float[Array, " d"]:
        """Map one point to the cube."""
        x = jnp.where(self.logarithmic, jnp.log(jnp.where(self.logarithmic, theta, 1.0)), theta)
        return self.mix @ ((x - self.centre) / self.scale)


def box_domain(lower: Float[np.ndarray, " d"], upper: Float[np.ndarray, " d"]) -> Domain:
    """A box, with the ellipsoid through its corners, which then forbids nothing more."""
    width = (upper - lower) / 2
    edge = BEYOND * width
    radius = np.sqrt(len(lower)) * (1.0 + 1e-6)
    return Domain(
        jnp.asarray((lower + upper) / 2),
        jnp.diag(jnp.asarray(width)),
        jnp.asarray(radius),
        jnp.asarray(lower - edge),
        jnp.asarray(upper + edge),
    )
