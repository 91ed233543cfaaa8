"""Our `classy.Class` against the real one: every public name of it gives the same number, or raises."""

import re
from dataclasses import replace

import classy
import numpy as np
import pytest
from small_class import L_MAX, POINT

from alfonsine.plugins.montepython.cosmology import EmulatedClass, class_of
from alfonsine.plugins.montepython.errors import CosmoComputationError, CosmoSevereError

Z, K = np.array([0.0, 0.38, 0.61, 1.9]), np.array([0.002, 0.05, 0.4])
K3 = np.repeat(np.repeat(K[:, None, None], 4, axis=1), 2, axis=2)
DERIVED = ["h", "H0", "Omega_m", "Omega_Lambda", "age", "sigma8", "rs_d", "rs_d_h", "z_reio", "z_rec", "da_rec", "YHe"]
DERIVED += ["A_s", "ln10^{10}A_s", "n_s", "tau_reio", "100*theta_s", "Neff", "z_d", "m_ncdm_tot"]
# method -> arguments; the numbers are those of the real CLASS, to this accuracy
SERVED = {
    **dict.fromkeys(("Hubble", "angular_distance", "luminosity_distance", "comoving_distance"), ((0.38,), 1e-5)),
    **dict.fromkeys(("scale_independent_growth_factor", "scale_independent_growth_factor_f"), ((Z,), 1e-5)),
    **dict.fromkeys(("Om_m", "Om_b", "Om_cdm", "Om_ncdm", "ionization_fraction", "baryon_temperature"), ((Z,), 1e-5)),
    "z_of_r": ((Z,), 1e-5),
    "z_of_tau": ((5000.0,), 1e-9),
    "angular_distance_from_to": ((0.2, 0.9), 1e-9),
    "scale_independent_f_sigma8": ((Z,), 1e-4),
    "sigma": ((8.0, Z, True), 1e-4),
    **dict.fromkeys(("pk", "pk_lin"), ((0.05, 0.61), 1e-3)),
    **dict.fromkeys(("get_pk", "get_pk_lin"), ((K3, Z, 3, 4, 2), 1e-3)),
    "get_pk_array": ((K, Z, 3, 4, False), 1e-3),
    "get_current_derived_parameters": ((DERIVED,), 1e-4),
    "lensed_cl": ((), 3e-3),
    **dict.fromkeys(("Omega0_m", "Omega0_k", "Omega0_cdm"), ((), 1e-5)),
    **dict.fromkeys(("get_background", "get_thermodynamics"), ((), 1e-9)),
}
# attributes, which are numbers that may be called
NUMBERS = ["Omega_nu", "Omega_m", "Omega_r", "Omega_Lambda", "Omega_g", "Omega_b", "omega_b", "Omega_k", "Omega_cdm"]
NUMBERS += ["Omega_fld", "H0", "h", "age", "z_eq", "k_eq", "Neff", "T_cmb", "tau_reio", "z_reio", "rs_drag", "n_s"]
NUMBERS += ["theta_s_100", "theta_star_100", "sigma8", "S8"]
CONSTANTS = ["density_factor", "Mpc_to_m", "kg_to_eV", "c", "kgm3_to_eVMpc3", "kg_to_Msol", "kgm3_to_MsolMpc3"]
# what this emulator does not hold, or no emulator can: must raise, with these arguments
RAISING = {
    "raw_cl": None,  # serves what lensing leaves alone, see below
    "get_pk_and_k_and_z": None,  # on the grid of the emulator, see below
    **dict.fromkeys(("pk_cb", "pk_cb_lin"), (0.05, 0.6)),
    **dict.fromkeys(("get_pk_cb", "get_pk_cb_lin"), (K3, Z, 3, 4, 2)),
    "get_pk_cb_array": (K, Z, 3, 4, False),
    "sigma_cb": (8.0, 0.0, True),
}
OURS = {"pars", "state", "set", "set_default", "empty", "struct_cleanup", "compute"}


