"""The map z -> theta, held against automatic differentiation and its own inverse."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from alfonsine.posterior.coordinates import Coordinates

INF = np.inf
EDGES = {
    "none": ([-INF, -INF, -INF], [INF, INF, INF]),
    "lower": ([0.0, -INF, -1.0], [INF, INF, INF]),
    "upper": ([-INF, -INF, -INF], [0.5, INF, 3.0]),
    "both": ([0.0, -0.5, -2.0], [0.1, 0.5, 9.0]),
    "narrow": ([0.0, 0.0, 0.0], [1e-4, 1e-2, 1.0]),
}


def coordinates(edges: str) -> Coordinates:
    lower, upper = map(np.array, EDGES[edges])
    rough = Coordinates.of(lower, upper, np.array([0.05, 0.1, 0.2]), np.array([0.3, 0.2, 1.0]))
    root = np.array([[1.0, 0.0, 0.0], [0.7, 0.4, 0.0], [-0.5, 0.2, 0.8]])
    return rough.whitened(jnp.array([0.3, -0.2, 0.1]), jnp.asarray(root @ root.T))


def points(n: int = 50, scale: float = 2.0) -> jax.Array:
    return jnp.asarray(np.random.default_rng(1).normal(size=(n, 3)) * scale)


@pytest.mark.parametrize("edges", EDGES)
def test_log_jacobian_is_the_autodiff_determinant(edges):
    c = coordinates(edges)
    expected = np.linalg.slogdet(jax.vmap(jax.jacfwd(c.theta))(points()))[1]
    np.testing.assert_allclose(jax.vmap(c.log_jacobian)(points()), expected, atol=1e-9)


@pytest.mark.parametrize("edges", EDGES)
def test_inverse(edges):
    c, z = coordinates(edges), points(scale=1.5)
    np.testing.assert_allclose(jax.vmap(c.z)(jax.vmap(c.theta)(z)), z, atol=1e-8)


@pytest.mark.parametrize("edges", EDGES)
def test_never_crosses_an_edge_and_never_loses_its_gradient(edges):
    c = coordinates(edges)
    z = points(200, scale=40.0)
    theta = jax.vmap(c.theta)(z)
    assert np.all(theta >= c.lower) and np.all(theta <= c.upper)
    assert np.all(np.isfinite(jax.vmap(jax.jacfwd(c.theta))(z)))
    value, gradient = jax.vmap(jax.value_and_grad(c.log_jacobian))(z)
    assert np.all(np.isfinite(value)) and np.all(np.isfinite(gradient))


def test_each_soft_edge_increases():
    c = Coordinates.of(np.array([0.0]), np.array([1.0]), np.array([0.4]), np.array([0.2]))
    theta = np.asarray(jax.vmap(c.theta)(jnp.linspace(-15, 15, 2001)[:, None]))[:, 0]
    assert np.all(np.diff(theta) > 0)
    assert theta[0] < 1e-4 and theta[-1] > 1 - 1e-4


def test_far_edges_leave_a_plain_affine_map():
    """With edges 25 sigma away, and with none, the map is m + L z to rounding."""
    centre, scale = np.array([1.0, -3.0]), np.array([0.1, 2.0])
    for reach in (25.0, INF):
        c = Coordinates.of(centre - reach * scale, centre + reach * scale, centre, scale)
        z = np.random.default_rng(2).normal(size=(100, 2))
        np.testing.assert_allclose(jax.vmap(c.theta)(z), centre + z * scale, rtol=0, atol=1e-14)
        np.testing.assert_allclose(jax.vmap(c.log_jacobian)(z), np.log(scale).sum(), atol=1e-14)


def test_infinite_edges_have_finite_second_derivatives():
    c = coordinates("lower")
    hessian = jax.hessian(lambda z: jnp.sum(c.theta(z)) + c.log_jacobian(z))(jnp.array([0.1, 0.2, 0.3]))
    assert np.all(np.isfinite(hessian))


def test_samples_are_whitened():
    theta = np.random.default_rng(4).exponential(size=(1000, 2)) * [1.0, 20.0]
    c = Coordinates.of_samples(np.zeros(2), np.full(2, INF), theta)
    z = jax.vmap(c.z)(theta)
    np.testing.assert_allclose(np.mean(z, axis=0), 0, atol=1e-10)
    np.testing.assert_allclose(np.cov(z.T), np.eye(2), atol=1e-10)


def test_a_centre_on_the_edge_is_moved_inside_and_a_width_beyond_the_box_is_lowered():
    c = Coordinates.of(np.array([0.0]), np.array([1.0]), np.array([-1.0]), np.array([50.0]))
    assert 0 < float(c.theta(jnp.zeros(1))[0]) < 0.1
    assert float(c.cholesky[0, 0]) == pytest.approx(1 / np.sqrt(12))
