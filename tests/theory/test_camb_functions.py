"""Functions of redshift of CAMB: the names and units of CLASS, closed forms, and what CAMB has not."""

import json

import numpy as np
import pytest
from scipy.integrate import quad

from alfonsine.errors import InputError
from alfonsine.theory import camb as ours
from alfonsine.theory import trial
from alfonsine.theory.camb import CambTheory
from alfonsine.theory.classy import ClassTheory
from alfonsine.theory.grids import (
    BACKGROUND,
    OF_THE_DRAG_HORIZON,
    POWER,
    THERMODYNAMICS,
    Background,
    MatterPower,
    Thermodynamics,
)
from alfonsine.theory.output import described
from alfonsine.theory.theory import TheoryError

pytest.importorskip("camb")
LIGHT = 299792.458
POINT = {"H0": 67.3, "omega_b": 0.0224, "omega_cdm": 0.12, "tau_reio": 0.055, "logA": 3.045, "n_s": 0.965}
MASSES = {"mnu": 0.3, "nnu": 3.044, "YHe": 0.2454}  # one massive neutrino of the temperature of the others
# the same in CLASS, with the recombination code that CAMB has
LIKEWISE = {"N_ur": 3.044 * 2 / 3, "N_ncdm": 1, "m_ncdm": 0.3, "T_ncdm": (4 / 11) ** (1 / 3) * (3.044 / 3) ** 0.25}
LIKEWISE |= {"YHe": 0.2454, "recombination": "RECFAST", "non_linear": "halofit"}
FLUID = {"mnu": 0.06, "w0_fld": -0.9, "wa_fld": 0.1, "Omega_k": 0.01}
ABSENT = ("idm", "idr", "scf", "dcdm", "dr")
Z = (0.0, 0.5, 3.0, 30.0, 300.0, 1100.0)
EARLY = (12.0, 30.0, 200.0, 800.0, 1000.0, 1089.9, 1300.0, 1500.0)
LATE = (0.0, 3.0, 7.0, 7.7, 9.0)


def species(name):
    return name.removeprefix("rho_").removeprefix("Omega_").removesuffix("_z")


ELSEWHERE = (*ABSENT, "fld", "w_fld", "sigma8", "f_sigma8", "mu")  # mu has no value today
NAMES = tuple(name for name in BACKGROUND if species(name) not in ELSEWHERE)


@pytest.fixture(scope="module")
def both():
    """CAMB and CLASS at one point: all that grids.py has names for, but for species that this cosmology has not."""
    common = {
        "spectra": (),
        "derived": ("z_reio",),
        "matter_power": MatterPower(tuple(POWER), (1e-3, 0.01, 0.05, 0.1, 0.3, 1.0), (0.0, 1.0)),
        "background": Background(NAMES, Z),
        "thermodynamics": Thermodynamics(tuple(THERMODYNAMICS), (*LATE, *EARLY)),
    }
    camb = CambTheory(MASSES | {"halofit_version": "takahashi"}, **common)
    return camb, camb.compute(POINT), ClassTheory(LIKEWISE, **common).compute(POINT)


def test_background_functions_are_those_of_class(both):
    _, camb, classy = both
    # Both codes tabulate the energy of massive neutrinos, CAMB to 2e-5 of it; its radiation constant is another by
    # 2e-6, and its ages are good to 4e-5. All else is the same equations, solved to 1e-6.
    loose = {"time": 1e-4, "rho_ncdm": 1e-4, "Omega_ncdm_z": 1e-4, "Omega_r_z": 1e-4}
    loose |= dict.fromkeys(OF_THE_DRAG_HORIZON, 2e-4)  # two versions of RECFAST, two tables of helium
    for name in NAMES:
        tolerance = loose.get(name, 5e-6)
        np.testing.assert_allclose(camb.spectra[name], classy.spectra[name], rtol=tolerance, atol=1e-12, err_msg=name)
    assert classy.spectra["D"][1] < 0.8 and classy.spectra["f"][0] < 0.6 and classy.spectra["D"][-1] < 2e-3


