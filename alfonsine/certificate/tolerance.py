r"""What n draws say about |l| without any assumption on its distribution.

If none of n draws of P_E has |l - centre| above t, then with confidence 1 - a the part of P_E where it is above t is at
most 1 - a^{1/n}: had it been larger, a clean record of n would have had a probability below a.
"""

import math
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float

from alfonsine.errors import InputError


@dataclass(frozen=True)
class ToleranceStatement:
    """With `confidence`, at least `coverage` of the emulated posterior has |l - median l| at most `bound` [nats]."""

    bound: float
    coverage: float
    confidence: float


def tolerance_statement(log_ratio: Float[np.ndarray, " n"], confidence: float = 0.95) -> ToleranceStatement:
    """Distribution-free bound from equally weighted draws; `log_ratio` up to a constant.

    Taking the centre from the same draws costs nothing that matters: the interval about the median contains the
    range of the draws (simulated in the tests).
    """
    if not 0 < confidence < 1:
        raise InputError(f"expected a confidence between 0 and 1, got {confidence:g}; try 0.95")
    if not len(log_ratio):
        return ToleranceStatement(math.inf, 0.0, confidence)
    bound = float(np.max(np.abs(log_ratio - np.median(log_ratio))))
    return ToleranceStatement(bound, float((1 - confidence) ** (1 / len(log_ratio))), confidence)
