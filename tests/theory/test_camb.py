"""CAMB: one solution of the perturbations for many primordial spectra, names and units of CLASS, named mistakes."""

import itertools

import numpy as np
import pytest

from alfonsine.errors import InputError
from alfonsine.theory import camb as ours
from alfonsine.theory.archive import Archive
from alfonsine.theory.camb import CambTheory
from alfonsine.theory.camb_transfers import Transfers
from alfonsine.theory.classy import ClassTheory
from alfonsine.theory.engine import Engine
from alfonsine.theory.grids import Background, MatterPower, Thermodynamics
from alfonsine.theory.theory import TheoryError

camb = pytest.importorskip("camb")
POINT = {"H0": 67.3, "omega_b": 0.0224, "omega_cdm": 0.12, "tau_reio": 0.055, "logA": 3.045, "n_s": 0.965}
K, Z = (2e-6, 1e-3, 0.01, 0.1, 0.3), (0.0, 0.7)
SPECTRA = ("tt", "te", "ee", "bb", "pp", "tp")
# coarse on purpose: the questions here are of bookkeeping
COARSE = {"lens_potential_accuracy": 1, "AccuracyBoost": 0.5, "kmax": 3.0, "halofit_version": "takahashi"}
THEORY = CambTheory(
    COARSE,
    SPECTRA,
    l_max=200,
    derived=("sigma8", "age", "rs_drag", "H0", "Omega_m", "logA", "z_reio"),
    unlensed=("tt", "pp"),
    matter_power=MatterPower(("pk_lin", "pk_nl"), K, Z),
    background=Background(("sigma8_z", "f_sigma8"), Z),
    thermodynamics=Thermodynamics(("x_e",), Z),  # another run of CAMB between the kept one and its spectra
)


def fresh_run(point):
    """CAMB as its manual says, from nothing; its own units."""
    parameters = camb.set_params(
        H0=point["H0"],
        ombh2=point["omega_b"],
        omch2=point["omega_cdm"],
        tau=point["tau_reio"],
        As=1e-10 * np.exp(point["logA"]),
        ns=point["n_s"],
        lmax=200,
        redshifts=[0.7, 0.0],
        **COARSE,
    )
    return camb.get_results(parameters)


@pytest.fixture(scope="module")
def cached():
    """Three points that differ in the primordial spectrum, from one solution."""
    points = [POINT, POINT | {"logA": 3.2}, POINT | {"n_s": 0.92}]
    before = THEORY.solves
    found = [THEORY.compute(point) for point in points]
    assert THEORY.solves - before == 1
    return points, found


def test_spectra_of_a_kept_solution_are_those_of_a_fresh_run(cached):
    points, found = cached
    data, last = fresh_run(points[2]), found[2].spectra
    total, before = data.get_total_cls(200, "muK", raw_cl=True), data.get_unlensed_total_cls(200, "muK", raw_cl=True)
    potential = data.get_lens_potential_cls(200, "muK", raw_cl=True)
    truth = {
        "tt": total[2:, 0],
        "ee": total[2:, 1],
        "bb": total[2:, 2],
        "te": total[2:, 3],
        "unlensed_tt": before[2:, 0],
    }
    truth |= {"pp": potential[2:, 0], "tp": potential[2:, 1], "unlensed_pp": potential[2:, 0]}
    for name, values in truth.items():
        size = np.abs(values).max() if name in ("te", "tp") else 0.0  # those cross zero
        np.testing.assert_allclose(last[name], values, rtol=1e-6, atol=1e-6 * size, err_msg=name)
    assert abs(found[0].spectra["tt"][100] / last["tt"][100] - 1) > 0.01  # it is not the first one again
    linear = data.get_matter_power_interpolator(nonlinear=False, hubble_units=False, k_hunit=False)
    bent = data.get_matter_power_interpolator(nonlinear=True, hubble_units=False, k_hunit=False)
    inside = [1e-3, 0.01, 0.1, 0.3]
    for name, interpolator in (("pk_lin", linear), ("pk_nl", bent)):
        values = last[name].reshape(2, 5)[:, 1:]
        np.testing.assert_allclose(values, [interpolator.P(z, inside) for z in Z], rtol=1e-6, err_msg=name)
    np.testing.assert_allclose(last["sigma8_z"], data.get_sigma8()[::-1], rtol=1e-6)
    np.testing.assert_allclose(last["f_sigma8"], data.get_fsigma8()[::-1], rtol=1e-6)
    assert found[2].derived["sigma8"] == pytest.approx(data.get_sigma8_0(), rel=1e-6)
    assert found[1].derived["logA"] == pytest.approx(3.2, rel=1e-12)


