"""How far an emulator is from models that it has not learned from."""

from collections.abc import Mapping
from typing import Any, NamedTuple

import numpy as np
from jaxtyping import Float

from alfonsine.emulator.emulator import Emulator

QUANTILES = (0.5, 0.68, 0.95, 0.99, 1.0)
CHUNK = 256  # models predicted at once


class HeldOutError(NamedTuple):
    """Errors of one output over the held-out models.

    models    how many
    percent   quantile -> largest relative error of a model over all entries, in per cent; None where an output has
              zeros or changes sign
    units     quantile -> largest error of a model in units of the experiment's error, or of what stands for it
    rms       root mean square of the errors in those units, over models and entries
    """

    models: int
    percent: dict[float, float] | None
    units: dict[float, float]
    rms: float

    def record(self) -> dict[str, Any]:
        """Plain values for a card; quantiles in per cent of the models."""
        named = lambda found: {f"{100 * q:g} %": value for q, value in found.items()}  # noqa: E731
        percent = None if self.percent is None else named(self.percent)
        return {"models": self.models, "percent": percent, "units": named(self.units), "rms": self.rms}


def held_out_errors(
    emulator: Emulator,
    theta: Float[np.ndarray, "n d"],
    outputs: Mapping[str, Float[np.ndarray, "n _"]],
    units: Mapping[str, Float[np.ndarray, " _"]],
) -> dict[str, HeldOutError]:
    """Compare predictions with the exact code's outputs, name -> (n, m), at points that were not learned from."""
    relative: dict[str, list[np.ndarray]] = {name: [] for name in outputs}
    scaled: dict[str, list[np.ndarray]] = {name: [] for name in outputs}
    squares = dict.fromkeys(outputs, 0.0)
    for first in range(0, len(theta), CHUNK):
        rows = slice(first, first + CHUNK)
        found = emulator(theta[rows])
        for name, values in outputs.items():
            exact = np.asarray(values[rows], dtype=float)
            error = np.abs(np.asarray(found[name], dtype=float) - exact)
            with np.errstate(divide="ignore", invalid="ignore"):
                relative[name].append((error / np.abs(exact)).max(axis=1))
            in_units = error / np.maximum(units[name], 1e-300)
            scaled[name].append(in_units.max(axis=1))
            squares[name] += float(np.sum(in_units**2))
    result = {}
    for name, values in outputs.items():
        one_sign = bool((values > 0).all() or (values < 0).all())
        percent = 100.0 * np.concatenate(relative[name])
        largest = np.concatenate(scaled[name])
        result[name] = HeldOutError(
            models=len(theta),
            percent={q: float(np.quantile(percent, q)) for q in QUANTILES} if one_sign else None,
            units={q: float(np.quantile(largest, q)) for q in QUANTILES},
            rms=float(np.sqrt(squares[name] / values.size)),
        )
    return result
