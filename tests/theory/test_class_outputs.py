"""Every output of CLASS against CLASS's own functions, called directly at single points; mistakes named at once."""

import numpy as np
import pytest
from classy import Class

from alfonsine.errors import InputError
from alfonsine.theory import trial
from alfonsine.theory.class_spectra import nodes
from alfonsine.theory.classy import ClassTheory
from alfonsine.theory.grids import BACKGROUND, THERMODYNAMICS, Background, MatterPower, Thermodynamics, spaced
from alfonsine.theory.output import described
from alfonsine.theory.theory import TheoryError

POINT = {"H0": 67.3, "omega_b": 0.0224, "omega_cdm": 0.12, "n_s": 0.965}
NEUTRINO = {"N_ur": 2.046, "N_ncdm": 1, "m_ncdm": 0.3}
SPECTRA = ("tt", "te", "ee", "bb", "pp", "tp")
K, Z = spaced("k", 2e-6, 1.0, 30), spaced("z", 0.0, 2.0, 3)
LIGHT = 299792.458


@pytest.fixture(scope="module")
def perturbed():
    """One computation of CLASS, told everything by hand: our readings of it, and CLASS itself."""
    settings = {**NEUTRINO, "non_linear": "halofit", "delta_l_max": 100, "l_max_ncdm": 5}
    theory = ClassTheory(
        settings,
        SPECTRA,
        l_max=250,
        unlensed=("tt", "te", "ee", "pp"),
        multipoles=(2, 3, 30, 217, 250),
        matter_power=MatterPower(("pk_lin", "pk_nl", "pk_lin_cb", "pk_nl_cb"), K, Z),
        background=Background(("sigma8_z", "f_sigma8"), (0.0, 0.5, 3.0)),
    )
    asked = {"output": "lCl,mPk,pCl,tCl", "lensing": "yes", "l_max_scalars": 250}
    asked |= {"z_max_pk": 3.0, "P_k_max_1/Mpc": 1.6, **settings, **POINT}
    assert theory.told(POINT) == {name: str(value) for name, value in asked.items()}
    assert theory._level == "lensing"
    cosmo = Class()
    cosmo.set(asked)
    cosmo.compute(["lensing"])
    yield theory, theory._observables(cosmo), cosmo
    cosmo.struct_cleanup()


@pytest.fixture(scope="module")
def smooth():
    """The same for what needs no perturbations, with a fluid and curvature."""
    settings = {**NEUTRINO, "Omega_k": 0.01, "Omega_Lambda": 0.0, "w0_fld": -0.9, "wa_fld": 0.1}
    names = [n for n in BACKGROUND if n not in ("sigma8_z", "f_sigma8", "mu")]
    names = [n for n in names if not any(s in n for s in ("idm", "idr", "lambda", "scf", "dcdm", "dr"))]
    theory = ClassTheory(
        settings,
        (),
        derived=("H0", "Omega_k", "Omega_nu"),
        background=Background(tuple(names), (0.0, 0.01, 0.5, 3.0, 40.0, 1100.0, 1e5)),
        thermodynamics=Thermodynamics(tuple(THERMODYNAMICS), (0.0, 7.0, 7.7, 30.0, 800.0, 1089.9, 5000.0)),
    )
    cosmo = Class()
    cosmo.set({**settings, **POINT})
    cosmo.compute(["thermodynamics"])
    yield theory, theory.compute(POINT), cosmo
    cosmo.struct_cleanup()


def test_lensed_and_unlensed_spectra_come_from_one_call(perturbed):
    _, found, cosmo = perturbed
    ell, kelvin = [2, 3, 30, 217, 250], 2.7255e6
    unit = {"pp": 1.0, "tp": kelvin}
    lensed, raw = cosmo.lensed_cl(250), cosmo.raw_cl(250)
    for name in SPECTRA:
        np.testing.assert_allclose(found.spectra[name], lensed[name][ell] * unit.get(name, kelvin**2), rtol=1e-12)
    for name in ("tt", "te", "ee", "pp"):
        values = found.spectra[f"unlensed_{name}"]
        np.testing.assert_allclose(values, raw[name][ell] * unit.get(name, kelvin**2), rtol=1e-12)
    assert np.abs(found.spectra["unlensed_tt"] / found.spectra["tt"] - 1)[-1] > 1e-4  # lensing does something


