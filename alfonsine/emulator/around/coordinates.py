"""Standardised inputs of an emulator."""

import equinox as eqx
import numpy as np
from jaxtyping import Array, Float


class Coordinates(eqx.Module):
    r"""Inputs of order one: :math:`u_i = (\theta_i - c_i)/s_i`.

    The axes stay those of the parameters, not of their covariance: a monomial such as :math:`\tau^3` is then one
    term of the trend and not a mixture of eighty.

    centre, scale   (d,) about the mean and the spread of the points that matter
    """

    centre: Float[Array, " d"]
    scale: Float[Array, " d"]

    def at(self, theta: Float[np.ndarray, "n d"]) -> Float[np.ndarray, "n d"]:
        """The same for a training set, without compiling anything for its length."""
        return (theta - np.asarray(self.centre)) / np.asarray(self.scale)

    def __call__(self, theta: Float[Array, "*n d"]) -> Float[Array, "*n d"]:
        """Map parameters to standardised inputs."""
        return (theta - self.centre) / self.scale
