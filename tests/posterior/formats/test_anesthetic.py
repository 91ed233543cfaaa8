"""anesthetic holds the same weights, moments and labels, gives them back, and reads our files."""

from dataclasses import replace

import numpy as np
import pytest
from made_chains import LIMITS, assert_same, chain_set

from alfonsine.errors import InputError
from alfonsine.posterior.formats.anesthetic import anesthetic_texts, from_anesthetic, to_anesthetic
from alfonsine.posterior.formats.chains import chain_texts, getdist_texts
from alfonsine.posterior.formats.whole_files import write_together

pandas = pytest.importorskip("pandas")
_formatter = pandas.io.formats.format.DataFrameFormatter
anesthetic = pytest.importorskip("anesthetic")
pandas.io.formats.format.DataFrameFormatter = _formatter  # which it exchanges for one that breaks print in pandas 3
pytestmark = [pytest.mark.filterwarnings(f"ignore::Warning:{module}") for module in ("anesthetic", "pandas")]


@pytest.mark.parametrize("weighted", [False, True])
def test_round_trip(weighted):
    wanted = chain_set(weighted=weighted)
    found = from_anesthetic(to_anesthetic(wanted))
    assert_same(replace(found.posterior, log_posterior=wanted.posterior.log_posterior), wanted.posterior)
    np.testing.assert_allclose(found.posterior.log_posterior, wanted.posterior.log_posterior, rtol=1e-14)
    assert (found.limits, found.latex) == (LIMITS, wanted.latex)


def test_moments_are_those_that_anesthetic_finds():
    chains = chain_set(weighted=True)
    p, samples = chains.posterior, to_anesthetic(chains)
    np.testing.assert_array_equal(samples.get_weights(), p.weights)
    np.testing.assert_allclose(samples[["omega_b", "H0"]].mean(), p.mean(), rtol=1e-12)
    covariance = samples[["omega_b", "H0"]].drop_labels().cov().to_numpy()
    correction = covariance[1, 1] / p.covariance()[1, 1]
    assert 0.999999 < correction < 1.03  # it may count the effective samples
    np.testing.assert_allclose(covariance, correction * p.covariance(), rtol=1e-9)
    assert samples.get_label("sigma8") == r"$\sigma_8$"
    np.testing.assert_allclose(samples["logL"], sum(p.log_likelihoods.values()), rtol=1e-14)


@pytest.mark.parametrize("texts", [chain_texts, getdist_texts, anesthetic_texts])
def test_it_reads_our_chains(tmp_path, texts):
    chains = chain_set(weighted=True)
    p = chains.posterior
    write_together(texts(tmp_path / "c", chains))
    samples = anesthetic.read_chains(str(tmp_path / "c"))
    np.testing.assert_allclose(samples.get_weights(), p.weights, rtol=1e-11)
    means = [*p.mean(), p.normalised @ p.derived["sigma8"]]
    np.testing.assert_allclose(samples[["omega_b", "H0", "sigma8"]].mean(), means, rtol=1e-11)
    assert samples.get_label("H0") == "$H_0$"
    if texts is anesthetic_texts:
        np.testing.assert_allclose(samples["logL"], sum(p.log_likelihoods.values()), rtol=1e-11)


def test_what_lacks_a_height_or_a_name_is_told():
    samples = anesthetic.MCMCSamples(data=np.zeros((4, 2)), columns=["a", "b"])
    with pytest.raises(InputError, match="expected the column logL or minuslogpost"):
        from_anesthetic(samples)
    with pytest.raises(InputError, match="expected the parameters c, got a, b"):
        from_anesthetic(samples, sampled=["c"])
