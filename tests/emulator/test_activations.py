"""Activations and dense layers against their formulas in NumPy."""

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
import pytest

from alfonsine.emulator.networks.activations import ACTIVATIONS, Alsing, Nygaard
from alfonsine.emulator.networks.dense import Dense, deviation
from alfonsine.errors import InputError

X = np.linspace(-4, 4, 9)[:, None] * np.array([1.0, 0.3, 2.0])
ALPHA, BETA, GAMMA = np.array([0.5, -1.0, 3.0]), np.array([0.1, 0.9, -0.4]), np.array([1.2, 0.3, 0.0])


def sigmoid(x):
    return 1 / (1 + np.exp(-x))


FORMULAS = {
    "relu": lambda x: np.maximum(x, 0),
    "tanh": np.tanh,
    "softplus": lambda x: np.log(1 + np.exp(x)),
    "elu": lambda x: np.where(x > 0, x, np.exp(x) - 1),
    "silu": lambda x: x * sigmoid(x),
}


@pytest.mark.parametrize("name", FORMULAS)
def test_activations_without_parameters(name):
    activation = ACTIVATIONS[name].draw(jax.random.key(0), 3)
    np.testing.assert_allclose(activation(jnp.asarray(X)), FORMULAS[name](X), rtol=1e-12, atol=1e-14)
    assert not jax.tree.leaves(activation)


def test_the_trainable_ones():
    alsing = Alsing(jnp.asarray(ALPHA), jnp.asarray(BETA))
    np.testing.assert_allclose(alsing(jnp.asarray(X)), (BETA + (1 - BETA) * sigmoid(ALPHA * X)) * X, rtol=1e-12)
    nygaard = Nygaard(jnp.asarray(ALPHA), jnp.asarray(BETA), jnp.asarray(GAMMA))
    np.testing.assert_allclose(nygaard(jnp.asarray(X)), (ALPHA + (GAMMA - ALPHA) * sigmoid(BETA * X)) * X, rtol=1e-12)


def test_limits_of_the_published_activation():
    """A wide unit: slope beta on the left and one on the right; at alpha = 0 it is linear with slope (1 + beta)/2."""
    steep = Alsing(jnp.full(3, 50.0), jnp.asarray(BETA))
    np.testing.assert_allclose(steep(jnp.full(3, -2.0)), -2 * BETA, rtol=1e-12)
    np.testing.assert_allclose(steep(jnp.full(3, 2.0)), np.full(3, 2.0), rtol=1e-12)
    flat = Alsing(jnp.zeros(3), jnp.asarray(BETA))
    np.testing.assert_allclose(flat(jnp.asarray(X)), (1 + BETA) / 2 * X, rtol=1e-12)


def test_initial_parameters_have_the_spread_asked_for():
    """Standard deviation of 4000 normal numbers: 1 % error, 5 % allowed; fixed key."""
    drawn = Alsing.draw(jax.random.key(1), 4000, spread=0.2)
    for values in (drawn.alpha, drawn.beta):
        assert abs(np.std(values) - 0.2) < 0.01 and values.dtype == np.float32
    assert np.abs(np.corrcoef(drawn.alpha, drawn.beta)[0, 1]) < 0.08


def test_a_dense_network_is_its_formula():
    kinds = [ACTIVATIONS["alsing"].draw, ACTIVATIONS["tanh"].draw]
    network = Dense.draw(jax.random.key(2), (3, 5, 4, 2), kinds, "glorot")
    assert all(leaf.dtype == np.float32 for leaf in jax.tree.leaves(network))
    one, two = network.layers
    y = X @ np.asarray(one.weight, float).T + np.asarray(one.bias)
    y = (
        np.asarray(one.activation.beta) + (1 - np.asarray(one.activation.beta)) * sigmoid(one.activation.alpha * y)
    ) * y
    hidden = np.tanh(y @ np.asarray(two.weight, float).T + np.asarray(two.bias))
    expected = hidden @ np.asarray(network.weight, float).T + np.asarray(network.bias)
    u = jnp.asarray(X, jnp.float32)
    np.testing.assert_allclose(network.hidden(u), hidden, rtol=1e-4, atol=1e-5)
    np.testing.assert_allclose(network(u), expected, rtol=1e-4, atol=1e-5)
    np.testing.assert_allclose(network(u[3]), network(u)[3], rtol=1e-5, atol=1e-6)
    assert network(u).dtype == np.float32


@pytest.mark.parametrize(("rule", "expected"), [("glorot", np.sqrt(2 / 500)), ("he", 0.1), (1e-3, 1e-3)])
def test_initial_weights_follow_their_rule(rule, expected):
    """60,000 weights: 0.3 % error, 2 % allowed; fixed key."""
    network = Dense.draw(jax.random.key(3), (2, 200, 300, 1), [ACTIVATIONS["relu"].draw] * 2, rule)
    assert np.std(network.layers[1].weight) == pytest.approx(expected, rel=0.02)


@pytest.mark.parametrize("rule", ["xavier", 0.0, -1.0])
def test_unknown_initial_weights_are_refused(rule):
    with pytest.raises(InputError, match="expected 'glorot', 'he' or a positive number"):
        deviation(rule, 2, 3)


def test_an_ensemble_is_a_network_with_a_leading_axis():
    draw = lambda key: Dense.draw(key, (3, 4, 2), [ACTIVATIONS["alsing"].draw], "he")  # noqa: E731
    keys = jax.random.split(jax.random.key(5), 3)
    ensemble, u = eqx.filter_vmap(draw)(keys), jnp.asarray(X, jnp.float32)
    found = eqx.filter_vmap(lambda network: network(u))(ensemble)
    np.testing.assert_allclose(found[1], draw(keys[1])(u), rtol=1e-5, atol=1e-6)
