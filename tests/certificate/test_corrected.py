"""The corrected posterior of linear-Gaussian problems is the exact one."""

import numpy as np
import pytest
from wrong_emulators import wrong

from alfonsine.certificate.corrected import correct
from alfonsine.certificate.whiten import whitening, whitening_of_samples
from alfonsine.errors import InputError


@pytest.mark.parametrize("d", [2, 4])
def test_correction_moves_the_posterior_to_the_exact_one(d):
    """L is quadratic: 30 calls fix it; left is the Monte-Carlo error of 200,000 samples, tested at about 5 sigma."""
    rng = np.random.default_rng(1)
    pair = wrong(2, d, 0.3)
    theta, samples = pair.draw(rng, 30), pair.draw(rng, 200_000)
    corrected = correct(pair.log_ratio(theta), theta, whitening(pair.mean_e, pair.cov_e), samples)
    sigma = np.sqrt(np.diag(pair.cov_e))
    assert corrected.order == 2
    assert corrected.residual < 1e-3
    assert corrected.mean == pytest.approx(pair.mean_p, abs=0.02 * sigma.max())
    assert corrected.shift_sigma == pytest.approx(pair.shift, abs=0.02)
    assert corrected.width_ratio == pytest.approx(pair.width, abs=0.02)
    assert corrected.delta_log_evidence == pytest.approx(pair.delta_log_evidence, abs=0.02)
    assert np.abs(pair.shift).max() > 0.1  # there was something to correct


def test_a_linear_ratio_is_a_pure_shift():
    """log_ratio = b z with noise: the mean moves by b, the width stays; 16 calls in 6 dimensions."""
    rng = np.random.default_rng(2)
    z, samples = rng.normal(size=(16, 6)), rng.normal(size=(50_000, 6))
    b = np.array([0.3, 0.0, 0.0, -0.2, 0.0, 0.0])
    corrected = correct(z @ b + 0.01 * rng.normal(size=16), z, whitening(np.zeros(6), np.eye(6)), samples)
    assert corrected.order == 1
    assert corrected.shift_sigma == pytest.approx(b, abs=0.03)
    assert corrected.width_ratio == pytest.approx(np.ones(6), abs=0.02)
    assert corrected.residual == pytest.approx(0.01, rel=1.5)


def test_noise_is_not_corrected():
    """No skill, no weights: in 100 sets of pure noise, d = 6, n = 24, at most 8 find any; expected 2.5."""
    rng = np.random.default_rng(3)
    samples = rng.normal(size=(100, 6))
    emulated = whitening(np.zeros(6), np.eye(6))
    orders = [correct(rng.normal(size=24), rng.normal(size=(24, 6)), emulated, samples).order for _ in range(100)]
    assert np.count_nonzero(orders) <= 8


def test_without_skill_weights_are_equal():
    rng = np.random.default_rng(4)
    samples = rng.normal(size=(500, 6))
    log_ratio = 0.1 * rng.normal(size=12) + 2.0
    corrected = correct(log_ratio, rng.normal(size=(12, 6)), whitening_of_samples(samples), samples)
    assert corrected.order == 0
    assert corrected.log_weights == pytest.approx(np.zeros(500), abs=1e-12)
    assert corrected.delta_log_evidence == pytest.approx(log_ratio.mean() + 0.5 * log_ratio.var(ddof=1))
    assert corrected.ess == pytest.approx(500)


def test_weighted_samples():
    """Samples of twice the width, weighted back, give the same correction."""
    rng = np.random.default_rng(5)
    pair = wrong(4, 2, 0.3)
    emulated = whitening(pair.mean_e, pair.cov_e)
    theta = pair.draw(rng, 40)
    wide = rng.multivariate_normal(pair.mean_e, 2 * pair.cov_e, size=200_000)
    z = emulated.whiten(wide)
    weights = np.exp(-0.25 * np.sum(z**2, axis=1))
    corrected = correct(pair.log_ratio(theta), theta, emulated, wide, weights)
    assert corrected.shift_sigma == pytest.approx(pair.shift, abs=0.03)


def test_failed_calls_are_refused():
    with pytest.raises(InputError, match="leave out failed calls"):
        correct(np.array([np.nan]), np.zeros((1, 2)), whitening(np.zeros(2), np.eye(2)), np.zeros((5, 2)))
