"""Normalisations: known values, round trips, and what is done about entries that never change."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from alfonsine.emulator.networks.normalisations import NORMALISATIONS
from alfonsine.errors import InputError

RNG = np.random.default_rng(8)
POSITIVE = 10 ** RNG.uniform(-18, 4, 6) * np.exp(RNG.normal(size=(200, 6)))
EITHER = RNG.normal(size=(200, 6)) * 10.0 ** np.arange(-10, 2, 2)


def fit(name, x, size=33):
    return NORMALISATIONS[name].fit(lambda: (x[i : i + size] for i in range(0, len(x), size)))


@pytest.mark.parametrize("x", [POSITIVE, EITHER], ids=["positive", "either sign"])
@pytest.mark.parametrize("name", NORMALISATIONS)
def test_there_and_back(name, x):
    if name == "log10" and x is EITHER:
        with pytest.raises(InputError, match="expected positive outputs for 'log10'"):
            fit(name, x)
        return
    fitted = fit(name, x)
    y = fitted.forward(jnp.asarray(x))
    assert np.all(np.isfinite(y))
    np.testing.assert_allclose(fitted.inverse(y), x, rtol=1e-9, atol=1e-12 * np.abs(x).max(axis=0).min())


def test_standardisation_and_min_max_are_their_formulas():
    y = fit("standardisation", EITHER).forward(jnp.asarray(EITHER))
    np.testing.assert_allclose(y, (EITHER - EITHER.mean(0)) / EITHER.std(0), rtol=1e-9, atol=1e-12)
    y = fit("min_max", EITHER).forward(jnp.asarray(EITHER))
    assert np.all(np.min(y, axis=0) == 0) and np.allclose(np.max(y, axis=0), 1, rtol=1e-14)
    y = fit("log10", POSITIVE).forward(jnp.asarray(POSITIVE))
    log = np.log10(POSITIVE)
    np.testing.assert_allclose(y, (log - log.mean(0)) / log.std(0), rtol=1e-9, atol=1e-10)


def test_min_max_is_undone_with_the_minimum():
    """Values in [3, 5]: 0 comes back as 3; undone with the maximum it would be 5."""
    fitted = fit("min_max", np.array([[3.0], [4.0], [5.0]]))
    np.testing.assert_array_equal(fitted.inverse(jnp.array([[0.0], [0.5], [1.0]])), [[3.0], [4.0], [5.0]])


def test_double_log_by_hand():
    """Lowest value -2: a = 2.02; the lowest logarithm ln 0.02 gives b = -1.01 ln 0.02."""
    x = np.array([[-2.0], [0.0], [7.0]])
    a, b = 2.02, -1.01 * np.log(0.02)
    fitted = fit("double_log", x)
    np.testing.assert_allclose(fitted.forward(jnp.asarray(x)), np.log(np.log(x + a) + b), rtol=1e-12)
    # values all above one: neither shift is needed
    np.testing.assert_allclose(fit("double_log", x + 5).forward(jnp.asarray(x + 5)), np.log(np.log(x + 5)), rtol=1e-12)


def test_double_log_is_finite_below_the_lowest_training_value():
    fitted = fit("double_log", np.array([[-2.0], [0.0], [7.0]]))
    y = np.asarray(fitted.forward(jnp.array([[-2.5], [-2.0], [-1.9]])))[:, 0]
    assert np.all(np.isfinite(y)) and y[0] < y[1] < y[2]


@pytest.mark.parametrize("name", ["standardisation", "min_max", "log10"])
@pytest.mark.parametrize("value", [0.0, 3e-11, 5.0])
def test_an_entry_that_never_changes_comes_back_whatever_the_network_says(name, value):
    if name == "log10" and value == 0.0:
        return
    x = np.hstack([np.full((50, 1), np.float32(value)), RNG.uniform(1, 2, (50, 1))])
    fitted = fit(name, x)
    assert np.all(np.asarray(fitted.forward(jnp.asarray(x)))[:, 0] == 0)
    np.testing.assert_allclose(fitted.inverse(jnp.array([0.3, 0.0]))[0], x[0, 0], rtol=1e-12)
    gradient = jax.grad(lambda v: jnp.sum(fitted.forward(v)))(jnp.asarray(x[0]))
    assert np.all(np.isfinite(gradient))


@pytest.mark.parametrize("name", NORMALISATIONS)
def test_what_is_left_after_the_affine_part_is_the_named_function(name):
    """The three inverses written out in NumPy: what a stored emulator must do."""
    fitted = fit(name, POSITIVE)
    p = {key: np.asarray(values) for key, values in fitted.parameters().items()}
    inverses = {
        "identity": lambda v: v,
        "exp10": lambda v: 10**v,
        "double_exp": lambda v: np.exp(np.exp(v) - p["second"]) - p["first"],
    }
    y = RNG.uniform(0.1, 0.9, (4, 6))
    expected = inverses[fitted.outer](np.asarray(fitted.shift) + np.asarray(fitted.scale) * y)
    np.testing.assert_allclose(fitted.inverse(jnp.asarray(y)), expected, rtol=1e-12)