def test_thermodynamics_is_that_of_class(both):
    _, camb, classy = both
    late = len(LATE)
    for name in THERMODYNAMICS:
        first, second = camb.spectra[name], classy.spectra[name]
        # Two versions of RECFAST agree to 7e-4 in x_e; exp(-kappa) at z = 1500 has kappa = 23 of them as its exponent
        tolerance = {"T_b": 1e-4, "w_b": 2e-4, "c_b2": 2e-4}.get(name, 1e-3)
        if name in ("visibility", "exp_m_kappa"):
            tolerance = 1e-3 * np.maximum(1, -np.log(second[late:]))
            np.testing.assert_array_less(np.abs(first[late:] / second[late:] - 1), tolerance, err_msg=name)
            continue
        np.testing.assert_allclose(first[late:], second[late:], rtol=tolerance, err_msg=name)
    # the redshift at which the same optical depth is reached differs by 4e-4, the steps of helium by their width
    assert camb.derived["z_reio"] == pytest.approx(classy.derived["z_reio"], rel=1e-3)
    for name in ("x_e", "kappa_prime", "visibility"):
        np.testing.assert_allclose(camb.spectra[name][:late], classy.spectra[name][:late], rtol=1e-2, err_msg=name)
    np.testing.assert_allclose(camb.spectra["exp_m_kappa"][:late], classy.spectra["exp_m_kappa"][:late], atol=3e-5)
    # CAMB's temperature does not feel reionisation: matter that cools as (1+z)^2
    cold = camb.spectra["T_b"][:2]
    assert cold[1] / cold[0] == pytest.approx(16.0, rel=5e-3) and classy.spectra["T_b"][0] > 10 * cold[0]
    np.testing.assert_allclose(camb.spectra["c_b2"][:2], 5 / 3 * camb.spectra["w_b"][:2], rtol=2e-3)


def test_power_spectra_are_those_of_class(both):
    _, camb, classy = both
    # linear: two treatments of massive neutrinos; non-linear: two fits of the same formula; without neutrinos CAMB
    # has the correction of the total matter, see `read_power`
    for name, tolerance in {"pk_lin": 5e-3, "pk_lin_cb": 5e-3, "pk_nl": 1e-2, "pk_nl_cb": 5e-2}.items():
        np.testing.assert_allclose(camb.spectra[name], classy.spectra[name], rtol=tolerance, err_msg=name)
    correction = camb.spectra["pk_nl"] / camb.spectra["pk_lin"]
    np.testing.assert_allclose(camb.spectra["pk_nl_cb"], camb.spectra["pk_lin_cb"] * correction, rtol=1e-5)
    assert correction[5] > 5 and (camb.spectra["pk_lin_cb"] / camb.spectra["pk_lin"])[5] > 1.03


def test_what_is_described_is_what_comes(both):
    theory, found, _ = both
    assert described(found, theory.outputs()) == theory.outputs() and found.defect() == ""
    assert set(found.spectra) == {*NAMES, *THERMODYNAMICS, *POWER}


def test_optical_depth_visibility_and_rate_belong_together():
    """Visibility is the distribution of last scattering over conformal time: its integral is known."""
    z = tuple(np.expm1(np.linspace(0.0, np.log1p(1400.0), 6001)).tolist())
    theory = CambTheory({}, (), background=Background(("conformal_time", "H", "rho_b"), z))
    plasma = Thermodynamics(tuple(THERMODYNAMICS), z)
    both = CambTheory({"YHe": 0.25}, (), background=theory.background, thermodynamics=plasma).compute(POINT).spectra
    time, rate = both["conformal_time"][0] - both["conformal_time"], both["kappa_prime"]
    assert both["exp_m_kappa"][0] == pytest.approx(1.0)
    scattered = np.trapezoid(both["visibility"], time)
    assert scattered == pytest.approx(1 - both["exp_m_kappa"][-1], rel=1e-5)  # of the rule of trapezia
    depth = np.append(0.0, np.cumsum((rate[1:] + rate[:-1]) / 2 * np.diff(time)))
    np.testing.assert_allclose(both["exp_m_kappa"], np.exp(-depth), rtol=1e-3)
    # a n_e sigma_T, with n_e = x_e (1 - Y) rho_b / m_H: 3 H^2 / 8 pi G = 1.87834e-26 h^2 kg/m^3
    hydrogen = 0.75 * 1.87834e-26 * 0.0224 / 1.673575e-27 * (1 + np.array(z)) ** 2
    np.testing.assert_allclose(rate, both["x_e"] * hydrogen * 6.6524587e-29 * 3.0856776e22, rtol=1e-4)


def test_matter_power_leaves_reionisation_alone():
    """Without CMB spectra CAMB solves P(k) in a universe that is never ionised again."""
    asked = {"derived": ("z_reio",), "thermodynamics": Thermodynamics(("x_e", "visibility"), (0.0, 7.0, 900.0))}
    alone = CambTheory({"AccuracyBoost": 0.5}, (), **asked).compute(POINT)
    power = MatterPower(("pk_lin",), (0.1,), (0.0,))
    beside = CambTheory({"AccuracyBoost": 0.5}, (), matter_power=power, **asked).compute(POINT)
    assert alone.spectra["x_e"][0] > 1 and 7 < alone.derived["z_reio"] < 9
    assert beside.derived["z_reio"] == pytest.approx(alone.derived["z_reio"], rel=1e-9)
    for name, values in alone.spectra.items():
        np.testing.assert_allclose(beside.spectra[name], values, rtol=1e-9)


