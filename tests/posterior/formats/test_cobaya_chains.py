"""Cobaya reads our chains, and we read those that its own sampler wrote."""

from dataclasses import replace

import numpy as np
import pytest
import yaml
from made_chains import LIMITS, assert_same, chain_set, posterior

from alfonsine.errors import InputError
from alfonsine.posterior.formats.chain_set import ChainSet
from alfonsine.posterior.formats.chains import read_chain_set
from alfonsine.posterior.formats.cobaya_input import read_input
from alfonsine.posterior.formats.convert import cobaya_texts
from alfonsine.posterior.formats.covmat import read_covmat
from alfonsine.posterior.formats.whole_files import write_together


@pytest.fixture
def cobaya():
    return pytest.importorskip("cobaya")


@pytest.mark.filterwarnings("ignore::Warning")
@pytest.mark.parametrize("weighted", [False, True])
def test_load_samples_reads_our_chains(cobaya, tmp_path, weighted):
    from cobaya.output import load_samples

    chains = chain_set(weighted=weighted)
    p = chains.posterior
    write_together(cobaya_texts(tmp_path / "c", chains))
    found = load_samples(str(tmp_path / "c"))
    assert [len(one) for one in found] == [40, 40, 40]
    together = load_samples(str(tmp_path / "c"), combined=True)
    assert together.temperature == pytest.approx(1.0)
    np.testing.assert_allclose(together["weight"], p.weights, rtol=1e-11)
    np.testing.assert_allclose(together["minuslogpost"], -p.log_posterior, rtol=1e-11)
    np.testing.assert_allclose(together["chi2__bao"], -2 * p.log_likelihoods["bao"], rtol=1e-11)
    np.testing.assert_allclose(together.mean(), p.mean(), rtol=1e-11)
    unbiased = together.cov()[1, 1] / p.covariance()[1, 1]
    np.testing.assert_allclose(together.cov(), unbiased * p.covariance(), rtol=1e-7)
    assert 0.999999 < unbiased < 1.03
    plotted = load_samples(str(tmp_path / "c"), to_getdist=True)
    assert plotted.getParamNames().getRunningNames() == ["omega_b", "H0"]
    assert plotted.ranges.getLower("H0") == 20.0


@pytest.mark.filterwarnings("ignore::Warning")
def test_joint_priors_are_read_in_one_column_of_all_priors(cobaya, tmp_path):
    from cobaya.output import load_samples

    chains = chain_set()
    n = len(chains.posterior)
    priors = {"0": np.full(n, -2.0), "both": np.linspace(-1.5, -0.5, n)}
    lnl = sum(chains.posterior.log_likelihoods.values())
    told = replace(chains.posterior, log_priors=priors, log_posterior=lnl + sum(priors.values()))
    write_together(cobaya_texts(tmp_path / "c", replace(chains, posterior=told)))
    found = load_samples(str(tmp_path / "c"), combined=True)
    np.testing.assert_allclose(found["minuslogprior__0"], 2.0 + np.linspace(1.5, 0.5, n), rtol=1e-11)


def test_round_trip_without_a_list_of_names(tmp_path):
    wanted = chain_set(weighted=True)
    texts = cobaya_texts(tmp_path / "c", wanted)
    write_together({path: text for path, text in texts.items() if path.suffix not in (".paramnames", ".ranges")})
    found = read_chain_set(tmp_path / "c")  # as Cobaya leaves them
    assert_same(found.posterior, wanted.posterior, rtol=1e-11)
    assert (found.limits, found.latex) == (LIMITS, wanted.latex)
    (tmp_path / "c.updated.yaml").unlink()
    assert read_chain_set(tmp_path / "c").posterior.names == ("omega_b", "H0", "sigma8")


def test_no_input_is_made_up_where_a_prior_is_not_known(tmp_path):
    chains = replace(chain_set(), limits={"H0": (20.0, 100.0)})
    assert not [path for path in cobaya_texts(tmp_path / "c", chains) if path.suffix == ".yaml"]
    known = replace(chains, priors={"omega_b": {"dist": "norm", "loc": 0.0224, "scale": 1e-4}})
    assert [path.name for path in cobaya_texts(tmp_path / "c", known) if path.suffix == ".yaml"] == ["c.updated.yaml"]


