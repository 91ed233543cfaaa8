"""R-hat and effective sizes against another code and against the closed form of an autoregressive chain."""

import numpy as np
import pytest
from scipy.signal import lfilter

from alfonsine.posterior import convergence


def autoregressive(seed: int, phi: float, m: int = 4, n: int = 500, d: int = 3) -> np.ndarray:
    """x_t = phi x_{t-1} + e_t, started in equilibrium."""
    rng = np.random.default_rng(seed)
    noise = rng.normal(size=(m, n, d))
    noise[:, 0] /= np.sqrt(1 - phi**2)
    return lfilter([1.0], [1.0, -phi], noise, axis=1)


CHAINS = {
    "independent": autoregressive(1, 0.0),
    "correlated": autoregressive(2, 0.9),
    "antithetic": autoregressive(3, -0.7),
    "odd": autoregressive(4, 0.5, n=333),
    "many": autoregressive(5, 0.3, m=32, n=100),
    "one": autoregressive(6, 0.6, m=1),
    "shifted": autoregressive(7, 0.2) + np.arange(4)[:, None, None],
    "stretched": autoregressive(8, 0.2) * np.arange(1, 5)[:, None, None],
    "rounded": np.round(autoregressive(9, 0.5), 1),
    "heavy": np.tan(1.5 * np.tanh(autoregressive(10, 0.4))),
}


@pytest.mark.parametrize("name", CHAINS)
def test_agrees_with_arviz(name):
    az = pytest.importorskip("arviz")
    chains = CHAINS[name]
    theirs = {
        convergence.r_hat: lambda x: az.rhat(x, method="rank"),
        convergence.ess_bulk: lambda x: az.ess(x, method="bulk"),
        convergence.ess_tail: lambda x: az.ess(x, method="tail"),
        convergence.ess_mean: lambda x: az.ess(x, method="mean"),
    }
    if len(chains) == 1:
        del theirs[convergence.r_hat]  # of a single chain they give none
    for ours, their in theirs.items():
        expected = [float(their(chains[:, :, i])) for i in range(chains.shape[2])]
        np.testing.assert_allclose(ours(chains), expected, rtol=1e-6, err_msg=ours.__name__)


@pytest.mark.parametrize("phi", [-0.5, 0.0, 0.5, 0.9])
def test_autoregressive_chain_has_its_closed_form_size(phi):
    """n_eff/n = (1 - phi)/(1 + phi); over 20 parameters the mean estimate scatters by about 1 %; 5 % is 4 sigma."""
    chains = autoregressive(11, phi, m=8, n=4000, d=20)
    expected = 8 * 4000 * (1 - phi) / (1 + phi)
    assert np.mean(convergence.ess_mean(chains)) == pytest.approx(expected, rel=0.05)
    assert np.mean(convergence.ess_bulk(chains)) == pytest.approx(expected, rel=0.05)


def test_r_hat_sees_a_chain_elsewhere_and_a_chain_of_another_width():
    good = CHAINS["independent"]
    assert np.all(convergence.r_hat(good) < 1.02)
    assert np.all(convergence.r_hat(CHAINS["shifted"]) > 1.3)
    assert np.all(convergence.r_hat(CHAINS["stretched"]) > 1.05)


def test_a_trend_within_the_chains_is_seen():
    drifting = CHAINS["independent"] + np.linspace(0, 3, 500)[:, None]
    assert np.all(convergence.r_hat(drifting) > 1.2)


def test_broken_chains_have_no_size():
    broken = CHAINS["independent"].copy()
    broken[0, 0, 0] = np.nan
    assert np.all(np.isnan(convergence.ess_mean(broken)))
