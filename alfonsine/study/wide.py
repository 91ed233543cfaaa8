"""An emulator of a whole box: a design, exact calls, a fit, and errors on models that were held out."""

from collections.abc import Mapping
from importlib.metadata import version

import numpy as np

from alfonsine.emulator.box.fit import BoxShape, fit_box
from alfonsine.emulator.emulator import Emulator
from alfonsine.emulator.stored.file import save_emulator
from alfonsine.errors import InputError
from alfonsine.points.design import space_filling
from alfonsine.points.training_set import TrainingSet
from alfonsine.study.emulate import emulator_inputs
from alfonsine.study.measure import measured
from alfonsine.study.prepare import Study
from alfonsine.study.preset import fit_preset, recipe
from alfonsine.study.progress import Progress, Silent
from alfonsine.study.records import EMULATOR, keep_study
from alfonsine.study.run import ARCHIVE, open_engine
from alfonsine.theory.archive import Archive
from alfonsine.theory.call import Call
from alfonsine.theory.engine import Engine
from alfonsine.theory.output import Output, described

HELD_OUT_SEED = 1  # added to the study's seed


def box(study: Study) -> tuple[tuple[str, ...], np.ndarray, np.ndarray]:
    """Inputs of the emulator and the edges of their priors; InputError where one has no edge."""
    names = emulator_inputs(study)
    space = study.space.select(names)
    lower, upper = np.asarray(space.lower), np.asarray(space.upper)
    for name, low, high in zip(names, lower, upper, strict=True):
        if not (np.isfinite(low) and np.isfinite(high)):
            raise study.settings.source.error(
                ("params", name),
                f"expected a prior with two edges for a design, got {low:g} to {high:g}; try prior: {{min: , max: }}",
            )
    return names, lower, upper


def design(study: Study) -> tuple[np.ndarray, np.ndarray]:
    """Points to learn from (n, d), and points held out; of the same kind, drawn apart."""
    settings = study.settings.design
    if settings is None:
        raise InputError("expected a study with a design, got none; try 'design: {number: 1000}'")
    names, lower, upper = box(study)
    seed = study.settings.seed
    drawn = (
        space_filling(settings.kind, settings.number, len(names), seed),
        space_filling(settings.kind, settings.held_out, len(names), seed + HELD_OUT_SEED),
    )
    return tuple(lower + unit * (upper - lower) for unit in drawn)


def train_box(study: Study, progress: Progress | None = None) -> Emulator:
    """Compute the design, fit, measure on the held-out models, and write the emulator with its card."""
    progress = progress or Silent()
    if study.settings.emulator.preset != "alfonsine":
        recipe(study.settings.emulator)  # complains of its options before anything is computed
    learned, held_out = design(study)
    study.folder.mkdir(parents=True, exist_ok=True)
    keep_study(study)
    with open_engine(study) as engine:
        calls = compute(study, engine, np.vstack([learned, held_out]), progress)
    training, failed = models(study, learned, calls[: len(learned)])
    test, _ = models(study, held_out, calls[len(learned) :])
    first = next(call.observables for call in calls if call.observables is not None)
    outputs = described(first, study.theory.outputs())
    emulator = fit(study, training, outputs, failed, progress)
    progress.start("measuring")
    emulator = measured(study, emulator, outputs, training, test)
    save_emulator(emulator, study.folder / EMULATOR)
    progress.stop()
    return emulator


def plan_box(study: Study) -> str:
    """Say what `train_box` would compute. Makes no exact call and writes nothing."""
    settings, names = study.settings.design, box(study)[0]
    path, found = study.folder / ARCHIVE, []
    if path.exists():
        with Archive(path) as archive:
            found = [call.seconds for call in archive.of(study.theory.identity()) if call.done]
    calls, workers = settings.number + settings.held_out, study.settings.compute.count
    time = "not known before the first call"
    if found:
        seconds = float(np.mean(found))
        time = f"{seconds * calls / workers / 60:.1f} minutes at {seconds:.2g} s a call, on {workers} workers"
    lines = {
        "exact code": study.settings.theory.code,
        "emulated in": ", ".join(names),
        "outputs": ", ".join(study.theory.outputs()),
        "exact calls": f"{settings.number} to learn from ({settings.kind}), {settings.held_out} held out",
        "in the archive": f"{len(found)} finished calls of this very code and settings",
        "time": time,
        "run folder": str(study.folder),
    }
    width = max(map(len, lines))
    return "\n".join(f"{name:<{width}}  {value}" for name, value in lines.items())


def compute(study: Study, engine: Engine, theta: np.ndarray, progress: Progress) -> list[Call]:
    """Exact calls at all points, from the archive where they are there."""
    names = emulator_inputs(study)
    fixed = dict(zip(study.space.names, np.asarray(study.space.reference).tolist(), strict=True))
    points = [study.parameters.theory_inputs(fixed | dict(zip(names, row, strict=True))) for row in theta.tolist()]
    progress.start("exact calls", total=len(points))
    return engine.compute(points, lambda call: progress.advance("" if call.done else f"failed: {call.reason}"))


def models(study: Study, theta: np.ndarray, calls: list[Call]) -> tuple[TrainingSet, int]:
    """The calls that have an answer, and how many have none."""
    done = [i for i, call in enumerate(calls) if call.observables is not None]
    if len(done) < 2:
        reason = next((call.reason for call in calls if not call.done), "no calls")
        raise InputError(f"expected exact calls that succeed, got {len(done)} of {len(calls)}; the first: {reason}")
    found = [calls[i].observables for i in done]
    training = TrainingSet.of(
        emulator_inputs(study), theta[done], [o.spectra for o in found], [o.derived for o in found]
    )
    return training, len(calls) - len(done)


def fit(
    study: Study, training: TrainingSet, outputs: Mapping[str, Output], failed: int, progress: Progress
) -> Emulator:
    """The emulator of the box that the study asks for."""
    (names, lower, upper), settings = box(study), study.settings
    chosen = settings.design
    card = {
        "alfonsine": version("alfonsine"),
        "theory": study.theory.identity(),
        "inputs": list(names),
        "derived": list(training.derived),
        "training_points": len(training),
        "training_digest": training.digest,
        "design": f"{chosen.kind} of {chosen.number}, seed {settings.seed}",
        "failed": failed,
    }
    if settings.emulator.preset == "alfonsine":
        progress.start("fitting")
        shape = BoxShape(components=settings.emulator.components)
        return fit_box(names, lower, upper, training.theta, training.outputs, outputs, shape=shape, card=card).emulator
    return fit_preset(
        settings.emulator,
        study.folder,
        settings.source.folder,
        training,
        (names, lower, upper),
        outputs,
        card,
        settings.seed,
        progress,
    )
