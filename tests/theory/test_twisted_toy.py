"""The twisted toy has the closed form it states, in any number of dimensions."""

import numpy as np
import pytest

from alfonsine.errors import InputError
from alfonsine.theory.twisted_toy import TwistedToy


def toy(d, **settings):
    return TwistedToy(tuple(f"x{i}" for i in range(d)), **settings)


def test_by_hand():
    found = toy(4, bend=0.5, ripple=2.0).twist(np.array([3.0, 1.0, 2.0, -1.0]))
    np.testing.assert_allclose(found, [3.0, 1.0 + 0.5 * 8, 2.0 + 2.0 * np.sin(0.5 * 4 + 1), -1.0 + 0.5 * 3])


@pytest.mark.parametrize("d", [1, 2, 7, 30])
def test_untwisted_is_what_was_twisted(d):
    theta = np.random.default_rng(d).normal(size=(50, d))
    np.testing.assert_allclose(toy(d).untwist(toy(d).twist(theta)), theta, atol=1e-12)


def test_volume_is_kept():
    """Determinant of a numerical Jacobian."""
    step, theta = 1e-6, np.random.default_rng(0).normal(size=5)
    moved = toy(5).twist(theta + step * np.eye(5)) - toy(5).twist(theta - step * np.eye(5))
    assert np.linalg.det(moved / (2 * step)) == pytest.approx(1.0, abs=1e-8)


def test_bands_are_overlapping_bumps():
    one = toy(6, bands=50)
    theta = np.random.default_rng(1).normal(size=6)
    found = one.compute(dict(zip(one.names, theta, strict=True)))
    np.testing.assert_allclose(found.spectra["data"], one.response @ one.twist(theta))
    assert found.derived["total"] == pytest.approx(found.spectra["data"].sum())
    overlap = toy(6, bands=3000).response.T @ toy(6, bands=3000).response
    np.testing.assert_allclose(np.diag(overlap), 1.0)
    assert overlap[2, 3] == pytest.approx(np.exp(-1.0), rel=1e-3)


def test_unknown_parameters_are_named_and_toys_told_apart():
    with pytest.raises(InputError, match="got 'x9'"):
        toy(3).check(["x9"])
    assert len({str(t.identity()) for t in (toy(3), toy(4), toy(3, bend=0.1), toy(3, bands=10))}) == 4
    assert toy(3, bands=10).outputs()["data"].size == 10
