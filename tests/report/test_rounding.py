"""Rounding against cases worked by hand."""

import numpy as np
import pytest

from alfonsine.report.moments import effective_size, mean_and_sigma
from alfonsine.report.rounding import duration, short, with_error


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        ((0.0223649, 0.000149), "0.02236 ± 0.00015"),
        ((67.36, 0.5432), "67.36 ± 0.54"),
        ((67.36, 0.996), "67.4 ± 1.0"),
        ((0.0544, 0.0070, 0.0081), "0.0544 +0.0070 −0.0081"),
        ((3.0448, 0.016, 0.016), "3.045 ± 0.016"),
        ((-0.0096, 0.0062), "−0.0096 ± 0.0062"),
        ((-0.00001, 0.0062), "0.0000 ± 0.0062"),
        ((2.1005e-9, 3.0e-11), "(2.100 ± 0.030) × 10⁻⁹"),
        ((13800.0, 240.0), "13800 ± 240"),
        ((1.5, 0.0), "1.5000"),
    ],
)
def test_two_digits_of_the_error(values, expected):
    assert with_error(*values) == expected


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (0.00042, "0.00042"),
        (0.0000042, "4.2 × 10⁻⁶"),
        (-31.4, "−31"),
        (0, "0"),
        (None, "—"),
        (float("nan"), "—"),
        (1.96e7, "2.0 × 10⁷"),
        (9.97, "10"),
    ],
)
def test_short_numbers(value, expected):
    assert short(value) == expected


@pytest.mark.parametrize(
    ("seconds", "expected"),
    [(0.44, "0.4 s"), (9.96, "10 s"), (59.7, "1 min 00 s"), (192, "3 min 12 s"), (3900, "1 h 05 min"), (None, "—")],
)
def test_durations(seconds, expected):
    assert duration(seconds) == expected


def test_moments_are_those_of_repeated_draws():
    values, weights = np.array([1.0, 2.0, 5.0]), np.array([3.0, 1.0, 2.0])
    repeated = np.repeat(values, weights.astype(int))
    assert mean_and_sigma(values, weights) == pytest.approx((repeated.mean(), repeated.std()), rel=1e-14)
    assert effective_size(np.array([2.0, 2.0, 2.0, 0.0])) == pytest.approx(3.0)
