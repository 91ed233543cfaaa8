"""Weights of training points, and the units of the inputs."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from alfonsine.emulator.around.focus import REACH, Focus

MEAN, ROOT = np.array([1.0, -2.0, 5.0]), np.array([[1.0, 0, 0], [0.5, 0.2, 0], [-1.0, 0.1, 3.0]])
FOCUS = Focus.of(MEAN, ROOT @ ROOT.T)


def at(distances):
    """Points in random directions at given Mahalanobis distances."""
    directions = np.random.default_rng(0).normal(size=(len(distances), 3))
    directions /= np.linalg.norm(directions, axis=1)[:, None]
    return MEAN + (np.asarray(distances)[:, None] * directions) @ ROOT.T


def test_white_points_have_the_mahalanobis_distance():
    theta = np.random.default_rng(1).normal(size=(8, 3))
    expected = np.einsum("ni,ij,nj->n", theta - MEAN, np.linalg.inv(ROOT @ ROOT.T), theta - MEAN)
    np.testing.assert_allclose(np.sum(FOCUS.white(theta) ** 2, axis=1), expected, rtol=1e-10)


def test_weights_are_one_near_and_fall_with_the_eighth_power_far_away():
    distances = np.array([0.0, 0.1, 1.0, 2.0, 2.5, REACH, 50.0, 100.0])
    weights = FOCUS.weights(at(distances))
    assert (np.diff(weights) <= 0).all() and (weights > 0).all()
    np.testing.assert_allclose(weights[:4], 1.0, atol=1e-3)
    assert weights[5] == pytest.approx(0.5, rel=1e-6)
    assert weights[6] / weights[7] == pytest.approx(2.0**8, rel=1e-5)


def test_if_no_point_is_near_the_nearest_are_taken_to_be():
    """Four points determine a linear model of three inputs: the fourth nearest sets the reach."""
    weights = FOCUS.weights(at([100.0, 110.0, 120.0, 130.0, 1300.0]))
    assert weights[:4].min() == pytest.approx(0.5, rel=1e-6)
    assert weights[4] < 1e-7
    assert FOCUS.weights(at([40.0])).item() == pytest.approx(0.5, rel=1e-6)


def test_inputs_have_the_unit_of_the_focus():
    coordinates = FOCUS.coordinates()
    width = np.sqrt(2.0 * np.diag(ROOT @ ROOT.T))
    theta = np.vstack([MEAN, MEAN + width])
    np.testing.assert_allclose(coordinates.at(theta), [[0, 0, 0], [1, 1, 1]], atol=1e-12)
    np.testing.assert_allclose(jax.vmap(coordinates)(jnp.asarray(theta)), coordinates.at(theta), rtol=1e-14)
