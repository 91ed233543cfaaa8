"""The function that is learned: parameters to a short vector in which every output is linear."""

from collections.abc import Mapping, Sequence

import equinox as eqx
import jax
import jax.numpy as jnp
from jaxtyping import Array, Float, Int

from alfonsine.emulator.coordinates import Coordinates
from alfonsine.emulator.network import Ensemble
from alfonsine.emulator.scaling import Scaling


class Block(eqx.Module):
    r"""Outputs that share one exact scaling and one set of components: a = s(theta) [1, c(theta)].

    coefficients   (terms, k) trend of each component
    network        correction to the trend, or None
    """

    scaling: Scaling
    coefficients: Float[Array, "terms k"]
    network: Ensemble | None


class Surrogate(eqx.Module):
    """Amplitudes a(theta), K numbers; an output is a matrix times a(theta).

    Only arrays live here: a refitted surrogate of equal shapes runs through the same compiled code.

    table   (terms, order) index table of the monomials
    """

    coordinates: Coordinates
    table: Int[Array, "terms order"]
    blocks: tuple[Block, ...]

    def __call__(self, theta: Float[Array, " d"]) -> Float[Array, " K"]:
        """Evaluate the amplitudes at one point."""
        u = self.coordinates(theta)
        terms = jnp.prod(jnp.concatenate([jnp.ones(1), u])[self.table], axis=1)
        pieces = []
        for block in self.blocks:
            components = terms @ block.coefficients
            if block.network is not None:
                components = components + block.network(u)
            pieces.append(block.scaling(theta) * jnp.concatenate([jnp.ones(1), components]))
        return jnp.concatenate(pieces)


class Domain(eqx.Module):
    r"""Where the emulator may be asked: an ellipsoid about the training set, and a box.

    .. math:: r^2 = |L^{-1}(\theta - c)|^2 \le R^2, \qquad \text{lower} \le \theta \le \text{upper}
    """

    centre: Float[Array, " d"]
    cholesky: Float[Array, "d d"]
    radius: Float[Array, ""]
    lower: Float[Array, " d"]
    upper: Float[Array, " d"]

    def distance(self, theta: Float[Array, " d"]) -> Float[Array, ""]:
        """Distance r from the centre, in units of the radius: at most one inside."""
        z = jax.scipy.linalg.solve_triangular(self.cholesky, theta - self.centre, lower=True)
        return jnp.sqrt(z @ z + 1e-300) / self.radius

    def inside(self, theta: Float[Array, " d"]) -> Array:
        """Say whether one point may be asked."""
        return (self.distance(theta) <= 1.0) & jnp.all((theta >= self.lower) & (theta <= self.upper))


def ordered(parameters: Mapping[str, Array] | Array, names: Sequence[str]) -> Array:
    """Put parameters given by name into the order of the emulator's inputs; arrays pass through."""
    if isinstance(parameters, Mapping):
        return jnp.stack(jnp.broadcast_arrays(*[jnp.asarray(parameters[n], dtype=float) for n in names]), axis=-1)
    return jnp.asarray(parameters, dtype=float)
