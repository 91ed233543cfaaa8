"""Posteriors made up for tests of formats: two sampled parameters, a derived one, two data sets."""

import numpy as np

from alfonsine.posterior.formats.chain_set import ChainSet
from alfonsine.posterior.posterior import Posterior

LIMITS = {"omega_b": (0.01, 0.05), "H0": (20.0, 100.0)}


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


def chain_set(**about: int | bool) -> ChainSet:
    return ChainSet(posterior(**about), {"sigma8": r"\sigma_8"}, LIMITS)


def assert_same(found: Posterior, wanted: Posterior, rtol: float = 0.0) -> None:
    """All that a posterior holds, but for its diagnostics."""
    assert (found.names, found.latex) == (wanted.names, wanted.latex)
    np.testing.assert_array_equal(found.chain, wanted.chain)
    for name in ("samples", "weights", "log_posterior"):
        np.testing.assert_allclose(getattr(found, name), getattr(wanted, name), rtol=rtol)
    for name in ("log_likelihoods", "derived"):
        ours, theirs = getattr(found, name), getattr(wanted, name)
        assert list(ours) == list(theirs)
        for key in theirs:
            np.testing.assert_allclose(ours[key], theirs[key], rtol=rtol)
