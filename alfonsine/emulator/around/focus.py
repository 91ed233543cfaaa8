"""Where the emulator will be used: the points near it decide, those far away only help."""

import equinox as eqx
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float

from alfonsine.emulator.around.coordinates import Coordinates

REACH = 5.0  # distance, in standard deviations of the focus, within which a point counts fully
STEEPNESS = 8  # beyond it the misfit of a polynomial of degree three, squared, grows with this power


class Focus(eqx.Module):
    """A Gaussian summary of the current posterior in the emulator's inputs.

    centre     (d,) mean
    cholesky   (d, d) lower factor of the covariance
    """

    centre: Float[Array, " d"]
    cholesky: Float[Array, "d d"]

    @classmethod
    def of(cls, mean: Float[np.ndarray, " d"], covariance: Float[np.ndarray, "d d"]) -> "Focus":
        """Summarise by mean and covariance."""
        return cls(jnp.asarray(mean), jnp.linalg.cholesky(jnp.asarray(covariance)))

    def white(self, theta: Float[np.ndarray, "n d"]) -> Float[np.ndarray, "n d"]:
        """Points in units of the focus: standard normal where the focus is right."""
        return np.linalg.solve(np.asarray(self.cholesky), (theta - np.asarray(self.centre)).T).T

    def weights(self, theta: Float[np.ndarray, "n d"]) -> Float[np.ndarray, " n"]:
        """How much each point matters, in (0, 1]: one within reach, falling steeply beyond.

        If no point is within reach the nearest ones are taken to be.
        """
        distance = np.linalg.norm(self.white(theta), axis=1)
        reach = max(REACH, float(np.sort(distance)[min(len(theta), theta.shape[1] + 1) - 1]))
        return 1.0 / (1.0 + np.maximum(distance / reach, 1e-3) ** STEEPNESS)

    def coordinates(self) -> Coordinates:
        """Standardised inputs whose unit is the width of the focus, widened to where points are placed."""
        width = jnp.sqrt(jnp.sum(self.cholesky**2, axis=1))
        return Coordinates(self.centre, np.sqrt(2.0) * width)
