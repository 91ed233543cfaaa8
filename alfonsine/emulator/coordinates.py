"""Standardised inputs of an emulator."""

import equinox as eqx
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float


class Coordinates(eqx.Module):
    r"""Inputs of order one: :math:`u_i = (\theta_i - c_i)/s_i`.

    The axes stay those of the parameters, not of their covariance: a monomial such as :math:`\tau^3` is then one
    term of the trend and not a mixture of eighty.

    centre, scale   (d,) mean and standard deviation of the training inputs
    """

    centre: Float[Array, " d"]
    scale: Float[Array, " d"]

    @classmethod
    def of(cls, theta: Float[np.ndarray, "n d"]) -> "Coordinates":
        """Standardise by the training inputs themselves."""
        scale = np.std(theta, axis=0)
        return cls(jnp.asarray(theta.mean(axis=0)), jnp.asarray(np.where(scale > 0, scale, 1.0)))

    def __call__(self, theta: Float[Array, "*n d"]) -> Float[Array, "*n d"]:
        """Map parameters to standardised inputs."""
        return (theta - self.centre) / self.scale
