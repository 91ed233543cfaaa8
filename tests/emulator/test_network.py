"""The network against a plain NumPy formula, and its training against a loop that anyone can read."""

import jax
import jax.numpy as jnp
import numpy as np
import optax
import pytest
from toy_sky import random_ensemble

from alfonsine.emulator.around.network import Layer, Training, initial, pad_outputs, train

U = np.random.default_rng(0).uniform(-2, 2, (50, 2))
TARGET = np.column_stack([np.tanh(6 * U[:, 0]), 100.0 * np.abs(U[:, 1] - U[:, 0])])
HELD_OUT = np.arange(3, 50, 5)
SETTINGS = Training(width=8, depth=1, members=2, epochs=40, batch=16, rate=0.05, patience=6)
KEY = jax.random.key(11)


@pytest.fixture(scope="module")
def trained():
    return train(U, TARGET, HELD_OUT, KEY, SETTINGS)


@pytest.fixture(scope="module")
def watched():
    """What a plain loop does for each member: the held-out loss before training and after each epoch, the weights."""
    return by_hand(jax.random.split(KEY, SETTINGS.members))


def by_hand(keys):
    rows = np.setdiff1d(np.arange(50), HELD_OUT)
    scale = np.sqrt(np.mean(TARGET[rows] ** 2, axis=0))
    x, y = jnp.asarray(U[rows]), jnp.asarray(TARGET[rows] / scale)
    x_out, y_out = jnp.asarray(U[HELD_OUT]), jnp.asarray(TARGET[HELD_OUT] / scale)
    steps = len(rows) // SETTINGS.batch
    optimiser = optax.adam(optax.cosine_decay_schedule(SETTINGS.rate, SETTINGS.epochs * steps, 0.01))

    @jax.jit
    def loss(network, x, y):
        return jnp.mean((jax.vmap(network)(x) - y) ** 2)

    @jax.jit
    def step(network, memory, x, y):
        update, memory = optimiser.update(jax.grad(loss)(network, x, y), memory)
        return optax.apply_updates(network, update), memory

    members = []
    for key in keys:
        network = initial(key, 2, 2, SETTINGS)
        memory = optimiser.init(network)
        losses, weights = [float(loss(network, x_out, y_out))], [network]
        for epoch in range(SETTINGS.epochs):
            order = np.asarray(jax.random.permutation(jax.random.fold_in(key, epoch), len(rows)))
            for i in range(steps):
                batch = order[i * SETTINGS.batch : (i + 1) * SETTINGS.batch]
                network, memory = step(network, memory, x[batch], y[batch])
            losses.append(float(loss(network, x_out, y_out)))
            weights.append(network)
        members.append((losses, weights))
    return members


def stopped(losses):
    """The best weights that patience lets one see, 0 being those before training."""
    best = best_at = 0
    for i in range(len(losses) - 1):
        if i - best_at >= SETTINGS.patience:
            break
        if losses[i + 1] < losses[best]:
            best, best_at = i + 1, i
    return best


def member(ensemble, m):
    return jax.tree.map(lambda leaf: leaf[m], ensemble.members)


def test_activation_is_the_published_one():
    rng = np.random.default_rng(1)
    weight, bias, alpha, beta = rng.normal(size=(3, 2)), *rng.normal(size=(3, 3))
    x = rng.normal(size=2)
    y = weight @ x + bias
    expected = (beta + (1 - beta) / (1 + np.exp(-alpha * y))) * y
    found = Layer(*(jnp.asarray(a) for a in (weight, bias, alpha, beta)))(jnp.asarray(x))
    np.testing.assert_allclose(found, expected, rtol=1e-13)


def test_an_ensemble_is_the_scaled_mean_of_its_members():
    ensemble = random_ensemble(seed=3, d=2, k=5)
    each = [np.asarray(member(ensemble, m)(jnp.asarray(U[0]))) * 0.3 for m in (0, 1)]
    np.testing.assert_allclose(ensemble.each(jnp.asarray(U[0])), each, rtol=1e-12)
    np.testing.assert_allclose(ensemble(jnp.asarray(U[0])), np.mean(each, axis=0), rtol=1e-12)
    assert np.abs(each[0] - each[1]).min() > 1e-4


def test_before_training_it_predicts_nothing():
    network = initial(jax.random.key(0), 2, 4, SETTINGS)
    np.testing.assert_array_equal(jax.vmap(network)(jnp.asarray(U)), np.zeros((50, 4)))


def test_hidden_units_start_of_order_one():
    """Root mean square over 400 inputs of 64 units, after three layers; holds for any seed tried."""
    network = initial(jax.random.key(0), 6, 4, Training())
    x = jnp.asarray(np.random.default_rng(2).normal(size=(400, 6)))
    for layer in network.hidden:
        x = jax.vmap(layer)(x)
        assert 0.4 < float(jnp.sqrt(jnp.mean(x**2))) < 2.5


@pytest.mark.parametrize("m", [0, 1])
def test_the_weights_kept_are_the_best_a_plain_loop_sees(trained, watched, m):
    losses, weights = watched[m]
    best = stopped(losses)
    for found, expected in zip(jax.tree.leaves(member(trained, m)), jax.tree.leaves(weights[best]), strict=True):
        np.testing.assert_allclose(found, expected, rtol=1e-6, atol=1e-8)


def test_training_stops_early_and_not_at_once(watched):
    """So that the comparison with the plain loop says something: one member ends by patience, none before learning."""
    best = [stopped(losses) for losses, _ in watched]
    assert min(best) > 3 and min(best) + SETTINGS.patience < SETTINGS.epochs
    assert all(losses[b] < 0.5 * losses[0] for (losses, _), b in zip(watched, best, strict=True))
    assert any(b + 1 < len(losses) and losses[b + 1] > losses[b] for (losses, _), b in zip(watched, best, strict=True))


def test_the_same_key_gives_the_same_network(trained):
    again = train(U, TARGET, HELD_OUT, KEY, SETTINGS)
    for one, two in zip(jax.tree.leaves(trained), jax.tree.leaves(again), strict=True):
        np.testing.assert_array_equal(one, two)


def test_members_differ(trained):
    """Each has its own key, for the first weights and for the order of the points."""
    each = np.asarray(jax.vmap(trained.each)(jnp.asarray(U)))
    assert np.std(each[:, 0] - each[:, 1], axis=0).min() > 1e-3


def test_outputs_keep_their_own_units(trained):
    rows = np.setdiff1d(np.arange(50), HELD_OUT)
    np.testing.assert_allclose(trained.scale, np.sqrt(np.mean(TARGET[rows] ** 2, axis=0)), rtol=1e-12)


def test_padding_adds_zeros_and_changes_nothing(trained):
    padded = pad_outputs(trained, 5)
    found = np.asarray(jax.vmap(padded)(jnp.asarray(U)))
    np.testing.assert_allclose(found[:, :2], jax.vmap(trained)(jnp.asarray(U)), rtol=1e-12)
    np.testing.assert_array_equal(found[:, 2:], np.zeros((50, 3)))