def test_before_recombination_nothing_is_seen_and_baryons_follow_photons():
    z = (1800.0, 3000.0, 2e4, 1e6, 1e8)
    found = CambTheory({"YHe": 0.25}, (), thermodynamics=Thermodynamics(tuple(THERMODYNAMICS), z)).compute(POINT)
    assert np.all(found.spectra["exp_m_kappa"][1:] == 0) and 0 < found.spectra["exp_m_kappa"][0] < 1e-20
    assert np.all(found.spectra["visibility"][1:] == 0)
    np.testing.assert_allclose(found.spectra["T_b"], 2.7255 * (1 + np.array(z)), rtol=1e-4)
    np.testing.assert_allclose(found.spectra["c_b2"], 4 / 3 * found.spectra["w_b"], rtol=1e-4)
    # fully ionised: mu of hydrogen, helium and all their electrons
    particles = 0.75 * 2 + 0.25 * 3 / 3.9714
    pressure = 1.380649e-23 / (1.673575e-27 * 2.99792458e8**2) * particles * found.spectra["T_b"]
    np.testing.assert_allclose(found.spectra["w_b"][2:], pressure[2:], rtol=1e-4)


def test_a_flat_universe_without_massive_neutrinos_is_a_closed_form():
    names = ("Omega_m_z", "Omega_r_z", "Omega_lambda_z", "rho_tot", "rho_crit", "rho_lambda")
    settings = {"mnu": 0.0, "num_massive_neutrinos": 0}
    found = CambTheory(settings, (), background=Background((*names, "rho_g", "rho_ur"), Z)).compute(POINT).spectra
    z, h = np.array(Z), 0.673
    matter, radiation = 0.1424 / h**2, (found["rho_g"] + found["rho_ur"])[0] / (100 * h / LIGHT) ** 2
    terms = matter * (1 + z) ** 3, radiation * (1 + z) ** 4, 1 - matter - radiation
    total = sum(terms)
    for name, term in zip(names, terms, strict=False):
        np.testing.assert_allclose(found[name], term / total, rtol=1e-9, err_msg=name)
    np.testing.assert_allclose(found["rho_tot"], found["rho_crit"], rtol=1e-9)
    np.testing.assert_allclose(found["rho_tot"], total * (100 * h / LIGHT) ** 2, rtol=1e-9)
    np.testing.assert_allclose(found["rho_lambda"], found["rho_lambda"][0], rtol=1e-12)


def test_massive_neutrinos_turn_from_radiation_to_matter():
    """Their rho - 3 p, a slope in CAMB, against the integral over the Fermi-Dirac distribution."""
    z = (0.0, 20.0, 100.0, 500.0, 3000.0)
    names = ("Omega_m_z", "Omega_r_z", "Omega_cdm_z", "Omega_b_z", "Omega_g_z", "Omega_ur_z", "Omega_ncdm_z")
    found = CambTheory(MASSES, (), background=Background(names, z)).compute(POINT).spectra
    temperature = 2.7255 * 8.617333e-5 * (4 / 11) ** (1 / 3) * (3.044 / 3) ** 0.25  # eV
    share = []
    for each in z:
        x = 0.3 / (temperature * (1 + each))
        energy = quad(lambda q, x=x: q**2 * np.hypot(q, x) / (np.exp(q) + 1), 0, 50, epsrel=1e-10)[0]
        share.append(
            quad(lambda q, x=x: (q * x) ** 2 / np.hypot(q, x) / (np.exp(q) + 1), 0, 50, epsrel=1e-10)[0] / energy
        )
    slow = found["Omega_m_z"] - found["Omega_cdm_z"] - found["Omega_b_z"]
    np.testing.assert_allclose(slow / found["Omega_ncdm_z"], share, rtol=1e-3)  # CAMB's density is a spline
    fast = found["Omega_r_z"] - found["Omega_g_z"] - found["Omega_ur_z"]
    np.testing.assert_allclose(slow + fast, found["Omega_ncdm_z"], rtol=1e-9)
    assert share[0] > 0.999 and share[-1] < 0.4


