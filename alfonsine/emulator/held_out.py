"""How far an emulator is from models that it has not learned from."""

from collections.abc import Mapping
from typing import Any, NamedTuple

import numpy as np
from jaxtyping import Float

from alfonsine.emulator.emulator import Emulator
from alfonsine.emulator.models import Models

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
    emulator: Emulator, test: Models, units: Mapping[str, Float[np.ndarray, " _"]]
) -> dict[str, HeldOutError]:
    """Compare predictions with the exact code's outputs at points that were not learned from."""
    relative: dict[str, list[np.ndarray]] = {name: [] for name in test.outputs}
    scaled: dict[str, list[np.ndarray]] = {name: [] for name in test.outputs}
    squares, entries = dict.fromkeys(test.outputs, 0.0), dict.fromkeys(test.outputs, 0)
    signs: dict[str, set[float]] = {name: set() for name in test.outputs}
    for first in range(0, len(test), CHUNK):
        rows = np.arange(first, min(first + CHUNK, len(test)))
        found = emulator(test.theta[rows])
        for name in test.outputs:
            exact = np.asarray(test.read(name, rows), dtype=float)
            error = np.abs(np.asarray(found[name], dtype=float) - exact)
            in_units = error / np.maximum(units[name][: exact.shape[1]], 1e-300)
            with np.errstate(divide="ignore", invalid="ignore"):
                relative[name].append((error / np.abs(exact)).max(axis=1))
            scaled[name].append(in_units.max(axis=1))
            squares[name] += float(np.sum(in_units**2))
            entries[name] += exact.size
            signs[name] |= set(np.unique(np.sign(exact)).tolist())
    result = {}
    for name in test.outputs:
        percent, largest = 100.0 * np.concatenate(relative[name]), np.concatenate(scaled[name])
        one_sign = signs[name] in ({1.0}, {-1.0})
        result[name] = HeldOutError(
            models=len(test),
            percent={q: float(np.quantile(percent, q)) for q in QUANTILES} if one_sign else None,
            units={q: float(np.quantile(largest, q)) for q in QUANTILES},
            rms=float(np.sqrt(squares[name] / entries[name])),
        )
    return result
