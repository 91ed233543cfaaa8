"""NUTS on densities with known moments; limits are five standard errors, a false alarm rate below 1e-5 each."""

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
import pytest

from alfonsine.posterior.coordinates import Coordinates
from alfonsine.posterior.nuts import disperse, nuts_block, sample_nuts
from alfonsine.posterior.sample import sample

INF = np.inf


def run(density, lower, upper, start, scale, **options):
    names = [f"x{i}" for i in range(len(start))]
    box = (np.array(x, float) for x in (lower, upper, start, scale))
    return sample(density, names, names, *box, jax.random.key(0), **options)


def assert_mean(values, expected, ess):
    """The mean of `values` is as expected, within five standard errors."""
    assert np.mean(values) == pytest.approx(expected, abs=5 * np.std(values) / np.sqrt(ess))


def test_banana(densities):
    """E y = 1, var y = 2.25, cov(x, y) = 0; its Laplace approximation is too narrow in y by a factor three."""
    p = run(densities.Banana(), [-INF] * 2, [INF] * 2, [1.0, 3.0], [1.0, 1.0], ess=4000, draws=200)
    x, y = p.samples.T
    assert max(p.diagnostics["r_hat"].values()) < 1.01
    assert_mean(x, 0.0, 3000)
    assert_mean(y, 1.0, 3000)
    assert_mean((y - 1) ** 2, 2.25, 1500)
    assert_mean(x * y, 0.0, 1500)


class Cut(eqx.Module):
    """Independent unit normal, exponential and flat densities."""

    def __call__(self, theta):
        return -0.5 * theta[0] ** 2 - theta[1]


def test_edges_through_the_bulk_are_no_wall():
    """Half-normal on x > 0, exponential on y > 0, uniform on 0 < z < 1: means, squares, and the shape at the edge."""
    p = run(Cut(), [0, 0, 0], [INF, INF, 1], [0.5, 2.0, 0.1], [1.0, 1.0, 5.0], ess=5000)
    assert p.diagnostics["divergences"] <= 3
    assert np.all(p.samples >= 0) and np.all(p.samples[:, 2] <= 1)
    x, y, z = p.samples.T
    for values, first, second in ((x, np.sqrt(2 / np.pi), 1.0), (y, 1.0, 2.0), (z, 0.5, 1 / 3)):
        assert_mean(values, first, 5000)
        assert_mean(values**2, second, 2500)
    assert_mean(y < 0.01, -np.expm1(-0.01), 2500)  # the last hundredth before the edge is visited as it should be
    assert_mean(z > 0.99, 0.01, 2500)


def test_refitted_density_compiles_nothing_and_keys_decide_everything(densities, traces):
    first, mean, _ = densities.random_gaussian(1, 3)
    second = densities.random_gaussian(2, 3)[0]
    c = Coordinates.of(np.full(3, -INF), np.full(3, INF), mean, np.ones(3))
    out = [sample_nuts(first, c, jax.random.key(0), ess=200, chains=8, draws=50)[0] for _ in range(2)]
    np.testing.assert_array_equal(out[0].theta, out[1].theta)
    before = traces["gaussian"]
    other, _ = sample_nuts(second, c, jax.random.key(1), ess=200, chains=8, draws=50)
    assert traces["gaussian"] == before
    assert not np.array_equal(other.theta[:, :50], out[0].theta[:, :50])
    most, _ = sample_nuts(second, c, jax.random.key(1), ess=1e9, chains=8, draws=50, max_blocks=3)
    assert most.theta.shape == (8, 150, 3)  # a budget of blocks is kept
    np.testing.assert_array_equal(most.theta[:, : other.theta.shape[1]], other.theta[:, :150])


class HalfKnown(eqx.Module):
    """A density that is not a number for x < 0, as that of a broken emulator might be."""

    def __call__(self, theta):
        return jnp.sum(jnp.log(theta) - theta)


def test_chains_start_where_the_density_is_finite():
    c = Coordinates.of(np.full(2, -INF), np.full(2, INF), np.ones(2), np.full(2, 3.0))
    state = disperse(HalfKnown(), c, jax.random.key(0), 8)
    theta = jax.vmap(c.theta)(state.position)
    assert np.all(np.isfinite(jax.vmap(HalfKnown())(theta)))
    assert len(np.unique(theta[:, 0])) == 8
    _, block = nuts_block(HalfKnown(), state, jax.random.key(1), jnp.asarray(False), 20)
    assert np.all(np.isfinite(block.theta)) and np.all(block.theta > 0)