def test_a_fluid_in_a_curved_universe():
    names = ("w_fld", "rho_fld", "Omega_fld_z", "rho_crit", "rho_tot", "D", "f")
    found = CambTheory(FLUID, (), background=Background(names, Z)).compute(POINT).spectra
    z, fluid = np.array(Z), found["rho_fld"]
    np.testing.assert_allclose(found["w_fld"], -0.9 + 0.1 * z / (1 + z), rtol=1e-12)
    np.testing.assert_allclose(fluid / fluid[0], (1 + z) ** (3 * 0.2) * np.exp(-0.3 * z / (1 + z)), rtol=1e-7)
    np.testing.assert_allclose(found["Omega_fld_z"], fluid / found["rho_crit"], rtol=1e-9)
    curvature = 0.01 * (67.3 / LIGHT) ** 2 * (1 + z) ** 2
    np.testing.assert_allclose(found["rho_tot"] + curvature, found["rho_crit"], rtol=1e-7)
    assert found["D"][0] == 1.0 and np.all(np.diff(found["D"]) < 0)


@pytest.mark.parametrize(
    ("make", "match"),
    [
        *((lambda s=s: Background((f"rho_{s}",), Z), f"function of CAMB, got 'rho_{s}'; CAMB has") for s in ABSENT[:2]),
        *((lambda s=s: Background((f"Omega_{s}_z",), Z), f"got 'Omega_{s}_z'; CAMB has no dec") for s in ABSENT[3:]),
        (lambda: Background(("H", "rho_scf"), Z), "got 'rho_scf'; a scalar field is CAMB's dark energy: use fld"),
        (lambda: Background(("D",), (0.0, 1e14)), r"redshifts below 1e\+14 for D and f"),
        (lambda: Thermodynamics(("x_e",), (0.0, 2e8)), r"at most 1e\+08 in thermodynamics of CAMB, got 2e\+08"),
    ],
)
def test_what_camb_has_not_is_told_at_once(make, match):
    asked = make()
    with pytest.raises(InputError, match=match) as error:
        CambTheory(**{"background" if isinstance(asked, Background) else "thermodynamics": asked}, spectra=())
    assert "\n" not in str(error.value)


@pytest.mark.parametrize(
    ("settings", "name", "match"),
    [
        ({}, "rho_fld", "a constant: use rho_lambda, or tell CAMB its w"),
        ({}, "w_fld", "a constant: use rho_lambda"),
        ({"w0_fld": -1.0}, "Omega_lambda_z", "a fluid: use fld in its place"),
        ({"mnu": 0.0}, "rho_ncdm", "its density is zero"),
    ],
)
def test_what_this_cosmology_has_not_is_told_before_the_first_call(settings, name, match, monkeypatch):
    monkeypatch.setattr(trial, "run_apart", lambda function, *arguments, timeout: function(*arguments))
    theory = CambTheory(settings, (), background=Background(("H", name), (0.0, 1.0)))
    for parameters in (POINT, list(POINT)):
        with pytest.raises(InputError, match=f"outputs that this cosmology has, got no '{name}'.*{match}") as error:
            theory.check(parameters)
        assert "\n" not in str(error.value)
    with pytest.raises(TheoryError, match=match):
        theory.compute(POINT)


def test_the_name_of_dark_energy_is_that_of_the_study_and_not_of_the_point():
    theory = CambTheory({}, (), background=Background(("rho_fld", "w_fld"), (0.0, 1.0)))
    for w in (-1.0, -0.9):
        assert theory.compute(POINT | {"w0_fld": w}).spectra["w_fld"] == pytest.approx(w)


def test_identity_is_what_it_was(monkeypatch):
    """To the byte: what is not asked for is not mentioned, so that archives stay good."""
    monkeypatch.setattr(ours, "camb_version", lambda: ("1.6", "feed"))
    background = Background(("H", "sigma8_z"), (0.0, 0.5))
    theory = CambTheory({"mnu": 0.06}, ("tt",), 200, ("sigma8",), matter_power=None, background=background)
    outputs = (
        '{"background":{"outputs":["H","sigma8_z"],"z":[0.0,0.5]},"derived":["sigma8"],"l_max":200,"spectra":["tt"]'
    )
    head = '{"build":"feed","code":"camb","outputs":'
    tail = ',"settings":{"mnu":0.06},"version":"1.6"}'
    canonical = json.dumps(theory.identity(), sort_keys=True, separators=(",", ":"))
    assert canonical == head + outputs + "}" + tail
    more = CambTheory(
        theory.settings,
        ("tt",),
        200,
        ("sigma8",),
        background=background,
        thermodynamics=Thermodynamics(("x_e",), (0.0,)),
    )
    added = ',"thermodynamics":{"outputs":["x_e"],"z":[0.0]}}'
    assert json.dumps(more.identity(), sort_keys=True, separators=(",", ":")) == head + outputs + added + tail
