"""Terms are the largest ones, and values are those of the definition T_n(cos x) = cos(n x)."""

from itertools import product

import numpy as np
import pytest

from alfonsine.emulator.box.chebyshev import terms, values


@pytest.mark.parametrize(
    ("decay", "count"), [([0.5], 7), ([0.3, 0.3], 10), ([0.2, 0.55, 0.04], 60), ([0.4, 0.3, 0.2, 0.1, 0.6], 300)]
)
def test_terms_are_the_largest_of_all(decay, count):
    decay = np.array(decay)
    table = terms(decay, count)
    assert table.shape == (count, len(decay)) and not table[0].any()
    assert len(np.unique(table, axis=0)) == count
    highest = table.max() + 3
    everything = np.array(list(product(range(min(highest, 40)), repeat=len(decay)))) if len(decay) < 4 else None
    if everything is not None:
        sizes = np.sort(everything @ np.log(decay))[::-1]
        np.testing.assert_allclose(np.sort(table @ np.log(decay))[::-1], sizes[:count], atol=1e-12)
    below = {tuple(row) for row in table}  # a term is larger than any that it divides
    for row in table:
        for i in np.flatnonzero(row):
            assert tuple(row - np.eye(len(decay), dtype=int)[i]) in below


def test_values_follow_the_definition():
    u = np.random.default_rng(0).uniform(-1, 1, (50, 3))
    table = terms(np.array([0.3, 0.6, 0.1]), 40)
    expected = np.prod(np.cos(table[None] * np.arccos(u)[:, None, :]), axis=2)
    np.testing.assert_allclose(values(u, table), expected, atol=1e-12)
