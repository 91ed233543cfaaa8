"""Wishart form against scipy, and its Fisher matrix against simulated scores."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from scipy.stats import wishart as scipy_wishart

from alfonsine.errors import InputError
from alfonsine.likelihood.make_mock_cmb import draw
from alfonsine.likelihood.wishart import wishart

NONE = jnp.zeros(0)
MEAN = np.array([[4.0, 900.0, 2.0], [1.0, -50.0, 0.3], [2.0, 20.0, 0.5]])  # TT, TE, EE in three bins; signal + noise
NOISE = np.array([[0.5, 10.0, 0.7], [0.0, 0.0, 0.0], [0.3, 1.0, 0.1]])
MODES = np.array([3.0, 57.0, 1200.0])
DATA = draw(MEAN, MODES, np.random.default_rng(4))


def matrices(blocks):
    return [np.array([[tt, te], [te, ee]]) for tt, te, ee in np.asarray(blocks).T]


def scipy_value(data, model):
    """Density of Chat where nu Chat is Wishart: the Jacobian is nu^(n (n + 1) / 2)."""
    return sum(
        scipy_wishart(nu, c).logpdf(nu * d) + 3 * np.log(nu)
        for nu, d, c in zip(MODES, matrices(data), matrices(model), strict=True)
    )


def test_two_fields_are_the_normalised_density():
    value = wishart(DATA, NOISE, MODES).log_likelihood(jnp.asarray((MEAN - NOISE).ravel()), NONE)
    assert float(value) == pytest.approx(scipy_value(DATA, MEAN), abs=1e-8)


def test_one_field_is_the_normalised_density():
    value = wishart(DATA[:1], NOISE[:1], MODES).log_likelihood(jnp.asarray(MEAN[0] - NOISE[0]), NONE)
    expected = sum(
        scipy_wishart(nu, c).logpdf(nu * d) + np.log(nu) for nu, d, c in zip(MODES, DATA[0], MEAN[0], strict=True)
    )
    assert float(value) == pytest.approx(expected, abs=1e-8)


def test_largest_where_model_and_data_agree():
    form = wishart(DATA, NOISE, MODES)
    at_data = jnp.asarray((DATA - NOISE).ravel())
    assert float(form.log_likelihood(at_data, NONE)) == pytest.approx(float(form.constant), abs=1e-10)
    np.testing.assert_allclose(jax.grad(form.log_likelihood)(at_data, NONE), 0, atol=1e-6)


@pytest.mark.parametrize("rows", [[0], [0, 1, 2]], ids=["one field", "two fields"])
def test_whiten_is_the_hessian_where_model_and_data_agree(rows):
    """There the second derivative of ln L is exactly minus the Fisher matrix."""
    form = wishart(DATA[rows], NOISE[rows], MODES)
    at_data = jnp.asarray((DATA - NOISE)[rows].ravel())
    d = np.random.default_rng(5).normal(size=(4, at_data.size)) * np.asarray(at_data)
    white = np.asarray(form.whiten(jnp.asarray(d), at_data))
    hessian = jax.hessian(form.log_likelihood)(at_data, NONE)
    np.testing.assert_allclose(white @ white.T, -d @ hessian @ d.T, rtol=1e-8)


@pytest.mark.parametrize("bad", [[-5.0, 1.0, 2.0], [4.0, 10.0, 2.0], [-5.0, 0.0, -5.0], [-0.5, 0.0, 2.0]])
def test_a_model_that_is_no_covariance_is_impossible_with_finite_gradient(bad):
    form = wishart(DATA, NOISE, MODES)
    bands = MEAN - NOISE
    bands[:, 0] = bad
    value, gradient = jax.value_and_grad(form.log_likelihood)(jnp.asarray(bands.ravel()), NONE)
    assert value == -jnp.inf
    assert np.isfinite(gradient).all()


def test_drawn_band_powers_have_the_wishart_moments():
    """Mean C and covariance (C_ik C_jl + C_il C_jk) / nu.

    20,000 draws in each of 3 bins: 9 means and 18 (co)variances, each nearly normal, limit 4.5 of its own
    standard errors (for the second moments estimated from the sample): false alarm about 27 x 7e-6 = 2e-4.
    """
    rng, n = np.random.default_rng(6), 20_000
    drawn = np.array([draw(MEAN, MODES, rng) for _ in range(n)])  # (n, block, bin)
    tt, te, ee = MEAN
    products = {(0, 0): 2 * tt * tt, (0, 1): 2 * tt * te, (0, 2): 2 * te * te, (1, 1): tt * ee + te * te}
    products |= {(1, 2): 2 * te * ee, (2, 2): 2 * ee * ee}
    difference = drawn - MEAN
    assert np.all(np.abs(difference.mean(0)) < 4.5 * difference.std(0) / np.sqrt(n))
    for (i, j), expected in products.items():
        both = difference[:, i] * difference[:, j]
        assert np.all(np.abs(both.mean(0) - expected / MODES) < 4.5 * both.std(0) / np.sqrt(n))


@pytest.mark.parametrize(
    ("data", "modes", "message"),
    [
        (DATA[:2], MODES, "1 block"),
        (DATA, np.array([1.0, 57.0, 1200.0]), "more than 1 modes"),
        (-DATA, MODES, "TT > 0"),
    ],
)
def test_malformed(data, modes, message):
    with pytest.raises(InputError, match=message):
        wishart(data, np.zeros_like(data), modes)
