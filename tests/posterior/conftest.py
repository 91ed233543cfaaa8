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


class Banana(eqx.Module):
    """x ~ N(0, 1), y | x ~ N(x^2, s^2): E y = 1, var y = 2 + s^2, cov(x, y) = 0."""

    s: float = 0.5

    def __call__(self, theta):
        x, y = theta
        return -0.5 * x**2 - 0.5 * ((y - x**2) / self.s) ** 2


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
def densities():
    """The classes, for tests that build their own."""
    return type(
        "densities", (), {"Gaussian": Gaussian, "Banana": Banana, "random_gaussian": staticmethod(random_gaussian)}
    )
