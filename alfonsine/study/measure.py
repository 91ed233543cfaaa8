"""What the card of an emulator says of its errors and its speed, measured on models that it has not learned from."""

import json
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import numpy as np
from jaxtyping import Float

from alfonsine.emulator.emulator import Emulator
from alfonsine.emulator.held_out import QUANTILES, held_out_errors
from alfonsine.emulator.metric import AUTO, fallback_errors
from alfonsine.emulator.speed import measure_speed
from alfonsine.points.training_set import TrainingSet
from alfonsine.study.emulate import data_metric
from alfonsine.study.prepare import Study
from alfonsine.theory.output import Output

CHUNK = 256


def measured(
    study: Study, emulator: Emulator, outputs: Mapping[str, Output], training: TrainingSet, test: TrainingSet
) -> Emulator:
    """The same emulator with errors on the held-out models, and its speed, on its card."""
    units = fallback_errors(training.outputs)
    theta, exact = at_redshifts(emulator, test, outputs)
    found = held_out_errors(emulator, theta, exact, {name: units[name][: v.shape[1]] for name, v in exact.items()})
    errors = {}
    for name, error in found.items():
        unit = "cosmic variance" if name in (*AUTO, "te") else "the spread over the box"
        errors[name] = {**error.record(), "unit": unit}
    card = emulator.card | {"held_out": errors, "speed": measure_speed(emulator, theta)}
    if study.likelihoods:
        card["data_errors"] = data_errors(study, emulator, test)
    return replace(emulator, card_text=json.dumps(card, sort_keys=True))


def at_redshifts(
    emulator: Emulator, test: TrainingSet, outputs: Mapping[str, Output]
) -> tuple[Float[np.ndarray, "n d"], dict[str, Float[np.ndarray, "n _"]]]:
    """Held-out models as the emulator takes them: one row per redshift where that is one of its inputs."""
    if "z" not in emulator.names or "z" in test.names:
        return test.theta, dict(test.outputs)
    z = next(axis.array for output in outputs.values() for axis in output.axes if axis.name == "z")
    n = len(test)
    theta = np.repeat(test.theta, len(z), axis=0)
    columns = {**dict(zip(test.names, theta.T, strict=True)), "z": np.tile(z, n)}
    exact = {}
    for name, values in test.outputs.items():
        surface = any(axis.name == "z" for axis in outputs[name].axes)
        exact[name] = values.reshape(n * len(z), -1) if surface else np.repeat(values, len(z), axis=0)
    return np.column_stack([columns[name] for name in emulator.names]), exact


def data_errors(study: Study, emulator: Emulator, test: TrainingSet) -> dict[str, Any]:
    """Per data set, the error of the bands of each held-out model in standard errors of the data, all bands together.

    Half its square is the error in ln L at a model that fits the data perfectly.
    """
    found = {}
    for label, likelihood in study.likelihoods.items():
        metric = data_metric((likelihood,), {name: test.outputs[name][0] for name in likelihood.spectra})
        sizes = []
        for first in range(0, len(test), CHUNK):
            rows = slice(first, first + CHUNK)
            predicted = emulator(test.theta[rows])
            change = {n: np.asarray(predicted[n], float) - test.outputs[n][rows] for n in likelihood.spectra}
            sizes.append(np.linalg.norm(metric(change), axis=1))
        size = np.concatenate(sizes)
        found[label] = {f"{100 * q:g} %": float(np.quantile(size, q)) for q in QUANTILES}
    return found
