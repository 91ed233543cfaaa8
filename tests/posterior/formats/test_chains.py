"""Chains read back by ourselves, by GetDist and by ArviZ."""

import builtins
import logging

import numpy as np
import pytest

from alfonsine.errors import InputError
from alfonsine.posterior.formats.arviz import write_netcdf
from alfonsine.posterior.formats.chains import read_chains, write_atomically, write_chains
from alfonsine.posterior.posterior import Posterior


def posterior(chains: int = 3, n: int = 40, weighted: bool = False) -> Posterior:
    rng = np.random.default_rng(0)
    total = chains * n
    lnl = {"planck_2018": -500 + rng.normal(size=total), "bao": rng.normal(size=total)}
    return Posterior(
        names=("omega_b", "H0"),
        latex=(r"\Omega_\mathrm{b} h^2", "H_0"),
        samples=rng.normal(size=(total, 2)) * [1e-4, 1.0] + [0.0224, 67.0],
        weights=rng.random(total) if weighted else np.ones(total),
        log_posterior=sum(lnl.values()) - 3.0,
        log_likelihoods=lnl,
        chain=np.repeat(np.arange(chains), n),
        derived={"sigma8": rng.normal(size=total) * 0.01 + 0.81},
    )


@pytest.mark.parametrize("weighted", [False, True])
def test_round_trip(tmp_path, weighted):
    p = posterior(weighted=weighted)
    paths = write_chains(tmp_path / "run.v1" / "chain", p)
    assert [path.name for path in paths[:3]] == ["chain.1.txt", "chain.2.txt", "chain.3.txt"]
    q = read_chains(tmp_path / "run.v1" / "chain")
    assert q.names == p.names and q.latex == p.latex
    np.testing.assert_array_equal(q.chain, p.chain)
    for ours, theirs in [
        (q.samples, p.samples),
        (q.weights, p.weights),
        (q.log_posterior, p.log_posterior),
        (q.derived["sigma8"], p.derived["sigma8"]),
        *((q.log_likelihoods[k], p.log_likelihoods[k]) for k in p.log_likelihoods),
    ]:
        np.testing.assert_allclose(ours, theirs, rtol=1e-11)
    assert set(q.derived) == {"sigma8"} and set(q.log_likelihoods) == set(p.log_likelihoods)


def test_header_is_that_of_cobaya(tmp_path):
    write_chains(tmp_path / "c", posterior(), derived_latex={"sigma8": r"\sigma_8"})
    lines = (tmp_path / "c.1.txt").read_text().splitlines()
    assert lines[0].startswith("#")
    assert lines[0][1:].split() == (
        "weight minuslogpost omega_b H0 sigma8 minuslogprior chi2 chi2__planck_2018 chi2__bao".split()
    )
    assert len(lines) == 41
    row = np.array(lines[1].split(), float)
    assert row[5] == pytest.approx(3.0)  # ln p was ln L - 3
    assert row[1] == pytest.approx(row[5] + 0.5 * row[6])
    assert row[6] == pytest.approx(row[7] + row[8])


def test_getdist_reads_names_labels_ranges_and_moments(tmp_path):
    getdist = pytest.importorskip("getdist")
    p = posterior(weighted=True)
    write_chains(tmp_path / "c", p, np.array([0.01, -np.inf]), np.array([np.inf, 90.0]), {"sigma8": r"\sigma_8"})
    g = getdist.loadMCSamples(str(tmp_path / "c"), no_cache=True, settings={"ignore_rows": 0})
    assert g.getParamNames().list()[:3] == ["omega_b", "H0", "sigma8"]
    assert g.getParamNames().getRunningNames() == ["omega_b", "H0"]
    assert g.getParamNames().labels()[:3] == [r"\Omega_\mathrm{b} h^2", "H_0", r"\sigma_8"]
    assert [g.ranges.getLower(n) for n in p.names] == [0.01, None]
    assert [g.ranges.getUpper(n) for n in p.names] == [None, 90.0]
    np.testing.assert_allclose(g.mean(["omega_b", "H0"]), p.mean(), rtol=1e-10)
    np.testing.assert_allclose(g.std(["omega_b", "H0"]), p.std(), rtol=1e-10)
    assert g.mean("chi2__planck_2018") == pytest.approx(p.normalised @ p.log_likelihoods["planck_2018"] * -2)


def test_old_chains_do_not_survive_and_neighbours_do(tmp_path):
    write_chains(tmp_path / "c", posterior(chains=5))
    write_chains(tmp_path / "c2", posterior(chains=2))
    write_chains(tmp_path / "c", posterior(chains=2))
    found = sorted(p.name for p in tmp_path.iterdir())
    assert found == sorted(
        f"{root}.{end}" for root in ("c", "c2") for end in ("1.txt", "2.txt", "paramnames", "ranges")
    )


def test_an_interrupted_write_leaves_the_old_file(tmp_path):
    path = tmp_path / "a"
    write_atomically(path, lambda f: f.write(b"old"))

    def fail(file):
        file.write(b"half")
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        write_atomically(path, fail)
    assert path.read_text() == "old"
    assert list(tmp_path.iterdir()) == [path]


def test_bad_chains_are_one_clear_line(tmp_path):
    with pytest.raises(InputError, match="got 0 chains and no list of names"):
        read_chains(tmp_path / "absent")
    write_chains(tmp_path / "c", posterior())
    (tmp_path / "c.2.txt").write_text("1 2 3\n")
    with pytest.raises(InputError, match="expected 9 columns"):
        read_chains(tmp_path / "c")
    (tmp_path / "c.2.txt").write_text("1 2 three\n")
    with pytest.raises(InputError, match="the file is damaged"):
        read_chains(tmp_path / "c")
    p = posterior()
    bad = Posterior(("a b", "c"), p.latex, p.samples, p.weights, p.log_posterior, {}, p.chain)
    with pytest.raises(InputError, match="got 'a b'"):
        write_chains(tmp_path / "d", bad)


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
