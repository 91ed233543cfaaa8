"""ArviZ reads what is written for it, and what it holds comes back."""

import builtins
import logging
from dataclasses import replace

import numpy as np
import pytest
from made_chains import LIMITS, assert_same, chain_set, posterior

from alfonsine.errors import InputError
from alfonsine.posterior.formats.arviz import from_arviz, read_netcdf, to_arviz, write_netcdf


def test_arviz_reads_posterior_nc(tmp_path):
    az = pytest.importorskip("arviz")
    pytest.importorskip("h5netcdf")
    p = posterior()
    data = az.from_netcdf(str(write_netcdf(tmp_path / "posterior.nc", p)))
    assert dict(data.posterior.sizes) == {"chain": 3, "draw": 40}
    np.testing.assert_array_equal(data.posterior["H0"].values[1], p.samples[p.chain == 1, 1])
    assert data.posterior["H0"].attrs["latex"] == "H_0"
    np.testing.assert_array_equal(data.posterior["sigma8"].values.ravel(), p.derived["sigma8"])
    np.testing.assert_array_equal(data.log_likelihood["bao"].values.ravel(), p.log_likelihoods["bao"])
    np.testing.assert_array_equal(data.sample_stats["lp"].values.ravel(), p.log_posterior)
    assert [f.name for f in tmp_path.iterdir()] == ["posterior.nc"]


def test_weighted_posterior_is_resampled_for_arviz(tmp_path):
    xarray = pytest.importorskip("xarray")
    pytest.importorskip("h5netcdf")
    p = posterior(n=400, weighted=True)
    write_netcdf(tmp_path / "posterior.nc", p)
    found = xarray.open_dataset(tmp_path / "posterior.nc", group="posterior", engine="h5netcdf")
    assert dict(found.sizes) == {"chain": 1, "draw": 1200}
    # systematic resampling of 1200 points: the mean is off by well under sigma/sqrt(1200); allow that much
    assert float(found["H0"].mean()) == pytest.approx(p.mean()[1], abs=1 / np.sqrt(1200))


@pytest.mark.parametrize("through_file", [False, True])
@pytest.mark.parametrize("case", ["plain", "weighted", "unequal"])
def test_round_trip(tmp_path, case, through_file):
    az = pytest.importorskip("arviz")
    wanted = chain_set(weighted=case == "weighted")
    if case == "unequal":
        wanted = replace(wanted, posterior=wanted.posterior.take(slice(0, 100)))  # 40, 40 and 20 draws
    if through_file:
        found = read_netcdf(write_netcdf(tmp_path / "x.nc", wanted, weighted=True))
        assert_same(from_arviz(az.from_netcdf(str(tmp_path / "x.nc"))).posterior, wanted.posterior)
    else:
        found = from_arviz(to_arviz(wanted, weighted=True))
    assert_same(found.posterior, wanted.posterior)
    assert (found.limits, found.latex) == (LIMITS, wanted.latex)


def test_the_moments_are_those_that_arviz_finds():
    az = pytest.importorskip("arviz")
    p = posterior()
    summary = az.summary(to_arviz(p), kind="stats", round_to="none")
    assert summary.loc["H0", "mean"] == pytest.approx(p.mean()[1], rel=1e-14)
    assert summary.loc["H0", "sd"] == pytest.approx(p.std()[1] * np.sqrt(120 / 119), rel=1e-12)


def test_a_data_tree_is_read_too():
    xarray = pytest.importorskip("xarray")
    from alfonsine.posterior.formats.arviz import datasets

    p = posterior()
    assert_same(from_arviz(xarray.DataTree.from_dict(dict(datasets(p)))).posterior, p)


def test_vectors_become_parameters_and_pointwise_likelihoods_are_summed():
    az = pytest.importorskip("arviz")
    rng = np.random.default_rng(1)
    x, lp, points = rng.normal(size=(2, 5, 3)), rng.normal(size=(2, 5)), rng.normal(size=(2, 5, 7))
    data = az.from_dict({"x": x, "y": x[..., 0]}, sample_stats={"lp": lp}, log_likelihood={"data": points})
    found = from_arviz(data).posterior
    assert found.names == ("x[0]", "x[1]", "x[2]", "y")
    np.testing.assert_array_equal(found.samples[:, :3], x.reshape(10, 3))
    np.testing.assert_allclose(found.log_likelihoods["data"], points.sum(axis=2).ravel(), rtol=1e-14)


def test_what_is_no_posterior_is_told_in_one_line(tmp_path):
    az = pytest.importorskip("arviz")
    with pytest.raises(InputError, match="and 'lp'"):
        from_arviz(az.from_dict({"x": np.zeros((2, 5))}))
    for content in (b"", b"\x89HDF\r\n\x1a\n" + bytes(200), b"no HDF5 at all"):
        (tmp_path / "x.nc").write_bytes(content)
        with pytest.raises(
            InputError, match=r"x\.nc: expected netCDF of ArviZ, as HDF5, got a damaged file, or another kind"
        ) as told:
            read_netcdf(tmp_path / "x.nc")
        assert "\n" not in str(told.value)
    with pytest.raises(InputError, match="found none; check the path"):
        read_netcdf(tmp_path / "absent.nc")


def test_without_the_optional_packages_one_line_says_so(tmp_path, monkeypatch, caplog):
    plain_import = builtins.__import__

    def without(name, *args, **kwargs):
        if name == "h5netcdf":
            raise ImportError("No module named 'h5netcdf'", name="h5netcdf")
        return plain_import(name, *args, **kwargs)

    monkeypatch.setattr(builtins, "__import__", without)
    with caplog.at_level(logging.WARNING):
        assert write_netcdf(tmp_path / "posterior.nc", posterior()) is None
    assert caplog.messages == ["posterior.nc not written: no h5netcdf; pip install alfonsine[arviz]"]
    assert not list(tmp_path.iterdir())
