"""The certificate: how far the emulated posterior is from the exact one, with a named outcome and advice.

Plain arrays in, one frozen record out. Sign conventions: l = ln L_exact - ln L_emulated; shifts and ratios are exact
relative to emulated.
"""

from dataclasses import dataclass
from math import isfinite

import numpy as np
from jaxtyping import Float
from scipy.stats import beta

from alfonsine.certificate.estimates import Estimate, Estimates, estimate, unknown
from alfonsine.certificate.hedge import Hedge
from alfonsine.certificate.limits import UNLIMITED, Limits, calls_needed, kl_limits
from alfonsine.certificate.outcome import (
    CANNOT_SEE,
    LEARN,
    MORE_CALLS,
    NOTHING_TO_DO,
    Finding,
    Outcome,
    outcome_of,
)
from alfonsine.certificate.pareto import khat_threshold, pareto_khat
from alfonsine.certificate.tolerance import ToleranceStatement, tolerance_statement
from alfonsine.certificate.whiten import Whitening
from alfonsine.errors import InputError

FEWEST = 12  # judging calls for a conclusion; the coverage of the limits is tested from 16 on
OFTEN = 0.1  # share of failed judging calls above which the posterior itself is at fault
MATERIAL = 0.5  # effective share of the draws below which a heavy tail of the weights is what matters
COLLAPSED = 0.1  # effective share that is too small whatever the tail
ONE_SIDED_95 = 1.645


@dataclass(frozen=True)
class Tolerance:
    """What is allowed: divergence [nats], and shift of any parameter's mean [sigma]."""

    kl: float = 0.01
    shift: float = 0.1

    def __post_init__(self) -> None:
        if not (self.kl > 0 and self.shift > 0):
            raise InputError(
                f"expected positive tolerances, got kl {self.kl:g}, shift {self.shift:g}; try 0.01 and 0.1"
            )


@dataclass(frozen=True)
class Divergence:
    """One divergence [nats]: estimate, standard error, and the limit that it exceeds in 5 % of certificates."""

    estimate: float
    error: float
    upper95: float


@dataclass(frozen=True)
class KL:
    """Both divergences and the larger of the two, which is the headline.

    estimate, error     of the larger estimate
    upper95, lower95    limits on max(D(P||P_E), D(P_E||P)); upper95 is infinite where none can be stated
    forward, reverse    D(P||P_E) (exact from emulated), D(P_E||P)
    floor               half the variance of the exact code's own noise, where the caller knows it
    """

    estimate: float
    error: float
    upper95: float
    lower95: float
    forward: Divergence
    reverse: Divergence
    floor: float | None


@dataclass(frozen=True)
class Unaccounted:
    """Judging points without an exact likelihood: number, share, and its 95 % upper limit (Clopper-Pearson)."""

    failed: int
    share: float
    upper95: float


@dataclass(frozen=True)
class Certificate:
    """See the fields' own records; `findings` are the reasons for an outcome other than pass.

    n_judged counts the exact calls that gave a likelihood; cut_off is the part of the posterior where the emulator
    cannot be asked, as far as it can be guessed (`cut_off.beyond`); ess and pareto_khat describe their weights exp(l).
    """

    outcome: Outcome
    findings: tuple[str, ...]
    advice: str
    names: tuple[str, ...]
    n_judged: int
    unaccounted: Unaccounted
    cut_off: float
    kl: KL
    shift_sigma: dict[str, Estimate]
    width_ratio: dict[str, Estimate]
    total_variation: Estimate
    delta_log_evidence: Estimate
    ess: Estimate
    pareto_khat: float
    pareto_threshold: float
    tolerance: ToleranceStatement
    allowed: Tolerance
    hedge: Hedge | None
    cannot_see: str

    @property
    def passed(self) -> bool:
        """Whether the outcome is a pass."""
        return self.outcome is Outcome.PASS


