"""Chains read back by ourselves and by GetDist, in both layouts."""

from dataclasses import replace

import numpy as np
import pytest
from made_chains import assert_same, chain_set, posterior

from alfonsine.errors import InputError
from alfonsine.posterior.formats.chain_set import ChainSet
from alfonsine.posterior.formats.chains import chain_texts, getdist_texts, read_chain_set, read_chains, write_chains
from alfonsine.posterior.formats.whole_files import write_together
from alfonsine.posterior.posterior import Posterior


@pytest.mark.parametrize("texts", [chain_texts, getdist_texts])
@pytest.mark.parametrize("weighted", [False, True])
def test_round_trip(tmp_path, weighted, texts):
    wanted, root = chain_set(weighted=weighted), tmp_path / "run.v1" / "chain"
    paths = write_together(texts(root, wanted))
    assert [path.name[-5:] for path in paths[:3]] == ["1.txt", "2.txt", "3.txt"]
    found = read_chain_set(root)
    assert_same(found.posterior, wanted.posterior, rtol=1e-11)
    assert (found.limits, found.latex) == (wanted.limits, wanted.latex)


def test_header_is_that_of_cobaya(tmp_path):
    write_chains(tmp_path / "c", posterior(), derived_latex={"sigma8": r"\sigma_8"})
    lines = (tmp_path / "c.1.txt").read_text().splitlines()
    assert lines[0].startswith("#")
    assert lines[0][1:].split() == (
        "weight minuslogpost omega_b H0 sigma8 minuslogprior minuslogprior__0 chi2 chi2__planck_2018 chi2__bao".split()
    )
    assert len(lines) == 41
    row = np.array(lines[1].split(), float)
    assert row[5] == row[6] == pytest.approx(3.0)  # ln p was ln L - 3
    assert row[1] == pytest.approx(row[5] + 0.5 * row[7])
    assert row[7] == pytest.approx(row[8] + row[9])


@pytest.mark.parametrize("texts", [chain_texts, getdist_texts])
def test_getdist_reads_names_labels_ranges_and_moments(tmp_path, texts):
    getdist = pytest.importorskip("getdist")
    p = posterior(weighted=True)
    limits = {"omega_b": (0.01, np.inf), "H0": (-np.inf, 90.0)}
    write_together(texts(tmp_path / "c", ChainSet(p, {"sigma8": r"\sigma_8"}, limits)))
    g = getdist.loadMCSamples(str(tmp_path / "c"), no_cache=True, settings={"ignore_rows": 0})
    assert g.getParamNames().list()[:3] == ["omega_b", "H0", "sigma8"]
    assert g.getParamNames().getRunningNames() == ["omega_b", "H0"]
    assert g.getParamNames().labels()[:3] == [r"\Omega_\mathrm{b} h^2", "H_0", r"\sigma_8"]
    assert [g.ranges.getLower(n) for n in p.names] == [0.01, None]
    assert [g.ranges.getUpper(n) for n in p.names] == [None, 90.0]
    np.testing.assert_allclose(g.mean(["omega_b", "H0"]), p.mean(), rtol=1e-10)
    np.testing.assert_allclose(g.std(["omega_b", "H0"]), p.std(), rtol=1e-10)
    np.testing.assert_allclose(g.cov(["omega_b", "H0"]), p.covariance(), rtol=1e-7)  # 12 digits, less the mean
    np.testing.assert_allclose(g.weights, p.weights, rtol=1e-11)
    np.testing.assert_allclose(g.loglikes, -p.log_posterior, rtol=1e-11)
    assert g.mean("chi2__planck_2018") == pytest.approx(p.normalised @ p.log_likelihoods["planck_2018"] * -2)


def test_old_chains_do_not_survive_and_neighbours_do(tmp_path):
    write_chains(tmp_path / "c", posterior(chains=5))
    write_chains(tmp_path / "c2", posterior(chains=2))
    write_chains(tmp_path / "c", posterior(chains=2))
    found = sorted(p.name for p in tmp_path.iterdir())
    assert found == sorted(
        f"{root}.{end}" for root in ("c", "c2") for end in ("1.txt", "2.txt", "paramnames", "ranges")
    )


def test_an_interrupted_write_leaves_the_old_files(tmp_path):
    old = {tmp_path / "a": b"old a", tmp_path / "b": b"old b"}
    write_together(old)
    with pytest.raises(TypeError):
        write_together({tmp_path / "a": b"new a", tmp_path / "b": None})
    assert {path: path.read_bytes() for path in tmp_path.iterdir()} == old


def test_names_that_columns_cannot_hold_are_refused(tmp_path):
    p = posterior()
    for name in ("a b", "a*", "#a", ""):
        bad = Posterior((name, "c"), p.latex, p.samples, p.weights, p.log_posterior, {}, p.chain)
        with pytest.raises(InputError, match="expected parameter names without space"):
            write_chains(tmp_path / "d", bad)
    with pytest.raises(InputError, match="expected every column once"):
        write_chains(tmp_path / "d", replace(p, derived={"chi2": p.derived["sigma8"]}))
    assert not list(tmp_path.iterdir())


def test_two_layouts_of_one_root_are_refused(tmp_path):
    write_together(chain_texts(tmp_path / "c", chain_set()) | getdist_texts(tmp_path / "c", chain_set()))
    with pytest.raises(InputError, match="expected chains of one layout"):
        read_chains(tmp_path / "c")


def test_a_prior_that_is_constant_but_for_rounding_is_written_constant(tmp_path):
    """As it is where only ln p and ln L of a chain are known; GetDist fails on what is neither."""
    p = posterior()
    noise = np.random.default_rng(1).normal(size=len(p)) * 1e-12 * 500
    write_chains(tmp_path / "c", replace(p, log_posterior=sum(p.log_likelihoods.values()) - 3.0 + noise))
    found = np.loadtxt(tmp_path / "c.1.txt")[:, 5]
    assert np.ptp(found) == 0 and found[0] == pytest.approx(3.0, abs=1e-9)
    slope = np.linspace(0, 1e-5, len(p))
    write_chains(tmp_path / "c", replace(p, log_posterior=p.log_posterior - slope))
    assert np.ptp(np.loadtxt(tmp_path / "c.1.txt")[:, 5]) > 1e-6
