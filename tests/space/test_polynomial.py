"""Monomials against a plain loop and the binomial count."""

from itertools import product
from math import comb

import numpy as np
import pytest

from alfonsine.space.polynomial import degree, monomials, values


@pytest.mark.parametrize(("d", "order"), [(1, 1), (1, 3), (2, 3), (4, 2), (6, 3)])
def test_every_monomial_occurs_once(d, order):
    table = monomials(d, order)
    powers = {tuple(int(np.sum(row == i)) for i in range(1, d + 1)) for row in table}
    assert powers == {p for p in product(range(order + 1), repeat=d) if sum(p) <= order}
    assert len(table) == comb(d + order, order)


def test_constant_and_slopes_come_first_and_degrees_rise():
    table = monomials(5, 3)
    u = np.random.default_rng(0).normal(size=(7, 5))
    np.testing.assert_array_equal(values(u, table)[:, :6], np.column_stack([np.ones(7), u]))
    assert (np.diff(degree(table)) >= 0).all()


def test_values_match_a_plain_loop():
    table = monomials(3, 3)
    u = np.random.default_rng(1).normal(size=(4, 3))
    for point, row in zip(u, values(u, table), strict=True):
        for indices, value in zip(table, row, strict=True):
            expected = 1.0
            for i in indices:
                expected *= 1.0 if i == 0 else point[i - 1]
            assert value == pytest.approx(expected, rel=1e-14)