def test_matter_power_is_that_of_single_points(perturbed):
    _, found, cosmo = perturbed
    functions = {"pk_lin": cosmo.pk_lin, "pk_nl": cosmo.pk, "pk_lin_cb": cosmo.pk_cb_lin, "pk_nl_cb": cosmo.pk_cb}
    for name, function in functions.items():
        truth = [function(k, z) for z in Z for k in K]  # the lowest k are outside of CLASS's table
        np.testing.assert_allclose(found.spectra[name], truth, rtol=1e-12)
    surface = {name: found.spectra[name].reshape(len(Z), len(K)) for name in functions}
    assert (
        surface["pk_nl"][0, -1] > 2 * surface["pk_lin"][0, -1] and surface["pk_lin"][0, -5] > surface["pk_lin"][2, -5]
    )
    assert surface["pk_lin_cb"][0, -1] > 1.01 * surface["pk_lin"][0, -1]  # neutrinos of 0.3 eV do not cluster there


def test_growth_against_derived_numbers_and_single_points(perturbed):
    _, found, cosmo = perturbed
    sigma8 = [cosmo.sigma(8 / cosmo.h(), z) for z in (0.0, 0.5, 3.0)]
    np.testing.assert_allclose(found.spectra["sigma8_z"], sigma8, rtol=1e-12)
    assert found.spectra["sigma8_z"][0] == pytest.approx(cosmo.sigma8(), rel=1e-4)
    rates = [cosmo.scale_independent_growth_factor_f(z) for z in (0.0, 0.5, 3.0)]
    np.testing.assert_allclose(found.spectra["f_sigma8"], np.array(sigma8) * rates, rtol=1e-12)


def test_background_functions_are_those_of_single_points(smooth):
    theory, found, cosmo = smooth
    z = np.array(theory.background.z)
    methods = {
        "H": lambda z: LIGHT * cosmo.Hubble(z),
        "D_A": cosmo.angular_distance,
        "D_L": cosmo.luminosity_distance,
        "comoving_distance": cosmo.comoving_distance,
        "D": cosmo.scale_independent_growth_factor,
        "f": cosmo.scale_independent_growth_factor_f,
        "Omega_m_z": cosmo.Om_m,
        "Omega_b_z": cosmo.Om_b,
        "Omega_cdm_z": cosmo.Om_cdm,
        "Omega_ncdm_z": cosmo.Om_ncdm,
    }
    for name, method in methods.items():
        np.testing.assert_allclose(found.spectra[name], [method(float(x)) for x in z], rtol=1e-9, err_msg=name)
    assert found.spectra["H"][0] == pytest.approx(67.3, rel=1e-9) == found.derived["H0"]
    # what scales as a power of 1+z, and what adds up
    today = {"rho_g": 4, "rho_ur": 4, "rho_b": 3, "rho_cdm": 3}
    for name, power in today.items():
        values = found.spectra[name]
        np.testing.assert_allclose(values, values[0] * (1 + z) ** power, rtol=1e-6, err_msg=name)
    total = sum(found.spectra[f"rho_{s}"] for s in ("g", "ur", "b", "cdm", "ncdm", "fld"))
    np.testing.assert_allclose(total, found.spectra["rho_tot"], rtol=1e-6)
    np.testing.assert_allclose(found.spectra["w_fld"], -0.9 + 0.1 * z / (1 + z), rtol=1e-9)
    # exp and powers of the CPL fluid, and the curvature that closes the sum
    fluid = found.spectra["rho_fld"]
    np.testing.assert_allclose(fluid / fluid[0], (1 + z) ** (3 * 0.2) * np.exp(-0.3 * z / (1 + z)), rtol=1e-6)
    curvature = 0.01 * (67.3 / LIGHT) ** 2 * (1 + z) ** 2
    np.testing.assert_allclose(total + curvature, found.spectra["rho_crit"], rtol=1e-6)
    assert found.derived["Omega_k"] == pytest.approx(0.01) and found.derived["Omega_nu"] > 0.006


