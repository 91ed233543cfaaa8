"""Estimates against closed forms of Gaussian posteriors."""

import numpy as np
import pytest
from wrong_emulators import wrong

from alfonsine.certificate.estimates import estimate
from alfonsine.certificate.whiten import whitening
from alfonsine.errors import InputError


def estimates_of(pair, theta, log_weights=None):
    standardised = whitening(pair.mean_e, pair.cov_e).standardise(theta)
    return estimate(pair.log_ratio(theta), standardised, log_weights)


def total_variation(pair, rng):
    """By brute force, from a million draws: error below 1e-3."""
    theta = pair.draw(rng, 1_000_000)
    return np.mean(np.maximum(1 - np.exp(pair.log_ratio(theta) - pair.delta_log_evidence), 0))


@pytest.mark.parametrize("size", [0.1, 0.3])
def test_many_draws_give_the_closed_forms(size):
    """Each of 10 numbers within 5 of its own standard errors: a false alarm in 2e5 runs."""
    rng = np.random.default_rng(1)
    pair = wrong(3, 3, size)
    found = estimates_of(pair, pair.draw(rng, 2000))
    truth = [
        (found.forward, pair.forward),
        (found.reverse, pair.reverse),
        (found.delta_log_evidence, pair.delta_log_evidence),
        (found.total_variation, total_variation(pair, rng)),
        *zip(found.shift_sigma, pair.shift, strict=True),
        *zip(found.width_ratio, pair.width, strict=True),
    ]
    for value, expected in truth:
        assert abs(value.estimate - expected) < 5 * value.error + 1e-3 * abs(expected)
        assert value.error < 0.1


def test_errors_are_the_scatter():
    """Jackknife errors against the scatter of 400 repeats, n = 50: each ratio is known to 4 %, tested at 25 %."""
    rng = np.random.default_rng(2)
    pair = wrong(5, 3, 0.2)
    repeats = [estimates_of(pair, pair.draw(rng, 50)) for _ in range(400)]

    def both(pick):
        values = np.array([[pick(r).estimate, pick(r).error] for r in repeats])
        return values[:, 0].std(), np.sqrt(np.mean(values[:, 1] ** 2)), values[:, 0].mean()

    for pick, truth in (
        (lambda r: r.forward, pair.forward),
        (lambda r: r.reverse, pair.reverse),
        (lambda r: r.delta_log_evidence, pair.delta_log_evidence),
        (lambda r: r.shift_sigma[1], pair.shift[1]),
        (lambda r: r.width_ratio[2], pair.width[2]),
    ):
        scatter, error, mean = both(pick)
        assert error == pytest.approx(scatter, rel=0.25)
        assert abs(mean - truth) < 5 * scatter / 20  # the jackknife leaves no bias: a false alarm in 3e5 runs each


def test_small_ratios_give_half_the_unbiased_variance():
    """D = Var(l)/2 in both directions as l -> 0, with n - 1 in the denominator."""
    rng = np.random.default_rng(3)
    log_ratio = 1e-3 * rng.normal(size=16) + 5.0
    found = estimate(log_ratio, rng.normal(size=(16, 2)))
    half = 0.5 * log_ratio.var(ddof=1)
    assert found.forward.estimate == pytest.approx(half, rel=5e-3)
    assert found.reverse.estimate == pytest.approx(half, rel=5e-3)
    assert found.delta_log_evidence.estimate == pytest.approx(log_ratio.mean(), abs=1e-6)


def test_a_large_divergence_is_seen_to_be_large():
    """A pure shift of 5 nats from 24 draws: underestimated, not missed. Fixed seeds, 50 of them, all above 1."""
    for seed in range(50):
        z = np.random.default_rng(seed).normal(size=(24, 2))
        found = estimate(np.sqrt(10.0) * z[:, 0], z)
        assert max(found.forward.estimate, found.reverse.estimate) > 1.0


def test_weights_stand_for_repeated_draws():
    rng = np.random.default_rng(4)
    pair = wrong(6, 2, 0.3)
    theta = pair.draw(rng, 30)
    twice = np.concatenate([theta, theta[:10]])
    weighted = estimates_of(pair, theta, np.log(np.r_[np.full(10, 2.0), np.ones(20)]))
    repeated = estimates_of(pair, twice)
    assert weighted.shift_sigma[0].estimate == pytest.approx(repeated.shift_sigma[0].estimate, abs=0.01)
    assert weighted.delta_log_evidence.estimate == pytest.approx(repeated.delta_log_evidence.estimate, abs=0.01)


def test_one_draw_has_no_error():
    found = estimate(np.array([0.3]), np.zeros((1, 2)))
    assert found.delta_log_evidence.estimate == pytest.approx(0.3)
    assert found.reverse.estimate == 0.0
    assert np.isnan(found.reverse.error)


def test_pairs_are_required():
    with pytest.raises(InputError, match="as many log ratios as points"):
        estimate(np.zeros(3), np.zeros((4, 2)))
