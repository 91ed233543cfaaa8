"""Streamed moments and components against NumPy on the whole array."""

import numpy as np
import pytest

from alfonsine.emulator.networks.streaming import moments, principal_components
from alfonsine.errors import InputError

RNG = np.random.default_rng(4)


def passes(array, size):
    return lambda: (array[i : i + size] for i in range(0, len(array), size))


def decaying(n, m, rank, ratio, mean=0.0):
    """Rows whose covariance has eigenvalues that fall by `ratio` squared each."""
    left = np.linalg.qr(RNG.normal(size=(n, rank)))[0]
    right = np.linalg.qr(RNG.normal(size=(m, rank)))[0]
    return (left * ratio ** np.arange(rank)) @ right.T * np.sqrt(n) + mean


@pytest.mark.parametrize("size", [1, 7, 100, 1000])
def test_moments_are_those_of_the_whole(size):
    x = 1e6 + RNG.normal(size=(100, 5)) * [1, 1e-3, 10, 1e3, 0]  # a mean that swamps the spread
    found = moments(passes(x, size))
    assert found.count == 100
    np.testing.assert_allclose(found.mean, x.mean(axis=0), rtol=1e-14)
    np.testing.assert_allclose(found.std, x.std(axis=0), rtol=1e-7, atol=1e-9)
    np.testing.assert_array_equal(found.low, x.min(axis=0))
    np.testing.assert_array_equal(found.high, x.max(axis=0))


def test_moments_of_a_function_of_the_rows():
    x = RNG.uniform(1, 2, (50, 3))
    np.testing.assert_allclose(moments(passes(x, 8), np.log10).std, np.log10(x).std(axis=0), rtol=1e-12)


def test_no_rows_are_refused():
    with pytest.raises(InputError, match="at least one row"):
        moments(lambda: iter([]))


@pytest.mark.parametrize("exact_up_to", [2048, 0], ids=["covariance", "subspace"])
@pytest.mark.parametrize("shape", [(300, 80), (60, 200)])
def test_components_are_those_of_numpy(exact_up_to, shape):
    x = decaying(*shape, rank=40, ratio=0.6, mean=3.0)
    found = principal_components(passes(x, 37), 12, exact_up_to=exact_up_to)
    centred = x - x.mean(axis=0)
    _, values, vectors = np.linalg.svd(centred, full_matrices=False)
    np.testing.assert_allclose(found.mean, x.mean(axis=0), rtol=1e-12)
    np.testing.assert_allclose(found.variance, values[:12] ** 2 / len(x), rtol=1e-6)
    overlap = np.abs(np.sum(found.vectors * vectors[:12], axis=1))
    np.testing.assert_allclose(overlap, 1.0, atol=1e-6)
    np.testing.assert_allclose(found.vectors @ found.vectors.T, np.eye(12), atol=1e-12)
    # what the components leave over is what the best of that number leave over
    left = centred - centred @ found.vectors.T @ found.vectors
    np.testing.assert_allclose(np.sum(left**2), np.sum(values[12:] ** 2), rtol=1e-6)


@pytest.mark.parametrize("count", [0, 21])
def test_more_components_than_there_are_is_refused(count):
    with pytest.raises(InputError, match="expected 1 to 20 components"):
        principal_components(passes(RNG.normal(size=(20, 30)), 8), count)
