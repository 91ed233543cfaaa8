"""Evidences with closed forms."""

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
import pytest
from scipy.stats import multivariate_normal, norm

from alfonsine.posterior.coordinates import Coordinates
from alfonsine.posterior.importance import importance_evidence
from alfonsine.posterior.sample import sample

INF = np.inf


class Linear(eqx.Module):
    """Data d = A theta + unit noise, prior N(0, s^2); a normalised likelihood and a normalised prior."""

    design: jax.Array
    data: jax.Array
    s: float

    def __call__(self, theta):
        r = self.data - self.design @ theta
        prior = -0.5 * theta @ theta / self.s**2 - theta.size * jnp.log(self.s * jnp.sqrt(2 * jnp.pi))
        return -0.5 * r @ r - 0.5 * r.size * jnp.log(2 * jnp.pi) + prior


def test_linear_problem_recovers_mean_covariance_and_evidence():
    """Posterior and evidence of a Gaussian linear problem; five standard errors, false alarms below 1e-5."""
    rng = np.random.default_rng(0)
    design, s = rng.normal(size=(12, 6)) * [1, 3, 0.3, 1, 1, 10], 2.0
    data = design @ rng.normal(size=6) * s + rng.normal(size=12)
    covariance = np.linalg.inv(design.T @ design + np.eye(6) / s**2)
    mean = covariance @ design.T @ data
    expected = multivariate_normal(np.zeros(12), np.eye(12) + s**2 * design @ design.T).logpdf(data)

    density = Linear(jnp.asarray(design), jnp.asarray(data), s)
    names, edge = list("abcdef"), np.full(6, INF)
    posterior = sample(density, names, names, -edge, edge, np.zeros(6), np.ones(6), jax.random.key(1), ess=4000)
    assert posterior.ess >= 4000
    assert max(posterior.diagnostics["r_hat"].values()) < 1.01
    assert posterior.diagnostics["divergences"] == 0
    assert 0.6 < posterior.diagnostics["acceptance"] < 0.95
    np.testing.assert_allclose(posterior.log_posterior, jax.vmap(density)(posterior.samples), atol=1e-8)
    sigma = np.sqrt(np.diag(covariance))
    np.testing.assert_allclose(posterior.mean() / sigma, mean / sigma, atol=5 / np.sqrt(4000))
    np.testing.assert_allclose(
        posterior.covariance() / np.outer(sigma, sigma), covariance / np.outer(sigma, sigma), atol=5 * np.sqrt(2 / 2000)
    )
    c = Coordinates.of_samples(-edge, edge, posterior.samples)
    evidence = importance_evidence(density, c, jax.random.key(2))
    assert 0.001 < evidence.error < 0.02
    assert evidence.log_evidence == pytest.approx(expected, abs=5 * evidence.error)
    assert evidence.ess > 0.4 * evidence.proposals


class Truncated(eqx.Module):
    def __call__(self, theta):
        return -0.5 * jnp.sum((theta - jnp.array([0.5, -1.0])) ** 2)


def test_edges_and_stated_error():
    """A Gaussian cut by x > 0 and y in (0, 1); the stated error is that of 40 repetitions (20 % is 1.8 sigma).

    chi^2 of 40 against its stated error: outside (16, 75) with probability 1e-3.
    """
    lower, upper = np.zeros(2), np.array([INF, 1.0])
    expected = np.log(2 * np.pi) + np.log(norm.sf(0, 0.5)) + np.log(norm.cdf(1, -1) - norm.cdf(0, -1))
    c = Coordinates.of(lower, upper, np.array([0.8, 0.4]), np.array([0.6, 0.25]))
    found = [importance_evidence(Truncated(), c, jax.random.key(i), proposals=2000) for i in range(40)]
    pulls = np.array([(e.log_evidence - expected) / e.error for e in found])
    assert 16 < np.sum(pulls**2) < 75
