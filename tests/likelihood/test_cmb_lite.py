"""Any experiment's folder of band powers: against a plain loop, against Planck lite, and when it is malformed."""

import jax.numpy as jnp
import numpy as np
import pytest
import yaml
from scipy.stats import multivariate_normal
from small_experiment import FIRST, LAST, arrays, contents, small_experiment

from alfonsine.errors import InputError
from alfonsine.likelihood.data_sets import read_table
from alfonsine.likelihood.registry import load_likelihood

ELL = np.arange(2, 81)
CL = {"tt": 2000 / ELL**2.0, "ee": 1 / ELL**2.2}


def value_of(likelihood, nuisance):
    bands = likelihood.bands({name: jnp.asarray(cl) for name, cl in CL.items()})
    return float(likelihood.log_likelihood(bands, jnp.asarray(nuisance)))


def twin(a_map, p_map, dust):
    """The model by loops over multipoles."""
    value, covariance, windows = arrays()
    model = []
    for lo, hi in zip(FIRST, LAST, strict=True):
        ell = np.arange(lo, hi + 1)
        model.append(a_map**2 * np.mean(ell * (ell + 1) / (2 * np.pi) * CL["tt"][ell - 2]))
    for window in windows:
        model.append((a_map * p_map) ** 2 * np.sum(window * ELL * (ELL + 1) / (2 * np.pi) * CL["ee"]))
    model = np.array(model) + dust * np.array([0, 0, 0, 0.002, 0.001]) + np.array([1.0, 0.5, 0, 0, 0])
    return value, covariance, model


@pytest.mark.parametrize("nuisance", [(1.0, 1.0, 0.0), (1.02, 0.97, 0.6)])
def test_the_folder_is_the_likelihood_of_a_plain_loop(tmp_path, nuisance):
    likelihood = load_likelihood("cmb_lite", {"folder": str(small_experiment(tmp_path))})
    value, covariance, model = twin(*nuisance)
    assert likelihood.nuisance == ("A_map", "P_map", "A_dust")
    expected = multivariate_normal(value, covariance).logpdf(model)
    assert value_of(likelihood, nuisance) == pytest.approx(expected, rel=1e-10)
    bands = likelihood.bands({name: jnp.asarray(cl) for name, cl in CL.items()})
    folded = likelihood.fold(jnp.stack([bands, bands**0.5], axis=1))
    assert float(folded(jnp.array([1.0, 0.0]), jnp.asarray(nuisance))) == pytest.approx(expected, rel=1e-9)


def test_one_spectrum_is_the_others_marginalised_over(tmp_path):
    folder = str(small_experiment(tmp_path))
    likelihood = load_likelihood("cmb_lite", {"folder": folder, "spectra": ["ee"]})
    value, covariance, model = twin(1.0, 1.0, 0.5)
    expected = multivariate_normal(value[3:], covariance[3:, 3:]).logpdf(model[3:])
    assert value_of(likelihood, (1.0, 1.0, 0.5)) == pytest.approx(expected, rel=1e-10)
    assert set(likelihood.spectra) == {"ee"}
    with pytest.raises(InputError, match=r"spectra among tt, ee, got 'te'"):
        load_likelihood("cmb_lite", {"folder": folder, "spectra": ["te"]})


def test_covariances_of_simulations_and_without_normalisation(tmp_path):
    likelihood = load_likelihood(
        "cmb_lite", {"folder": str(small_experiment(tmp_path, simulations=100, normalised=False))}
    )
    value, covariance, model = twin(1.0, 1.0, 0.0)
    chi2 = (value - model) @ np.linalg.solve(covariance, value - model) * (100 - 5 - 2) / 99
    assert value_of(likelihood, (1.0, 1.0, 0.0)) == pytest.approx(-0.5 * chi2, rel=1e-10)


def test_two_experiments_in_one_study(tmp_path):
    folder = str(small_experiment(tmp_path))
    both = [load_likelihood(name, {"folder": folder}) for name in ("cmb_lite.first", "cmb_lite.second")]
    assert both[0].spectra == both[1].spectra
    assert [each.name for each in both] == ["cmb_lite.first", "cmb_lite.second"]
    with pytest.raises(InputError, match=r"expected the name of a likelihood, got 'mock_cmb\.first'"):
        load_likelihood("mock_cmb.first")


