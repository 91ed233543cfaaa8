"""The record: weighted moments against numpy, and what it refuses."""

import numpy as np
import pytest

from alfonsine.errors import InputError
from alfonsine.posterior.posterior import Posterior


def weighted(n: int = 60, seed: int = 0, integer: bool = True) -> Posterior:
    rng = np.random.default_rng(seed)
    weights = rng.integers(0, 4, n).astype(float) if integer else rng.random(n)
    return Posterior(
        names=("a", "b"),
        latex=("a", r"\beta"),
        samples=rng.normal(size=(n, 2)) @ np.array([[1.0, 0.5], [0.0, 2.0]]),
        weights=weights,
        log_posterior=rng.normal(size=n),
        log_likelihoods={"one": rng.normal(size=n)},
        chain=np.repeat([0, 1, 2], n // 3),
        derived={"c": rng.normal(size=n)},
    )


def test_moments_are_those_of_repeated_samples():
    p = weighted()
    repeated = np.repeat(p.samples, p.weights.astype(int), axis=0)
    np.testing.assert_allclose(p.mean(), repeated.mean(axis=0), rtol=1e-12)
    np.testing.assert_allclose(p.covariance(), np.cov(repeated.T, ddof=0), rtol=1e-12)
    np.testing.assert_allclose(p.std(), repeated.std(axis=0), rtol=1e-12)


def test_quantiles_of_equal_weights():
    """Linear between mid-ranks: Hazen's definition."""
    p = weighted()
    p = Posterior(p.names, p.latex, p.samples, np.full(60, 0.3), p.log_posterior, {}, p.chain)
    for q in (0.025, 0.5, 0.84):
        np.testing.assert_allclose(p.quantile(q), np.quantile(p.samples, q, axis=0, method="hazen"))
    assert p.quantile([0.16, 0.84]).shape == (2, 2)


def test_resampling_repeats_by_weight():
    p = weighted(integer=False)
    drawn = p.resampled(1000, np.random.default_rng(1))
    counts = np.array([np.sum(np.all(drawn.samples == row, axis=1)) for row in p.samples])
    expected = 1000 * p.weights / p.weights.sum()
    assert np.all(np.abs(counts - expected) < 1)
    assert np.all(drawn.weights == 1) and set(drawn.derived) == {"c"}


def test_reweighting_and_thinning():
    p = weighted()
    q = p.reweighted(np.log(np.arange(1, 61.0)) + 500)
    np.testing.assert_allclose(q.normalised, p.weights * np.arange(1, 61) / np.sum(p.weights * np.arange(1, 61)))
    np.testing.assert_allclose(q.log_posterior - p.log_posterior, np.log(np.arange(1, 61)) + 500)
    t = p.thinned(7)
    assert len(t) == 7 and np.all(np.diff(t.chain) >= 0)
    assert len(p.thinned(1000)) == 60


def test_of_chains_keeps_their_order():
    chains = np.random.default_rng(2).normal(size=(4, 50, 2))
    lnp = np.arange(200.0).reshape(4, 50)
    p = Posterior.of(["a", "b"], ["a", "b"], chains, lnp, {"divergences": 0})
    np.testing.assert_array_equal(p.samples[p.chain == 2], chains[2])
    np.testing.assert_array_equal(p.log_posterior[p.chain == 1], lnp[1])
    assert p.diagnostics["chains"] == 4 and p.diagnostics["divergences"] == 0
    assert set(p.diagnostics["ess_tail"]) == {"a", "b"}
    assert 50 < p.ess < 1000
    assert p.best() == 199


def test_columns_by_name():
    p = weighted()
    np.testing.assert_array_equal(p.column("b"), p.samples[:, 1])
    np.testing.assert_array_equal(p.column("c"), p.derived["c"])
    with pytest.raises(InputError, match="unknown parameter 'cc'; did you mean 'c'"):
        p.column("cc")


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"names": ("a",)}, "one name and one label"),
        ({"weights": np.full(60, -1.0)}, "not negative"),
        ({"weights": np.zeros(60)}, "not all zero"),
        ({"chain": np.arange(60)[::-1].copy()}, "ordered by chain"),
    ],
)
def test_refuses(change, message):
    p = weighted()
    fields = {name: getattr(p, name) for name in p.__dataclass_fields__}
    with pytest.raises(InputError, match=message):
        Posterior(**{**fields, **change})
