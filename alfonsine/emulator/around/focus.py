"""Where the emulator will be used: the points near it decide, those far away only help."""

import equinox as eqx
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float

from alfonsine.emulator.around.coordinates import Coordinates
from alfonsine.emulator.around.features import Features

REACH = 5.0  # distance, in standard deviations of the focus, within which a point counts fully
MODEST = 8  # parameters up to which that is so; beyond, draws lie sqrt(d) from the centre and the reach grows alike
STEEPNESS = 8  # beyond it the misfit of a polynomial of degree three, squared, grows with this power


def growth(d: int) -> float:
    """How much further from the centre draws lie than in a modest number of parameters: one up to there."""
    return max(1.0, d / MODEST) ** 0.5


class Focus(eqx.Module):
    """A Gaussian summary of the current posterior in the inputs x of the emulator.

    centre     (d,) mean of x
    cholesky   (d, d) lower factor of the covariance of x
    middle     (d,) parameters about there
    features   theta to x
    """

    centre: Float[Array, " d"]
    cholesky: Float[Array, "d d"]
    middle: Float[Array, " d"]
    features: Features

    @property
    def reach(self) -> float:
        """Distance, in standard deviations, within which a point counts fully."""
        return REACH * growth(len(self.centre))

    @classmethod
    def of(cls, mean: Float[np.ndarray, " d"], covariance: Float[np.ndarray, "d d"]) -> "Focus":
        """Summarise by mean and covariance of the parameters, which are the inputs."""
        middle = jnp.asarray(mean)
        return cls(middle, jnp.linalg.cholesky(jnp.asarray(covariance)), middle, Features.identity(len(mean)))

    @classmethod
    def of_samples(cls, theta: Float[np.ndarray, "n d"], features: Features) -> "Focus":
        """Summarise draws; the middle is the one of them that lies next to the mean of x."""
        x = features.at(theta)
        mean, covariance = x.mean(axis=0), np.cov(x.T).reshape(x.shape[1], -1)
        cholesky = np.linalg.cholesky(covariance)
        nearest = int(np.argmin(np.linalg.norm(np.linalg.solve(cholesky, (x - mean).T), axis=0)))
        return cls(jnp.asarray(mean), jnp.asarray(cholesky), jnp.asarray(theta[nearest]), features)

    def white(self, theta: Float[np.ndarray, "n d"]) -> Float[np.ndarray, "n d"]:
        """Points in units of the focus: standard normal where the focus is right."""
        x = self.features.at(theta)
        return np.linalg.solve(np.asarray(self.cholesky), (x - np.asarray(self.centre)).T).T

    def weights(self, theta: Float[np.ndarray, "n d"]) -> Float[np.ndarray, " n"]:
        """How much each point matters, in (0, 1]: one within reach, falling steeply beyond.

        If no point is within reach the nearest ones are taken to be.
        """
        distance = np.linalg.norm(self.white(theta), axis=1)
        reach = max(self.reach, float(np.sort(distance)[min(len(theta), theta.shape[1] + 1) - 1]))
        return 1.0 / (1.0 + np.maximum(distance / reach, 1e-3) ** STEEPNESS)

    def coordinates(self) -> Coordinates:
        """Standardised inputs whose unit is the width of the focus, widened to where points are placed."""
        width = jnp.sqrt(jnp.sum(self.cholesky**2, axis=1))
        return Coordinates(self.centre, np.sqrt(2.0) * width, self.features)
