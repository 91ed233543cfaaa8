"""The records that a run folder holds, as the report sees them."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from jaxtyping import Float


@dataclass(frozen=True)
class Round:
    """One turn of the loop: `calls` exact calls so far, the new ones first judged, then learned.

    kl, kl_upper95 [nats], loo_error (leave-one-out, whitened and squared) are None where not yet known.
    """

    number: int
    calls: int
    training: int | None = None
    judged: int | None = None
    kl: float | None = None
    kl_upper95: float | None = None
    loo_error: float | None = None
    seconds: Mapping[str, float] = field(default_factory=dict)
    outcome: str = ""


@dataclass(frozen=True)
class Failure:
    """An exact call that gave no answer: where, why, and the seconds it cost."""

    inputs: Mapping[str, Any]
    reason: str
    seconds: float | None


@dataclass(frozen=True)
class Sample:
    """Draws from the emulated posterior, sampled and derived parameters side by side.

    values            (n, d + m) the d sampled parameters first, then the m derived ones
    weights           (n,) of the emulated posterior
    corrected_weights (n,) the same, times exact over emulated likelihood; None where there is no correction
    """

    names: tuple[str, ...]
    latex: tuple[str, ...]
    sampled: int
    values: Float[np.ndarray, "n p"]
    weights: Float[np.ndarray, " n"]
    corrected_weights: Float[np.ndarray, " n"] | None


@dataclass(frozen=True)
class Published:
    """A result of others to compare with: per parameter (mean, plus, minus), both errors positive."""

    label: str
    parameters: Mapping[str, tuple[float, float, float]]


@dataclass(frozen=True)
class SpectrumError:
    """Emulator error against multipole, in units of the data's error: root mean square and largest."""

    name: str
    multipole: Float[np.ndarray, " l"]
    rms: Float[np.ndarray, " l"]
    largest: Float[np.ndarray, " l"]


@dataclass(frozen=True)
class BestFit:
    """One panel of the best fit: binned data with errors, the model in the same bins, and a smooth curve."""

    title: str
    x_label: str
    y_label: str
    x_scale: str
    x: Float[np.ndarray, " bin"]
    data: Float[np.ndarray, " bin"]
    error: Float[np.ndarray, " bin"]
    model: Float[np.ndarray, " bin"]
    curve: tuple[Float[np.ndarray, " l"], Float[np.ndarray, " l"]] | None