def emulated(small, exact=True, **change) -> EmulatedClass:
    cosmo = class_of(small.emulator, small.file.name, exact)()
    cosmo.set({**small.pars, **change})
    return cosmo


@pytest.fixture(scope="module")
def ours(small):
    cosmo = emulated(small)
    cosmo.compute()
    yield cosmo
    cosmo.struct_cleanup()


def assert_same(found, exact, rtol, name):
    if isinstance(exact, dict):
        for key in found:
            scale = np.sqrt(exact["tt"] * exact["ee"]) if key == "te" else np.abs(exact[key])
            assert np.all(np.abs(found[key] - exact[key]) <= rtol * scale), f"{name}: {key}"
        return
    if isinstance(exact, tuple):
        for one, two in zip(found, exact, strict=True):
            assert_same(one, two, rtol, name)
        return
    assert np.shape(found) == np.shape(exact), name
    assert np.isscalar(found) == np.isscalar(exact), name
    np.testing.assert_allclose(found, exact, rtol=rtol, atol=1e-12, err_msg=name)


@pytest.mark.parametrize("name", sorted(n for n in dir(classy.Class) if not n.startswith("_")))
def test_every_public_name_gives_the_number_of_class_or_raises(name, ours, small):
    if name in OURS:
        assert hasattr(ours, name)
    elif name in SERVED:
        arguments, rtol = SERVED[name]
        assert_same(getattr(ours, name)(*arguments), getattr(small.cosmo, name)(*arguments), rtol, name)
    elif name in NUMBERS:
        assert_same(float(getattr(ours, name)), float(getattr(small.cosmo, name)), 5e-5, name)
        assert getattr(ours, name)() == getattr(ours, name)
    elif name in CONSTANTS:
        assert getattr(ours, name) == pytest.approx(getattr(small.cosmo, name), rel=1e-12)
    elif RAISING.get(name, ()) is not None:
        with pytest.raises(CosmoSevereError, match=rf"cosmo\.{name}\b"):
            getattr(ours, name)(*RAISING.get(name, ()))


def test_spectra_that_lensing_leaves_alone_and_no_others(ours, small):
    raw = ours.raw_cl()
    assert set(raw) == {"pp", "ell"}
    np.testing.assert_allclose(raw["pp"], small.cosmo.raw_cl(L_MAX)["pp"], rtol=3e-3)
    for question in (lambda: raw["tt"], lambda: raw.get("tt", 0.0)):
        with pytest.raises(CosmoSevereError, match=r"'tt' of cosmo.raw_cl.*'unlensed: \[tt\]'"):
            question()
    with pytest.raises(CosmoSevereError, match=r"'bb' of cosmo.lensed_cl.*'spectra: \[bb\]'"):
        ours.lensed_cl()["bb"]


def test_power_on_the_grid_of_the_emulator_is_that_of_class(ours, small):
    power, k, z = ours.get_pk_and_k_and_z(nonlinear=False)
    assert power.shape == (len(k), len(z))
    assert z[0] > z[-1] == 0
    exact = [[small.cosmo.pk_lin(one, two) for two in z] for one in k]
    np.testing.assert_allclose(power, exact, rtol=1e-3)
    assert ours.get_pk_and_k_and_z(nonlinear=False, h_units=True)[1] == pytest.approx(k / small.cosmo.h())
    with pytest.raises(CosmoSevereError, match=r"cosmo.get_pk_and_k_and_z.*pk_nl"):
        ours.get_pk_and_k_and_z()


