"""What Cobaya is served, against Cobaya's own CLASS at the same point; and what is not there is named."""

import numpy as np
import pytest

pytest.importorskip("cobaya")

from cobaya.log import LoggedError
from cobaya.model import get_model

from alfonsine.hosts.cobaya_served import Served
from alfonsine.hosts.quantities import Quantities
from alfonsine.theory.classy import ClassTheory
from alfonsine.theory.grids import Background, MatterPower

POINT = {"omega_b": 0.0224, "omega_cdm": 0.12, "H0": 67.0, "A_s": 2.1e-9, "n_s": 0.965, "tau_reio": 0.055}
SETTINGS = {"N_ur": 2.0328, "N_ncdm": 1, "m_ncdm": 0.06, "Omega_k": 0.01, "non_linear": "halofit"}
Z = np.array([0.0, 0.3, 0.6, 1.0, 1.7])
K_MAX, L_MAX = 0.8, 400
FAR = 2500  # to which ours computes unlensed spectra in any case
FUNCTIONS = ("Hubble", "angular_diameter_distance", "comoving_radial_distance", "sigma8_z")
REQUIREMENTS = {
    "Cl": {"tt": L_MAX, "te": L_MAX, "ee": L_MAX, "pp": L_MAX},
    "unlensed_Cl": {"tt": L_MAX},
    **{name: {"z": Z} for name in FUNCTIONS},
    "angular_diameter_distance_2": {"z_pairs": [(0.3, 1.0), (0.6, 0.6), (1.7, 0.3)]},
    "Pk_interpolator": {"z": Z, "k_max": K_MAX, "nonlinear": (False, True)},
    "rdrag": None,
    "omegam": None,
    "sigma8": None,
}


class Computed(Served):
    """Serves what our CLASS computed."""

    held_for_tests = None

    def quantities(self, params):
        return type(self).held_for_tests

    def probe(self):
        return type(self).held_for_tests

    def get_can_support_params(self):
        return ["x"]

    def get_can_provide_params(self):
        return ["rdrag", "omegam", "sigma8", "age"]

    def get_allow_agnostic(self):
        return False


@pytest.fixture(scope="module")
def computed():
    k = tuple(np.geomspace(1e-4, 1.0, 120).tolist())
    theory = ClassTheory(
        SETTINGS,
        ("tt", "te", "ee", "pp"),
        l_max=L_MAX,
        unlensed=("tt",),
        derived=("rs_drag", "Omega_m", "sigma8", "Omega_k", "H0"),
        matter_power=MatterPower(("pk_lin", "pk_nl"), k, tuple(Z.tolist())),
        background=Background(
            ("H", "D_A", "comoving_distance", "sigma8_z", "Omega_b_z", "Omega_cdm_z", "Omega_ncdm_z"), tuple(Z.tolist())
        ),
    )
    found = theory.compute(POINT)
    numbers = dict(found.derived) | {"T_cmb": 2.7255}
    return Quantities(theory.outputs(), found.spectra, numbers, "a test")


def model(theory, params, requirements, **more):
    """A model whose likelihood requires all this and says nothing."""
    info = {
        "theory": theory,
        "likelihood": {"one": {"external": lambda _self: 0.0, "requires": requirements}},
        "params": params,
        "stop_at_error": True,
        **more,
    }
    return get_model(info)


@pytest.fixture(scope="module")
def pair(computed):
    """Providers of ours and of Cobaya's CLASS, at one point."""
    Computed.held_for_tests = computed
    ours = model({"computed": {"external": Computed}}, {"x": {"prior": [0, 1]}}, REQUIREMENTS)
    ours.logposterior({"x": 0.5})
    varied = {"tau_reio": {"prior": [0.01, 0.1]}} | {n: v for n, v in POINT.items() if n != "tau_reio"}
    settings = {n: v for n, v in SETTINGS.items() if n != "non_linear"} | {"non_linear": "halofit"}
    far = {name: dict.fromkeys(REQUIREMENTS[name], FAR) for name in ("Cl", "unlensed_Cl")}
    theirs = model({"classy": {"extra_args": settings}}, varied, REQUIREMENTS | far)
    theirs.logposterior({"tau_reio": POINT["tau_reio"]})
    return ours.provider, theirs.provider


@pytest.mark.parametrize("ell_factor", [False, True])
@pytest.mark.parametrize("units", ["FIRASmuK2", "muK2", "K2", "FIRASK2"])
def test_spectra(pair, ell_factor, units):
    ours, theirs = (provider.get_Cl(ell_factor=ell_factor, units=units) for provider in pair)
    assert set(ours) == {"ell", "tt", "te", "ee", "pp"}
    for name in ("tt", "te", "ee", "pp"):
        scale = np.abs(theirs[name][2 : L_MAX + 1]).max() if name == "te" else 0.0  # te crosses zero
        kept = slice(L_MAX - 30)  # CLASS's own splines have an end at l_max
        np.testing.assert_allclose(ours[name][kept], theirs[name][kept], rtol=2e-3, atol=2e-4 * scale, err_msg=name)
    np.testing.assert_array_equal(ours["ell"], np.arange(L_MAX + 1))


