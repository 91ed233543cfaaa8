"""Principal components against the outputs they stand for."""

import numpy as np
import pytest

from alfonsine.emulator.around.compress import compress

RNG = np.random.default_rng(0)
METRIC = RNG.normal(size=(7, 7)) + 4 * np.eye(7)  # outputs to units of the data's error: any invertible linear map


def outputs(n=30, rank=3):
    rng = np.random.default_rng(1)
    return 5.0 + rng.normal(size=(n, rank)) @ rng.normal(size=(rank, 7))


@pytest.mark.parametrize("uneven", [False, True])
def test_training_outputs_are_reproduced(uneven):
    weights = np.random.default_rng(2).uniform(1e-3, 1.0, 30) if uneven else np.ones(30)
    found = compress(outputs(), outputs() @ METRIC, weights, keep=7, floor=0.0)
    assert found.components.shape == (30, 3)
    np.testing.assert_allclose(found.mean + found.components @ found.basis, outputs(), rtol=1e-11)


def test_one_unit_is_one_error_of_the_data_and_components_are_apart():
    found = compress(outputs(), outputs() @ METRIC, np.ones(30), keep=7, floor=0.0)
    seen = found.basis @ METRIC
    np.testing.assert_allclose(seen @ seen.T, np.eye(3), atol=1e-10)
    gram = found.components.T @ found.components
    np.testing.assert_allclose(gram, np.diag(np.diag(gram)), atol=1e-9)


def test_the_data_decide_the_order():
    """The first output varies a thousand times more, but the data see the second one."""
    change = np.random.default_rng(3).normal(size=(40, 2)) * [1e3, 1.0]
    blind, sharp = change * [1e-6, 1.0], change * [1.0, 1e-3]
    first = [compress(change, seen, np.ones(40), 1, 0.0).basis[0] for seen in (blind, sharp)]
    assert abs(first[0][1]) > 0.99 and abs(first[1][0]) > 0.99
    sizes = np.sum(compress(change, blind, np.ones(40), 2, 0.0).components ** 2, axis=0)
    assert sizes[0] > sizes[1]


def test_the_floor_bounds_what_is_dropped():
    """Dropped is the sum over the training set of all directions below the floor, in data errors."""
    change = np.random.default_rng(4).normal(size=(50, 4)) * [10.0, 1.0, 1e-2, 1e-5]
    singular = np.linalg.svd(change - change.mean(axis=0), compute_uv=False)
    floor = np.sqrt(singular[1] * singular[2])
    found = compress(change, change, np.ones(50), keep=4, floor=floor)
    assert found.components.shape == (50, 2)
    left = change - found.mean - found.components @ found.basis
    assert np.linalg.norm(left) == pytest.approx(np.linalg.norm(singular[2:]), rel=1e-9)


def test_a_point_without_weight_claims_no_component():
    """One far point along an output in which the others do not vary."""
    change = np.random.default_rng(5).normal(size=(20, 3)) * [1.0, 1.0, 0.0]
    change[7] = [0.0, 0.0, 50.0]
    weights = np.ones(20)
    weights[7] = 1e-9
    found = compress(change, change, weights, keep=3, floor=0.0)
    assert np.abs(found.basis[:2, 2]).max() < 1e-3
    np.testing.assert_allclose(found.mean, np.average(change, axis=0, weights=weights), rtol=1e-12)
    np.testing.assert_allclose(found.mean + found.components @ found.basis, change, atol=1e-9)


def test_outputs_that_never_change_cost_nothing_and_stay_numbers():
    constant = np.full((5, 3), 2.0)
    found = compress(constant, np.zeros((5, 3)), np.ones(5), keep=4, floor=1e-3)
    np.testing.assert_array_equal(found.mean + found.components @ found.basis, constant)
