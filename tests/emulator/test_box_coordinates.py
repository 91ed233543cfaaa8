"""Coordinates that are found, on functions that are simple in coordinates we know."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from alfonsine.emulator.box.coordinates import best_cube
from alfonsine.emulator.box.cube import Cube
from alfonsine.emulator.box.series import fit_series, groups, size

LOWER, UPPER = np.array([1.0, 0.2, -1.0]), np.array([4.0, 0.9, 1.0])


def draws(n, seed):
    return np.random.default_rng(seed).uniform(LOWER, UPPER, (n, 3))


def ridge(theta):
    """Steep in a product of powers of the first two inputs, smooth in the third."""
    return np.column_stack([np.tanh(4 * np.log(theta[:, 0] * theta[:, 1])), 0.3 * np.exp(theta[:, 2])])


def test_a_product_of_powers_is_found():
    theta, fresh = draws(400, 1), draws(500, 2)
    cube, series = best_cube(LOWER, UPPER, theta, ridge(theta), None)
    plain = Cube.of(LOWER, UPPER, [False] * 3)
    without = fit_series(plain.at(theta), ridge(theta), None)
    assert size(series.residuals) < size(without.residuals) / 3
    assert np.asarray(cube.logarithmic)[:2].all()
    u = cube.at(fresh)
    assert np.abs(u).max() <= 1.0  # whatever is mixed, the box stays in the cube
    # one coordinate bends much more than the others, and it is nearly that product
    slopes = np.asarray(cube.mix)[np.argmax(series.decay)] / np.asarray(cube.scale)
    assert slopes[1] / slopes[0] == pytest.approx(1.0, abs=0.25) and abs(slopes[2]) < 0.1 * abs(slopes[0])


def test_what_is_simple_already_stays_as_it_is():
    theta = np.random.default_rng(3).uniform(-1, 1, (300, 2))
    target = np.exp(theta[:, :1]) + np.cos(3 * theta[:, 1:]) + 1e-3 * np.random.default_rng(4).normal(size=(300, 1))
    cube, series = best_cube(-np.ones(2), np.ones(2), theta, target, None)
    np.testing.assert_array_equal(cube.mix, np.eye(2))
    assert size(series.residuals) == pytest.approx(1e-3, rel=0.2)  # 300 draws: five standard errors of it


def test_points_that_share_an_input_stay_together_when_it_is_mixed():
    """Noise that is common to a group is not predicted: the error is that noise, in whatever coordinates."""
    shared, noise = draws(90, 5), np.random.default_rng(7).normal(size=(90, 1))
    theta = np.column_stack([np.repeat(shared[:, :2], 4, axis=0), np.random.default_rng(6).uniform(-1, 1, 360)])
    target = ridge(theta)[:, :1] + 0.01 * np.repeat(noise, 4, axis=0)
    cube, series = best_cube(LOWER, UPPER, theta, target, None)
    assert len(groups(theta)) == 1 and groups(theta)[0].shape == (90, 4)
    assert np.asarray(cube.logarithmic)[:2].all()  # else the error would be 0.08
    assert 0.008 < size(series.residuals) < 0.02  # 90 draws: their spread is known to 7 %


def test_a_point_is_where_the_training_set_had_it():
    cube = Cube.of(LOWER, UPPER, [True, False, False]).mixed(np.array([[1, 0.5, 0], [0, 1, 0], [-0.25, 0, 1.0]]))
    theta = draws(7, 8)
    np.testing.assert_allclose(jax.vmap(cube)(jnp.asarray(theta)), cube.at(theta), rtol=1e-12, atol=1e-14)
    corners = np.array(np.meshgrid(*zip(LOWER, UPPER, strict=True))).reshape(3, -1).T
    assert np.abs(cube.at(corners)).max() == pytest.approx(1.0)
