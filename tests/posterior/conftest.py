"""Log densities with known answers."""

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
import pytest

TRACES = {"gaussian": 0}  # how often a density was traced: compiled code does not count


class Gaussian(eqx.Module):
    mean: jax.Array
    precision: jax.Array

    def __call__(self, theta):
        TRACES["gaussian"] += 1
        r = theta - self.mean
        return -0.5 * r @ self.precision @ r


def random_gaussian(seed: int, d: int) -> tuple[Gaussian, np.ndarray, np.ndarray]:
    """A correlated Gaussian with widths over four decades; also its mean and covariance."""
    rng = np.random.default_rng(seed)
    root = rng.normal(size=(d, d)) * 10.0 ** rng.uniform(-2, 2, size=(d, 1))
    covariance = root @ root.T
    mean = rng.normal(size=d) * 3
    return Gaussian(jnp.asarray(mean), jnp.asarray(np.linalg.inv(covariance))), mean, covariance


@pytest.fixture
def gaussian7():
    return random_gaussian(3, 7)


@pytest.fixture
def traces():
    return TRACES


@pytest.fixture
def make_gaussian():
    return random_gaussian
