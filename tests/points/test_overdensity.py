"""The over-density filter: held against the paper's own loop over points, and against what it must not depend on."""

import numpy as np
import pytest
from slow_overdensity import thinly_sampled_slowly

from alfonsine.errors import InputError
from alfonsine.points.overdensity import root_covariance, thinly_sampled


def clouds(d, n, m, seed, width=1.0, shift=0.0):
    """New and old points of correlated Gaussians; the new ones of another width and place."""
    generator = np.random.default_rng(seed)
    root = np.tril(generator.standard_normal((d, d))) + 3 * np.eye(d)
    old = generator.standard_normal((m, d)) @ root.T
    new = (shift + width * generator.standard_normal((n, d))) @ root.T
    return new, old


@pytest.mark.parametrize("d", [1, 2, 8])
@pytest.mark.parametrize(("width", "shift"), [(1.0, 0.0), (2.0, 0.0), (0.2, 0.0), (0.5, 2.0)])
def test_it_keeps_what_the_papers_loop_keeps(d, width, shift):
    new, old = clouds(d, 200, 300, seed=1, width=width, shift=shift)
    kept = thinly_sampled(new, old)
    np.testing.assert_array_equal(kept, thinly_sampled_slowly(new, old))


def test_both_answers_occur_in_these_clouds():
    kept = [thinly_sampled(*clouds(8, 200, 300, seed=1, width=width)).mean() for width in (0.5, 1.0, 2.0)]
    assert 0 < kept[1] < min(kept[0], kept[2]) < max(kept[0], kept[2]) < 1  # fewest where both are spread alike


@pytest.mark.parametrize(("neighbours", "deviations"), [(3, 2.0), (10, 0.5), (40, 1.0)])
def test_with_other_numbers_too(neighbours, deviations):
    new, old = clouds(3, 150, 200, seed=2)
    kept = thinly_sampled(new, old, neighbours, deviations)
    np.testing.assert_array_equal(kept, thinly_sampled_slowly(new, old, neighbours, deviations))


def test_both_rules_keep_points():
    """Far from the old data by the first rule; in a clump far denser than they are by the second."""
    generator = np.random.default_rng(3)
    old = generator.standard_normal((400, 2))
    far, clump = np.array([[9.0, 9.0]]), 1e-4 * generator.standard_normal((30, 2))
    assert thinly_sampled(far, old).all()
    assert thinly_sampled(clump, old).all()
    assert not thinly_sampled(clump[:1], old).any()  # alone, it is one more point where there are many


def test_what_is_there_already_is_not_kept():
    new, old = clouds(4, 100, 500, seed=4)
    again = old[:100]
    assert not thinly_sampled(again, old).any()
    assert thinly_sampled(np.vstack([again, new + 100.0]), old).sum() == 100


def test_a_linear_change_of_the_parameters_changes_nothing():
    """Units of 1e-6 and 1e6 and a rotation; whitening by ranges or widths alone would not pass this."""
    new, old = clouds(5, 300, 400, seed=5)
    kept = thinly_sampled(new, old)
    generator = np.random.default_rng(6)
    change = np.diag([1e-6, 1.0, 1e6, 10.0, 0.1]) @ (generator.standard_normal((5, 5)) + 2 * np.eye(5))
    offset = generator.standard_normal(5)
    np.testing.assert_array_equal(thinly_sampled(new @ change.T + offset, old @ change.T + offset), kept)
    stretched = np.array([1.0, 1.0, 1.0, 1.0, 30.0])
    assert (thinly_sampled_slowly(new * stretched, old * stretched) == kept).all()
    assert 0 < kept.sum() < 300


def test_threads_change_nothing():
    new, old = clouds(4, 500, 500, seed=7)
    np.testing.assert_array_equal(thinly_sampled(new, old, workers=2), thinly_sampled(new, old))


@pytest.mark.parametrize("m", [0, 1, 3])
def test_too_few_old_points_forbid_nothing(m):
    new = np.random.default_rng(8).standard_normal((20, 3))
    assert thinly_sampled(new, new[:m] + 1e-9).all()


def test_old_points_in_a_plane_forbid_nothing():
    old = np.random.default_rng(9).standard_normal((50, 3))
    old[:, 2] = old[:, 0] - old[:, 1]
    assert root_covariance(old) is None and thinly_sampled(old[:5], old).all()
    old[:, 2] = 7.0
    assert root_covariance(old) is None


def test_few_neighbours_and_no_points():
    new, old = clouds(2, 10, 5, seed=10)
    np.testing.assert_array_equal(thinly_sampled(new, old), thinly_sampled_slowly(new, old))
    assert thinly_sampled(new[:0], old).shape == (0,)


def test_what_is_no_input():
    new, old = clouds(2, 10, 20, seed=11)
    with pytest.raises(InputError, match="at least one neighbour"):
        thinly_sampled(new, old, neighbours=0)
    with pytest.raises(InputError, match="not negative"):
        thinly_sampled(new, old, deviations=float("nan"))
    new[3, 1] = np.nan
    with pytest.raises(InputError, match="finite"):
        thinly_sampled(new, old)