def test_a_single_band_out_of_text_files(tmp_path):
    """Files of one number, and of one row."""
    np.savetxt(tmp_path / "band.txt", [0.3])
    np.savetxt(tmp_path / "covariance.txt", [[0.04]])
    np.savetxt(tmp_path / "window.txt", np.full((1, 4), 0.25))
    block = {"spectrum": "ee", "bands": 1, "windows": {"matrix": "window.txt", "first_l": 2}}
    data = {"units": "C_l", "band_powers": "band.txt", "covariance": "covariance.txt", "spectra": [block]}
    (tmp_path / "data.yaml").write_text(yaml.safe_dump(data))
    likelihood = load_likelihood("cmb_lite", {"folder": str(tmp_path)})
    expected = multivariate_normal(0.3, 0.04).logpdf(CL["ee"][:4].mean())
    assert value_of(likelihood, ()) == pytest.approx(expected, rel=1e-10)


def planck_folder(place, source):
    """Planck lite in the folder format: its own files, edges counted from l = 0 instead of 30."""
    covariance = np.load(source / "cov_613.npz")["cov"]
    np.savez(place / "cov.npz", cov=covariance)
    (place / "bands.dat").write_bytes((source / "cl_cmb_plik_v22.dat").read_bytes())
    (place / "weight.dat").write_bytes((source / "bweight.dat").read_bytes())
    edges = [np.loadtxt(source / f"{end}.dat").astype(int) + 30 for end in ("blmin", "blmax")]
    blocks = []
    for name, n in (("tt", 215), ("te", 199), ("ee", 199)):
        for end, values in zip(("first", "last"), edges, strict=True):
            np.savetxt(place / f"{end}_{name}.dat", values[:n], fmt="%d")
        windows = {"first": f"first_{name}.dat", "last": f"last_{name}.dat", "weight": "weight.dat"}
        blocks.append(
            {
                "spectrum": name,
                "bands": n,
                "windows": windows | {"weight_first_l": 30},
                "calibration": {"A_planck": -2},
            }
        )
    data = {"units": "C_l", "band_powers": {"file": "bands.dat", "column": 2}, "normalised": False}
    data |= {"covariance": {"file": "cov.npz", "array": "cov"}, "spectra": blocks}
    (place / "data.yaml").write_text(yaml.safe_dump(data))
    return place


@pytest.mark.parametrize("spectra", [None, ["tt"], ["te", "ee"]])
def test_planck_lite_as_a_folder_is_planck_lite(tmp_path, data_folder, spectra):
    source = data_folder("planck2018_lite")
    options = {"folder": str(planck_folder(tmp_path, source))} | ({} if spectra is None else {"spectra": spectra})
    ours = load_likelihood("cmb_lite", options)
    planck = load_likelihood("planck_2018_lite", {"spectra": "".join(spectra or ["tt", "te", "ee"]).upper()})
    ell, *dl = read_table("planck2018_lite", "Dl_planck2015fit.dat").T
    cl = {n: jnp.asarray(d * 2 * np.pi / (ell * (ell + 1))) for n, d in zip(("tt", "te", "ee"), dl, strict=True)}
    for a_planck in (1.0, 1.004):
        values = [float(each.log_likelihood(each.bands(cl), jnp.array([a_planck]))) for each in (ours, planck)]
        assert values[0] == pytest.approx(values[1], abs=1e-10)
    assert ours.nuisance == planck.nuisance and ours.spectra == planck.spectra


def write(folder, **changed):
    (folder / "data.yaml").write_text(yaml.safe_dump(contents() | changed))


def block(which, **changed):
    blocks = contents()["spectra"]
    blocks[which] |= changed
    return {"spectra": blocks}


def bins(**changed):
    return block(0, windows={"first": FIRST, "last": LAST} | changed)


