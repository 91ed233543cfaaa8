"""Outcomes, advice, and the written certificate."""

import json
from dataclasses import FrozenInstanceError

import numpy as np
import pytest
from wrong_emulators import wrong

from alfonsine.certificate.certificate import Tolerance, certify
from alfonsine.certificate.hedge import hedge
from alfonsine.certificate.outcome import Finding, Outcome
from alfonsine.certificate.record import as_dict, from_json, to_json
from alfonsine.certificate.whiten import whitening, whitening_of_samples
from alfonsine.errors import InputError

NAMES = ("a", "b", "c")
UNIT = whitening(np.zeros(3), np.eye(3))


def judged(n, size, seed=0, **more):
    """A certificate of a shifted emulator: log_ratio = size * z_a, divergence size^2/2."""
    z = np.random.default_rng(seed).normal(size=(n, 3))
    return certify(size * z[:, 0] + 2.0, z, NAMES, UNIT, **more)


def test_a_good_emulator_passes():
    certificate = judged(24, 0.02)
    assert certificate.outcome is Outcome.PASS
    assert certificate.passed
    assert certificate.findings == ()
    assert certificate.kl.estimate < certificate.kl.upper95 < 0.01


@pytest.mark.parametrize(
    ("n", "size", "more", "outcome", "advice"),
    [
        (24, 1.0, {}, Outcome.FAIL, "learn these points"),
        (24, 0.11, {"allowed": Tolerance(shift=9.0)}, Outcome.INCONCLUSIVE, "Judge about"),
        (24, 0.3, {"allowed": Tolerance(kl=9.0)}, Outcome.FAIL, "reweighted posterior already"),
        (24, 0.1, {"allowed": Tolerance(kl=9.0)}, Outcome.INCONCLUSIVE, "error of a shift"),
        (8, 0.02, {}, Outcome.INCONCLUSIVE, "Judge at least 12"),
        (1, 0.02, {}, Outcome.INCONCLUSIVE, "Judge at least 12"),
        (24, 0.02, {"failed": 1}, Outcome.INCONCLUSIVE, "Repeat the failed calls"),
        (24, 0.02, {"failed": 8}, Outcome.FAIL, "list of failures"),
    ],
)
def test_every_limit_has_its_outcome_and_advice(n, size, more, outcome, advice):
    certificate = judged(n, size, **more)
    assert certificate.outcome is outcome
    assert advice in certificate.advice
    assert "{" not in certificate.advice + "".join(certificate.findings)


def test_findings_are_whole_sentences():
    for finding in Finding:
        assert finding.happened.endswith(".")
        assert finding.advice.endswith(".") or finding is Finding.KL_UNDECIDED
    for outcome in Outcome:
        assert outcome.sentence.endswith(".")


def test_failures_are_not_dropped():
    """A log ratio that is not finite is a failed call; 1 of 25, with the limit of scipy's exact binomial test."""
    from scipy.stats import binomtest

    rng = np.random.default_rng(1)
    z = rng.normal(size=(25, 3))
    log_ratio = 0.01 * z[:, 0]
    log_ratio[3] = -np.inf
    certificate = certify(log_ratio, z, NAMES, UNIT)
    assert certificate.outcome is Outcome.INCONCLUSIVE
    assert certificate.n_judged == 24
    assert certificate.unaccounted.failed == 1
    expected = binomtest(1, 25).proportion_ci(confidence_level=0.9).high
    assert certificate.unaccounted.upper95 == pytest.approx(expected)


@pytest.mark.parametrize("answered", [0, 1, 5])
def test_hardly_any_answer_is_a_failure_with_advice(answered):
    log_ratio = np.r_[np.zeros(answered), np.full(24 - answered, np.nan)]
    certificate = certify(log_ratio, np.zeros((24, 3)), NAMES, UNIT)
    assert certificate.outcome is Outcome.FAIL and "exclude by the prior" in certificate.advice
    assert certificate.unaccounted.failed == 24 - answered and certificate.n_judged == answered
    again = from_json(to_json(certificate))
    assert again.outcome is Outcome.FAIL and again.kl.upper95 == certificate.kl.upper95
    assert np.isnan(again.delta_log_evidence.estimate) == (answered == 0)


def test_numbers_are_those_of_the_pair():
    """Shifts, widths, evidence within 5 of their errors for 200 draws."""
    pair = wrong(7, 3, 0.2)
    theta = pair.draw(np.random.default_rng(8), 200)
    certificate = certify(pair.log_ratio(theta), theta, NAMES, whitening(pair.mean_e, pair.cov_e))
    for k, name in enumerate(NAMES):
        shift, width = certificate.shift_sigma[name], certificate.width_ratio[name]
        assert abs(shift.estimate - pair.shift[k]) < 5 * shift.error
        assert abs(width.estimate - pair.width[k]) < 5 * width.error
    evidence = certificate.delta_log_evidence
    assert abs(evidence.estimate - pair.delta_log_evidence) < 5 * evidence.error
    assert certificate.kl.upper95 > max(pair.forward, pair.reverse)


