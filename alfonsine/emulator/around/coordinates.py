"""Standardised inputs of an emulator."""

import equinox as eqx
import numpy as np
from jaxtyping import Array, Float

from alfonsine.emulator.around.features import Features


class Coordinates(eqx.Module):
    r"""Inputs of order one: :math:`u_i = (x_i(\theta) - c_i)/s_i`.

    The axes stay those of the inputs x, not of their covariance: a monomial such as :math:`\tau^3` is then one
    term of the trend and not a mixture of eighty.

    centre, scale   (d,) about the mean and the spread of x over the points that matter
    features        theta to x
    """

    centre: Float[Array, " d"]
    scale: Float[Array, " d"]
    features: Features

    def at(self, theta: Float[np.ndarray, "n d"]) -> Float[np.ndarray, "n d"]:
        """The same for a training set, without compiling anything for its length."""
        return (self.features.at(theta) - np.asarray(self.centre)) / np.asarray(self.scale)

    def __call__(self, theta: Float[Array, " d"]) -> Float[Array, " d"]:
        """Standardised inputs at one point."""
        return (self.features(theta) - self.centre) / self.scale