def test_columns_at_their_own_nodes(smooth):
    """Between the redshifts that we chose there is only CLASS's table: ask at its own entries."""
    theory, _, cosmo = smooth
    background, plasma = cosmo.get_background(), cosmo.get_thermodynamics()
    rows = [-2, -500, -3000, -9000]  # from late to early
    z = tuple(float(v) for v in background["z"][rows])
    entries = [1, 500, 1200, 20000]
    early = tuple(float(v) for v in plasma["z"][entries])
    again = ClassTheory(
        theory.settings,
        (),
        background=Background(("time", "conformal_time", "sound_horizon", "Omega_r_z", "rho_ncdm"), z),
        thermodynamics=Thermodynamics(tuple(THERMODYNAMICS), early),
    ).compute(POINT)
    columns = ("proper time [Gyr]", "conf. time [Mpc]", "comov.snd.hrz.", "Omega_r(z)", "(.)rho_ncdm[0]")
    for name, column in zip(again.spectra, columns, strict=False):
        np.testing.assert_allclose(again.spectra[name], background[column][rows], rtol=1e-8, err_msg=name)
    columns = ("x_e", "g [Mpc^-1]", "exp(-kappa)", "kappa' [Mpc^-1]", "c_b^2", "Tb [K]", "w_b")
    for name, column in zip(THERMODYNAMICS, columns, strict=True):
        # where the column is 0 to all digits, so are we
        np.testing.assert_allclose(again.spectra[name], plasma[column][entries], rtol=1e-9, atol=1e-300, err_msg=name)


def test_thermodynamics_between_the_nodes_is_that_of_class(smooth):
    theory, found, cosmo = smooth
    z = theory.thermodynamics.z
    np.testing.assert_allclose(found.spectra["x_e"], [cosmo.ionization_fraction(x) for x in z], rtol=1e-8)
    np.testing.assert_allclose(found.spectra["T_b"], [cosmo.baryon_temperature(x) for x in z], rtol=1e-8)
    # g = kappa' exp(-kappa), and before recombination nothing is seen
    product = found.spectra["kappa_prime"] * found.spectra["exp_m_kappa"]
    np.testing.assert_allclose(found.spectra["visibility"], product, rtol=1e-5)
    assert found.spectra["exp_m_kappa"][0] == pytest.approx(1.0) and found.spectra["exp_m_kappa"][-1] < 1e-20


def test_reionisation_with_corners_is_interpolated_as_class_does():
    form = {"reio_parametrization": "reio_half_tanh"}
    z = (6.0, 7.6705, 7.68, 9.0)
    theory = ClassTheory(form, (), thermodynamics=Thermodynamics(("x_e",), z))
    cosmo = Class()
    cosmo.set({**form, **POINT})
    cosmo.compute(["thermodynamics"])
    np.testing.assert_allclose(
        theory.compute(POINT).spectra["x_e"], [cosmo.ionization_fraction(x) for x in z], rtol=1e-9
    )
    cosmo.struct_cleanup()


@pytest.mark.parametrize("which", ["perturbed", "smooth"])
def test_what_is_described_is_what_comes(which, request):
    theory, found, _ = request.getfixturevalue(which)
    outputs = theory.outputs()
    assert set(outputs) - {"derived"} == set(found.spectra)
    assert all(outputs[name].size == len(values) for name, values in found.spectra.items())
    assert described(found, outputs) == outputs
    assert found.defect() == ""
    if which == "perturbed":
        assert outputs["pk_nl"].shape == (3, 30) and [a.name for a in outputs["pk_nl"].axes] == ["z", "k"]
        assert outputs["unlensed_te"].unit == "muK^2" and outputs["tp"].unit == "muK"
        assert outputs["tt"].axis("l").values == (2.0, 3.0, 30.0, 217.0, 250.0)


