"""Compiled evaluations: right, and compiled once for equal shapes."""

import jax.numpy as jnp
import numpy as np

from alfonsine.posterior.evaluate import batch_value, value_and_grad


def test_values_gradients_and_batches(gaussian7):
    density, mean, covariance = gaussian7
    theta = np.random.default_rng(0).multivariate_normal(mean, covariance, 50)
    r = theta - mean
    expected = -0.5 * np.einsum("ni,ni->n", r, np.linalg.solve(covariance, r.T).T)
    np.testing.assert_allclose(batch_value(density)(theta), expected, rtol=1e-8)
    value, gradient = value_and_grad(density)(jnp.asarray(theta[3]))
    np.testing.assert_allclose(value, expected[3], rtol=1e-8)
    np.testing.assert_allclose(gradient, -np.linalg.solve(covariance, r[3]), rtol=1e-6)


def test_new_arrays_of_equal_shape_compile_nothing(make_gaussian, traces):
    first, second = (make_gaussian(i, 5)[0] for i in (1, 2))
    theta = jnp.zeros(5)
    value_and_grad(first)(theta)
    before = traces["gaussian"]
    value, _ = value_and_grad(second)(theta)
    assert traces["gaussian"] == before
    np.testing.assert_allclose(value, -0.5 * second.mean @ second.precision @ second.mean)
