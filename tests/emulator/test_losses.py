"""Losses against sums written by hand, and the derivative term against a network whose derivative is known."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from alfonsine.emulator.networks.activations import ACTIVATIONS
from alfonsine.emulator.networks.dense import Dense
from alfonsine.emulator.networks.losses import CosmicVariance, Entries, MeanSquare, RootMeanSquare, derivative_error
from alfonsine.errors import InputError

X = np.array([[1.0, 2.0, 3.0], [0.0, -1.0, 0.5]])
Y = np.array([[0.5, 2.0, 1.0], [0.0, 1.0, 0.0]])  # squares of differences: .25, 0, 4; 0, 4, .25
ENTRIES = Entries(np.array([2.0, 10.0, np.nan]), np.array([1e-11, 2e-11, 4e-11]))


def of(loss, entries=ENTRIES, **options):
    return float(loss.of(entries, **options)(jnp.asarray(X, jnp.float32), jnp.asarray(Y, jnp.float32)))


def test_mean_square():
    assert of(MeanSquare) == pytest.approx(8.5 / 6)


def test_cosmic_variance():
    """Weights 5/2 and 21/2; the entry without a multipole weighs as the highest one, or as it is told."""
    assert of(CosmicVariance) == pytest.approx((2.5 * 0.25 + 10.5 * 4 + 10.5 * 4.25) / 6)
    assert of(CosmicVariance, other=0.5) == pytest.approx((2.5 * 0.25 + 10.5 * 4 + 1.0 * 4.25) / 6)
    assert of(CosmicVariance, power=1.5) == pytest.approx(
        (2.5 * 0.5**1.5 + 10.5 * 2**1.5 + 10.5 * (2**1.5 + 0.5**1.5)) / 6, rel=1e-6
    )


def test_cosmic_variance_needs_a_multipole():
    with pytest.raises(InputError, match="an output with an axis 'l'"):
        CosmicVariance.of(Entries(np.full(3, np.nan), np.ones(3)))


def test_root_mean_square_is_in_the_units_before_normalisation():
    expected = np.sqrt(np.mean((ENTRIES.scale * (X - Y)) ** 2))
    assert of(RootMeanSquare) == pytest.approx(expected, rel=1e-6)  # its squares, of 1e-22, are there in 32 bits


def test_root_mean_square_has_a_derivative_where_it_is_zero():
    loss = RootMeanSquare.of(ENTRIES)
    assert np.all(np.isfinite(jax.grad(loss)(jnp.asarray(X, jnp.float32), jnp.asarray(X, jnp.float32))))


def test_the_derivative_term_is_the_mean_square_of_directional_derivatives():
    """Against central differences of the same network in 64 bits."""
    network = Dense.draw(jax.random.key(0), (2, 6, 3), [ACTIVATIONS["tanh"].draw], "he")
    network = jax.tree.map(lambda leaf: leaf.astype(float), network)
    rng = np.random.default_rng(0)
    u, directions, given = (jnp.asarray(rng.normal(size=size)) for size in ((4, 2), (2, 2), (4, 2, 3)))
    h = 1e-5
    along = np.stack([(network(u + h * v) - network(u - h * v)) / (2 * h) for v in directions], axis=1)
    found = derivative_error(network, u, directions, given)
    assert float(found) == pytest.approx(float(np.mean((along - given) ** 2)), rel=1e-8)