def class_multipoles(l_max: int, **steps: float) -> list[int]:
    """The rule as its definition says, written from the end: the next multipole of any multipole."""
    steps = {"logstep": 1.12, "linstep": 40} | steps

    def after(ell: int) -> int:
        step = max(int(ell * (steps["logstep"] - 1)), 1)
        return ell + (step if step < steps["linstep"] and ell + step < l_max else steps["linstep"])

    found = [2]
    while after(found[-1]) <= l_max:
        found.append(after(found[-1]))
    return found if found[-1] == l_max else [*found, l_max]


@pytest.mark.parametrize("l_max", [2, 3, 30, 600, 2508, 6000])
def test_nodes_are_class_s_rule_and_do_not_move(l_max):
    assert list(nodes(l_max)) == class_multipoles(l_max)
    assert list(nodes(l_max, linstep=20)) == class_multipoles(l_max, linstep=20)
    theory = ClassTheory({"l_linstep": 20}, l_max=l_max, multipoles="nodes")
    assert theory.outputs()["ee"].axes[0].values == tuple(float(v) for v in nodes(l_max, linstep=20))
    assert nodes(l_max)[0] == 2 and nodes(l_max)[-1] == l_max


def test_grids():
    np.testing.assert_allclose(spaced("k", 1e-3, 10.0, 5), [1e-3, 1e-2, 0.1, 1.0, 10.0], rtol=1e-12)
    np.testing.assert_allclose(np.diff(np.log1p(spaced("z", 0.0, 1100.0, 7))), np.log(1101) / 6, rtol=1e-12)
    assert spaced("z", 0.0, 2.0, 3, "linear") == (0.0, 1.0, 2.0)


PK = MatterPower(("pk_nl",), (0.1, 1.0), (0.0, 2.0))


@pytest.mark.parametrize(
    ("make", "match"),
    [
        (
            lambda: MatterPower(("pk_linn",), (0.1,), (0.0,)),
            "matter power spectrum, got 'pk_linn'; did you mean 'pk_lin'",
        ),
        (lambda: MatterPower(("pk_lin",), (0.0, 0.1), (0.0,)), "positive wavenumbers, got 0"),
        (lambda: MatterPower(("pk_lin",), (0.2, 0.1), (0.0,)), "axis 'k': expected increasing"),
        (lambda: MatterPower((), (0.1,), (0.0,)), "got none; known: pk_lin"),
        (lambda: Background(("Hubble",), (0.0,)), "background function, got 'Hubble'"),
        (lambda: Background(("sigma8",), (0.0,)), "got 'sigma8'; did you mean 'sigma8_z'"),
        (lambda: Background(("H",), (-0.1, 0.0)), "redshifts of 0 or more, got -0.1"),
        (lambda: Thermodynamics(("xe",), (0.0,)), "got 'xe'; did you mean 'x_e'"),
        (lambda: ClassTheory({}, (), thermodynamics=Thermodynamics(("x_e",), (6e6,))), "at most 5e\\+06 in thermodyn"),
        (lambda: ClassTheory(matter_power=PK), "expected a method for pk_nl, got none; try non_linear: hmcode"),
        (lambda: ClassTheory({"non_linear": "none"}, matter_power=PK), "expected a method for pk_nl"),
        (
            lambda: ClassTheory({"non_linear": "hmcode", "P_k_max_1/Mpc": 0.5}, matter_power=PK),
            "P_k_max_1/Mpc of at least 1, the end of the grid, got 0.5; remove it",
        ),
        (lambda: ClassTheory({"non_linear": "hmcode", "z_max_pk": 1}, matter_power=PK), "z_max_pk of at least 2"),
        (lambda: ClassTheory({"non_linear": "hmcode", "P_k_max_h/Mpc": 9}, matter_power=PK), "got 'P_k_max_h/Mpc'"),
        (lambda: ClassTheory({"z_max_pk": 1}, (), background=Background(("sigma8_z",), (0.0, 2.0))), "z_max_pk of at"),
        (lambda: ClassTheory(unlensed=("bb",)), "tensor modes .* for unlensed bb"),
        (lambda: ClassTheory({"lensing": "no"}, ("tt", "bb")), "tensor modes .* for unlensed bb"),
        (lambda: ClassTheory(unlensed=("eb",)), "expected a CMB spectrum, got 'eb'"),
        (lambda: ClassTheory(derived=("r",)), "tensor modes .* for the derived 'r'"),
        (lambda: ClassTheory(l_max=100, multipoles=(2, 101)), "at most l_max = 100"),
        (lambda: ClassTheory(multipoles=(3, 2)), "multipoles that increase"),
        (lambda: spaced("z", 0.0, 0.0, 3), "from min to a larger max"),
        (lambda: spaced("k", 0.0, 1.0, 3), "positive min of k"),
    ],
)
def test_mistakes_are_named_at_once(make, match):
    with pytest.raises(InputError, match=match) as error:
        make()
    assert "\n" not in str(error.value)


