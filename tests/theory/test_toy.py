"""Toys have the closed form they state."""

from dataclasses import replace

import numpy as np
import pytest
from scipy.integrate import dblquad

from alfonsine.errors import InputError
from alfonsine.theory.theory import TheoryError
from alfonsine.theory.toy import BananaToy, DiaryToy, HostileToy, LinearToy

LINEAR = LinearToy(("x", "y"), np.array([[1.0, 2.0], [0.0, -1.0]]), np.array([0.5, 0.25]))


def test_linear_by_hand():
    observables = LINEAR.compute({"y": 10.0, "x": 3.0})
    np.testing.assert_array_equal(observables.spectra["data"], [23.5, -9.75])
    assert observables.derived["total"] == 13.75


def test_linear_may_be_a_spectrum():
    outputs = replace(LINEAR, multipoles=(2, 5)).outputs()
    assert outputs["data"].axis("l").values == (2.0, 5.0) and outputs["data"].size == 2


def test_banana_keeps_volume():
    toy = BananaToy(bend=0.8)

    def density(y, x):
        d = toy.compute({"x": x, "y": y}).spectra["data"]
        return np.exp(-0.5 * d @ d) / (2 * np.pi)

    total, _ = dblquad(density, -5, 5, -30, 12, epsabs=1e-4)
    assert total == pytest.approx(1, abs=1e-3)


@pytest.mark.parametrize("toy", [LINEAR, HostileToy(LINEAR, "nan", "x", 1.0), DiaryToy(LINEAR, "unused")])
def test_unknown_parameters_are_named(toy):
    toy.check(["x", "y"])
    with pytest.raises(InputError, match="got 'yy'; did you mean 'y'"):
        toy.check(["x", "yy"])


def test_a_missing_input_is_a_reason():
    with pytest.raises(TheoryError, match="no value for y"):
        LINEAR.compute({"x": 1.0})


def test_identity_tells_toys_apart():
    toys = [
        LINEAR,
        BananaToy(),
        BananaToy(bend=0.4),
        HostileToy(LINEAR, "nan", "x", 1.0),
        HostileToy(LINEAR, "fail", "x", 1.0),
        replace(LINEAR, multipoles=(2, 5)),
    ]
    assert len({str(toy.identity()) for toy in toys}) == len(toys)
    assert DiaryToy(LINEAR, "a", 3.0).identity() == LINEAR.identity()
