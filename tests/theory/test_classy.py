"""CLASS: units and names against other sources, mistakes named before the first call. One full run."""

import numpy as np
import pytest
from scipy.integrate import quad

from alfonsine.errors import InputError
from alfonsine.theory.archive import Archive
from alfonsine.theory.class_input import class_reason
from alfonsine.theory.class_names import known_inputs
from alfonsine.theory.classy import ClassTheory
from alfonsine.theory.engine import compute
from alfonsine.theory.theory import TheoryError

# Planck 2018 (1807.06209) best fit to TT,TE,EE+lowE+lensing as CLASS ships it
BEST_FIT = {"H0": 67.32117, "omega_b": 0.0223828, "omega_cdm": 0.1201075, "tau_reio": 0.05430842}
BEST_FIT |= {"n_s": 0.9660499, "logA": float(np.log(10 * 2.100549))}
SETTINGS = {"N_ur": 2.046, "N_ncdm": 1, "m_ncdm": 0.06, "T_ncdm": 0.7137658555036082, "YHe": 0.2454006}
# Table 1 of the same paper, computed with CAMB, with half a unit of its last digit or the codes' difference
TABLE = {
    "Omega_m": (0.3158, 1e-4),
    "age": (13.7971, 2e-3),
    "sigma8": (0.8120, 1e-3),
    "S8": (0.8331, 1e-3),
    "z_reio": (7.68, 0.02),
    "rs_drag": (147.049, 0.05),
}
DERIVED = (*TABLE, "100*theta_s", "h", "H0", "Omega_Lambda", "A_s", "YHe", "omega_b")


@pytest.fixture(scope="module")
def best_fit(tmp_path_factory):
    theory = ClassTheory(SETTINGS, ("tt", "te", "ee", "pp"), 600, DERIVED)
    with Archive(tmp_path_factory.mktemp("class") / "a.db") as archive:
        (call,) = compute(theory, [BEST_FIT], archive, workers=1, timeout=300)
    assert call.done, call.reason
    return call.observables


def test_derived_parameters_are_those_of_the_published_table(best_fit):
    for name, (value, error) in TABLE.items():
        assert best_fit.derived[name] == pytest.approx(value, abs=error), name
    assert tuple(best_fit.derived) == DERIVED
    assert best_fit.derived["A_s"] == pytest.approx(2.100549e-9, rel=1e-12)
    assert best_fit.derived["omega_b"] == pytest.approx(BEST_FIT["omega_b"], rel=1e-12)


def test_spectra_have_their_known_shape_and_units(best_fit):
    spectra, ell = best_fit.spectra, np.arange(2, 601)
    assert list(spectra) == ["tt", "te", "ee", "pp"] and all(s.shape == (599,) for s in spectra.values())
    d = {name: ell * (ell + 1) / (2 * np.pi) * spectra[name] for name in ("tt", "te", "ee")}
    # first peaks measured by Planck (1807.06205, Table 5): TT l = 220.6, 5733 muK^2;
    # TE trough l = 150, -48; EE l = 137
    assert abs(ell[np.argmax(d["tt"])] - 220.6) < 2 and d["tt"].max() == pytest.approx(5733, rel=0.01)
    trough = slice(50, 250)
    assert abs(ell[trough][np.argmin(d["te"][trough])] - 150) < 4
    assert d["te"][trough].min() == pytest.approx(-48, rel=0.1)
    first = ell < 200
    assert abs(ell[first][np.argmax(np.where(ell[first] > 50, d["ee"][first], 0))] - 137) < 6
    # lensing potential: [L(L+1)]^2 C / 2 pi peaks at 1.5e-7 below L = 100 (1807.06210, figure 1)
    potential = (ell * (ell + 1)) ** 2 / (2 * np.pi) * spectra["pp"]
    assert 1.2e-7 < potential.max() < 1.8e-7 and ell[np.argmax(potential)] < 100


