"""What hosts ask of an evaluation: against CLASS itself, closed forms, and errors that name what is missing."""

import numpy as np
import pytest
from classy import Class

from alfonsine.errors import InputError
from alfonsine.hosts.missing import MissingQuantity
from alfonsine.hosts.numbers import told
from alfonsine.hosts.quantities import Quantities
from alfonsine.theory.class_spectra import nodes
from alfonsine.theory.classy import ClassTheory
from alfonsine.theory.grids import Background, MatterPower, spaced
from alfonsine.theory.output import Axis, Output

POINT = {"H0": 67.3, "omega_b": 0.0224, "omega_cdm": 0.12, "n_s": 0.965, "logA": 3.04, "tau_reio": 0.054}
Z, K = spaced("z", 0.0, 3.0, 40), spaced("k", 1e-3, 0.5, 60)
BETWEEN = np.array([0.0, 0.106, 0.57, 1.48, 2.33, 3.0])
LIGHT = 299792.458


def quantities(theory: ClassTheory, point: dict[str, float]) -> Quantities:
    found = theory.compute(point)
    numbers = {**told(theory.identity(), point), **found.derived}
    return Quantities(theory.outputs(), found.spectra, numbers, "CLASS")


@pytest.fixture(scope="module")
def flat():
    theory = ClassTheory(
        {"l_linstep": 20},
        ("tt", "te", "ee", "pp"),
        l_max=300,
        derived=("sigma8", "Omega_m", "rs_drag"),
        multipoles="nodes",
        matter_power=MatterPower(("pk_lin",), K, spaced("z", 0, 3, 12)),
        background=Background(("H", "D_A", "f", "sigma8_z"), Z),
    )
    cosmo = Class()
    cosmo.set({**theory.told(POINT), "P_k_max_1/Mpc": 2.0})
    cosmo.compute()
    yield quantities(theory, POINT), cosmo
    cosmo.struct_cleanup()


def test_spectra_are_those_of_class_from_zero_on(flat):
    held, cosmo = flat
    exact, kelvin = cosmo.lensed_cl(300), 2.7255e6
    assert len(held.outputs["tt"].axis("l").values) == len(nodes(300, 1.12, 20)) < 60
    for name, unit in {"tt": kelvin**2, "te": kelvin**2, "ee": kelvin**2, "pp": 1.0}.items():
        found = held.spectrum(name, 300)
        assert found.shape == (301,)
        assert found[0] == found[1] == 0
        scale = np.sqrt(exact["tt"] * exact["ee"]) if name == "te" else exact[name]
        assert np.max(np.abs(found - exact[name] * unit)[2:] / (scale * unit)[2:]) < 2e-3, name
    np.testing.assert_allclose(held.spectrum("tt", 120), held.spectrum("tt", 300)[:121], rtol=1e-12)


def test_functions_of_redshift_are_those_of_class(flat):
    held, cosmo = flat
    z = BETWEEN
    chi = np.array([cosmo.comoving_distance(each) for each in z])
    f, sigma8 = cosmo.scale_independent_growth_factor_f(z), [cosmo.sigma(8.0, each, h_units=True) for each in z]
    for name, exact in {
        "H": LIGHT * cosmo.Hubble(z),
        "rho_crit": cosmo.Hubble(z) ** 2,
        "D_A": cosmo.angular_distance(z),
        "D_L": cosmo.luminosity_distance(z),
        "D_M": chi,
        "comoving_distance": chi,
        "f": f,
        "f_sigma8": f * sigma8,
    }.items():
        np.testing.assert_allclose(held.of_redshift(name, z), exact, rtol=2e-5, atol=1e-9, err_msg=name)
    ratio = held.over_sound_horizon("D_M", 0.57)
    np.testing.assert_allclose(ratio, cosmo.comoving_distance(0.57) / cosmo.rs_drag(), rtol=2e-5)


def test_power_is_that_of_class_between_the_grid(flat):
    held, cosmo = flat
    surface = held.surface("pk_lin")
    for k, z in ((1e-3, 0.0), (0.0123, 0.31), (0.17, 1.9), (0.5, 3.0)):
        assert surface.at(k, z) == pytest.approx(cosmo.pk_lin(k, z), rel=2e-3)
    assert surface.at(np.full((2, 3), 0.1), np.array([0.0, 0.1, 0.2])).shape == (2, 3)


def test_numbers_are_those_of_class(flat):
    held, cosmo = flat
    exact = cosmo.get_current_derived_parameters(["h", "A_s", "ln10^{10}A_s", "Omega_m", "sigma8", "rs_d", "tau_reio"])
    for name, value in exact.items():
        assert held.number(name) == pytest.approx(value, rel=1e-9), name
    assert held.number("rdrag") == held.number("rs_drag")
    assert held.number("S8") == pytest.approx(cosmo.S8(), rel=1e-6)
    assert held.number("Omega_b") == pytest.approx(cosmo.Omega_b(), rel=1e-9)
    assert held.number("T_cmb") == pytest.approx(cosmo.T_cmb(), rel=1e-12)
    assert held.number("Omega_k") == cosmo.Omega_k() == 0.0