def test_what_is_exact_about_the_primordial_spectrum(cached):
    _, found = cached
    ratio = found[1].spectra["pk_lin"] / found[0].spectra["pk_lin"]
    np.testing.assert_allclose(ratio, np.exp(0.155), rtol=1e-9)
    ratio = found[2].spectra["pk_lin"] / found[0].spectra["pk_lin"]
    np.testing.assert_allclose(ratio, np.tile((np.array(K) / 0.05) ** -0.045, 2), rtol=1e-6)


def test_what_is_described_is_what_comes(cached):
    outputs = THEORY.outputs()
    assert set(outputs) - {"derived"} == set(cached[1][0].spectra)
    assert all(outputs[name].size == len(values) for name, values in cached[1][0].spectra.items())
    units = ClassTheory({"non_linear": "halofit"}, SPECTRA, 200, (), ("tt", "pp"), "all", THEORY.matter_power).outputs()
    assert all(outputs[name] == output for name, output in units.items())


def test_a_grid_of_twelve_points_takes_three_solutions_in_workers(tmp_path):
    theory = CambTheory({"AccuracyBoost": 0.5}, (), matter_power=MatterPower(("pk_lin",), (0.01, 0.1), (0.0,)))
    grid = itertools.product((0.119, 0.12, 0.121), ((3.0, 0.95), (3.1, 0.95), (3.0, 0.97), (3.1, 0.98)))
    points = [POINT | {"omega_cdm": c, "logA": a, "n_s": n} for c, (a, n) in grid]
    shuffled = [points[i] for i in np.random.default_rng(1).permutation(12)]
    with Archive(tmp_path / "a.db") as archive, Engine(theory, archive, workers=1, timeout=120) as engine:
        calls = engine.compute(shuffled)
        assert engine.solves == 3
        again = engine.compute(points)
        assert engine.solves == 3 and not any(call.fresh for call in again)
    assert [call.inputs for call in calls] == shuffled and all(call.done and call.fresh for call in calls)
    by_point = {tuple(c.inputs.values()): c.observables.spectra["pk_lin"] for c in calls}
    low, high = by_point[tuple(points[0].values())], by_point[tuple(points[1].values())]
    np.testing.assert_allclose(high / low, np.exp(0.1), rtol=1e-9)


def test_points_that_share_are_those_that_differ_in_the_primordial_spectrum():
    share = THEORY.shares
    assert share(POINT) == share(POINT | {"logA": 3.0, "n_s": 1.0}) == share(dict(reversed(POINT.items())))
    renamed = {k: v for k, v in POINT.items() if k != "logA"} | {"A_s": 2e-9, "r": 0.0}
    assert share(renamed) == share(POINT)
    assert share(POINT | {"r": 0.1}) == share(POINT | {"r": 0.2}) != share(POINT)  # tensors are another solution
    for change in ({"tau_reio": 0.06}, {"H0": float(np.nextafter(67.3, 70))}):
        assert share(POINT | change) != share(POINT)


def test_few_solutions_are_kept():
    transfers = Transfers(capacity=2)
    made = [transfers.of(key, lambda key=key: f"solution {key}") for key in "abacab"]
    assert made == [f"solution {key}" for key in "abacab"]
    assert transfers.solves == 4  # a and b; c drives out b, a stays; b again
    transfers.forget("b")
    transfers.of("b", lambda: "new")
    assert transfers.solves == 5


