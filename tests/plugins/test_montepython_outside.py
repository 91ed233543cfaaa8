"""Points outside the emulator's domain: a chain that visits them is told of the first ones, and of all at its end."""

import subprocess
import sys

import numpy as np
import pytest
from test_montepython import emulated

from alfonsine.emulator.domain import OutsideDomain
from alfonsine.errors import InputError
from alfonsine.hosts.outside import Visited, percent
from alfonsine.plugins.montepython.errors import CosmoComputationError
from alfonsine.plugins.montepython.said import say


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


@pytest.mark.parametrize(("outside", "many"), [(1, False), (10, False), (11, True), (1000, True)])
def test_what_to_do_is_said_where_many_lay_outside(outside, many, capsys):
    points = Visited("a.safetensors", say)
    points.points = 1000
    for _ in range(outside):
        points.refused(OutsideDomain("x = 2, beyond 0 to 1", ("x",)))
    line = points.summary()
    assert line.startswith(f"{outside} of 1000 points lay outside")
    assert ("train again" in line) == many
    assert len(capsys.readouterr().err.splitlines()) == min(outside, 3)
    points.tell()
    assert capsys.readouterr().err.splitlines() == [f"alfonsine: {line}"]
    points.tell()
    assert capsys.readouterr().err == ""


def test_where_no_point_lay_outside_nothing_is_said(capsys):
    points = Visited("a.safetensors", say)
    points.points = 1  # such as the one at which a likelihood stopped the run
    points.tell()
    assert (points.summary(), capsys.readouterr().err) == ("", "")


@pytest.mark.parametrize(
    ("share", "text"), [(1.0, "100 %"), (0.995, "100 %"), (0.126, "13 %"), (0.01, "1 %"), (0.00052, "0.052 %")]
)
def test_a_share_is_written_without_powers_of_ten(share, text):
    assert percent(share) == text


def test_a_process_that_ends_tells(capfd):
    """As MontePython ends, and as it does on an error."""
    program = """
from alfonsine.emulator.domain import OutsideDomain
from alfonsine.hosts.outside import Visited
from alfonsine.plugins.montepython.said import say
points = Visited("a.safetensors", say)
points.points = 4
points.refused(OutsideDomain("x = 2, beyond 0 to 1", ("x",)))
raise SystemExit(1)
"""
    assert subprocess.run([sys.executable, "-c", program], check=False).returncode == 1
    last = capfd.readouterr().err.splitlines()[-1]
    assert last.startswith("alfonsine: 1 of 4 points lay outside the domain of the emulator 'a.safetensors' (25 %)")


def test_the_message_of_a_single_point_counts_nothing(small):
    with pytest.raises(InputError, match=r"beyond 0.116 to 0.124; call the exact code") as single:
        small.emulator(np.array([0.3, 3.04]))
    assert " of 1" not in str(single.value)
    with pytest.raises(InputError, match=r"beyond 0.116 to 0.124 \(1 of 2 outside\); call"):
        small.emulator(np.array([[0.12, 3.04], [0.3, 3.04]]))
