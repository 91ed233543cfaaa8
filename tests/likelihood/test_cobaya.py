"""Likelihoods of Cobaya within the loop, against the closed forms that they are written from."""

import os
from pathlib import Path

import jax
import jax.numpy as jnp
import numpy as np
import pytest

pytest.importorskip("cobaya")

from cobaya_examples import DATA, ERROR, L_MAX, Z

from alfonsine.errors import InputError
from alfonsine.likelihood.likelihood import Around
from alfonsine.likelihood.registry import load_likelihood
from alfonsine.study.prepare import prepare
from alfonsine.study.run import run
from alfonsine.study.settings import settings_from
from alfonsine.theory.grids import OF_THE_DRAG_HORIZON

N = L_MAX - 1


def truth(bands, gain):
    return -0.5 * np.sum(((gain * bands - DATA) / ERROR) ** 2)


@pytest.fixture(scope="module")
def bands():
    return load_likelihood("cobaya_examples.Bands")


def test_it_says_what_it_reads(bands):
    assert bands.spectra == {"tt": L_MAX} and bands.nuisance == ("gain",) and bands.known_by_values
    expansion = load_likelihood("cobaya_examples.Expansion")
    assert expansion.redshifts == {"H": tuple(Z)} and expansion.nuisance == ()
    numbers = load_likelihood("cobaya_examples.Numbers")
    assert {name: numbers.spectra[name] for name in ("Omega_m", "rs_drag")} == {"Omega_m": 2, "rs_drag": 2}
    assert numbers.surfaces["pk_lin"][0].values == (0.0, 0.5, 1.0, 2.0)


def test_values_are_its_own_also_within_compiled_code(bands):
    rng = np.random.default_rng(1)
    many, gains = DATA * (1 + 0.1 * rng.normal(size=(9, N))), 1 + 0.05 * rng.normal(size=9)
    expected = [truth(row, gain) for row, gain in zip(many, gains, strict=True)]
    found = jax.jit(jax.vmap(bands.log_likelihood))(jnp.asarray(many), jnp.asarray(gains)[:, None])
    np.testing.assert_allclose(found, expected, rtol=1e-12)
    one = bands.bands({"tt": jnp.asarray(np.append(many[0], 99.0))})
    assert float(bands.log_likelihood(one, jnp.array([gains[0]]))) == pytest.approx(expected[0], rel=1e-12)


def test_units_of_the_bands_are_its_errors(bands):
    """Each band is a stretch of its own here, so the curvature is that of one Gaussian."""
    white = bands.whiten(jnp.asarray(np.eye(N)), jnp.asarray(1.1 * DATA))
    np.testing.assert_allclose(np.diag(white), 1 / ERROR, rtol=1e-5)


def test_gaussian_data_are_a_quadratic_without_error(bands):
    rng = np.random.default_rng(2)
    matrix = rng.normal(size=(N, 3))
    middle = np.linalg.lstsq(matrix, DATA, rcond=None)[0]
    near = middle + 0.05 * rng.normal(size=(40, 3))
    own = np.array([[1.0], [0.0]])  # the gain multiplies: with it the exponent is of fourth order
    folded = bands.fold(jnp.asarray(matrix), Around(near, own))
    for amplitudes in middle + 0.3 * rng.normal(size=(5, 3)):
        expected = truth(matrix @ amplitudes, 1.0)
        assert float(folded(jnp.asarray(amplitudes), jnp.ones(1))) == pytest.approx(expected, rel=1e-5)
    gradient = jax.grad(lambda a: folded(a, jnp.ones(1)))(jnp.asarray(middle))
    expected = matrix.T @ ((DATA - matrix @ middle) / ERROR**2)
    np.testing.assert_allclose(gradient, expected, rtol=1e-4, atol=1e-4 * np.abs(expected).max() + 1e-6)


def test_where_it_fails_there_is_no_likelihood():
    fragile = load_likelihood("cobaya_examples.Fragile")
    high = DATA.copy()
    high[0] = 11.0
    found = fragile.form.values(np.array([DATA, high, DATA]), np.ones((3, 1)))
    np.testing.assert_array_equal(found, [0.0, -np.inf, 0.0])


@pytest.mark.slow
def test_the_whole_loop_finds_the_closed_form(tmp_path):
    """C_l = M theta, Gaussian in theta at gain 1: mean and covariance by least squares. Seed fixed; with 2,000
    effective draws a mean is good to 0.022 sigma, so 0.1 has a false-alarm rate of 5e-6 for each of two.
    """
    matrix = np.array([[1.0, 0.2], [-0.4, 0.1], [0.3, 1.0], [0.2, 0.0], [0.5, 0.4]])
    study = {
        "theory": {"toy": {"name": "linear", "matrix": matrix.tolist()}},
        "likelihood": {"cobaya_examples.Bands": None},
        "params": {
            "x": {"prior": [-20, 20], "ref": 2.0, "proposal": 0.2},
            "y": {"prior": [-20, 20], "ref": 1.0, "proposal": 0.2},
            "gain": 1.0,
        },
        "accuracy": {"judging": 12, "calls": 60},
        "sampler": {"nuts": {"effective_samples": 2000}},
    }
    result = run(prepare(settings_from(study), tmp_path / "run"))
    weight = np.diag(ERROR**-2.0)
    covariance = np.linalg.inv(matrix.T @ weight @ matrix)
    mean = covariance @ matrix.T @ weight @ DATA
    sigma = np.sqrt(np.diag(covariance))
    posterior = result.posterior
    weights = posterior.weights / posterior.weights.sum()
    np.testing.assert_allclose((weights @ posterior.samples - mean) / sigma, 0, atol=0.1)
    spread = np.sqrt(weights @ (posterior.samples - mean) ** 2)
    np.testing.assert_allclose(spread / sigma, 1, atol=0.08)
    assert result.certificate.passed and result.certificate.kl.upper95 < 1e-8  # the quadratic is exact, too


