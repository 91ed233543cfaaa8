"""An emulator of a whole box: a design, exact calls, a fit, and errors on models that were held out."""

from importlib.metadata import version

import numpy as np

from alfonsine.emulator.box.fit import BoxShape, fit_box
from alfonsine.emulator.emulator import Emulator
from alfonsine.emulator.models import Models
from alfonsine.emulator.stored.file import save_emulator
from alfonsine.errors import InputError
from alfonsine.points.design import nested, space_filling, towards_edges
from alfonsine.study.box import box
from alfonsine.study.collect import Collected, collect, theory_points
from alfonsine.study.measure import measured
from alfonsine.study.prepare import Study
from alfonsine.study.preset import check_preset, fit_preset, purpose_of
from alfonsine.study.progress import Progress, Silent
from alfonsine.study.records import EMULATOR, keep_study
from alfonsine.study.run import ARCHIVE, open_engine
from alfonsine.study.settings import DesignSettings
from alfonsine.study.watched import watched
from alfonsine.theory.archive import Archive, Summary

HELD_OUT_SEED = 1  # added to the study's seed


def design_of(study: Study) -> DesignSettings:
    """The design that the study asks for; InputError where it asks for none."""
    if study.settings.design is None:
        raise InputError("expected a study with a design, got none; try 'design: {number: 1000}'")
    return study.settings.design


def design(study: Study) -> tuple[np.ndarray, np.ndarray]:
    """Points to learn from (n, d), and points held out; of the same kind, drawn apart."""
    settings = design_of(study)
    names, lower, upper = box(study)
    seed = study.settings.seed
    if settings.solves is None:
        learned = space_filling(settings.kind, settings.number, len(names), seed)
    else:
        learned = nested(settings.kind, settings.number, settings.solves, cheap_inputs(study), seed)
    if settings.density == "edges":
        learned = towards_edges(learned)
    held_out = space_filling(settings.kind, settings.held_out, len(names), seed + HELD_OUT_SEED)
    return tuple(lower + unit * (upper - lower) for unit in (learned, held_out))


def cheap_inputs(study: Study) -> list[bool]:
    """Which inputs of the emulator leave the expensive solution of the exact code as it is.

    InputError where the code shares nothing, or nothing for these inputs.
    """
    names, lower, upper = box(study)
    middle, half = (lower + upper) / 2, np.diag(upper - lower) / 4
    found = solutions(study, np.vstack([middle, middle + half]))
    cheap = [found[0] is not None and solution == found[0] for solution in found[1:]]
    if not any(cheap) or all(cheap):
        raise study.settings.source.error(
            ("design", "solves"),
            f"expected a code one of whose solutions serves many models, got {study.settings.theory.code} with the "
            f"inputs {', '.join(names)}; remove solves, or try theory: camb with ln10^{{10}}A_s among the inputs",
        )
    return cheap


def solutions(study: Study, theta: np.ndarray) -> list[str | None]:
    """Per point the expensive solution that it rests on, None where the exact code shares none."""
    shares = getattr(study.theory, "shares", lambda inputs: None)
    return [shares(point) for point in theory_points(study, theta)]


@watched("train")
def train_box(study: Study, progress: Progress | None = None) -> Emulator:
    """Compute the design, fit, measure on the held-out models, and write the emulator with its card."""
    progress = progress or Silent()
    check_preset(study.settings.emulator, study.settings.source, design_of(study).number)
    learned, held_out = design(study)
    study.folder.mkdir(parents=True, exist_ok=True)
    keep_study(study)
    with open_engine(study) as engine:
        training = collect(study, engine, learned, purpose_of(study.settings.emulator), progress)
        test = collect(study, engine, held_out, "held-out", progress)
    emulator = fit(study, training, progress)
    progress.start("measuring")
    emulator = measured(study, emulator, Models.of_set(training.models), Models.of_set(test.models))
    save_emulator(emulator, study.folder / EMULATOR)
    progress.stop()
    return emulator


def plan_box(study: Study) -> str:
    """Say what `train_box` would compute. Makes no exact call and writes nothing."""
    settings = design_of(study)
    check_preset(study.settings.emulator, study.settings.source, settings.number)
    names = box(study)[0]
    path, found, known = study.folder / ARCHIVE, Summary(0, 0, None), set()
    identity = study.theory.identity()
    asked = [Archive.key(identity, point) for points in design(study) for point in theory_points(study, points)]
    if path.exists():
        with Archive(path) as archive:
            found, known = archive.summary(identity), archive.known(asked)
    calls, compute = sum(key not in known for key in asked), study.settings.compute
    kind = settings.kind + (", denser towards the edges" if settings.density == "edges" else "")
    if settings.solves is not None:
        cheap = [name for name, each in zip(names, cheap_inputs(study), strict=True) if each]
        kind += f", {settings.solves} solutions shared by what differs in {', '.join(cheap)}"
    time = "not known before the first call"
    if found.seconds is not None:
        minutes = found.seconds * calls / compute.count / 60
        time = f"{minutes:.1f} minutes at {found.seconds:.2g} s a call, exact calls alone, on {compute.place}"
    lines = {
        "exact code": study.settings.theory.code,
        "emulated in": ", ".join(names),
        "outputs": ", ".join(study.theory.outputs()) or "known after the first call",
        "exact calls": f"{settings.number} to learn from ({kind}), {settings.held_out} held out",
        "in the archive": f"{found.done} finished calls of this code and settings; {calls} of {len(asked)} missing",
        "time": time,
        "run folder": str(study.folder),
    }
    width = max(map(len, lines))
    return "\n".join(f"{name:<{width}}  {value}" for name, value in lines.items())


def fit(study: Study, training: Collected, progress: Progress) -> Emulator:
    """The emulator of the box that the study asks for."""
    (names, lower, upper), settings = box(study), study.settings
    chosen, outputs = settings.design, training.models.outputs
    models = Models.of_set(training.models)
    rests_on = set(solutions(study, models.theta))
    shared = "" if None in rests_on else f" from {len(rests_on)} solutions"
    denser = ", denser towards the edges" if chosen.density == "edges" else ""
    card = {
        "alfonsine": version("alfonsine"),
        "theory": study.theory.identity(),
        "params": study.parameters.way(names),
        "inputs": list(names),
        "derived": list(outputs["derived"].labels) if "derived" in outputs else [],
        "training_points": len(models),
        "training_digest": models.digest,
        "design": f"{chosen.kind} of {chosen.number}{shared}{denser}, seed {settings.seed}",
        "failed": training.failed,
    }
    if settings.emulator.preset == "alfonsine":
        progress.start("fitting")
        return fit_box(
            models, lower, upper, shape=BoxShape(components=settings.emulator.components), card=card
        ).emulator
    return fit_preset(
        settings.emulator,
        study.folder,
        settings.source.folder,
        training.models,
        (names, lower, upper),
        card,
        settings.seed,
        progress,
    )