def test_spectra_are_those_of_camb(best_fit, data_folder):
    camb = np.load(data_folder("reference") / "camb_planck2018_bestfit_cls.npz")
    spectra = best_fit.spectra
    # the codes agree to a few 1e-3; beyond L = 100 the file has non-linear lensing and these settings do not
    for name, last, tolerance in (("tt", 600, 0.003), ("ee", 600, 0.006), ("pp", 100, 0.006)):
        ratio = spectra[name][: last - 1] / camb[name.upper()][2 : last + 1]
        assert np.abs(ratio - 1).max() < tolerance, name
    scale = np.sqrt(spectra["tt"] * spectra["ee"])
    assert np.abs((spectra["te"] - camb["TE"][2:601]) / scale).max() < 0.003


def friedmann(a: float, h: float, omega_m: float, temperature: float, massless: float) -> float:
    """E(a) of flat LCDM: omega_gamma = 4 sigma T^4 8 pi G / 3 c^3 H^2 = 2.4728e-5 (T / 2.7255 K)^4."""
    photons = 2.47282e-5 * (temperature / 2.7255) ** 4 / h**2
    radiation = photons * (1 + massless * 7 / 8 * (4 / 11) ** (4 / 3))
    return float(np.sqrt(radiation / a**4 + omega_m / a**3 + 1 - omega_m - radiation))


def test_background_against_an_integral_and_theta_s_there_and_back():
    # massless neutrinos and no spectra: 0.1 s a call
    inputs = {"100*theta_s": 1.0419, "ombh2": 0.0224, "omch2": 0.12, "N_ur": 3.044}
    names = ("H0", "age", "Omega_m", "conformal_age", "theta_s_1e2", "rs_rec", "da_rec", "z_rec")
    found = ClassTheory({}, (), 2, names).compute(inputs).derived
    h = found["H0"] / 100
    assert found["Omega_m"] == pytest.approx(0.1424 / h**2, rel=1e-6)
    cosmos = (h, 0.1424 / h**2, 2.7255, 3.044)
    age, _ = quad(lambda a: 1 / (a * friedmann(a, *cosmos)), 0, 1)
    assert found["age"] == pytest.approx(age * 977.7922 / found["H0"], rel=2e-5)
    conformal, _ = quad(lambda a: 1 / (a**2 * friedmann(a, *cosmos)), 1e-12, 1, limit=200, epsrel=1e-9)
    assert found["conformal_age"] == pytest.approx(conformal * 299792.458 / found["H0"], rel=2e-5)
    # theta_s from our own integrals to the redshift that CLASS calls recombination
    last = 1 / (1 + found["z_rec"])
    loading = 3 * 0.0224 / (4 * 2.47282e-5)
    sound, _ = quad(lambda a: 1 / (a**2 * friedmann(a, *cosmos) * np.sqrt(3 * (1 + loading * a))), 1e-12, last)
    distance, _ = quad(lambda a: 1 / (a**2 * friedmann(a, *cosmos)), last, 1)
    assert 100 * sound / distance == pytest.approx(inputs["100*theta_s"], rel=2e-5)
    assert found["theta_s_1e2"] == pytest.approx(inputs["100*theta_s"], rel=1e-5)
    back = ClassTheory({"H0": found["H0"]}, (), 2, ("theta_s_100",))
    again = back.compute({"omega_b": 0.0224, "omega_cdm": 0.12, "N_ur": 3.044}).derived
    assert again["theta_s_100"] == pytest.approx(found["theta_s_1e2"], rel=1e-9)


def test_a_point_where_class_fails_gives_its_reason():
    theory = ClassTheory({}, (), 2, ("H0",))
    with pytest.raises(TheoryError) as error:
        theory.compute({"omega_b": 0.9, "H0": 67.0})
    assert "\n" not in str(error.value) and len(str(error.value)) < 401 and "omega_b" in str(error.value)