def certify(
    log_ratio: Float[np.ndarray, " n"],
    points: Float[np.ndarray, "points d"],
    names: tuple[str, ...],
    emulated: Whitening,
    *,
    log_weights: Float[np.ndarray, " weights"] | None = None,
    failed: int = 0,
    cut_off: float = 0.0,
    tempered: Hedge | None = None,
    allowed: Tolerance = Tolerance(),
    floor: float | None = None,
) -> Certificate:
    """Judge an emulated posterior by exact calls at its own draws, none of which the emulator has learned.

    log_ratio    l = ln L_exact - ln L_emulated; a value that is not finite counts as a failed call
    points       the draws, in the units of `emulated`
    emulated     moments of the emulated posterior (`whitening` or `whitening_of_samples`)
    log_weights  where the draws are weighted; None for equal weights
    failed       further draws at which the exact code gave no likelihood: never left out in silence
    cut_off      part of the posterior beyond the emulator's edges (`beyond`): no larger than the divergence may be
    tempered     what wider draws say (`hedge`); reported apart
    allowed      tolerances
    floor        half the variance of the exact code's noise in ln L [nats], if known; only reported
    """
    log_ratio, points = np.asarray(log_ratio, float), np.asarray(points, float)
    _check(log_ratio, points, names, emulated, failed)
    finite = np.isfinite(log_ratio)
    failed += int(np.sum(~finite))
    log_ratio, points = log_ratio[finite], points[finite]
    log_weights = None if log_weights is None else np.asarray(log_weights, float)[finite]
    n = len(log_ratio)
    if n == 0 and not failed:
        raise InputError("expected at least one judging point, got none; judge more draws")
    estimates = estimate(log_ratio, emulated.standardise(points), log_weights) if n else unknown(len(names))
    limits = kl_limits(log_ratio, emulated.whiten(points), log_weights) if n else UNLIMITED
    kl = _kl(estimates, limits, floor)
    log_share = log_ratio if log_weights is None else log_ratio + log_weights
    khat, threshold = pareto_khat(log_share), khat_threshold(n)
    unaccounted = _unaccounted(failed, n)
    found = _findings(kl, estimates, khat, threshold, n, unaccounted, cut_off, tempered, allowed, names)
    outcome = outcome_of([finding for finding, _ in found])
    decisive = [(f, words) for f, words in found if f.outcome is outcome]
    return Certificate(
        outcome=outcome,
        findings=tuple(f.happened.format(**words) for f, words in found),
        advice=" ".join(dict.fromkeys(f.advice.format(**words) for f, words in decisive)) or NOTHING_TO_DO,
        names=tuple(names),
        n_judged=n,
        unaccounted=unaccounted,
        cut_off=cut_off,
        kl=kl,
        shift_sigma=dict(zip(names, estimates.shift_sigma, strict=True)),
        width_ratio=dict(zip(names, estimates.width_ratio, strict=True)),
        total_variation=estimates.total_variation,
        delta_log_evidence=estimates.delta_log_evidence,
        ess=estimates.ess,
        pareto_khat=khat,
        pareto_threshold=threshold,
        tolerance=tolerance_statement(log_ratio),
        allowed=allowed,
        hedge=tempered,
        cannot_see=CANNOT_SEE,
    )


def _check(log_ratio, points, names, emulated: Whitening, failed: int) -> None:
    d = len(names)
    if points.ndim != 2 or points.shape != (len(log_ratio), d):
        raise InputError(
            f"expected points of shape ({len(log_ratio)}, {d}), got {points.shape}; one row for each log ratio"
        )
    if len(emulated.mean) != d:
        raise InputError(
            f"expected moments of {d} parameters, got {len(emulated.mean)}; pass them in the order of the names"
        )
    if failed < 0:
        raise InputError(f"expected a count of failed calls, got {failed}")
    if not np.all(np.isfinite(points)):
        raise InputError("expected finite points, got one that is not; a point without a likelihood counts as failed")