def test_nothing_comes_from_class_where_it_is_switched_off(small):
    cosmo = emulated(small, exact=False)
    assert cosmo.Hubble(0.5) > 0
    assert cosmo.rs_drag() > 0
    for name in ("Omega_nu", "age", "theta_s_100", "Neff", "z_eq"):
        with pytest.raises(CosmoSevereError, match=f"cosmo.{name}"):
            getattr(cosmo, name)
    for name, arguments in {"Om_ncdm": (0.5,), "Hubble": (3.5,), "baryon_temperature": (0.0,)}.items():
        with pytest.raises(CosmoSevereError, match=f"cosmo.{name}"):
            getattr(cosmo, name)(*arguments)
    for name in ("get_background", "get_thermodynamics", "z_of_tau"):
        with pytest.raises(CosmoSevereError, match=f"cosmo.{name}"):
            getattr(cosmo, name)
    for name in ("da_rec", "Neff", "no_such_thing", "sigma8_cb"):
        with pytest.raises(CosmoSevereError, match=name):
            cosmo.get_current_derived_parameters([name])
    assert not hasattr(cosmo, "nonlinear_scale")


def test_redshifts_beyond_the_grid_come_from_the_real_class_and_say_so_once(small, capsys):
    cosmo = emulated(small)
    for _ in range(2):
        np.testing.assert_allclose(cosmo.Hubble(9.0), small.cosmo.Hubble(9.0), rtol=1e-9)
    said = "alfonsine: cosmo.Hubble is not in the emulator 'small_class.safetensors': the real CLASS computes it"
    assert capsys.readouterr().err.count(said) == 1
    for wrong in (-0.1, -2.0, np.nan):
        with pytest.raises(CosmoSevereError, match=r"redshifts of 0 or more for cosmo.Hubble"):
            cosmo.Hubble(wrong)


def test_beyond_the_emulator_nothing_is_extrapolated(ours):
    with pytest.raises(CosmoSevereError, match=f"at most l_max_scalars = {L_MAX}"):
        ours.lensed_cl(L_MAX + 1)
    with pytest.raises(CosmoSevereError, match=f"to l = {L_MAX + 1}"):
        ours.lensed_cl(L_MAX + 1, nofail=True)["tt"]
    with pytest.raises(CosmoSevereError, match=r"at k = 0.51 1/Mpc.*reach 0.51"):
        ours.pk(0.51, 0.0)
    with pytest.raises(CosmoSevereError, match=r"at z = 2.1"):
        ours.pk(0.1, 2.1)
    with pytest.raises(CosmoSevereError, match=r"spheres of 12 Mpc/h"):
        ours.sigma(12.0, 0.0, True)


def test_a_point_outside_has_no_likelihood_and_the_next_one_has(small):
    cosmo = emulated(small, omega_cdm=0.3)
    with pytest.raises(CosmoComputationError, match=r"outside the emulator's domain"):
        cosmo.compute()
    assert not cosmo.state
    cosmo.struct_cleanup()
    cosmo.set({"omega_cdm": POINT["omega_cdm"]})
    cosmo.compute()
    assert cosmo.state
    assert float(cosmo.Omega_m) == pytest.approx(float(small.cosmo.Omega_m), rel=1e-5)


def test_a_new_point_is_another_answer(small):
    """The real CLASS of the background, too, follows the point."""
    cosmo = emulated(small)
    before = cosmo.h(), cosmo.Omega_m(), cosmo.Neff(), cosmo.age(), cosmo.lensed_cl()["tt"][10]
    cosmo.set(small.pars | {"omega_cdm": 0.1195, "A_s": 2.15e-9})
    after = cosmo.h(), cosmo.Omega_m(), cosmo.Neff(), cosmo.age(), cosmo.lensed_cl()["tt"][10]
    assert after[0] == before[0]
    assert after[1] < before[1]
    assert after[3] > before[3]
    assert after[4] != before[4]
    assert cosmo.set({"omega_cdm": 0.1195}) is None  # nothing new: what was computed stays
    assert cosmo.state
    cosmo.empty()
    assert cosmo.pars == {}
    with pytest.raises(CosmoSevereError, match="'omega_cdm', an input of the emulator"):
        cosmo.compute()


