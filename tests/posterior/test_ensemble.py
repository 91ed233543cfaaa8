"""The stretch-move ensemble on known densities; limits are five standard errors (false alarms below 1e-5)."""

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
import pytest

from alfonsine.errors import InputError
from alfonsine.posterior.ensemble import sample_ensemble
from alfonsine.posterior.tempered import Tempered


def start(mean, covariance, walkers=40, seed=0):
    rng = np.random.default_rng(seed)
    return rng.multivariate_normal(mean, covariance, walkers)


@pytest.mark.parametrize("temperature", [1.0, 4.0])
def test_tempered_gaussian(make_gaussian, temperature):
    """A Gaussian at temperature T has T times the covariance."""
    density, mean, covariance = make_gaussian(5, 3)
    out = sample_ensemble(
        Tempered(density, temperature), start(mean, covariance), jax.random.key(1), ess=20_000, draws=200
    )
    white = np.linalg.solve(np.linalg.cholesky(temperature * covariance), (out.theta.reshape(-1, 3) - mean).T).T
    # walkers are not quite independent: half the nominal size, a quarter for squares
    for i in range(3):
        assert np.mean(white[:, i]) == pytest.approx(0, abs=5 / np.sqrt(10_000))
        for j in range(i + 1):
            limit = 5 * np.std(white[:, i] * white[:, j]) / np.sqrt(5000)
            assert np.mean(white[:, i] * white[:, j]) == pytest.approx(float(i == j), abs=limit)
    assert 0.3 < out.diagnostics["acceptance"] < 0.8


class Box(eqx.Module):
    def __call__(self, theta):
        return jnp.where(jnp.all((theta >= 0) & (theta <= 1)), 0.0, -jnp.inf)


class Normal(eqx.Module):
    centre: float

    def __call__(self, theta):
        return -0.5 * jnp.sum((theta - self.centre) ** 2)


def test_tempering_keeps_the_prior():
    """Prior N(0, 1), likelihood N(2, 1) at T = 2: precision 1 + 1/2, mean (2/2)/1.5."""
    posterior = Normal(0.0)
    both = Tempered(lambda theta: posterior(theta) + Normal(2.0)(theta), 2.0, Normal(0.0))
    x = jnp.linspace(-3, 3, 7)[:, None]
    expected = -0.5 * 1.5 * (x[:, 0] - 2 / 3) ** 2
    value = jax.vmap(both)(x)
    np.testing.assert_allclose(value - value[0], expected - expected[0], atol=1e-12)


def test_tempering_outside_the_prior_is_minus_infinity():
    target = Tempered(lambda theta: Box()(theta) + Normal(0.0)(theta), 3.0, Box())
    assert float(target(jnp.array([0.5]))) == pytest.approx(-0.125 / 3)
    assert float(target(jnp.array([1.5]))) == -np.inf


def test_hard_edges():
    """Uniform in the unit square, edges as minus infinity: mean 1/2, mean square 1/3."""
    begin = np.random.default_rng(1).random((20, 2))
    out = sample_ensemble(Box(), begin, jax.random.key(2), ess=3000)
    x = out.theta.reshape(-1, 2)
    assert np.all((x >= 0) & (x <= 1))
    np.testing.assert_allclose(x.mean(axis=0), 0.5, atol=5 * np.sqrt(1 / 12 / 1500))
    np.testing.assert_allclose((x**2).mean(axis=0), 1 / 3, atol=5 * np.sqrt(4 / 45 / 1500))


def test_a_plain_function_gives_the_same_chain_as_the_compiled_density(make_gaussian):
    density, mean, covariance = make_gaussian(6, 2)
    precision = np.linalg.inv(covariance)

    def plain(theta):
        assert isinstance(theta, np.ndarray)
        r = theta - mean
        return -0.5 * np.einsum("ni,ij,nj->n", r, precision, r)

    settings = {"draws": 10, "thin": 2, "warmup_blocks": 1, "max_blocks": 2, "ess": 1e9}
    begin = start(mean, covariance, walkers=8)
    compiled = sample_ensemble(density, begin, jax.random.key(3), **settings)
    called = sample_ensemble(plain, begin, jax.random.key(3), **settings, compiled=False)
    np.testing.assert_allclose(called.theta, compiled.theta, rtol=1e-9)
    np.testing.assert_allclose(called.log_density, compiled.log_density, rtol=1e-7, atol=1e-9)
    np.testing.assert_array_equal(called.acceptance, compiled.acceptance)
    assert compiled.theta.shape == (8, 20, 2)


@pytest.mark.parametrize(
    ("walkers", "function", "message"),
    [
        (7, lambda t: np.zeros(len(t)), "even number of walkers"),
        (2, lambda t: np.zeros(len(t)), "at least 4"),
        (8, lambda t: 0.0, r"shape \(8,\)"),
        (8, lambda t: np.full(len(t), -np.inf), "where the density is finite"),
    ],
)
def test_bad_input_is_one_clear_line(walkers, function, message):
    with pytest.raises(InputError, match=message):
        sample_ensemble(function, np.zeros((walkers, 2)), jax.random.key(0), compiled=False)