@pytest.mark.parametrize("curvature", [0.05, -0.05])
@pytest.mark.parametrize("name", ["D_A", "comoving_distance"])
def test_distances_in_curved_space(curvature, name):
    theory = ClassTheory({"Omega_k": curvature}, (), background=Background((name,), Z))
    held = quantities(theory, {"H0": 67.3})
    cosmo = Class()
    cosmo.set({"Omega_k": curvature, "H0": 67.3})
    cosmo.compute(["background"])
    exact = {
        "D_A": cosmo.angular_distance(BETWEEN),
        "D_L": cosmo.luminosity_distance(BETWEEN),
        "comoving_distance": cosmo.comoving_distance(BETWEEN),
    }
    cosmo.struct_cleanup()
    for wanted, values in exact.items():
        np.testing.assert_allclose(held.of_redshift(wanted, BETWEEN), values, rtol=2e-5, atol=1e-9)


def made(z=Z, numbers=None, **values) -> Quantities:
    grid = Axis("z", "", tuple(z))
    return Quantities({name: Output(name, "", (grid,)) for name in values}, values, numbers or {}, "toy.safetensors")


def test_an_empty_universe_in_closed_form():
    """Milne: H = H0 (1 + z), chi = c/H0 ln(1+z), D_M = c/H0 sinh(ln(1+z))."""
    z = np.array(Z)
    held = made(comoving_distance=LIGHT / 70 * np.log1p(z), numbers={"H0": 70.0, "Omega_k": 1.0})
    expected = LIGHT / 70 * np.sinh(np.log1p(BETWEEN))
    np.testing.assert_allclose(held.of_redshift("D_M", BETWEEN), expected, rtol=1e-5)


def test_curvature_that_is_not_known_is_not_assumed():
    held = made(D_A=np.array(Z))
    held.of_redshift("D_L", BETWEEN)
    with pytest.raises(MissingQuantity, match=r"does not know the curvature; add 'Omega_k: ' to params"):
        held.of_redshift("comoving_distance", BETWEEN)
    with pytest.raises(MissingQuantity, match="closed universe"):
        made(D_A=np.array(Z), numbers={"H0": 70.0, "Omega_k": -0.3}).of_redshift("comoving_distance", BETWEEN)


@pytest.mark.parametrize(
    ("question", "said"),
    [
        (lambda q: q.spectrum("bb", 100), r"the spectrum 'bb', got an emulator \(CLASS\) of .*'spectra: \[bb\]'"),
        (lambda q: q.spectrum("unlensed_tt", 9), r"'unlensed: \[tt\]' with 'l_max: 9'"),
        (lambda q: q.spectrum("tt", 301), r"to l = 301, got 'tt' from l = 2 to 300 .* set 'l_max: 301'"),
        (lambda q: q.of_redshift("H", 3.1), r"'H' at z = 3.1, got 'H' from z = 0 to 3 .*reach 3.1"),
        (lambda q: q.of_redshift("H", -0.1), r"at z = -0.1"),
        (lambda q: q.of_redshift("H", np.nan), r"at z = nan"),
        (lambda q: q.of_redshift("time", 1.0), r"'background: \{outputs: \[time\]"),
        (lambda q: q.of_redshift("x_e", 1.0), r"'thermodynamics: \{outputs: \[x_e\]"),
        (lambda q: q.of_redshift("speed", 1.0), r"known functions of redshift"),
        (lambda q: q.surface("pk_nl"), r"'matter_power: \{outputs: \[pk_nl\]"),
        (lambda q: q.surface("pk"), r"known power spectra"),
        (lambda q: q.surface("pk_lin").at(0.51, 0.0), r"at k = 0.51 1/Mpc, got 'pk_lin' from k = 0.001 to 0.5"),
        (lambda q: q.surface("pk_lin").at(0.1, 3.01), r"at z = 3.01"),
        (
            lambda q: q.number("age"),
            r"the number 'age', got an emulator \(CLASS\) that knows A_s.*line 'age: '",
        ),
        (lambda q: q.of_redshift("H", 9.0, "cosmo.Hubble(9)"), r"expected cosmo.Hubble\(9\) at z = 9"),
    ],
)
def test_what_is_missing_raises_and_says_what_to_add(flat, question, said):
    with pytest.raises(MissingQuantity, match=said) as caught:
        question(flat[0])
    assert isinstance(caught.value, InputError)
    assert "\n" not in str(caught.value)


def test_too_few_values_for_a_spline_serve_at_themselves_only():
    held = made(z=(0.0, 0.5, 1.0), H=np.array([70.0, 90.0, 120.0]))
    assert held.of_redshift("H", 0.5) == 90.0
    with pytest.raises(MissingQuantity, match=r"redshifts 0, 0.5, 1 only .*at least 4 redshifts"):
        held.of_redshift("H", 0.6)
    axes = (Axis("z", "", (0.0, 1.0)), Axis("k", "1/Mpc", (0.1, 0.2)))
    few = Quantities({"pk_lin": Output("pk_lin", "", axes)}, {"pk_lin": np.array([4.0, 3.0, 2.0, 1.0])}, {}, "toy")
    assert few.surface("pk_lin").at(0.2, 1.0) == 1.0
    with pytest.raises(MissingQuantity, match="at least 4 x 4"):
        few.surface("pk_lin").at(0.15, 1.0)


def test_nothing_is_known_of_inputs_that_a_function_makes():
    theory = {"code": "class", "settings": {"m_ncdm": "0.06"}, "inputs": {"function": "mine:inputs"}}
    assert told(theory, {"x": 1.0}) == {"x": 1.0}
    assert told({"code": "python"}, {"x": 1.0}) == {"x": 1.0}
    assert "T_cmb" not in told({"code": "class", "settings": {"Omega_g": "5e-5"}}, {})
    assert told({"code": "camb", "settings": {"mnu": 0.06}}, {"H0": 70.0, "logA": 3.0})["A_s"] == pytest.approx(
        1e-10 * np.exp(3.0)
    )