def test_a_normal_that_is_cut_keeps_its_density(cobaya, tmp_path):
    from scipy.stats import truncnorm

    prior = {"dist": "norm", "loc": 70.0, "scale": 5.0, "min": 60.0, "max": 90.0}
    chains = ChainSet(posterior(), {}, LIMITS, {"H0": prior})
    text = cobaya_texts(tmp_path / "c", chains)[tmp_path / "c.updated.yaml"]
    given = yaml.safe_load(text)["params"]["H0"]["prior"]
    assert given.pop("dist") == "truncnorm"
    assert truncnorm(**given).support() == (60.0, 90.0)
    assert truncnorm(**given).logpdf(70.0) - truncnorm(**given).logpdf(75.0) == pytest.approx(0.5)


def test_a_sum_of_likelihoods_is_not_counted_twice(tmp_path):
    (tmp_path / "c.1.txt").write_text(
        "# weight minuslogpost a chi2__CMB minuslogprior minuslogprior__0 chi2 chi2__tt chi2__ee\n"
        "1 7 0.1 8 2 2 10 6 4\n2 8 0.2 9 2 2 12 7 5\n"
    )
    found = read_chain_set(tmp_path / "c").posterior
    assert list(found.log_likelihoods) == ["tt", "ee"]
    assert found.names == ("a", "chi2__CMB")
    np.testing.assert_array_equal(found.log_likelihoods["tt"], [-3.0, -3.5])


@pytest.mark.filterwarnings("ignore::Warning")
def test_chains_of_cobayas_own_sampler(cobaya, tmp_path):
    """Its mcmc on a Gaussian, at a fixed seed; of 4,000 such steps the mean is off by 0.3 sigma once in 10^4."""
    from cobaya.run import run

    covariance = np.array([[0.04, 0.01], [0.01, 0.05]])
    info = {
        "likelihood": {"gaussian_mixture": {"means": [0.2, 0.1], "covs": [covariance.tolist()], "derived": False,
                                            "input_params_prefix": "a_"}},
        "params": {
            "a_0": {"prior": {"min": -3, "max": 3}, "latex": r"\alpha_0"},
            "a_1": {"prior": {"dist": "norm", "loc": 0, "scale": 10}},
            "twice": {"derived": "lambda a_0: 2*a_0", "latex": "2a"},
        },
        "sampler": {"mcmc": {"seed": 1, "max_samples": 4000, "covmat": covariance.tolist(),
                             "covmat_params": ["a_0", "a_1"]}},
        "output": str(tmp_path / "g"),
    }  # fmt: skip
    _, sampler = run(info, no_mpi=True)
    theirs = sampler.products(skip_samples=0)["sample"]
    chains = read_chain_set(tmp_path / "g")
    p = chains.posterior
    assert p.names == ("a_0", "a_1") and list(p.derived) == ["twice"]
    assert p.latex == (r"\alpha_0", "a_1") and chains.latex == {"twice": "2a"}
    assert chains.limits == {"a_0": (-3.0, 3.0), "a_1": (-np.inf, np.inf)}
    assert list(p.log_likelihoods) == ["gaussian_mixture"]
    np.testing.assert_allclose(p.weights, theirs["weight"])
    np.testing.assert_allclose(p.samples, np.column_stack([theirs["a_0"], theirs["a_1"]]), rtol=1e-7)  # eight digits
    np.testing.assert_allclose(p.log_posterior, -np.asarray(theirs["minuslogpost"]), rtol=1e-7)
    np.testing.assert_allclose(p.mean(), theirs.mean(), rtol=1e-6)
    np.testing.assert_allclose(p.derived["twice"], 2 * p.samples[:, 0], rtol=1e-6)
    assert np.all(np.abs(p.mean() - [0.2, 0.1]) < 0.3 * np.sqrt(np.diag(covariance)))
    learned = read_covmat(tmp_path / "g.covmat")  # the proposal that it learned
    assert learned.names == p.names


def test_an_input_that_is_none_is_told(tmp_path):
    for text, told in {
        "params: [1": r"in\.yaml:\d+: expected YAML of plain values",
        "likelihood: {}": "expected the block params",
        "params: 3": "expected the block params",
        "[1, 2]": "expected the block params",
        "": "expected the block params",
        "params: {a: {prior: 3}}": "expected a prior such as",
        "params: {a: {prior: {min: low, max: 1}}}": "expected a number for min",
        "params: !!python/object/apply:os.system [ls]": "expected YAML of plain values",
        "params: {a: 2001-13-45}": "expected YAML of plain values",
        "[" * 5000: "expected YAML of plain values",
    }.items():
        (tmp_path / "in.yaml").write_text(text)
        with pytest.raises(InputError, match=told) as error:
            read_input(tmp_path / "in.yaml")
        assert "\n" not in str(error.value)