def test_background_and_derived_against_class():
    """Massless neutrinos: the two codes then solve the same Friedmann equation."""
    names = ("H", "D_A", "D_L", "comoving_distance", "time", "conformal_time", "rho_crit", "rho_b", "Omega_g_z")
    background = Background((*names, "rho_ur"), (0.0, 0.5, 3.0, 1000.0))
    derived = ("H0", "Omega_m", "Omega_b", "omega_b", "Omega_cdm", "Omega_Lambda", "Omega_k", "age", "N_eff", "YHe")
    derived += ("A_s", "logA", "n_s", "z_eq", "k_eq", "rs_drag", "z_d", "z_reio", "z_star", "rs_star", "theta_star_100")
    first = CambTheory({"mnu": 0.0, "nnu": 3.044}, (), derived=derived, background=background).compute(POINT)
    second = ClassTheory({"N_ur": 3.044}, (), derived=derived, background=background).compute(POINT)
    for name in background.names:
        np.testing.assert_allclose(first.spectra[name], second.spectra[name], rtol=1e-4, atol=1e-12, err_msg=name)
    for name in derived:
        # found by other means: the helium table, the ends of recombination (CLASS counts reionisation in z_star)
        tolerance = {"YHe": 2e-3, "z_d": 2e-3, "z_reio": 1e-2}.get(name, 5e-3 if "star" in name else 5e-4)
        assert first.derived[name] == pytest.approx(second.derived[name], rel=tolerance, abs=1e-12), name


@pytest.mark.slow
def test_class_and_camb_agree():
    power = MatterPower(("pk_lin",), (1e-4, 1e-3, 0.01, 0.05, 0.1, 0.3), (0.0, 1.0))
    point = POINT | {"n_s": 0.96}
    first = CambTheory(
        {"mnu": 0.0, "nnu": 3.044, "nonlinear": False, "YHe": 0.2454}, ("tt", "pp"), 600, matter_power=power
    ).compute(point)
    second = ClassTheory({"N_ur": 3.044, "YHe": 0.2454}, ("tt", "pp"), 600, matter_power=power).compute(point)
    assert np.abs(first.spectra["tt"] / second.spectra["tt"] - 1).max() < 5e-3
    assert np.abs(first.spectra["pk_lin"] / second.spectra["pk_lin"] - 1).max() < 5e-3
    assert np.abs(first.spectra["pp"] / second.spectra["pp"] - 1)[:400].max() < 1e-2


@pytest.mark.slow
def test_power_without_neutrinos_is_that_of_class():
    power = MatterPower(("pk_lin", "pk_lin_cb"), (1e-3, 0.01, 0.1, 0.5), (0.0, 1.0))
    degenerate = {"mnu": 0.3, "num_massive_neutrinos": 3}
    first = CambTheory(degenerate, (), matter_power=power).compute(POINT).spectra
    neutrinos = {"N_ur": 0.00441, "N_ncdm": 1, "deg_ncdm": 3, "m_ncdm": 0.1}
    second = ClassTheory(neutrinos, (), matter_power=power).compute(POINT).spectra
    ratio = [found["pk_lin_cb"] / found["pk_lin"] for found in (first, second)]
    assert ratio[0].max() > 1.03
    np.testing.assert_allclose(ratio[0], ratio[1], rtol=2e-3)  # each approximates neutrinos in its own way


