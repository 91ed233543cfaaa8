"""Shifted log-normal form against scipy."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from scipy.stats import lognorm

from alfonsine.likelihood.lognormal import LogNormal

NONE = jnp.zeros(0)
MU, SIGMA, SHIFT = np.array([1.0, -2.0]), np.array([0.3, 0.8]), np.array([0.0, -0.5])
FORM = LogNormal(jnp.asarray(MU), jnp.asarray(SIGMA), jnp.asarray(SHIFT))


def test_normalised_density():
    bands = np.array([2.2, -0.3])
    expected = lognorm(s=SIGMA, loc=SHIFT, scale=np.exp(MU)).logpdf(bands).sum()
    assert float(FORM.log_likelihood(jnp.asarray(bands), NONE)) == pytest.approx(expected, abs=1e-12)


@pytest.mark.parametrize("bands", [[2.2, -0.6], [2.2, -0.5], [-1.0, -1.0]])
def test_below_the_shift_is_impossible_with_finite_gradient(bands):
    value, gradient = jax.value_and_grad(FORM.log_likelihood)(jnp.array(bands), NONE)
    assert value == -jnp.inf
    assert np.isfinite(gradient).all()


def test_whiten_is_the_hessian_of_the_gaussian_part():
    """At ln x = mu the Hessian of ln L is -(1 / (x sigma)^2 - 1 / x^2); the second term is that of -ln x."""
    x = jnp.exp(FORM.location)
    hessian = jnp.diag(jax.hessian(FORM.log_likelihood)(FORM.shift + x, NONE))
    white = FORM.whiten(jnp.eye(2), FORM.shift + x)
    np.testing.assert_allclose(jnp.diag(white) ** 2, -hessian + 1 / x**2, rtol=1e-10)


def test_whiten_of_an_impossible_reference_is_finite():
    white = FORM.whiten(jnp.eye(2), FORM.shift - 1.0)
    np.testing.assert_allclose(jnp.diag(white), 1 / (SIGMA * np.exp(MU - 3 * SIGMA)), rtol=1e-12)
