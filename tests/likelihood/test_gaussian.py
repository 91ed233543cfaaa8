"""Gaussian form against scipy."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from scipy.stats import multivariate_normal

from alfonsine.errors import InputError
from alfonsine.likelihood.gaussian import gaussian

NONE = jnp.zeros(0)


def problem(seed=1, n=6):
    rng = np.random.default_rng(seed)
    factor = rng.normal(size=(n, n))
    return rng.normal(size=n), factor @ factor.T + 0.1 * np.eye(n), rng.normal(size=n)


def test_normalised_density():
    data, covariance, model = problem()
    expected = multivariate_normal(model, covariance).logpdf(data)
    assert float(gaussian(data, covariance).log_likelihood(jnp.asarray(model), NONE)) == pytest.approx(
        expected, abs=1e-11
    )


def test_calibration_divides_the_model_by_its_square():
    data, covariance, model = problem()
    form = gaussian(data, covariance, calibration="A")
    expected = multivariate_normal(model / 1.07**2, covariance).logpdf(data)
    assert form.nuisance == ("A",)
    assert float(form.log_likelihood(jnp.asarray(model), jnp.array([1.07]))) == pytest.approx(expected, abs=1e-11)


def test_without_normalisation_it_is_minus_half_chi_square():
    data, covariance, model = problem()
    value = gaussian(data, covariance, normalised=False).log_likelihood(jnp.asarray(model), NONE)
    assert float(value) == pytest.approx(-0.5 * (data - model) @ np.linalg.solve(covariance, data - model), abs=1e-11)


@pytest.mark.parametrize("k", [1, 3, 6, 9])  # fewer amplitudes than bands, as many, more
def test_fold_is_small_and_exact(k):
    data, covariance, _ = problem()
    form = gaussian(data, covariance, calibration="A")
    rng = np.random.default_rng(2)
    matrix, a, nuisance = jnp.asarray(rng.normal(size=(6, k))), jnp.asarray(rng.normal(size=k)), jnp.array([0.98])
    folded = form.fold(matrix)
    assert folded.triangle.shape == (min(6, k + 1), k + 1)
    assert float(folded(a, nuisance)) == pytest.approx(float(form.log_likelihood(matrix @ a, nuisance)), abs=1e-10)


def test_whiten_is_the_inverse_covariance_and_the_hessian():
    data, covariance, model = problem()
    form = gaussian(data, covariance)
    d = np.random.default_rng(3).normal(size=(4, 6))
    white = np.asarray(form.whiten(jnp.asarray(d), jnp.asarray(model)))
    np.testing.assert_allclose(white @ white.T, d @ np.linalg.solve(covariance, d.T), rtol=1e-9)
    hessian = jax.hessian(form.log_likelihood)(jnp.asarray(model), NONE)
    np.testing.assert_allclose(white @ white.T, -d @ hessian @ d.T, rtol=1e-9)


@pytest.mark.parametrize(
    ("data", "covariance", "message"),
    [
        (np.zeros(3), np.eye(2), "3 x 3 covariance"),
        (np.array([0.0, np.nan]), np.eye(2), "finite"),
        (np.zeros(2), np.array([[1.0, 0.5], [0.0, 1.0]]), "symmetric"),
        (np.zeros(2), np.array([[1.0, 2.0], [2.0, 1.0]]), "positive definite covariance, got one with eigenvalue -1"),
    ],
)
def test_no_covariance_of_the_data(data, covariance, message):
    with pytest.raises(InputError, match=message):
        gaussian(data, covariance)
