"""The networks of a published recipe, trained on the design of a study."""

import dataclasses
import hashlib
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from alfonsine.emulator.emulator import Emulator
from alfonsine.emulator.networks.calibration import calibrate
from alfonsine.emulator.networks.emulate import emulator_of, ranges_of
from alfonsine.emulator.networks.model_set import ModelSet
from alfonsine.emulator.networks.presets import PRESETS, Connect, CosmoPower
from alfonsine.emulator.networks.rows import Rows
from alfonsine.emulator.networks.training import train
from alfonsine.errors import InputError, nearest
from alfonsine.study.progress import Progress
from alfonsine.study.settings import EmulatorSettings

STORED = ("activation", "architecture", "normalisation")  # what a prediction needs; a loss is needed no more
TRAINING = "training"


def recipe(settings: EmulatorSettings) -> Connect | CosmoPower:
    """The preset with the study's own numbers; InputError for one that it does not have."""
    kind = PRESETS[settings.preset]
    known = [field.name for field in dataclasses.fields(kind)]
    for name in settings.options:
        if name not in known:
            raise InputError(
                f"expected an option of the preset {settings.preset}, got '{name}'; {nearest(name, known)}"
            )
        if name in STORED and ":" in str(settings.options[name]):
            raise InputError(
                f"expected one of the known names for {name}, got '{settings.options[name]}', which a file that "
                "executes nothing cannot hold; train it in Python: alfonsine.emulator.networks.training.train"
            )
    options = {name: tuple(v) if isinstance(v, list) else v for name, v in settings.options.items()}
    return kind(**options)


def fit_preset(
    settings: EmulatorSettings,
    folder: Path,
    parts: Path,
    models: ModelSet,
    box: tuple[tuple[str, ...], np.ndarray, np.ndarray],
    card: Mapping[str, Any],
    seed: int,
    progress: Progress,
) -> Emulator:
    """Train all networks of the preset, or go on where a training was interrupted, and make one emulator of them."""
    networks = {}
    for name, plan in recipe(settings).plans(models).items():
        progress.start(f"training {name}", total=sum(stage.epochs for stage in plan.stages))
        purpose = json.dumps([plan.record(), models.identity(), seed, settings.members], sort_keys=True)
        at = folder / TRAINING / f"{settings.preset}-{name}-{hashlib.sha256(purpose.encode()).hexdigest()[:12]}"
        network = train(models, plan, at, seed, settings.members, parts, lambda record: progress.advance(""))
        if settings.members > 1:
            rows = Rows(models, plan)
            network = calibrate(network, rows, rows.part("test"))
        networks[name] = network
    record = {"preset": settings.preset, "networks": {name: json.loads(n.card) for name, n in networks.items()}}
    ranges = ranges_of(*box, list(models.outputs.values()))
    return emulator_of(list(networks.values()), ranges, {**card, **record})
