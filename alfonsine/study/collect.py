"""The models of a design, from the exact code to a set on disk: no more than one batch is ever in memory."""

import hashlib
import json
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np

from alfonsine.emulator.networks.model_set import ModelSet, ModelWriter
from alfonsine.errors import InputError
from alfonsine.study.emulate import emulator_inputs
from alfonsine.study.prepare import Study
from alfonsine.study.progress import Progress
from alfonsine.study.watched import heard_by
from alfonsine.theory.engine import Engine
from alfonsine.theory.observables import Observables
from alfonsine.theory.output import Output, described

FOLDER = "models"
BATCH = 256  # calls asked for at once
PRECISE = 4e9  # bytes up to which a set is kept in 64-bit numbers


class Collected(NamedTuple):
    """Models that have an answer, and how many have none."""

    models: ModelSet
    failed: int


def collect(study: Study, engine: Engine, theta: np.ndarray, purpose: str, progress: Progress) -> Collected:
    """Compute the points that are neither in the archive nor in the set; InputError where nothing succeeds.

    `purpose` tells apart sets of the same points that are divided in different ways.
    """
    names = emulator_inputs(study)
    folder = set_folder(study, theta, purpose)
    writer = resumed(folder)
    todo = np.arange(len(theta)) if writer is None else writer.missing
    reasons: list[str] = []
    progress.start(f"exact calls ({purpose})", total=len(theta))
    for _ in range(len(theta) - len(todo)):
        progress.advance()
    for first in range(0, len(todo), BATCH):
        rows = todo[first : first + BATCH]
        points = theory_points(study, theta[rows])
        calls = engine.compute(points, heard_by(progress))
        reasons += [call.reason for call in calls if not call.done]
        done = [i for i, call in enumerate(calls) if call.observables is not None]
        if done:
            found = [calls[i].observables for i in done]
            outputs = described(found[0], study.theory.outputs())
            kind = precision(outputs, theta)
            writer = writer or ModelSet.create(folder, names, list(outputs.values()), len(theta), kind)
            writer.write(rows[done], theta[rows[done]], stacked(found, writer.model_set.outputs))
    if writer is None or writer.model_set.filled.sum() < 2:
        reason = reasons[0] if reasons else "no reason given"
        raise InputError(f"expected exact calls that succeed, got {len(reasons)} that fail; the first: {reason}")
    return Collected(writer.close(), len(reasons))


def theory_points(study: Study, theta: np.ndarray) -> list[dict[str, float]]:
    """What the exact code is asked at points of the emulator's inputs."""
    names = emulator_inputs(study)
    others = dict(zip(study.space.names, np.asarray(study.space.reference).tolist(), strict=True))
    return [study.parameters.theory_inputs(others | dict(zip(names, row, strict=True))) for row in theta.tolist()]


def set_folder(study: Study, theta: np.ndarray, purpose: str) -> Path:
    """A folder of its own for each exact code, its settings, and the points."""
    found = hashlib.sha256(json.dumps(study.theory.identity(), sort_keys=True).encode())
    found.update(np.ascontiguousarray(theta).tobytes())
    return study.folder / FOLDER / f"{purpose}-{found.hexdigest()[:12]}"


def resumed(folder: Path) -> ModelWriter | None:
    """A writer to a set that is there, or None."""
    return ModelWriter(ModelSet.open(folder)) if folder.exists() else None


def stacked(found: Sequence[Observables], outputs: dict[str, Output]) -> dict[str, np.ndarray]:
    """Outputs of several calls, row by row."""
    values = {name: np.stack([o.spectra[name] for o in found]) for name in outputs if name != "derived"}
    if "derived" in outputs:
        values["derived"] = np.array([[o.derived[label] for label in outputs["derived"].labels] for o in found])
    return values


def precision(outputs: dict[str, Output], theta: np.ndarray) -> str:
    """64 bits unless the set would be very large."""
    return "float64" if 8.0 * len(theta) * sum(o.size for o in outputs.values()) <= PRECISE else "float32"
