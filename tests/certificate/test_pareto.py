"""k-hat against another code, and against draws of known tail."""

import arviz
import numpy as np
import pytest
from scipy.stats import genpareto

from alfonsine.certificate.pareto import fit_generalised_pareto, khat_threshold, pareto_khat


@pytest.mark.parametrize("n", [40, 100, 1000])
@pytest.mark.parametrize("spread", [0.1, 1.0, 3.0])
def test_agrees_with_arviz(n, spread):
    """Same published method, other code: they differ by conventions of the tail's threshold only."""
    log_weights = spread * np.random.default_rng(n).normal(size=n)
    _, theirs = arviz.psislw(log_weights.copy())
    assert pareto_khat(log_weights) == pytest.approx(float(theirs), abs=0.02)


@pytest.mark.parametrize("k", [-0.5, 0.1, 0.7, 1.2])
def test_known_tail(k):
    """2000 draws of scipy's generalised Pareto: k to (1 + k)/sqrt(2000) = 0.05 at most; 5 sigma, 1 in 2e6."""
    draws = np.sort(genpareto(k, scale=3.0).rvs(2000, random_state=7))
    fitted, scale = fit_generalised_pareto(draws)
    assert fitted == pytest.approx(k, abs=5 * (1 + abs(k)) / np.sqrt(2000))
    assert scale == pytest.approx(3.0, rel=0.3)


def test_agrees_with_maximum_likelihood():
    """Scipy's maximum of the likelihood: for 500 draws within a third of the standard error."""
    draws = np.sort(genpareto(0.4).rvs(500, random_state=8))
    expected, _, scale = genpareto.fit(draws, floc=0)
    fitted, fitted_scale = fit_generalised_pareto(draws)
    assert fitted == pytest.approx(expected, abs=0.02)
    assert fitted_scale == pytest.approx(scale, rel=0.03)


def test_weights_of_a_wide_exact_posterior():
    """Exact N(0, c) from draws of N(0, 1): the tail index is 1 - 1/c, here 3/4; it converges slowly."""
    z = np.random.default_rng(9).normal(size=20_000)
    assert pareto_khat(0.5 * 0.75 * z**2) == pytest.approx(0.75, abs=0.25)


def test_too_few_and_equal():
    assert np.isnan(pareto_khat(np.zeros(16)))
    assert pareto_khat(np.zeros(100)) == -np.inf


def test_threshold():
    """Values of the notes on certification: .41 (50), .50 (100), .565 (200), 0.7 from 2155 on."""
    assert [khat_threshold(n) for n in (50, 100, 200, 5000)] == pytest.approx([0.41, 0.50, 0.565, 0.7], abs=2e-3)
