"""Points outside the emulator's domain: a chain that visits them is told of the first ones, and of all at its end."""

import numpy as np
import pytest
from test_montepython import emulated

from alfonsine.emulator.domain import OutsideDomain
from alfonsine.errors import InputError
from alfonsine.plugins.montepython.errors import CosmoComputationError
from alfonsine.plugins.montepython.outside import Visited


def visited(small, omega_cdm, capsys):
    """A chain of these points, one after the other: its class, what MontePython would write, and what was said."""
    cosmo, written = emulated(small), []
    for value in omega_cdm:
        cosmo.set({"omega_cdm": value})
        try:
            cosmo.compute()
        except CosmoComputationError as error:
            written.append(str(error))
    return cosmo.visited, written, capsys.readouterr().err.splitlines()


def test_the_first_points_are_told_and_all_are_counted(small, capsys):
    points, written, said = visited(small, [0.3 + 0.01 * i for i in range(10)] + [0.12, 0.121], capsys)
    assert len(written) == 10
    assert max(map(len, written)) < 60
    told = [line for line in said if "has no likelihood" in line]
    for line, value in zip(told, (0.3, 0.31, 0.32), strict=True):
        assert f"omega_cdm = {value}, beyond 0.116 to 0.124" in line
    assert told[2].endswith("; more of them are counted, and told at the end")
    assert (points.points, points.outside) == (12, 10)
    assert points.summary().startswith(
        "10 of 12 points lay outside the domain of the emulator 'small_class.safetensors'"
    )
    assert "give omega_cdm a wider prior in the emulator's study, and train again" in points.summary()


def test_a_point_that_is_far_from_the_middle_asks_for_the_likelihoods(small, capsys):
    """Inside the box of both inputs, and outside the ellipsoid."""
    cosmo = emulated(small, omega_cdm=0.1239, A_s=1e-10 * np.exp(3.0985))
    with pytest.raises(CosmoComputationError):
        cosmo.compute()
    assert "standard deviations from the middle of the training set" in capsys.readouterr().err
    assert "put the likelihoods of this chain into the emulator's study" in cosmo.visited.summary()


def test_a_failed_point_that_is_asked_again_is_counted_again_and_a_computed_one_is_not(small):
    cosmo = emulated(small, omega_cdm=0.1201)
    for _ in range(3):
        cosmo.compute()
    assert (cosmo.visited.points, cosmo.visited.outside) == (1, 0)


@pytest.mark.parametrize(("outside", "many"), [(0, False), (1, False), (10, False), (11, True), (1000, True)])
def test_what_to_do_is_said_where_many_lay_outside(outside, many, capsys):
    points = Visited("a.safetensors")
    points.points = 1000
    for _ in range(outside):
        points.refused(OutsideDomain("x = 2, beyond 0 to 1", ("x",)))
    assert points.summary().startswith(f"{outside} of 1000 points lay outside")
    assert ("train again" in points.summary()) == many
    assert len(capsys.readouterr().err.splitlines()) == min(outside, 3)


def test_the_message_of_a_single_point_counts_nothing(small):
    with pytest.raises(InputError, match=r"beyond 0.116 to 0.124; call the exact code") as single:
        small.emulator(np.array([0.3, 3.04]))
    assert " of 1" not in str(single.value)
    with pytest.raises(InputError, match=r"beyond 0.116 to 0.124 \(1 of 2 outside\); call"):
        small.emulator(np.array([[0.12, 3.04], [0.3, 3.04]]))