@pytest.mark.parametrize(
    ("name", "options", "message"),
    [
        ("cobaya_examples.Sources", {}, r"Cobaya's requirement source_Cl"),
        ("cobaya_examples.Unreadable", {}, r"Cobaya can load, got: .*no data in the folder"),
        ("cobaya_examples.Nobody", {}, r"Cobaya can load, got"),
        (
            "planck_2018_highl_plik.TTTEEE_lite_native",
            {"packages_path": "/nowhere"},
            r"COBAYA_PACKAGES_PATH or the option packages_path, got none in '/nowhere'",
        ),
        ("cobaya_examples.Bands", {"external": "lambda: 0"}, r"text in external, which would be executed"),
    ],
)
def test_what_cannot_be_had_is_one_line(name, options, message):
    with pytest.raises(InputError, match=message) as error:
        load_likelihood(name, options)
    assert "\n" not in str(error.value)


@pytest.fixture
def packages(monkeypatch):
    """Cobaya's own data, where they are."""
    beside = Path(__file__).parents[3] / "shared"
    place = os.environ.get("COBAYA_PACKAGES_PATH") or beside / "cobaya_packages"
    if not (Path(place) / "data").is_dir():
        pytest.skip("Cobaya's packages folder is not here: COBAYA_PACKAGES_PATH")
    if "ALFONSINE_DATA" not in os.environ:
        monkeypatch.setenv("ALFONSINE_DATA", str(beside / "data"))
    return {"packages_path": str(place)}


def ours(name):
    try:
        return load_likelihood(name)
    except InputError as error:
        pytest.skip(str(error))


def test_planck_lite_of_cobaya_is_ours(packages):
    lite = ours("planck_2018_lite")
    theirs = load_likelihood("planck_2018_highl_plik.TTTEEE_lite_native", packages)
    reference = Path(os.environ["ALFONSINE_DATA"]) / "reference" / "camb_planck2018_bestfit_cls.npz"
    if not reference.is_file():
        pytest.skip("no reference spectra: reference/camb_planck2018_bestfit_cls.npz")
    with np.load(reference) as stored:
        cl = {name: jnp.asarray(stored[name.upper()][2:2509]) for name in ("tt", "te", "ee")}
    for gain in (1.0, 1.003):
        values = [float(each.log_likelihood(each.bands(cl), jnp.array([gain]))) for each in (lite, theirs)]
        assert values[0] == pytest.approx(values[1], abs=1e-9)


def test_desi_of_cobaya_is_ours_but_for_its_norm(packages):
    files, theirs = ours("desi_dr2_bao"), load_likelihood("bao.desi_dr2.desi_bao_all", packages)
    z = np.array(theirs.redshifts["H"])
    expansion = 69 * np.sqrt(0.3 * (1 + z) ** 3 + 0.7)
    angular, horizon = 4300 * np.log1p(z) / (1 + z), 147.0
    given = {"H": expansion, "D_A": angular, "rs_drag": np.array([horizon])}
    value = theirs.log_likelihood(theirs.bands({n: jnp.asarray(v) for n, v in given.items()}), jnp.zeros(0))
    found = {
        name: jnp.asarray([of(x, h, d, horizon) for x, h, d in zip(z, expansion, angular, strict=True) if x in at])
        for (name, at), of in zip(files.redshifts.items(), map(OF_THE_DRAG_HORIZON.get, files.redshifts), strict=True)
    }
    mine = files.log_likelihood(files.bands(found), jnp.zeros(0)) - files.form.constant
    assert float(mine) == pytest.approx(float(value), abs=1e-9 * abs(float(value)))


def test_data_that_are_not_there_are_one_line_and_nothing_else(monkeypatch, tmp_path, capfd):
    """With no folder of packages told by anybody: Cobaya itself says a TypeError."""
    monkeypatch.delenv("COBAYA_PACKAGES_PATH", raising=False)
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path))
    with pytest.raises(InputError, match=r"packages_path, got neither; .*cobaya-install bao\.desi_dr2") as error:
        load_likelihood("bao.desi_dr2.desi_bao_all", {})
    assert "\n" not in str(error.value)
    assert capfd.readouterr() == ("", "")
