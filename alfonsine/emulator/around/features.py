r"""The inputs in which outputs are simple: parameters, their logarithms and products, cheap exact quantities.

A spectrum is nearly linear in the angle of the sound horizon and far from it in the Hubble constant; in the density of
neutrinos, not in their mass and number. One input takes the place of another, so that there are as many as parameters:

.. math:: x_j(\theta) = p_{k_j}(\theta), \qquad
   p = (\theta_1, \dots;\; \ln\theta_1, \dots;\; \theta_1\theta_1, \theta_1\theta_2, \dots;\; q_1(\theta), \dots)
"""

from collections.abc import Sequence

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float

from alfonsine.emulator.around.cheap import CheapQuantities


class Features(eqx.Module):
    """A one-to-one map, where it is used, from parameters theta (d,) to inputs x (d,).

    pick       (P, d) zeros and ones: which entry of the pool p each input is
    positive   (d,) one for parameters of which the logarithm is in the pool, zero for others
    cheap      quantities q that are in the pool
    """

    pick: Float[Array, "pool d"]
    positive: Float[Array, " d"]
    cheap: CheapQuantities

    @classmethod
    def identity(cls, dimension: int) -> "Features":
        """The parameters themselves, with neither logarithms nor quantities in the pool."""
        return cls.of(range(dimension), np.zeros(dimension), CheapQuantities.none(dimension))

    @classmethod
    def of(cls, chosen: Sequence[int], positive: Float[np.ndarray, " d"], cheap: CheapQuantities) -> "Features":
        """Pick these entries of the pool."""
        d = len(positive)
        pool = 2 * d + d * d + len(cheap.coefficients)
        return cls(jnp.asarray(np.eye(pool)[:, list(chosen)]), jnp.asarray(positive, dtype=float), cheap)

    @property
    def chosen(self) -> tuple[int, ...]:
        """Which entry of the pool each input is."""
        return tuple(np.argmax(np.asarray(self.pick), axis=0).tolist())

    def __call__(self, theta: Float[Array, " d"]) -> Float[Array, " d"]:
        """Inputs at one point."""
        logarithm = jnp.log(jnp.where(self.positive > 0, theta, 1.0))
        pool = jnp.concatenate([theta, logarithm, jnp.outer(theta, theta).reshape(-1), self.cheap(theta)])
        return pool @ self.pick

    def at(self, theta: Float[np.ndarray, "n d"]) -> Float[np.ndarray, "n d"]:
        """The same for a training set, without compiling anything for its length."""
        return pool_at(theta, np.asarray(self.positive), self.cheap)[:, list(self.chosen)]

    def widths(self, theta: Float[Array, " d"], cholesky: Float[Array, "d d"]) -> Float[Array, " d"]:
        """Standard deviations of the parameters about a point where x has the covariance L L^T."""
        return jnp.linalg.norm(jnp.linalg.solve(jax.jacobian(self)(theta), cholesky), axis=1)

    def names(self, parameters: Sequence[str], quantities: Sequence[str]) -> tuple[str, ...]:
        """What each input is, in words."""
        words = pool_names(parameters, quantities)
        return tuple(words[k] for k in self.chosen)


def pool_at(
    theta: Float[np.ndarray, "n d"], positive: Float[np.ndarray, " d"], cheap: CheapQuantities
) -> Float[np.ndarray, "n pool"]:
    """Everything that could be an input, at many points."""
    logarithm = np.log(np.where(positive > 0, theta, 1.0))
    products = (theta[:, :, None] * theta[:, None, :]).reshape(len(theta), -1)
    return np.hstack([theta, logarithm, products, cheap.at(theta)])


def pool_gradient(
    theta: Float[np.ndarray, "n d"], positive: Float[np.ndarray, " d"], cheap: CheapQuantities
) -> Float[np.ndarray, "n pool d"]:
    """Derivatives of everything that could be an input by the parameters, at many points."""
    n, d = theta.shape
    unit = np.broadcast_to(np.eye(d), (n, d, d))
    logarithm = unit * np.where(positive > 0, 1.0 / np.where(positive > 0, theta, 1.0), 0.0)[:, :, None]
    products = unit[:, :, None, :] * theta[:, None, :, None] + theta[:, :, None, None] * unit[:, None, :, :]
    quantities = np.asarray(_slopes(cheap, jnp.asarray(theta))) if len(cheap.coefficients) else np.zeros((n, 0, d))
    return np.concatenate([unit, logarithm, products.reshape(n, d * d, d), quantities], axis=1)


@eqx.filter_jit
def _slopes(cheap: CheapQuantities, theta: Float[Array, "n d"]) -> Float[Array, "n c d"]:
    return jax.vmap(jax.jacobian(cheap))(theta)


def pool_names(parameters: Sequence[str], quantities: Sequence[str]) -> list[str]:
    """Names of the entries of the pool."""
    products = [f"{a} {b}" for a in parameters for b in parameters]
    return [*parameters, *(f"ln {name}" for name in parameters), *products, *quantities]
