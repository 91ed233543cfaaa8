"""The emulated posterior as a centre and a scale: mean, covariance, and whitened parameters."""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float

from alfonsine.errors import InputError


@dataclass(frozen=True)
class Whitening:
    """Mean (d,) and covariance (d, d) of the emulated posterior, with the Cholesky factor of its correlation."""

    mean: Float[np.ndarray, " d"]
    covariance: Float[np.ndarray, "d d"]
    factor: Float[np.ndarray, "d d"]

    @property
    def sigma(self) -> Float[np.ndarray, " d"]:
        """Standard deviations."""
        return np.sqrt(np.diag(self.covariance))

    def standardise(self, theta: Float[np.ndarray, "n d"]) -> Float[np.ndarray, "n d"]:
        """(theta - mean) / sigma."""
        return (theta - self.mean) / self.sigma

    def whiten(self, theta: Float[np.ndarray, "n d"]) -> Float[np.ndarray, "n d"]:
        """Coordinates with mean 0 and covariance 1 under the emulated posterior."""
        return np.linalg.solve(self.factor, self.standardise(theta).T).T


def whitening(mean: Float[np.ndarray, " d"], covariance: Float[np.ndarray, "rows columns"]) -> Whitening:
    """From moments."""
    mean, covariance = np.asarray(mean, float), np.asarray(covariance, float)
    d = len(mean)
    if covariance.shape != (d, d):
        raise InputError(
            f"expected a {d} x {d} covariance for {d} means, got shape {covariance.shape}; check their order"
        )
    if not np.all(np.diag(covariance) > 0):
        raise InputError("expected positive variances, got one that is not; leave out parameters that do not vary")
    sigma = np.sqrt(np.diag(covariance))
    try:
        factor = np.linalg.cholesky(covariance / np.outer(sigma, sigma))
    except np.linalg.LinAlgError:
        raise InputError(
            "expected a positive definite covariance, got a singular one; leave out parameters that follow from others"
        ) from None
    return Whitening(mean, covariance, factor)


def whitening_of_samples(
    samples: Float[np.ndarray, "m d"], weights: Float[np.ndarray, " m"] | None = None
) -> Whitening:
    """From (weighted) samples of the emulated posterior."""
    if len(samples) <= samples.shape[1]:
        raise InputError(
            f"expected more samples than parameters, got {samples.shape}; pass mean and covariance instead"
        )
    mean = np.average(samples, axis=0, weights=weights)
    return whitening(mean, np.atleast_2d(np.cov(samples.T, aweights=weights)))
