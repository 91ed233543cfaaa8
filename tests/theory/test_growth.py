"""Linear growth: the closed forms of two universes, and f as the slope of D."""

import numpy as np
import pytest
from scipy.special import hyp2f1

from alfonsine.theory.growth import A_INITIAL, growth

H0 = 67.3 / 299792.458
Z = np.array([0.0, 0.3, 2.0, 30.0, 1100.0, 3400.0, 1e5, 1e9])


def meszaros(y):
    """Growing and decaying solution with matter and radiation, y = a / a_eq (P. Meszaros, A&A 37 (1974) 225)."""
    root = np.sqrt(1 + y)
    # ln((root + 1) / (root - 1)), without the difference of nearly equal numbers
    log = 2 * np.log(root + 1) - np.log(y)
    return 1 + 1.5 * y, (1 + 1.5 * y) * log - 3 * root


def test_matter_and_radiation():
    radiation = 2.9e-4
    matter = 1 - radiation
    found, rate = growth(lambda a: H0 * np.sqrt(matter * a + radiation), matter * H0**2, Z)
    # deep in the era of radiation the two are 1 and ln(4/y) - 3: D = 1 and dD/d ln a = 2 fix the combination
    first = A_INITIAL * matter / radiation
    growing, decaying = 1 + 2 * (np.log(4 / first) - 3), -2.0

    def truth(x):
        one, two = meszaros(np.exp(x) * matter / radiation)
        return growing * one + decaying * two

    x = -np.log1p(Z)
    # 1e-8 is what the solver is asked for, with a margin
    np.testing.assert_allclose(found, truth(x) / truth(0.0), rtol=1e-8)
    slope = (np.log(truth(x + 1e-4)) - np.log(truth(x - 1e-4))) / 2e-4
    np.testing.assert_allclose(rate, slope, rtol=1e-6)  # of the difference
    assert found[-1] < found[-2] / 1.5 and rate[-1] < 0.1 < 0.99 < rate[0]  # logarithmic first, then as a


def test_matter_and_a_cosmological_constant():
    matter, z = 0.31, np.array([2.0, 0.0, 0.5, 9.0])  # in any order

    def truth(z):
        a = 1 / (1 + z)
        return a * hyp2f1(1 / 3, 1, 11 / 6, -(1 - matter) / matter * a**3)

    found, rate = growth(lambda a: H0 * np.sqrt(matter * a + (1 - matter) * a**4), matter * H0**2, z)
    np.testing.assert_allclose(found, truth(z) / truth(0.0), rtol=1e-8)
    share = matter * (1 + z) ** 3 / (matter * (1 + z) ** 3 + 1 - matter)
    # O. Lahav, P. B. Lilje, J. R. Primack, M. J. Rees, MNRAS 251 (1991) 128, in a flat universe
    np.testing.assert_allclose(rate, share * (2.5 / ((1 + z) * truth(z)) - 1.5), rtol=1e-7)
    late, _ = growth(lambda a: H0 * np.sqrt(matter * a + (1 - matter) * a**4), matter * H0**2, z[2:])
    assert late == pytest.approx(found[2:], rel=1e-12)  # D is 1 today where today is not asked for, too
