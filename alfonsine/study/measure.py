"""What the card of an emulator says of its errors and its speed, measured on models that it has not learned from."""

import json
from dataclasses import replace
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Float, Int

from alfonsine.emulator.emulator import Emulator
from alfonsine.emulator.held_out import QUANTILES, held_out_errors
from alfonsine.emulator.metric import AUTO, UNLENSED, multipoles, typical_errors
from alfonsine.emulator.models import Models
from alfonsine.emulator.networks.streaming import moments
from alfonsine.emulator.speed import measure_speed
from alfonsine.points.training_set import TrainingSet
from alfonsine.study.emulate import data_metric
from alfonsine.study.prepare import Study

CHUNK = 256


def measured(study: Study, emulator: Emulator, training: Models, test: Models) -> Emulator:
    """The same emulator with errors on the held-out models, and its speed, on its card."""
    test = at_redshifts(emulator, test)
    found = errors_on(study, emulator, training, test, "the spread over the box")
    card = emulator.card | found | {"speed": measure_speed(emulator, test.theta)}
    return replace(emulator, card_text=json.dumps(card, sort_keys=True))


def judged(study: Study, emulator: Emulator, training: TrainingSet, judging: TrainingSet) -> Emulator:
    """The same emulator with errors at the calls that judged it, of which it has learned none, on its card.

    Draws reach a little beyond its domain, where it refuses to answer: it has no errors there.
    """
    judging = judging.take(np.asarray(jax.vmap(emulator.inside)(jnp.asarray(judging.theta))))
    if not len(judging) or not set(judging.outputs) <= set(emulator.outputs):
        return emulator  # the latter of an exact code that does not say what its outputs are
    models = [Models.of_arrays(s.names, s.theta, s.outputs, emulator.outputs) for s in (training, judging)]
    found = errors_on(study, emulator, *models, "the spread over the training set")
    return replace(emulator, card_text=json.dumps(emulator.card | found, sort_keys=True))


def errors_on(study: Study, emulator: Emulator, training: Models, test: Models, spread_over: str) -> dict[str, Any]:
    """Entries of the card: errors of each output, and of each data set."""
    found = {name: moments(lambda name=name: (x for _, x in training.pieces(name))) for name in training.outputs}
    mean, spread = {n: f.mean for n, f in found.items()}, {n: f.std for n, f in found.items()}
    units = typical_errors(mean, spread, multipoles(training.outputs))
    errors = {}
    for name, error in held_out_errors(emulator, test, units).items():
        cosmic = name.removeprefix(UNLENSED) in (*AUTO, "te")
        errors[name] = {**error.record(), "unit": "cosmic variance" if cosmic else spread_over}
    return {"held_out": errors} | ({"data_errors": data_errors(study, emulator, test)} if study.likelihoods else {})


def at_redshifts(emulator: Emulator, test: Models) -> Models:
    """Held-out models as the emulator takes them: one for each redshift where that is one of its inputs."""
    if "z" not in emulator.names or "z" in test.names:
        return test
    surfaces = {name for name, output in test.outputs.items() if any(axis.name == "z" for axis in output.axes)}
    z = next(test.outputs[name].axis("z").array for name in surfaces)
    columns = {
        **dict(zip(test.names, np.repeat(test.theta, len(z), axis=0).T, strict=True)),
        "z": np.tile(z, len(test)),
    }

    def read(name: str, rows: Int[np.ndarray, " b"]) -> Float[np.ndarray, "b _"]:
        values = test.read(name, rows // len(z))
        if name not in surfaces:
            return values
        return values.reshape(len(rows), len(z), -1)[np.arange(len(rows)), rows % len(z)]

    theta = np.column_stack([columns[name] for name in emulator.names])
    return Models(emulator.names, theta, test.outputs, read, test.digest)


def data_errors(study: Study, emulator: Emulator, test: Models) -> dict[str, Any]:
    """Per data set, the error of the bands of each held-out model in standard errors of the data, all bands together.

    Half its square is the error in ln L at a model that fits the data perfectly.
    """
    found = {}
    for label, likelihood in study.likelihoods.items():
        metric = data_metric((likelihood,), {name: test.read(name, np.array([0]))[0] for name in likelihood.spectra})
        sizes = []
        for first in range(0, len(test), CHUNK):
            rows = np.arange(first, min(first + CHUNK, len(test)))
            predicted = emulator(test.theta[rows])
            change = {n: np.asarray(predicted[n], float) - test.read(n, rows) for n in likelihood.spectra}
            sizes.append(np.linalg.norm(metric(change), axis=1))
        size = np.concatenate(sizes)
        found[label] = {f"{100 * q:g} %": float(np.quantile(size, q)) for q in QUANTILES}
    return found