def _kl(estimates: Estimates, limits: Limits, floor: float | None) -> KL:
    larger = max(estimates.forward, estimates.reverse, key=lambda e: e.estimate)

    def divergence(value: Estimate, upper: float) -> Divergence:
        return Divergence(value.estimate, value.error, max(upper, value.estimate))

    return KL(
        larger.estimate,
        larger.error,
        max(limits.upper95, larger.estimate),
        min(limits.lower95, larger.estimate),
        divergence(estimates.forward, limits.forward_upper95),
        divergence(estimates.reverse, limits.reverse_upper95),
        floor,
    )


def _unaccounted(failed: int, n: int) -> Unaccounted:
    upper = 1.0 if n == 0 else float(beta.ppf(0.95, failed + 1, n)) if failed else 0.0
    return Unaccounted(failed, failed / (failed + n), upper)


def _findings(
    kl: KL,
    estimates: Estimates,
    khat: float,
    threshold: float,
    n: int,
    unaccounted: Unaccounted,
    cut_off: float,
    tempered: Hedge | None,
    allowed: Tolerance,
    names: tuple[str, ...],
) -> list[tuple[Finding, dict[str, object]]]:
    """Everything that stands against a pass, with the numbers to say so, failures first."""
    words: dict[str, object] = {
        "n": n, "fewest": FEWEST, "kl": kl.estimate, "lower": kl.lower95, "upper": kl.upper95, "tolerance": allowed.kl,
        "ess": estimates.ess.estimate, "khat": f"{khat:.2f}" if isfinite(khat) else "not measurable",
        "failed": unaccounted.failed, "judged": n + unaccounted.failed,
        "share": unaccounted.share, "share_upper": unaccounted.upper95, "shift_tolerance": allowed.shift,
        "cut": cut_off, "more": _more(kl.estimate, allowed.kl, n),
    }  # fmt: skip
    found: list[tuple[Finding, dict[str, object]]] = []
    if unaccounted.failed:
        often = unaccounted.share > OFTEN
        found.append((Finding.CALLS_FAILED_OFTEN if often else Finding.CALLS_FAILED, words))
    if cut_off > allowed.kl:
        found.append((Finding.CUT_OFF, words))
    if n < FEWEST:  # nothing else is concluded from so few, neither good nor bad
        return [*found, (Finding.TOO_FEW, words)]
    if kl.lower95 > allowed.kl:
        found.append((Finding.KL_EXCEEDED, words))
    elif not isfinite(kl.upper95):
        found.append((Finding.KL_UNBOUNDED, words))
    elif kl.upper95 > allowed.kl:
        found.append((Finding.KL_UNDECIDED, words))
    share = estimates.ess.estimate / n
    if share < COLLAPSED or (share < MATERIAL and khat > threshold):
        found.append((Finding.WEIGHTS_COLLAPSED, words))
    found += _shift_findings(estimates, allowed.shift, names, words)
    if tempered is not None and tempered.kl.estimate - 2 * tempered.kl.error > max(allowed.kl, kl.upper95):
        more = {"hedge": tempered.kl.estimate, "hedge_error": tempered.kl.error}
        found.append((Finding.HEDGE_DISAGREES, words | more))
    return sorted(found, key=lambda item: item[0].outcome is not Outcome.FAIL)


def _shift_findings(estimates: Estimates, allowed: float, names: tuple[str, ...], words: dict[str, object]):
    """The parameter of the largest shift, where that is or may be too large."""
    reach = [abs(s.estimate) + ONE_SIDED_95 * s.error for s in estimates.shift_sigma]
    worst = int(np.argmax(reach))
    if reach[worst] <= allowed:
        return []
    shift = estimates.shift_sigma[worst]
    exceeded = abs(shift.estimate) - ONE_SIDED_95 * shift.error > allowed
    more = {"name": names[worst], "shift": shift.estimate, "shift_error": shift.error, "shift_upper": reach[worst]}
    return [(Finding.SHIFT_EXCEEDED if exceeded else Finding.SHIFT_UNDECIDED, words | more)]


def _more(kl: float, allowed: float, n: int) -> str:
    calls = calls_needed(kl, allowed)
    return LEARN if calls is None or calls > 1000 else MORE_CALLS.format(calls=max(calls, n + 1))