def test_larger_limits_of_the_user_stand_and_ours_reach_beyond_the_grid():
    power = MatterPower(("pk_lin",), (0.1, 2.0), (0.0, 2.0))
    told = ClassTheory({}, (), matter_power=power).told(POINT)
    assert float(told["P_k_max_1/Mpc"]) > 2.0 and float(told["z_max_pk"]) == 2.0 and told["output"] == "mPk"
    told = ClassTheory({"P_k_max_1/Mpc": 2.5, "z_max_pk": 9}, (), matter_power=power).told(POINT)
    assert (told["P_k_max_1/Mpc"], told["z_max_pk"]) == ("2.5", "9")


def test_what_this_cosmology_has_not_is_named_before_the_first_call(monkeypatch):
    monkeypatch.setattr(trial, "run_apart", lambda function, *arguments, timeout: function(*arguments))
    power = MatterPower(("pk_lin", "pk_lin_cb"), (0.1,), (0.0,))
    for theory, name in (
        (ClassTheory({}, (), matter_power=power), "pk_lin_cb"),
        (ClassTheory({}, (), background=Background(("H", "rho_ncdm"), (0.0,))), "rho_ncdm"),
    ):
        with pytest.raises(InputError, match=f"outputs that this cosmology has, got '{name}'"):
            theory.check(POINT)
        with pytest.raises(TheoryError):
            theory.compute(POINT)


def test_a_correction_that_class_drops_without_a_word_is_an_error():
    k, z = spaced("k", 0.01, 5.0, 8), (0.0, 1.0, 2.0, 3.0)
    faint = POINT | {"ln10^{10}A_s": 2.2}
    settings = {"non_linear": "hmcode", "hmcode_version": "2015", "P_k_max_1/Mpc": 5.0}
    with pytest.raises(TheoryError, match=r"linear spectrum as pk_nl from z = 2 on.* try a larger P_k_max_1/Mpc"):
        ClassTheory(settings, (), matter_power=MatterPower(("pk_nl",), k, z)).compute(faint)
    # below that redshift, and with the linear spectrum alone, there is nothing to refuse
    names = ("pk_lin", "pk_nl")
    near = ClassTheory(settings, (), matter_power=MatterPower(names, k, z[:2])).compute(faint).spectra
    assert near["pk_nl"].reshape(2, -1)[1, -1] > 5 * near["pk_lin"].reshape(2, -1)[1, -1]
    ClassTheory(settings, (), matter_power=MatterPower(("pk_lin",), k, z)).compute(faint)
