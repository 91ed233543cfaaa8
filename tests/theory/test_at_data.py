"""Functions of redshift and numbers that codes give just where data are."""

import numpy as np
import pytest

from alfonsine.errors import InputError
from alfonsine.theory.camb import CambTheory
from alfonsine.theory.classy import ClassTheory
from alfonsine.theory.grids import LIGHT, Background

POINT = {"omega_b": 0.0224, "omega_cdm": 0.12, "H0": 67.0, "tau_reio": 0.055}
MASSES = {"N_ur": 2.0328, "N_ncdm": 1, "m_ncdm": 0.06}
CAMB = {"mnu": 0.06, "nnu": 3.046}
NUMBERS = ("theta_star", "omega_b", "omega_cdm", "H0")
AT = (Background(("DM_over_rs",), (0.5, 2.3)), Background(("DH_over_rs",), (0.5,)), Background(("mu",), (0.1, 1.0)))


@pytest.fixture(scope="module")
def found():
    own = Background(("D_A", "H", "D_L"), (0.1, 0.5, 1.0, 2.3))
    theory = ClassTheory(MASSES, spectra=(), at_data=AT, background=own, numbers=NUMBERS, derived=("rs_d", "H0"))
    return theory, theory.compute(POINT)


def test_each_is_at_its_own_redshifts_and_follows_from_the_others(found):
    theory, observed = found
    values, rs = observed.spectra, observed.derived["rs_d"]
    assert {name: output.size for name, output in theory.outputs().items() if name != "derived"} == {
        name: len(vector) for name, vector in values.items()
    }
    np.testing.assert_allclose(values["DM_over_rs"], np.array([1.5, 3.3]) * values["D_A"][[1, 3]] / rs, rtol=1e-10)
    np.testing.assert_allclose(values["DH_over_rs"], LIGHT / values["H"][1] / rs, rtol=1e-10)
    np.testing.assert_allclose(values["mu"], 5 * np.log10(values["D_L"][[0, 2]]) + 25, rtol=1e-12)


def test_numbers_are_outputs_of_one_entry(found):
    theory, observed = found
    assert list(observed.derived) == ["rs_d", "H0"]
    for name in ("omega_b", "omega_cdm", "H0"):
        np.testing.assert_allclose(observed.spectra[name], [POINT[name]], rtol=1e-9)
    assert theory.outputs()["theta_star"].shape == (1,)


def test_theta_star_is_that_of_camb_whatever_reionisation(found):
    """Planck's error is 2.5e-4 of it; CLASS's own star counts reionisation, and is 3e-3 off."""
    camb = CambTheory(CAMB, spectra=(), numbers=NUMBERS)
    theirs = camb.compute({"ombh2": 0.0224, "omch2": 0.12, "H0": 67.0, "tau": 0.055}).spectra["theta_star"][0]
    ours = found[1].spectra["theta_star"][0]
    assert ours == pytest.approx(theirs, rel=3e-5)
    other = ClassTheory(MASSES, spectra=(), numbers=("theta_star",)).compute(POINT | {"tau_reio": 0.09})
    assert other.spectra["theta_star"][0] == pytest.approx(ours, rel=1e-6)


def test_what_is_asked_for_data_is_part_of_the_identity_and_nothing_else_is():
    plain, asked = ClassTheory(MASSES), ClassTheory(MASSES, at_data=AT, numbers=NUMBERS)
    assert "at_data" not in plain.identity()["outputs"] and "numbers" not in plain.identity()["outputs"]
    assert asked.identity()["outputs"]["numbers"] == list(NUMBERS)
    assert len(asked.identity()["outputs"]["at_data"]) == 3


def test_a_distance_modulus_has_no_value_today():
    with pytest.raises(InputError, match=r"expected redshifts above 0 for mu, a logarithm of distance, got 0"):
        Background(("mu",), (0.0, 1.0))
