"""Maxima with known places and curvatures."""

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
import pytest

from alfonsine.posterior.coordinates import Coordinates
from alfonsine.posterior.optimum import find_optimum

INF = np.inf


def free(centre, scale) -> Coordinates:
    d = len(centre)
    return Coordinates.of(np.full(d, -INF), np.full(d, INF), np.asarray(centre), np.asarray(scale))


def test_gaussian_is_exact_from_ten_sigma_away(gaussian7):
    density, mean, covariance = gaussian7
    sigma = np.sqrt(np.diag(covariance))
    found = find_optimum(density, free(mean + 10 * sigma, 3 * sigma))
    np.testing.assert_allclose(found.theta, mean, atol=1e-8, rtol=1e-8)
    np.testing.assert_allclose(
        found.covariance / np.outer(sigma, sigma), covariance / np.outer(sigma, sigma), atol=1e-6
    )
    expected = 0.5 * np.linalg.slogdet(2 * np.pi * covariance)[1]
    assert float(found.log_evidence) == pytest.approx(expected, abs=1e-6)
    assert found.converged and found.positive_definite and found.iterations < 30
    # the new coordinates are white: the Hessian in z is minus one
    hessian = jax.hessian(lambda z: density(found.coordinates.theta(z)))(jnp.zeros(7))
    np.testing.assert_allclose(hessian, -np.eye(7), atol=1e-6)


class Rosenbrock(eqx.Module):
    def __call__(self, theta):
        return -((1 - theta[0]) ** 2) - 100 * (theta[1] - theta[0] ** 2) ** 2


def test_curved_valley():
    found = find_optimum(Rosenbrock(), free([-1.2, 1.0], [1.0, 1.0]))
    np.testing.assert_allclose(found.theta, [1, 1], atol=1e-4)
    assert found.converged and found.positive_definite
    # the Hessian of the Rosenbrock function at (1, 1) is [[802, -400], [-400, 200]]
    np.testing.assert_allclose(np.linalg.inv(found.covariance), [[802, -400], [-400, 200]], rtol=1e-3)


class DoubleWell(eqx.Module):
    def __call__(self, theta):
        return -((theta[0] ** 2 - 1) ** 2) - theta[1] ** 2


def test_climbs_away_from_a_saddle():
    found = find_optimum(DoubleWell(), free([0.05, 3.0], [0.3, 1.0]))
    np.testing.assert_allclose(found.theta, [1, 0], atol=1e-5)
    assert found.converged and found.positive_definite


class Exponential(eqx.Module):
    def __call__(self, theta):
        return -theta[0]


def test_best_fit_may_sit_on_an_edge_but_the_centre_for_sampling_does_not():
    c = Coordinates.of(np.array([0.0]), np.array([INF]), np.array([2.0]), np.array([1.0]))
    best = find_optimum(Exponential(), c, of="theta")
    assert float(best.theta[0]) == pytest.approx(0, abs=1e-8) and best.converged
    centre = find_optimum(Exponential(), c)
    assert float(centre.theta[0]) > 0.1
    assert centre.converged and centre.positive_definite


class Ridge(eqx.Module):
    """No information at all on the second parameter."""

    def __call__(self, theta):
        return -0.5 * theta[0] ** 2


def test_flat_direction_gets_a_wide_but_finite_width():
    found = find_optimum(Ridge(), free([1.0, 0.0], [1.0, 1.0]))
    assert not found.positive_definite
    assert float(found.covariance[1, 1]) == pytest.approx(100.0)
    assert float(found.covariance[0, 0]) == pytest.approx(1.0)


class Walled(eqx.Module):
    """A Gaussian known only within 2 of its start, which is 3 from its maximum."""

    def __call__(self, theta):
        return jnp.where(jnp.sum((theta - 3.0) ** 2) < 4.0, -0.5 * jnp.sum(theta**2), -jnp.inf)


class NotANumber(eqx.Module):
    def __call__(self, theta):
        return jnp.nan * theta[0]


@pytest.mark.parametrize("density", [Walled(), NotANumber()])
def test_says_so_when_there_is_no_maximum_in_reach(density):
    found = find_optimum(density, free([3.0, 3.0], [1.0, 1.0]))
    assert not found.converged
    assert np.all(np.isfinite(found.theta))
    assert np.all(np.linalg.eigvalsh(np.asarray(found.covariance)) > 0)
