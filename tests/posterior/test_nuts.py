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


class Product(eqx.Module):
    """Independent: a banana (x, y) with E y = 1, var y = 3, cov(x, y) = 0; half-normal, exponential, flat."""

    def __call__(self, theta):
        x, y, half, decay, _ = theta
        return -0.5 * x**2 - 0.5 * (y - x**2) ** 2 - 0.5 * half**2 - decay


def test_curved_density_and_edges_through_the_bulk():
    """Start from a Laplace approximation 1.7 times too narrow in y, with edges on the mode of two parameters."""
    lower, upper = [-INF, -INF, 0, 0, 0], [INF, INF, INF, INF, 1]
    p = run(Product(), lower, upper, [1.0, 3.0, 0.5, 2.0, 0.1], [1.0, 1.0, 1.0, 1.0, 5.0], ess=4000, draws=200)
    assert p.ess >= 4000
    assert max(p.diagnostics["r_hat"].values()) < 1.01
    assert p.diagnostics["divergences"] <= 1e-3 * len(p)
    assert np.all(p.samples >= lower) and np.all(p.samples <= upper)
    x, y, half, decay, flat = p.samples.T
    moments = ((half, np.sqrt(2 / np.pi), 1.0), (decay, 1.0, 2.0), (flat, 0.5, 1 / 3), (x, 0.0, 1.0), (y, 1.0, 4.0))
    for values, first, second in moments:
        assert_mean(values, first, 3000)
        assert_mean(values**2, second, 1500)
    assert_mean(x * y, 0.0, 1500)
    assert_mean(decay < 0.01, -np.expm1(-0.01), 2000)  # the last hundredth before an edge is visited as it should be
    assert_mean(flat > 0.99, 0.01, 2000)


def test_refitted_density_compiles_nothing_and_keys_decide_everything(make_gaussian, traces):
    first, mean, _ = make_gaussian(1, 3)
    second = make_gaussian(2, 3)[0]
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


@pytest.mark.slow
def test_points_without_a_density_are_never_accepted():
    c = Coordinates.of(np.full(2, -INF), np.full(2, INF), np.ones(2), np.full(2, 3.0))
    state = disperse(HalfKnown(), c, jax.random.key(0), 8)
    _, block = nuts_block(HalfKnown(), state, jax.random.key(1), jnp.zeros(()), 20)
    assert np.all(np.isfinite(block.theta)) and np.all(block.theta > 0)