CHANGES = {
    r"'m_ncdm' = 0.06 .*got 0.1": {"m_ncdm": 0.1},
    r"'N_ur' = 2.0308": {"N_ur": 3.044},
    r"'H0' = 67.3 ": {"H0": 70.0},
    r"'non linear' = none .*got halofit": {"non linear": "halofit"},
    r"'Omega_k' = 0.0": {"Omega_k": 0.01},
    r"'w0_fld' = -1.0": {"w0_fld": -0.9},
    r"'YHe' = BBN .*got 0.25": {"YHe": 0.25},
    r"'l_linstep' = 20 ": {"l_linstep": 40},
    r"'k_per_decade_for_pk' = 10": {"k_per_decade_for_pk": 50},
    r"'sBBN file' = .*sBBN": {"sBBN file": "/class/external/bbn/another.dat"},
    r"got 'omega_cmd' = 0.12; did you mean 'omega_cdm'": {"omega_cmd": 0.12},
    r"got 'fluid' = 3": {"fluid": 3},
    r"each input once, got 'ln10\^\{10\}A_s' beside|got 'ln10": {"logA": 3.05, "ln10^{10}A_s": 3.05},
    r"got 'nCl', which needs what no emulator has": {"output": "tCl nCl"},
    r"got 'mTk'": {"output": "tCl mTk"},
    rf"l_max_scalars of at most {L_MAX}": {"l_max_scalars": L_MAX + 1},
    r"a number for 'omega_cdm', got 'much'": {"omega_cdm": "much"},
    r"a number for 'A_s', got 'nan'": {"A_s": np.nan},
}


@pytest.mark.parametrize("said", CHANGES)
def test_what_is_not_understood_or_differs_from_the_training_raises(said, small):
    cosmo = emulated(small, **CHANGES[said])
    with pytest.raises(CosmoSevereError, match=said) as caught:
        cosmo.compute()
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("left_out", ["H0", "m_ncdm", "N_ncdm", "tau_reio", "A_s", "omega_cdm"])
def test_what_the_emulator_was_trained_with_must_be_told(left_out, small):
    cosmo = class_of(small.emulator, small.file.name)()
    cosmo.set({name: value for name, value in small.pars.items() if name != left_out})
    missing = "logA" if left_out == "A_s" else left_out
    with pytest.raises(CosmoSevereError, match=rf"expected '{missing}'"):
        cosmo.compute()


@pytest.mark.parametrize(
    "change",
    [
        {"T_ncdm": 0.71611, "k_pivot": 0.05, "Omega_k": 0, "YHe": "BBN"},
        {"non linear": "none", "input_verbose": 1, "root": "x", "write_parameters": "yes"},
        {"l_linstep": 20.0, "N_ur": "2.0308", "m_ncdm": np.float64(0.06), "k_per_decade_for_pk": 10},
        {"P_k_max_h/Mpc": 50.0, "z_max_pk": 5.0},
    ],
)
def test_what_means_the_same_is_accepted(change, small):
    emulated(small, **change).compute()


def test_names_are_ignored_by_the_users_word_only(small):
    cosmo = class_of(small.emulator, "small", ignored=["sBBN file"])()
    cosmo.set({**small.pars, "sBBN file": "/class/external/bbn/another.dat"})
    cosmo.compute()


def test_spectra_need_the_words_that_class_needs(small):
    with pytest.raises(CosmoSevereError, match="lensing = yes for lensed_cl"):
        emulated(small, lensing="no").lensed_cl()
    cosmo = emulated(small, output="tCl lCl")
    assert set(cosmo.lensed_cl()) == {"tt", "pp", "ell"}
    with pytest.raises(CosmoSevereError, match=r"expected pCl in output for 'ee' of lensed_cl|pCl"):
        cosmo.lensed_cl()["ee"]


def test_an_emulator_of_another_code_is_refused(small):
    other = replace(small.emulator, card_text=re.sub('"code": "class"', '"code": "camb"', small.emulator.card_text))
    with pytest.raises(CosmoSevereError, match="an emulator of CLASS in 'other', got one of camb"):
        class_of(other, "other")
