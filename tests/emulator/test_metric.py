"""Errors of outputs that no data set sees."""

import numpy as np
import pytest

from alfonsine.emulator.around.blocks import Piece
from alfonsine.emulator.around.fit import whiten
from alfonsine.emulator.metric import UNSEEN_WEIGHT, fallback_errors

TRUTH = {"tt": [9.0, 5.0, 3.0, 2.0], "te": [1.0, -2.0, 0.5, 0.0], "ee": [2.0, 3.0, 1.0, 0.5]}


def test_cosmic_variance_is_the_scatter_of_simulated_skies():
    """20,000 skies, l = 2..5: each of 12 ratios is good to about 0.8 % (the variance of a variance at l = 2), so 4 %
    is five standard errors; false-alarm rate below 1e-5, seed fixed.
    """
    rng = np.random.default_rng(0)
    found = fallback_errors({name: np.array([values, values]) for name, values in TRUTH.items()})
    for i, ell in enumerate(range(2, 6)):
        covariance = [[TRUTH["tt"][i], TRUTH["te"][i]], [TRUTH["te"][i], TRUTH["ee"][i]]]
        t, e = np.moveaxis(rng.multivariate_normal([0, 0], covariance, size=(20_000, 2 * ell + 1)), 2, 0)
        for name, power in (("tt", t * t), ("te", t * e), ("ee", e * e)):
            assert found[name][i] == pytest.approx(np.std(power.mean(axis=1)), rel=0.04), (name, ell)


def test_cosmic_variance_at_some_multipoles_is_theirs():
    chosen = [0, 3]
    values = {name: np.array([v, v]) for name, v in TRUTH.items()}
    some = {name: v[:, chosen] for name, v in values.items()}
    found = fallback_errors(some, {name: np.array([2.0, 5.0]) for name in some})
    for name, errors in fallback_errors(values).items():
        np.testing.assert_array_equal(found[name], errors[chosen])


def test_anything_else_has_the_spread_of_the_training_set():
    values = np.random.default_rng(1).normal(size=(20, 3)) * [1.0, 5.0, 0.0]
    found = fallback_errors({"derived": values, "te": values})
    for errors in found.values():  # without TT and EE, a cross spectrum has no cosmic variance
        np.testing.assert_allclose(errors, [values[:, 0].std(), values[:, 1].std(), 1.0])


def test_what_the_data_see_counts_fully_and_the_rest_a_little():
    outputs = {"x": np.random.default_rng(2).normal(size=(6, 4)), "y": np.ones((6, 2))}
    block = (Piece("x", 1, 4),)

    def metric(changes):
        assert changes["x"].shape == (6, 4) and not changes["x"][:, 0].any() and not changes["y"].any()
        return 10.0 * changes["x"][:, 1:2] - changes["x"][:, 2:3]

    weights = np.arange(1.0, 7.0)
    scaled = outputs["x"][:, 1:]
    found, seen = whiten(scaled, outputs, block, weights, fallback_errors(outputs), metric)
    assert seen
    change = scaled - weights @ scaled / weights.sum()
    np.testing.assert_allclose(found[:, 0], 10 * change[:, 0] - change[:, 1])
    np.testing.assert_allclose(found[:, 1:], UNSEEN_WEIGHT * change / scaled.std(axis=0))


def test_what_no_data_see_counts_in_its_own_errors():
    outputs = {"x": np.random.default_rng(3).normal(size=(6, 4))}
    block = (Piece("x", 0, 4),)
    for metric in (None, lambda changes: np.zeros((6, 1))):
        found, seen = whiten(outputs["x"], outputs, block, np.ones(6), fallback_errors(outputs), metric)
        assert not seen
        np.testing.assert_allclose(found.std(axis=0), 1.0)
