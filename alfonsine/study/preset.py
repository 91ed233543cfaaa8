"""The networks of a published recipe, trained on the design of a study."""

import dataclasses
import hashlib
import json
import reprlib
from collections.abc import Mapping
from pathlib import Path
from typing import Any, get_type_hints

import numpy as np
from pydantic import ConfigDict, TypeAdapter, ValidationError

from alfonsine.emulator.emulator import Emulator
from alfonsine.emulator.networks.activations import ACTIVATIONS, Activation
from alfonsine.emulator.networks.calibration import calibrate
from alfonsine.emulator.networks.custom import chosen, is_own, own_modules
from alfonsine.emulator.networks.dense import ARCHITECTURES, Architecture
from alfonsine.emulator.networks.emulate import emulator_of, ranges_of
from alfonsine.emulator.networks.losses import LOSSES, Loss
from alfonsine.emulator.networks.model_set import ModelSet
from alfonsine.emulator.networks.normalisations import NORMALISATIONS, Normalisation
from alfonsine.emulator.networks.plan import Plan
from alfonsine.emulator.networks.prepare import prepare
from alfonsine.emulator.networks.presets import PRESETS, Connect, CosmoPower
from alfonsine.emulator.networks.rows import Rows
from alfonsine.emulator.networks.split import split_sizes
from alfonsine.emulator.networks.training import train
from alfonsine.errors import InputError, nearest
from alfonsine.study.progress import Progress
from alfonsine.study.read import Source
from alfonsine.study.settings import EmulatorSettings

TRAINING = "training"
PARTS: dict[str, tuple[Mapping[str, type], type]] = {
    "activation": (ACTIVATIONS, Activation),
    "architecture": (ARCHITECTURES, Architecture),
    "normalisation": (NORMALISATIONS, Normalisation),
    "otherwise": (NORMALISATIONS, Normalisation),
    "loss": (LOSSES, Loss),
}
POSITIVE = ("layers", "units", "rate", "rates", "epochs", "batch", "patience", "epsilon", "z_per_model")
OF_OPTIONS = ConfigDict(strict=True, arbitrary_types_allowed=True, allow_inf_nan=False)


def recipe(settings: EmulatorSettings, parts: Path) -> Connect | CosmoPower:
    """The preset with the study's own numbers; InputError for one that it does not have, or a part that is none.

    parts   folder of the user's own activations, losses, ...: those that the study names are imported
    """
    kind = PRESETS[settings.preset]
    known = [field.name for field in dataclasses.fields(kind)]
    for name, value in settings.options.items():
        if name not in known:
            raise InputError(
                f"expected an option of the preset {settings.preset}, got '{name}'; {nearest(name, known)}"
            )
        if name in PARTS:
            chosen(name, str(value), *PARTS[name], parts)
    options = {name: _tuples(value) for name, value in settings.options.items()}
    for name, value in options.items():
        _check_option(kind, name, value)
    return kind(**options)


def _tuples(value: Any) -> Any:
    """Tuples in the place of lists."""
    if isinstance(value, Mapping):
        return {name: _tuples(each) for name, each in value.items()}
    return tuple(map(_tuples, value)) if isinstance(value, list) else value


def _check_option(kind: type[Connect] | type[CosmoPower], name: str, value: Any) -> None:
    """InputError for a value of another type than the preset's own, or for a count or rate that is not positive."""
    try:
        TypeAdapter(get_type_hints(kind)[name], config=OF_OPTIONS).validate_python(value)
    except ValidationError as error:
        wanted = error.errors(include_url=False)[0]["msg"].removeprefix("Input should be ").removeprefix("a valid ")
        raise InputError(f"expected {name}: {wanted}, got {reprlib.repr(value)}{_published(kind, name)}") from None
    numbers = value if isinstance(value, tuple) else (value,)
    if name in POSITIVE and not all(number > 0 for number in numbers):
        raise InputError(f"expected {name} above zero, got {reprlib.repr(value)}{_published(kind, name)}")


def _published(kind: type[Connect] | type[CosmoPower], name: str) -> str:
    published = getattr(kind, name, None)  # a class has those defaults that are no tables
    return "" if published is None else f"; the published one is {published}"


def check_preset(settings: EmulatorSettings, source: Source, number: int) -> None:
    """InputError for a preset that cannot be trained on `number` models, before anything is computed."""
    if settings.preset == "alfonsine":
        return
    try:
        chosen = recipe(settings, source.folder)
        if settings.members > 1 and not chosen.fractions[2] > 0:
            raise InputError(
                f"expected a test part to calibrate {settings.members} members on, got fractions "
                f"{list(chosen.fractions)}; try fractions: [0.8, 0.1, 0.1]"
            )
        split_sizes(number, chosen.fractions)
    except InputError as error:
        raise source.error(("emulator", "options"), str(error)) from None


def purpose_of(settings: EmulatorSettings) -> str:
    """A name for the models that a preset learns from: another split is drawn in a set of its own."""
    split = {name: settings.options[name] for name in ("fractions", "split_seed") if name in settings.options}
    if not split:
        return settings.preset
    return f"{settings.preset}-{hashlib.sha256(json.dumps(split, sort_keys=True).encode()).hexdigest()[:6]}"


def own_parts(settings: EmulatorSettings, parts: Path) -> Path | None:
    """The folder of the user's own parts where the study names any: so the user's word that they may be imported."""
    named = [settings.options[name] for name in PARTS if name in settings.options]
    return parts if any(is_own(str(name)) for name in named) else None


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
    plans, ranges = recipe(settings, parts).plans(models), ranges_of(*box, list(models.outputs.values()))
    for plan in plans.values():  # what no file can hold is told before hours of training
        if any(is_own(name) for name in plan.parts):
            untrained = prepare(models, plan, parts=parts)
            emulator_of([untrained.record(untrained.trainer.start)], ranges)
    for name, plan in plans.items():
        progress.start(f"training {name}", total=sum(stage.epochs for stage in plan.stages))
        at = folder / TRAINING / f"{settings.preset}-{name}-{purpose(settings, plan, models, seed, parts)[:12]}"
        network = train(models, plan, at, seed, settings.members, parts, lambda record: progress.advance(""))
        if settings.members > 1:
            rows = Rows(models, plan)
            network = calibrate(network, rows, rows.part("test"))
        networks[name] = network
    record = {"preset": settings.preset, "networks": {name: json.loads(n.card) for name, n in networks.items()}}
    return emulator_of(list(networks.values()), ranges, {**card, **record})


def purpose(settings: EmulatorSettings, plan: Plan, models: ModelSet, seed: int, parts: Path) -> str:
    """Digest of what a training is of; an edited file of the user's own makes another."""
    told = [plan.record(), models.identity(), seed, settings.members]
    if own := own_modules(plan.parts, parts):
        told.append({module: source.digest for module, source in own.items()})
    return hashlib.sha256(json.dumps(told, sort_keys=True).encode()).hexdigest()
