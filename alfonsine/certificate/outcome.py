"""What a certificate can conclude, and what to do next, in whole sentences."""

from enum import Enum


class Outcome(Enum):
    """Value as written to certificate.json; `sentence` says what it means."""

    PASS = "pass"
    FAIL = "fail"
    INCONCLUSIVE = "inconclusive"

    @property
    def sentence(self) -> str:
        """What happened."""
        return _SENTENCE[self]


_SENTENCE = {
    Outcome.PASS: "The emulated posterior agrees with that of the exact code to the accuracy that was asked for.",
    Outcome.FAIL: "The emulated posterior differs from that of the exact code by more than was allowed.",
    Outcome.INCONCLUSIVE: "The exact calls made so far do not decide whether the emulated posterior is good enough.",
}


class Finding(Enum):
    """One thing that stands between a certificate and a pass: the outcome it leads to, what happened, what to try.

    The braces are filled with the numbers of the certificate at hand.
    """

    KL_EXCEEDED = (
        Outcome.FAIL,
        "The KL divergence is above {tolerance:.3g} nats: the estimate is {kl:.3g}, with 95 % "
        "confidence above {lower:.3g}.",
        "Let the emulator learn these points and judge the new one; if the divergence stops falling, offer it other "
        "inputs or widen its training set.",
    )
    WEIGHTS_COLLAPSED = (
        Outcome.FAIL,
        "The exact likelihood gives nearly all weight to a few draws (effective number {ess:.1f} "
        "of {n}, Pareto k {khat}): every number here is a rough one, and the divergence rather larger than stated.",
        "Train on tempered draws around the points of largest weight; do not use the reweighted posterior.",
    )
    CALLS_FAILED_OFTEN = (
        Outcome.FAIL,
        "The exact code gave no likelihood at {failed} of {judged} judging points: {share:.0%} of the "
        "emulated posterior is unaccounted for (with 95 % confidence up to {share_upper:.0%}).",
        "Look at the reasons in the list of failures; exclude by the prior what the code cannot "
        "compute, or mend its settings.",
    )
    SHIFT_EXCEEDED = (
        Outcome.FAIL,
        "The mean of {name} is shifted by {shift:+.2f} ± {shift_error:.2f} sigma, more than the "
        "{shift_tolerance:g} allowed.",
        "Let the emulator learn these points and judge the new one; the reweighted posterior already "
        "removes most of the shift.",
    )
    TOO_FEW = (
        Outcome.INCONCLUSIVE,
        "Only {n} exact calls judged this posterior; the limits are tested for {fewest} and more.",
        "Judge at least {fewest} draws.",
    )
    CALLS_FAILED = (
        Outcome.INCONCLUSIVE,
        "The exact code gave no likelihood at {failed} of {judged} judging points: with 95 % confidence up to "
        "{share_upper:.0%} of the emulated posterior is unaccounted for, and a pass would hide it.",
        "Repeat the failed calls if they ran out of time; otherwise exclude by the prior what the code cannot compute.",
    )
    CUT_OFF = (
        Outcome.INCONCLUSIVE,
        "About {cut:.1%} of the posterior is cut off at an edge beyond which the emulator cannot be asked, and no draw "
        "tells of it.",
        "Let the emulator learn further points, which move that edge; or end the parameter by its prior.",
    )
    KL_UNBOUNDED = (
        Outcome.INCONCLUSIVE,
        "No upper limit on the KL divergence can be stated: the exact posterior may be wider than {n} draws can show.",
        "Judge more draws (more than twice as many as parameters squared settle it), and include tempered ones.",
    )
    KL_UNDECIDED = (
        Outcome.INCONCLUSIVE,
        "The KL divergence may be below {tolerance:.3g} nats, but its upper limit is {upper:.3g} (estimate {kl:.3g}).",
        "{more}",
    )
    SHIFT_UNDECIDED = (
        Outcome.INCONCLUSIVE,
        "The mean of {name} may be shifted by up to {shift_upper:.2f} sigma, and {shift_tolerance:g} are allowed.",
        "Judge more draws: the error of a shift falls as one over the root of their number.",
    )
    HEDGE_DISAGREES = (
        Outcome.INCONCLUSIVE,
        "Tempered draws, wider than the posterior, put the KL divergence at {hedge:.3g} ± {hedge_error:.2g} "
        "nats: the exact posterior seems to have mass where the emulated one has little.",
        "Let the emulator learn the tempered points of largest weight, sample again and judge again.",
    )

    def __init__(self, outcome: Outcome, happened: str, advice: str) -> None:
        self.outcome = outcome
        self.happened = happened
        self.advice = advice


NOTHING_TO_DO = "Nothing to do."
LEARN = (
    "Let the emulator learn these points and judge the new one: more draws of the same posterior would not bring "
    "the limit down."
)
MORE_CALLS = "Judge about {calls} draws in all, or let the emulator learn these points and judge the new one."
CANNOT_SEE = (
    "All numbers are means over the emulated posterior. Mass of the exact posterior where the emulated one has none "
    "is not seen: a second peak, or a tail cut off by mistake. Errors that are large but rare may be missed by the "
    "draws that judged, and the limit is then too low. Tempered draws, where given, reach further and are reported "
    "apart. An exact code that is not smooth adds half the variance of its own noise to the divergence "
    "(1.5e-4 nats for CLASS at default precision). The exact code itself, the likelihood and the priors are not judged."
)


def outcome_of(findings: list[Finding]) -> Outcome:
    """A failure outweighs doubt, doubt outweighs nothing."""
    outcomes = {finding.outcome for finding in findings}
    for outcome in (Outcome.FAIL, Outcome.INCONCLUSIVE):
        if outcome in outcomes:
            return outcome
    return Outcome.PASS