MALFORMED = {
    "unknown key": (lambda f: write(f, unit="D_l"), r"data.yaml:46: unknown key 'unit'; did you mean 'units'"),
    "key of windows": (
        lambda f: write(f, **bins(wieght="x")),
        r"data.yaml:28: spectra.tt.windows: unknown key 'wieght'; did you mean 'weight'",
    ),
    "key of a matrix": (
        lambda f: write(f, **block(1, windows={"matrix": "windows.txt", "frist_l": 2})),
        r"data.yaml:37: spectra.ee.windows: unknown key 'frist_l'; did you mean 'first_l'",
    ),
    "missing": (lambda f: write(f, units=None), r"data.yaml:46: units: expected 'C_l', 'D_l', .*, got None"),
    "no spectra": (lambda f: write(f, spectra=[]), r"data.yaml:14: spectra: expected at least one entry, got"),
    "spectrum": (
        lambda f: write(f, **block(0, spectrum="xx")),
        r"data.yaml:18: spectra.xx.spectrum: expected 'tt', 'te'.*got 'xx'",
    ),
    "twice": (
        lambda f: write(f, **block(0, spectrum="ee")),
        r"data.yaml:28: spectra.ee: expected each spectrum once, got ee, ee; remove",
    ),
    "too few bands": (
        lambda f: write(f, **block(0, bands=2)),
        r"data.yaml:1: band_powers: expected 4 numbers in column 2 of .*bands.txt \(column 1 is the first\), got 5; "
        r"correct the file, or the bands of the spectra \(2 \+ 2\)",
    ),
    "bands of a spectrum": (
        lambda f: write(f, **block(1, ell=[25.0])),
        r"data.yaml:\d+: spectra.ee.ell: expected 2 numbers in this list, got 1; correct it, or the bands of this spec",
    ),
    "covariance": (lambda f: np.savez(f / "cov.npz", cov=np.eye(4)), r"expected 5 x 5 numbers in .*cov.npz, got 4 x 4"),
    "asymmetric": (
        lambda f: np.savez(f / "cov.npz", cov=np.tri(5)),
        r"data.yaml:5: covariance: expected a symmetric covariance",
    ),
    "not positive": (lambda f: np.savez(f / "cov.npz", cov=-np.eye(5)), r"positive definite"),
    "words for numbers": (
        lambda f: np.savez(f / "cov.npz", cov=np.array(["a"])),
        r"array 'cov' in .*instead of numbers",
    ),
    "objects": (
        lambda f: np.savez(f / "cov.npz", cov=np.array([{}], dtype=object)),
        r"array 'cov' in .*cov.npz, got: no array",
    ),
    "no array": (lambda f: np.savez(f / "cov.npz", c=np.eye(5)), r"array 'cov' in"),
    "no name": (
        lambda f: write(f, covariance="cov.npz"),
        r"data.yaml:5: covariance: expected {file: cov.npz, array: its name}",
    ),
    "no file": (
        lambda f: write(f, covariance="cov.txt"),
        r"data.yaml:5: covariance: expected the file .*cov.txt, got no such file",
    ),
    "a folder": (lambda f: write(f, covariance="."), r"got no such file"),
    "a device": (lambda f: write(f, covariance="/dev/zero"), r"got no such file"),
    "a long name": (lambda f: write(f, covariance="x" * 5000), r"got no such file"),
    "column": (
        lambda f: write(f, band_powers={"file": "bands.txt", "column": 9}),
        r"bands.txt, got 2 columns in line 1, where column 9 is asked for \(column 1 is the first\)",
    ),
    "columns without one": (
        lambda f: write(f, band_powers="bands.txt"),
        r"expected 5 numbers in .*bands.txt, got 5 x 2; name one column: {file: bands.txt, column: 2}",
    ),
    "column 0": (
        lambda f: write(f, band_powers={"file": "bands.txt", "column": 0}),
        r"greater than or equal to 1, got 0",
    ),
    "text": (
        lambda f: (f / "bands.txt").write_text("one two"),
        r"yaml:1: band_powers: expected a table of numbers in .*, got 'two' in line 1, column 2 .*; correct the file",
    ),
    "text below comments": (
        lambda f: (f / "bands.txt").write_text("# l D_l\n1 2\n\n2 3  # fine\n3 x\n4 5\n5 6\n"),
        r"bands.txt, got 'x' in line 5, column 2 \(column 1 is the first\)",
    ),
    "a short line": (
        lambda f: (f / "windows.txt").write_text("# of EE\n1 2 3\n1 2\n"),
        r"spectra.ee.windows.matrix: expected a table of numbers in .*, got 2 columns in line 3, and 3 above it",
    ),
    "binary": (lambda f: (f / "bands.txt").write_bytes(b"\xff\xfe\x00"), r"table of numbers in .*bands.txt"),
    "empty": (lambda f: (f / "bands.txt").write_text(""), r"expected n numbers in column 2 of .*bands.txt .*, got 0"),
    "nan": (lambda f: (f / "bands.txt").write_text("1 nan\n" * 5), r"finite numbers in .*bands.txt"),
    "windows": (lambda f: np.savetxt(f / "windows.txt", np.ones((3, 9))), r"expected 2 x n numbers in .*windows.txt"),
    "zero windows": (
        lambda f: np.savetxt(f / "windows.txt", np.zeros((2, 9))),
        r"data.yaml:\d+: spectra.ee.windows: expected windows with weights",
    ),
    "overlap": (
        lambda f: write(f, **bins(last=[20, 34, 60])),
        r"data.yaml:19: spectra.tt.windows: expected bins from l = 2 on, one after",
    ),
    "fraction": (
        lambda f: write(f, **bins(last=[19.5, 34, 60])),
        r"spectra.tt.windows.last: expected whole multipoles",
    ),
    "a word among numbers": (
        lambda f: write(f, **bins(last=[19, 34, "x"])),
        r"data.yaml:27: spectra.tt.windows.last: number 3: expected a number, got 'x'",
    ),
    "no bands": (
        lambda f: write(f, spectra=[{"spectrum": "tt"}]),
        r"data.yaml:\d+: spectra.tt: expected 'bands', got none; add it",
    ),
    "no spectrum": (
        lambda f: write(f, spectra=[{"bands": 3}]),
        r"data.yaml:\d+: spectra.entry 1: expected 'spectrum', got none; add it",
    ),
    "huge": (lambda f: write(f, **bins(last=[19, 34, 10**12])), r"expected whole multipoles from 2 to 20000"),
    "short weight": (lambda f: write(f, **bins(weight=[1.0] * 9)), r"weights up to l = 60"),
    "calibration": (
        lambda f: write(f, **block(0, calibration={"A": 0.5})),
        r"data.yaml:17: spectra.tt.calibration.A: expected a whole number, got 0.5",
    ),
    "same names": (
        lambda f: write(f, templates={"A_map": [0.0] * 5}),
        r"data.yaml:40: templates.A_map: expected different names of calibrations and templates",
    ),
    "few simulations": (
        lambda f: write(f, simulations=9),
        r"simulations: expected a number greater than or equal to 10, got 9",
    ),
    "not yaml": (lambda f: (f / "data.yaml").write_text("a: [1"), r"data.yaml:1: expected YAML"),
    "not a mapping": (lambda f: (f / "data.yaml").write_text("- 1"), r"expected keys such as band_powers"),
    "tag": (
        lambda f: (f / "data.yaml").write_text("a: !!python/object/apply:os.getcwd []"),
        r"expected plain values, got a tag",
    ),
    "key twice": (
        lambda f: (f / "data.yaml").write_text("units: D_l\nunits: C_l"),
        r"data.yaml:2: expected each key once, got 'units' again \(first on line 1\)",
    ),
    "bomb": (
        lambda f: (f / "data.yaml").write_text(
            "a: &a [1, 1]\n"
            + "".join(f"{b}: &{b} [*{a}, *{a}, *{a}, *{a}]\n" for a, b in zip("abcdefghi", "bcdefghij", strict=True))
        ),
        r"expected at most 200000 values, got more",
    ),
    "no data.yaml": (lambda f: (f / "data.yaml").unlink(), r"expected a folder with data.yaml"),
    "bytes": (lambda f: (f / "data.yaml").write_bytes(b"\xff\xfe"), r"expected text in UTF-8"),
}


@pytest.mark.parametrize("case", MALFORMED)
def test_malformed_folders_are_told_in_one_line(tmp_path, case):
    damage, message = MALFORMED[case]
    damage(small_experiment(tmp_path))
    with pytest.raises(InputError, match=message) as error:
        load_likelihood("cmb_lite", {"folder": str(tmp_path)})
    assert str(error.value).count("data.yaml") <= 1
    assert "\n" not in str(error.value) and len(str(error.value)) < 600 + 2 * len(str(tmp_path)) + 5000 * (
        "long" in case
    )
