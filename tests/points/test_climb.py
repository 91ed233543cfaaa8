"""The trust region of the search: what keeps its promise goes further, what breaks it goes shorter."""

import numpy as np
import pytest

from alfonsine.points.climb import LONGEST, SHORTEST, SPACING, TrustRegion, nearest_lengths


def test_a_kept_promise_lengthens_the_next_step():
    after = TrustRegion(radius=2.0, failures=1).after(np.array([2.0, 0.7]), np.array([10.0, 4.0]), np.array([9.0, 3.9]))
    assert after == TrustRegion(radius=2.0 * SPACING, failures=0, kept=True)


def test_the_shorter_step_wins_where_the_longer_one_went_too_far():
    after = TrustRegion(radius=2.0).after(np.array([2.0, 0.5]), np.array([10.0, 4.0]), np.array([-3.0, 3.0]))
    assert after == TrustRegion(radius=0.5 * SPACING, failures=0, kept=True)


def test_a_gain_far_below_the_promise_does_not_lengthen():
    after = TrustRegion(radius=2.0).after(np.array([2.0]), np.array([10.0]), np.array([0.5]))
    assert after == TrustRegion(radius=2.0, failures=0, kept=False)


def test_no_gain_and_no_answer_shorten():
    for gained in ([-1.0, -0.1], [-np.inf, -np.inf], [0.0, -np.inf]):
        after = TrustRegion(radius=2.0).after(np.array([2.0, 0.6]), np.array([3.0, 1.0]), np.array(gained))
        assert after == TrustRegion(radius=0.6 / SPACING, failures=1, kept=False)


def test_lengths_stay_within_bounds():
    long, short = TrustRegion(radius=LONGEST), TrustRegion(radius=SHORTEST)
    assert long.after(np.array([LONGEST]), np.array([1.0]), np.array([1.0])).radius == LONGEST
    assert short.after(np.array([SHORTEST]), np.array([1.0]), np.array([-1.0])).radius == SHORTEST


@pytest.mark.parametrize("count", [1, 2, 3, 4, 6])
def test_as_many_lengths_as_asked_for_all_different(count):
    wanted = TrustRegion(radius=1.0).wanted(count)
    assert len(set(wanted)) == count and wanted[0] == 1.0
    assert (SPACING in wanted) == (count >= 3)


def test_the_steps_next_to_the_wanted_lengths_are_taken():
    available = np.array([0.0, 0.1, 0.3, 0.31, 1.0, 5.0])
    assert nearest_lengths(available, [1.1, 0.3]) == [4, 2]
    assert nearest_lengths(available, [0.3, 0.305]) == [2, 1]  # 0.31 is like 0.3, and next in logarithm is 0.1
    assert nearest_lengths(np.array([2.0]), [1.0, 0.3]) == [0]  # no step twice
    assert nearest_lengths(np.array([0.0]), [1.0]) == []
