"""Planck 2018 likelihoods against the values that their sources quote, and against a plain loop."""

import jax.numpy as jnp
import numpy as np
import pytest

from alfonsine.errors import InputError
from alfonsine.likelihood.registry import load_likelihood
from alfonsine.theory.class_spectra import nodes
from alfonsine.theory.output import Axis


@pytest.fixture
def lite(data_folder, monkeypatch):
    folder = data_folder("planck2018_lite")
    monkeypatch.setenv("ALFONSINE_DATA", str(folder.parent))
    return folder


@pytest.fixture
def lowl(data_folder, monkeypatch):
    folder = data_folder("planck2018_lowl")
    monkeypatch.setenv("ALFONSINE_DATA", str(folder.parent))
    return folder


def reference_spectra(folder):
    file = folder / "Dl_planck2015fit.dat"
    if not file.is_file():
        pytest.skip(f"the reference spectra {file} are not here")
    ell, *dl = np.loadtxt(file, unpack=True)
    return {
        name: jnp.asarray(d * 2 * np.pi / (ell * (ell + 1))) for name, d in zip(("tt", "te", "ee"), dl, strict=True)
    }


@pytest.mark.parametrize(
    ("spectra", "low", "quoted"),
    [
        ("TTTEEE", False, -291.33481235418026),
        ("TTTEEE", True, -293.95586501795134),
        ("TT", False, -101.58123068722583),
        ("TT", True, -104.20228335099686),
    ],
)
def test_lite_reference_values(lite, spectra, low, quoted):
    likelihood = load_likelihood("planck_2018_lite", {"spectra": spectra, "low_l_tt_bins": low})
    bands = likelihood.bands(reference_spectra(lite))
    assert float(likelihood.log_likelihood(bands, jnp.ones(1))) == pytest.approx(quoted, abs=1e-8)


@pytest.mark.parametrize(("spectra", "blocks"), [("TE", [1]), ("EE", [2]), ("TTEE", [0, 2]), ("TEEE", [1, 2])])
def test_lite_subsets_and_calibration_against_a_plain_loop(lite, spectra, blocks):
    cl = reference_spectra(lite)
    read = {f: np.loadtxt(lite / f) for f in ("blmin.dat", "blmax.dat", "bweight.dat", "cl_cmb_plik_v22.dat")}
    start = (0, 215, 414, 613)
    index, model = [], []
    for b in blocks:
        spectrum = np.asarray(cl[("tt", "te", "ee")[b]])
        index += range(start[b], start[b + 1])
        for lo, hi in zip(read["blmin.dat"], read["blmax.dat"], strict=True):
            ell = np.arange(int(lo), int(hi) + 1) + 30
            model.append(read["bweight.dat"][ell - 30] @ spectrum[ell - 2])
            if len(model) == len(index):
                break
    residual = read["cl_cmb_plik_v22.dat"][index, 1] - np.array(model) / 1.01**2
    covariance = np.load(lite / "cov_613.npz")["cov"][np.ix_(index, index)]
    expected = -0.5 * residual @ np.linalg.solve(covariance, residual)
    likelihood = load_likelihood("planck_2018_lite", {"spectra": spectra})
    value = likelihood.log_likelihood(likelihood.bands(cl), jnp.array([1.01]))
    assert float(value) == pytest.approx(expected, rel=1e-9)


@pytest.mark.parametrize(("step", "error", "change"), [(20, 0.1, 0.05), (40, 0.4, 0.2)])
def test_lite_from_nodes_is_lite_from_all_multipoles(lite, step, error, change):
    """Spectra of another code, at the steps of CLASS with l_linstep 20, as in the examples, and its default 40.

    `error` is that of all bands together, in errors of the data; `change` that of ln L.
    """
    likelihood, cl = load_likelihood("planck_2018_lite", {"low_l_tt_bins": True}), reference_spectra(lite)
    at = np.array(nodes(2508, linstep=step))
    coarse = likelihood.at(dict.fromkeys(cl, Axis("l", "", tuple(at.astype(float)))))
    bands, found = likelihood.bands(cl), coarse.bands({name: values[at - 2] for name, values in cl.items()})
    assert 0 < np.linalg.norm(likelihood.whiten((found - bands)[None], bands)) < error
    values = [float(likelihood.log_likelihood(b, jnp.ones(1))) for b in (bands, found)]
    assert abs(values[1] - values[0]) < change


def test_lite_says_what_it_needs(lite):
    likelihood = load_likelihood("planck_2018_lite", {})
    assert likelihood.spectra == {"tt": 2508, "te": 1996, "ee": 1996}
    assert likelihood.nuisance == ("A_planck",)
    assert {name: p.ell.size for name, p in likelihood.points.items()} == {"tt": 215, "te": 199, "ee": 199}
    assert load_likelihood("planck_2018_lite", {"low_l_tt_bins": True}).points["tt"].ell.size == 217


def test_lite_points_lie_near_the_reference_spectrum(lite):
    """Chi-square of the points per point is near one, so that they and their errors are in the units of D_l."""
    likelihood = load_likelihood("planck_2018_lite", {"spectra": "TT"})
    points, cl = likelihood.points["tt"], reference_spectra(lite)["tt"]
    ell = np.arange(2, cl.size + 2)
    model = np.interp(points.ell, ell, cl * ell * (ell + 1) / (2 * np.pi))
    assert 0.5 < float(np.mean(((model - points.value) / points.error) ** 2)) < 2


@pytest.mark.parametrize(("name", "quoted"), [("tt", -11.660801515314658), ("ee", 9.656235151568294)])
def test_low_l_reference_values(lowl, name, quoted):
    file = lowl / "example_Cl.txt"
    if not file.is_file():
        pytest.skip(f"the reference spectra {file} are not here")
    likelihood = load_likelihood(f"planck_2018_lowl_{name}")
    bands = likelihood.bands({name: jnp.asarray(np.genfromtxt(file, names=True)[name.upper()])})
    assert likelihood.nuisance == ()
    assert float(likelihood.log_likelihood(bands, jnp.zeros(0))) == pytest.approx(quoted, abs=1e-9)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"spectra": "TTT"}, "one of TT, TE, EE"),
        ({"spectra": "EE", "low_l_tt_bins": True}, "TT among the spectra"),
    ],
)
def test_malformed_options(options, message):
    with pytest.raises(InputError, match=message):
        load_likelihood("planck_2018_lite", options)


def test_files_that_are_not_what_they_should_be(lite, tmp_path, monkeypatch):
    copy = tmp_path / "planck2018_lite"
    copy.mkdir()
    for file in lite.iterdir():
        (copy / file.name).symlink_to(file)
    monkeypatch.setenv("ALFONSINE_DATA", str(tmp_path))
    for file, contents, message in (
        ("bweight.dat", "no numbers", "table of numbers"),
        ("cov_613.npz", "no archive", "array 'cov'"),
        ("cl_cmb_plik_v22.dat", "1 2 3\n4 5 6\n", "613 bands"),
    ):
        (copy / file).unlink()
        (copy / file).write_text(contents)
        with pytest.raises(InputError, match=message):
            load_likelihood("planck_2018_lite", {})
        (copy / file).unlink()
        (copy / file).symlink_to(lite / file)