def test_reason_is_the_last_link_of_the_chain():
    chain = "\n\nError in Class: a_init(L:1) :error in b;\n=>b(L:2) :condition (x) is true; mend x"
    assert class_reason(chain) == "b(L:2) :condition (x) is true; mend x"


def test_check_knows_what_class_knows():
    theory = ClassTheory({**SETTINGS, "tol_background_integration": 1e-10}, ("tt",), 600, ("sigma8",))
    theory.check(BEST_FIT)
    theory.check(["100*theta_s", "ombh2", "omega_cdm", "ln10^{10}A_s", "n_s", "tau"])


@pytest.mark.parametrize(
    ("settings", "parameters", "match"),
    [
        (
            {},
            ["H0", "omega_bb"],
            "expected a parameter that CLASS reads, got 'omega_bb'; did you mean 'omega_b'",
        ),
        (
            {"tol_pertubations_integration": 1e-6},
            ["H0"],
            "a setting that CLASS reads.*'tol_perturbations_integ",
        ),
        ({}, ["H0", "m_ncdm"], "got 'm_ncdm'; it has no effect here"),
        ({}, {"H0": 67.0, "omega_b": -3.0}, "reference values that CLASS accepts, got '.*baryon density"),
    ],
)
def test_check_names_the_mistake(settings, parameters, match):
    with pytest.raises(InputError, match=match) as error:
        ClassTheory(settings, ("tt", "te"), 600).check(parameters)
    assert "\n" not in str(error.value)


@pytest.mark.parametrize(
    ("arguments", "match"),
    [
        ({"spectra": ("tt", "tb")}, "expected a CMB spectrum, got 'tb'"),
        ({"derived": ("sigma_8",)}, "got 'sigma_8'; did you mean 'sigma8'"),
        ({"l_max": 1}, "l_max of at least 2"),
        ({"settings": {"output": "tCl"}}, "use spectra and derived instead"),
        ({"settings": {"tau": 0.05, "tau_reio": 0.05}}, "each CLASS input once"),
        ({"spectra": ()}, "got neither"),
    ],
)
def test_wrong_records_are_refused_at_once(arguments, match):
    with pytest.raises(InputError, match=match):
        ClassTheory(**arguments)


def test_given_twice_is_refused_before_class_runs():
    with pytest.raises(InputError, match="'A_s' as a setting or as a parameter"):
        ClassTheory({"A_s": 2e-9}).check(["As"])


def test_identity_feels_settings_outputs_and_nothing_else():
    theory = ClassTheory({"N_ur": 3.044})
    assert theory.identity() == ClassTheory({"N_ur": 3.044}).identity()
    others = [ClassTheory({"N_ur": 3.0440000000000005}), ClassTheory({"N_ur": 3.044}, l_max=2509)]
    others += [
        ClassTheory({"N_ur": 3.044}, ("tt",)),
        ClassTheory({"N_ur": 3.044}, derived=("H0",)),
        ClassTheory(),
    ]
    assert len({str(t.identity()) for t in (theory, *others)}) == 6
    assert {"code", "version", "build"} <= set(theory.identity())


def test_suggestions_draw_on_the_installed_source():
    names = known_inputs()
    assert {"omega_b", "w0_fld", "tol_perturbations_integration", "N_ncdm", "logA"} <= names


def test_the_cheap_part_has_the_numbers_of_the_whole(best_fit):
    """Stopped before its perturbations: the same numbers, none that needs them, an identity of its own."""
    whole = ClassTheory(SETTINGS, ("tt", "te", "ee", "pp"), 600, DERIVED)
    found = whole.cheap.compute(BEST_FIT)
    assert not found.spectra and "sigma8" not in found.derived
    for name, known in (("theta_s_100", "100*theta_s"), ("H0", "H0"), ("rs_drag", "rs_drag"), ("age", "age")):
        assert found.derived[name] == pytest.approx(best_fit.derived[known], rel=1e-9), name
    assert whole.cheap.identity() != whole.identity()
    assert tuple(whole.cheap.outputs()) == ("derived",)