def test_unlensed_spectra(pair):
    ours, theirs = (provider.get_unlensed_Cl(ell_factor=True)["tt"][2 : L_MAX + 1] for provider in pair)
    np.testing.assert_allclose(ours, theirs, rtol=2e-3)


@pytest.mark.parametrize("name", FUNCTIONS)
def test_functions_of_redshift(pair, name):
    ours, theirs = (getattr(provider, f"get_{name}")(Z) for provider in pair)
    np.testing.assert_allclose(ours, theirs, rtol=1e-4 if name == "sigma8_z" else 1e-7, atol=1e-9)


def test_densities(computed):
    """Of which Cobaya's CLASS takes the words for parameters: against H itself."""
    Computed.held_for_tests = computed
    names = ("Omega_b", "Omega_cdm", "Omega_nu_massive")
    found = model({"computed": {"external": Computed}}, {"x": {"prior": [0, 1]}}, {key: {"z": Z} for key in names})
    found.logposterior({"x": 0.5})
    growing = POINT["omega_b"] * 1e4 * (1 + Z) ** 3 / computed.of_redshift("H", Z) ** 2
    np.testing.assert_allclose(found.provider.get_Omega_b(Z), growing, rtol=1e-5)
    cold = found.provider.get_Omega_cdm(Z) / found.provider.get_Omega_b(Z)
    np.testing.assert_allclose(cold, POINT["omega_cdm"] / POINT["omega_b"], rtol=1e-7)
    massive = found.provider.get_Omega_nu_massive(Z) / growing * POINT["omega_b"]
    np.testing.assert_allclose(massive, 0.06 / 93.14, rtol=5e-3)  # not quite at rest: faster than matter by < 1 %


def test_units_of_the_expansion(pair):
    ours, theirs = (provider.get_Hubble(Z, units="1/Mpc") for provider in pair)
    np.testing.assert_allclose(ours, theirs, rtol=1e-7)


def test_between_redshifts(pair):
    pairs = REQUIREMENTS["angular_diameter_distance_2"]["z_pairs"]
    ours, theirs = (provider.get_angular_diameter_distance_2(pairs) for provider in pair)
    np.testing.assert_allclose(ours, theirs, rtol=1e-6, atol=1e-9)
    assert ours[2] == 0.0


@pytest.mark.parametrize("nonlinear", [False, True])
def test_matter_power(pair, nonlinear):
    k = np.geomspace(1e-3, K_MAX, 30)
    ours, theirs = (provider.get_Pk_interpolator(nonlinear=nonlinear) for provider in pair)
    for z in (0.0, 0.6):
        np.testing.assert_allclose(ours.P(z, k), theirs.P(z, k), rtol=5e-3)


@pytest.mark.parametrize("name", ["rdrag", "omegam", "sigma8"])
def test_numbers(pair, name):
    ours, theirs = (provider.get_param(name) for provider in pair)
    assert ours == pytest.approx(theirs, rel=1e-4)


LACKING = {
    "Cl": ({"Cl": {"bb": 100}}, "Cobaya's Cl 'bb'"),
    "multipoles": ({"Cl": {"tt": L_MAX + 1}}, f"'tt' to l = {L_MAX + 1}"),
    "unlensed": ({"unlensed_Cl": {"ee": 100}}, "Cobaya's unlensed_Cl 'ee'"),
    "function": ({"fsigma8": {"z": [3.0]}}, "Cobaya's fsigma8"),
    "redshift": ({"Hubble": {"z": [2.5]}}, "Cobaya's Hubble at z = 2.5"),
    "pk": ({"Pk_grid": {"z": [0.0], "k_max": 5.0}}, "k = 5"),
    "weyl": ({"Pk_grid": {"z": [0.0], "k_max": 0.5, "vars_pairs": [["Weyl", "Weyl"]]}}, "Weyl and Weyl"),
    "cb": ({"Pk_grid": {"z": [0.0], "k_max": 0.5, "vars_pairs": [["delta_nonu", "delta_nonu"]]}}, "pk_nl_cb"),
    "sigma_R": ({"sigma_R": {"z": [0.0], "R": [8.0]}}, "sigma_R"),
    "sources": ({"source_Cl": {"sources": {"a": {"function": "gaussian"}}}}, "source_Cl"),
    "number": ({"age": None}, "the parameter 'age'"),
    "pairs": ({"angular_diameter_distance_2": {"z_pairs": [(0.1, 4.0)]}}, "angular_diameter_distance_2"),
}


@pytest.mark.parametrize("case", LACKING)
def test_what_is_lacking_is_named_before_the_first_point(computed, case, caplog):
    Computed.held_for_tests = computed
    requirements, words = LACKING[case]
    with pytest.raises(LoggedError) as error:
        model({"computed": {"external": Computed}}, {"x": {"prior": [0, 1]}}, requirements)
    assert words in str(error.value) and "\n" not in str(error.value)
