r"""Tempered draws as a hedge: points wider than the posterior, where the emulated posterior has little mass.

With w the importance weight of a tempered draw with respect to P_E, means over the exact posterior use w e^l. A
region that the exact posterior likes and the emulated one does not has small w and large l: draws of P_E never go
there, tempered ones do. Reported apart from the certificate's own numbers, because weighted draws are worth fewer.
"""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float

from alfonsine.certificate.estimates import Estimate, equal_or_given, estimate
from alfonsine.certificate.pareto import pareto_khat
from alfonsine.errors import InputError


@dataclass(frozen=True)
class Hedge:
    """What n wider draws say.

    kl                    the larger of both divergences [nats]
    delta_log_evidence    ln Z_exact - ln Z_emulated
    effective_emulated    effective number of the draws for means over the emulated posterior
    effective_exact       the same for the exact posterior
    pareto_khat           of the exact posterior's weights w e^l
    largest_share         of the exact posterior's weight on a single draw
    """

    n: int
    kl: Estimate
    delta_log_evidence: Estimate
    effective_emulated: float
    effective_exact: float
    pareto_khat: float
    largest_share: float


def hedge(
    log_ratio: Float[np.ndarray, " n"],
    standardised: Float[np.ndarray, "points d"],
    log_weights: Float[np.ndarray, " weights"],
) -> Hedge:
    """From l, standardised parameters and ln (P_E / proposal), up to a constant, at tempered draws with exact calls."""
    log_ratio, log_weights = np.asarray(log_ratio, float), np.asarray(log_weights, float)
    finite = np.isfinite(log_ratio)
    if not np.any(finite):
        raise InputError("expected at least one tempered draw with an exact likelihood, got none; leave the hedge out")
    log_ratio, log_weights, standardised = log_ratio[finite], log_weights[finite], standardised[finite]
    estimates = estimate(log_ratio, standardised, log_weights)
    exact = equal_or_given(len(log_ratio), log_ratio + log_weights)
    return Hedge(
        n=len(log_ratio),
        kl=max(estimates.forward, estimates.reverse, key=lambda e: e.estimate),
        delta_log_evidence=estimates.delta_log_evidence,
        effective_emulated=float(1 / np.sum(equal_or_given(len(log_ratio), log_weights) ** 2)),
        effective_exact=float(1 / np.sum(exact**2)),
        pareto_khat=pareto_khat(log_ratio + log_weights),
        largest_share=float(exact.max()),
    )
