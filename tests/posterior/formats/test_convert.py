"""`alfonsine convert`: from any form to any other, whole or not at all."""

import sys

import numpy as np
import pytest
from made_chains import LIMITS, assert_same, chain_set

from alfonsine import cli
from alfonsine.errors import InputError
from alfonsine.posterior.formats.chains import chain_texts
from alfonsine.posterior.formats.convert import CHAINS, FORMATS, convert
from alfonsine.posterior.formats.covmat import read_covmat
from alfonsine.posterior.formats.read_any import read_posterior
from alfonsine.posterior.formats.whole_files import write_together

STUDY = """\
params:
  omega_b: {prior: {min: 0.01, max: 0.05}, latex: 'x'}
  H0: {prior: {dist: norm, loc: 70, scale: 5e0}}
  sigma8: {latex: 's'}
"""


@pytest.fixture
def run_folder(tmp_path):
    write_together(chain_texts(tmp_path / "run" / "chain", chain_set()))
    (tmp_path / "run" / "study.yaml").write_text(STUDY)
    return tmp_path / "run"


def place(folder, to):
    return folder / ("x.nc" if to == "arviz" else "x.covmat" if to.startswith("covmat") else "x")


@pytest.mark.parametrize("to", [*CHAINS, "arviz"])
def test_a_run_is_converted_and_read_back(run_folder, tmp_path, to):
    if to == "arviz":
        pytest.importorskip("h5netcdf")
    source = read_posterior(run_folder)
    written = convert(run_folder, to, place(tmp_path / "out", to))
    assert sorted(written) == sorted(p for p in (tmp_path / "out").rglob("*") if p.is_file())
    found = read_posterior(place(tmp_path / "out", to))
    p, q = found.posterior, source.posterior
    np.testing.assert_allclose(p.mean(), q.mean(), rtol=1e-11)
    np.testing.assert_allclose(p.covariance(), q.covariance(), rtol=1e-6)
    np.testing.assert_allclose(sum(p.log_likelihoods.values()), sum(q.log_likelihoods.values()), rtol=1e-10)
    assert found.limits == LIMITS and found.latex == {"sigma8": r"\sigma_8"}
    if to not in ("montepython", "anesthetic"):  # which hold ln L in the place of ln p
        assert_same(p, q, rtol=1e-11)
    if to == "cobaya":
        assert found.priors["H0"] == {"dist": "norm", "loc": 70.0, "scale": 5.0}


@pytest.mark.parametrize("to", ["covmat", "covmat-montepython"])
def test_matrices(run_folder, tmp_path, to):
    [path] = convert(run_folder, to, tmp_path / "x.covmat")
    np.testing.assert_allclose(read_covmat(path).matrix, read_posterior(run_folder).posterior.covariance())
    [other] = convert(path, "covmat", tmp_path / "y.covmat")
    np.testing.assert_array_equal(read_covmat(other).matrix, read_covmat(path).matrix)
    with pytest.raises(InputError, match="expected covmat or covmat-montepython for a matrix, got --to getdist"):
        convert(path, "getdist", tmp_path / "z")


def test_burn_in_is_left_out_of_each_chain(run_folder, tmp_path):
    convert(run_folder, "getdist", tmp_path / "x", skip=0.25)
    kept = read_posterior(tmp_path / "x").posterior
    assert np.unique(kept.chain, return_counts=True)[1].tolist() == [30, 30, 30]
    np.testing.assert_allclose(kept.samples[0], read_posterior(run_folder).posterior.samples[10], rtol=1e-11)


@pytest.mark.parametrize("to", FORMATS)
def test_nothing_is_written_over(run_folder, tmp_path, to):
    if to == "arviz":
        pytest.importorskip("h5netcdf")
    convert(run_folder, to, place(tmp_path / "out", to))
    before = {p: p.read_bytes() for p in (tmp_path / "out").rglob("*") if p.is_file()}
    with pytest.raises(InputError, match=r"expected a new place, got .* which exists"):
        convert(run_folder, to, place(tmp_path / "out", to))
    assert {p: p.read_bytes() for p in (tmp_path / "out").rglob("*") if p.is_file()} == before


def test_an_unknown_format_is_refused_with_those_that_are_known(run_folder, tmp_path, monkeypatch, capsys):
    monkeypatch.setattr(
        sys, "argv", ["alfonsine", "convert", str(run_folder), "--to", "getdisc", "-o", str(tmp_path / "x")]
    )
    with pytest.raises(SystemExit) as left:
        cli.main()
    assert left.value.code == 2
    line = capsys.readouterr().err
    assert f"expected one of {', '.join(FORMATS)}, got 'getdisc'; did you mean 'getdist'?" in line
    assert line.count("\n") == 1


def test_a_folder_without_chains(tmp_path):
    with pytest.raises(InputError, match=r"expected a run folder with .* found neither"):
        read_posterior(tmp_path)
    with pytest.raises(InputError, match="found neither such a folder nor absent"):
        read_posterior(tmp_path / "absent")


def test_a_full_disk_leaves_nothing(run_folder, tmp_path, monkeypatch):
    import os

    def full(handle):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(OSError):
        convert(run_folder, "cobaya", tmp_path / "out" / "x")
    assert not list((tmp_path / "out").iterdir())
