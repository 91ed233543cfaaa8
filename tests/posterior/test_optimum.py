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


class Landscape(eqx.Module):
    """Densities of two parameters behind one switch, so that they are compiled once."""

    kind: jax.Array

    def __call__(self, theta):
        x, y = theta
        return jax.lax.switch(
            self.kind,
            [
                lambda: -((1 - x) ** 2) - 100 * (y - x**2) ** 2,  # Rosenbrock's valley
                lambda: -((x**2 - 1) ** 2) - y**2,  # two peaks, a saddle between them
                lambda: -0.5 * x**2,  # no information on y
                lambda: jnp.where((x - 3) ** 2 + (y - 3) ** 2 < 4, -0.5 * (x**2 + y**2), -jnp.inf),  # walled in
                lambda: jnp.nan * x,
            ],
        )


def climb(kind: int, centre, scale):
    return find_optimum(Landscape(jnp.asarray(kind)), free(centre, scale))


def test_curved_valley():
    """The Hessian of the Rosenbrock function at (1, 1) is [[802, -400], [-400, 200]]."""
    found = climb(0, [-1.2, 1.0], [1.0, 1.0])
    np.testing.assert_allclose(found.theta, [1, 1], atol=1e-4)
    assert found.converged and found.positive_definite
    np.testing.assert_allclose(np.linalg.inv(found.covariance), [[802, -400], [-400, 200]], rtol=1e-3)


def test_climbs_away_from_a_saddle():
    found = climb(1, [0.05, 3.0], [0.3, 1.0])
    np.testing.assert_allclose(found.theta, [1, 0], atol=1e-5)
    assert found.converged and found.positive_definite


def test_flat_direction_gets_a_wide_but_finite_width():
    found = climb(2, [1.0, 0.0], [1.0, 1.0])
    assert not found.positive_definite
    assert float(found.covariance[1, 1]) == pytest.approx(100.0)
    assert float(found.covariance[0, 0]) == pytest.approx(1.0)


@pytest.mark.parametrize("kind", [3, 4])
def test_says_so_when_there_is_no_maximum_in_reach(kind):
    found = climb(kind, [3.0, 3.0], [1.0, 1.0])
    assert not found.converged
    assert np.all(np.isfinite(found.theta))
    assert np.all(np.linalg.eigvalsh(np.asarray(found.covariance)) > 0)


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