def test_collapsed_weights_fail():
    """Divergence 5 nats: the estimate says it is big and the advice says what collapsed."""
    certificate = judged(100, np.sqrt(10.0), seed=2)
    assert certificate.outcome is Outcome.FAIL
    assert certificate.kl.estimate > 1
    assert any("Pareto" in finding for finding in certificate.findings)


def test_tempered_draws_see_a_second_peak():
    """The exact posterior has a second peak, 30 % of its mass at 5 sigma: draws of the emulated one never go there.

    Half of the tempered draws (flattened 9-fold: width 3) do. Fixed seed.
    """
    rng = np.random.default_rng(9)

    def log_ratio(z):
        return np.logaddexp(np.log(0.7), np.log(0.3) + 5 * z[:, 0] - 12.5)

    z, wide = rng.normal(size=(24, 3)), rng.normal(size=(40, 3)) * [3.0, 1.0, 1.0]
    log_weights = -0.5 * wide[:, 0] ** 2 * (1 - 1 / 9)
    wider = hedge(log_ratio(wide), wide, log_weights)
    alone = certify(log_ratio(z), z, NAMES, UNIT)
    assert alone.outcome is Outcome.PASS  # the blind spot, which the certificate states
    assert "not seen" in alone.cannot_see or "none" in alone.cannot_see
    hedged = certify(log_ratio(z), z, NAMES, UNIT, tempered=wider)
    assert hedged.outcome is Outcome.INCONCLUSIVE
    assert "tempered points" in hedged.advice
    assert wider.kl.estimate > 0.1


def test_tempered_draws_of_a_good_emulator_agree():
    """The hedge estimates the same divergence as the draws, within 5 of its errors, and does not disturb a pass."""
    rng = np.random.default_rng(10)
    wide = rng.normal(size=(200, 3)) * np.sqrt(2.0)
    wider = hedge(0.05 * wide[:, 0], wide, -0.25 * np.sum(wide**2, axis=1))
    assert abs(wider.kl.estimate - 0.00125) < 5 * wider.kl.error
    assert judged(24, 0.02, tempered=wider).outcome is Outcome.PASS


def test_written_and_read_back():
    rng = np.random.default_rng(11)
    wide = rng.normal(size=(30, 3)) * 1.4
    wider = hedge(0.02 * wide[:, 0], wide, -0.25 * np.sum(wide**2, axis=1))
    for certificate in (judged(24, 0.02, tempered=wider, floor=1.5e-4), judged(30, 0.5), judged(60, 0.1)):
        text = to_json(certificate)
        assert to_json(from_json(text)) == text
        again = from_json(text)
        assert (again.outcome, again.kl, again.shift_sigma) == (
            certificate.outcome,
            certificate.kl,
            certificate.shift_sigma,
        )


def test_json_is_strict_and_has_the_promised_keys():
    stored = json.loads(to_json(judged(3, 0.02)), parse_constant=lambda name: pytest.fail(f"{name} in JSON"))
    assert stored["kl"]["upper95"] is None  # no limit from three draws
    assert from_json(json.dumps(stored)).kl.upper95 == np.inf
    promised = {"outcome", "advice", "kl", "shift_sigma", "pareto_khat", "ess", "delta_log_evidence", "tolerance"}
    assert promised <= set(as_dict(judged(24, 0.02)))
    assert {"estimate", "upper95", "forward", "reverse"} <= set(stored["kl"])


def test_the_record_is_frozen():
    with pytest.raises(FrozenInstanceError):
        judged(24, 0.02).advice = "all is well"


def test_weighted_draws():
    """Wider draws, weighted back, certify the same emulator."""
    rng = np.random.default_rng(12)
    z = rng.normal(size=(60, 3)) * 1.2
    certificate = certify(0.02 * z[:, 0], z, NAMES, UNIT, log_weights=-0.5 * np.sum(z**2, axis=1) * (1 - 1 / 1.44))
    assert certificate.outcome is Outcome.PASS
    assert certificate.kl.upper95 > 0.0002


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: certify(np.zeros(3), np.zeros((4, 3)), NAMES, UNIT), "one row for each"),
        (lambda: certify(np.zeros(3), np.zeros((3, 3)), NAMES, whitening(np.zeros(2), np.eye(2))), "moments of 3"),
        (lambda: certify(np.zeros(0), np.zeros((0, 3)), NAMES, UNIT), "at least one judging point"),
        (lambda: whitening(np.zeros(2), np.ones((2, 2))), "singular"),
        (lambda: whitening(np.zeros(2), np.eye(3)), "2 x 2"),
        (lambda: whitening_of_samples(np.zeros((2, 2))), "more samples"),
        (lambda: Tolerance(kl=-1.0), "positive tolerances"),
        (lambda: from_json("[]"), "a certificate in JSON"),
    ],
)
def test_bad_input_is_told(call, message):
    with pytest.raises(InputError, match=message):
        call()
