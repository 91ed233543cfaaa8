"""The verdict in words: what the certificate says, what follows from it, and what it cannot say."""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from alfonsine.report.contents import Contents
from alfonsine.report.parse import Measured, measured, number, text
from alfonsine.report.rounding import short


@dataclass(frozen=True)
class Verdict:
    """kind (a class of the page's style), a mark that does not rely on colour, a word, and what it means."""

    kind: str
    mark: str
    word: str
    meaning: str


_KNOWN = {
    "pass": Verdict(
        "pass",
        "✓",
        "Pass",
        "The emulated posterior agrees with that of the exact code to the accuracy that the study asked for.",
    ),
    "fail": Verdict(
        "fail",
        "✕",
        "Fail",
        "The emulated posterior differs from that of the exact code by more than the study allows. "
        "Do not quote it as it stands.",
    ),
    "inconclusive": Verdict(
        "inconclusive",
        "?",
        "Inconclusive",
        "The evidence does not decide whether the emulated posterior is accurate enough. "
        "It may well be, but this run has not shown it.",
    ),
}
UNNAMED = "The certificate names no outcome."
_BLIND = (
    "The certificate compares the emulator with the exact code at points drawn from the emulated posterior. "
    "It cannot see probability where the emulated posterior has none: a second peak, or a tail that the "
    "emulator wrongly cut off. Tempered draws, spread wider than the posterior, make that less likely and do "
    "not exclude it. Nor does it judge the exact code, its settings, the likelihood or the priors."
)


def verdict(contents: Contents) -> Verdict:
    """The named outcome; a run without a certificate is unfinished, an unknown outcome is shown as it is."""
    return verdict_of(contents.certificate, contents.notes.get("certificate.json", UNNAMED))


def verdict_of(certificate: Mapping[str, Any], why_none: str = UNNAMED) -> Verdict:
    """The outcome that a certificate names; `why_none` is for one that names none."""
    outcome = text(certificate.get("outcome"))
    if outcome.lower() in _KNOWN:
        return _KNOWN[outcome.lower()]
    if outcome:
        meaning = "The certificate names an outcome that this report does not know. Treat it as inconclusive."
        return Verdict("inconclusive", "?", outcome, meaning)
    return Verdict("unfinished", "…", "Unfinished", f"{why_none} Nothing below has been certified.")


def kl(contents: Contents) -> Measured | None:
    """KL divergence of the emulated from the exact posterior [nats]."""
    return measured(contents.certificate.get("kl"))


def shifts(contents: Contents) -> dict[str, Measured]:
    """Shift of every parameter's mean, in its standard deviations."""
    stored = contents.certificate.get("shift_sigma")
    found = {str(n): measured(v) for n, v in stored.items()} if isinstance(stored, dict) else {}
    return {name: shift for name, shift in found.items() if shift is not None}


def largest_shift(contents: Contents) -> tuple[str, Measured] | None:
    """The parameter that moves most, and by how much."""
    return max(shifts(contents).items(), key=lambda item: abs(item[1].estimate), default=None)


def consequence(contents: Contents) -> str:
    r"""What the KL limit bounds: by Pinsker the misplaced probability, for Gaussians any shift.

    .. math:: TV \le \sqrt{KL/2}, \qquad |\Delta\mu|/\sigma \le \sqrt{2\,KL}
    """
    found = kl(contents)
    upper = found and (found.upper95 if found.upper95 is not None else None)
    if not upper or upper <= 0:
        return ""
    misplaced, shift = math.sqrt(upper / 2), math.sqrt(2 * upper)
    if misplaced >= 1:
        return "A divergence this large sets no useful bound on any parameter."
    return (
        f"At the 95 % limit, at most {short(100 * misplaced)} % of the probability is misplaced, and no "
        f"combination of parameters is shifted by more than about {short(shift)} σ (Gaussian posteriors)."
    )


def blind_spot(contents: Contents) -> str:
    """What the certificate cannot see, in its own words where it has them."""
    return text(contents.certificate.get("cannot_see")) or _BLIND


def splined(contents: Contents) -> str:
    """Which spectra reach the data by a spline: exact and emulated ones alike, so that its error is not judged."""
    stored, found = contents.certificate.get("multipoles"), {}
    for spectra in stored.values() if isinstance(stored, dict) else ():
        for name, entry in spectra.items() if isinstance(spectra, dict) else ():
            entry = entry if isinstance(entry, dict) else {}
            nodes, step = number(entry.get("nodes")), number(entry.get("largest_step"))
            if nodes is not None and step is not None:
                found[str(name)] = f"{name}: {nodes:g}, at most {step:g} apart"
    if not found:
        return ""
    return (
        f"Spectra were given at some multipoles only ({'; '.join(found.values())}); the likelihoods see the others by "
        "a cubic spline, of exact and of emulated spectra alike. The error of that spline is not judged here."
    )


def tolerance(contents: Contents) -> str:
    """The distribution-free statement on |ln L exact - ln L emulated|, where the certificate makes one."""
    stored = contents.certificate.get("tolerance")
    if isinstance(stored, dict):
        if stored.get("statement"):
            return text(stored["statement"])
        coverage, confidence = number(stored.get("coverage")), number(stored.get("confidence"))
        bound = measured(stored.get("bound"))
        if coverage is not None and confidence is not None and bound is not None:
            return (
                f"With {short(100 * confidence)} % confidence, at least {short(100 * coverage)} % of the "
                f"emulated posterior has |Δ ln L| below {short(bound.estimate)}, whatever its distribution."
            )
        return ""
    return text(stored) if isinstance(stored, str) else ""