@pytest.mark.slow
def test_tensors_from_a_kept_solution_are_those_of_a_fresh_run():
    theory = CambTheory({"AccuracyBoost": 0.5}, ("tt", "bb"), 200, unlensed=("bb",))
    before = theory.solves
    theory.compute(POINT | {"r": 0.05})
    found = theory.compute(POINT | {"r": 0.1, "n_s": 0.97}).spectra
    assert theory.solves == before + 1
    names = {"H0": 67.3, "ombh2": 0.0224, "omch2": 0.12, "tau": 0.055, "As": 1e-10 * np.exp(3.045), "ns": 0.97}
    data = camb.get_results(camb.set_params(**names, r=0.1, lmax=200, AccuracyBoost=0.5))
    np.testing.assert_allclose(found["bb"], data.get_total_cls(200, "muK", raw_cl=True)[2:, 2], rtol=1e-6)
    truth = data.get_unlensed_total_cls(200, "muK", raw_cl=True)[2:, 2]
    np.testing.assert_allclose(found["unlensed_bb"], truth, rtol=1e-6)


def test_check_knows_what_camb_knows():
    CambTheory(COARSE, ("tt",), 200).check(POINT)
    with pytest.raises(InputError, match="a parameter that CAMB reads, got 'omega_bb'; did you mean 'omega_b'"):
        CambTheory(COARSE, ("tt",), 200).check([*POINT, "omega_bb"])


@pytest.mark.parametrize(
    ("make", "match"),
    [
        (lambda: CambTheory(spectra=("tb",)), "expected a CMB spectrum, got 'tb'"),
        (lambda: CambTheory(derived=("sigma_8",)), "of CAMB, got 'sigma_8'; did you mean 'sigma8'"),
        (lambda: CambTheory({"lmax": 3000}), "use l_max instead"),
        (lambda: CambTheory({"ns": 0.9, "n_s": 0.9}), "each CAMB input once"),
        (lambda: CambTheory(spectra=()), "got neither"),
        (lambda: CambTheory(matter_power=MatterPower(("pk_nl",), K, Z)), "try halofit_version: mead2020"),
        (lambda: CambTheory(matter_power=MatterPower(("pk_nl_cb",), K, Z)), "a method for pk_nl_cb, got none"),
        (lambda: CambTheory({"kmax": 0.2}, matter_power=MatterPower(("pk_lin",), K, Z)), "kmax of at least 0.3"),
        (lambda: CambTheory(background=Background(("rho_dr",), Z)), "background function of CAMB, got 'rho_dr'"),
        (
            lambda: CambTheory(matter_power=MatterPower(("pk_lin",), K, tuple(np.linspace(0, 1, 300).tolist()))),
            "at most 256 redshifts in CAMB, got 300",
        ),
        (lambda: CambTheory({"ns": 0.9}).check(POINT), "'ns' as a setting or as a parameter"),
    ],
)
def test_mistakes_are_named_at_once(make, match):
    with pytest.raises(InputError, match=match) as error:
        make()
    assert "\n" not in str(error.value)


def test_a_point_where_camb_fails_gives_its_reason_and_leaves_nothing_behind():
    theory = CambTheory(COARSE, ("tt",), 200)
    with pytest.raises(TheoryError) as error:
        theory.compute(POINT | {"omega_b": -0.1})
    assert "\n" not in str(error.value)


def test_a_species_without_density_is_a_reason():
    with pytest.raises(TheoryError, match="no 'rho_ncdm' in this cosmology"):
        CambTheory({"mnu": 0.0}, (), background=Background(("H", "rho_ncdm"), (0.0,))).compute(POINT)


def test_identity_feels_settings_and_outputs(monkeypatch):
    monkeypatch.setattr(ours, "camb_version", lambda: ("1", "2"))
    theories = [CambTheory({"mnu": 0.06}), CambTheory({"mnu": 0.07}), CambTheory({"mnu": 0.06}, l_max=2000)]
    theories += [CambTheory({"mnu": 0.06}, unlensed=("tt",)), CambTheory({"mnu": 0.06}, multipoles="nodes"), THEORY]
    assert len({Archive.key(theory.identity(), POINT) for theory in theories}) == 6
    assert Archive.key(CambTheory({"As": 2e-9}).identity(), {}) == Archive.key(CambTheory({"A_s": 2e-9}).identity(), {})
