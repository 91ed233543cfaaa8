"""An emulator of a whole box: a design, exact calls, a fit, and errors on models that were held out."""

from importlib.metadata import version

import numpy as np

from alfonsine.emulator.box.fit import BoxShape, fit_box
from alfonsine.emulator.emulator import Emulator
from alfonsine.emulator.models import Models
from alfonsine.emulator.networks.split import split_sizes
from alfonsine.emulator.stored.file import save_emulator
from alfonsine.errors import InputError
from alfonsine.points.design import nested, space_filling, towards_edges
from alfonsine.study.collect import Collected, collect, theory_points
from alfonsine.study.emulate import emulator_inputs
from alfonsine.study.measure import measured
from alfonsine.study.prepare import Study
from alfonsine.study.preset import fit_preset, purpose_of, recipe
from alfonsine.study.progress import Progress, Silent
from alfonsine.study.records import EMULATOR, keep_study
from alfonsine.study.run import ARCHIVE, open_engine
from alfonsine.study.watched import watched
from alfonsine.theory.archive import Archive

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
    check_preset(study)
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


def check_preset(study: Study) -> None:
    """InputError for a preset that cannot be trained, before anything is computed."""
    settings, source = study.settings.emulator, study.settings.source
    if settings.preset == "alfonsine":
        return
    try:
        chosen = recipe(settings, source.folder)
        if settings.members > 1 and not chosen.fractions[2] > 0:
            raise InputError(
                f"expected a test part to calibrate {settings.members} members on, got fractions "
                f"{list(chosen.fractions)}; try fractions: [0.8, 0.1, 0.1]"
            )
        split_sizes(study.settings.design.number, chosen.fractions)
    except InputError as error:
        raise source.error(("emulator", "options"), str(error)) from None


def plan_box(study: Study) -> str:
    """Say what `train_box` would compute. Makes no exact call and writes nothing."""
    check_preset(study)
    settings, names = study.settings.design, box(study)[0]
    path, found, known = study.folder / ARCHIVE, [], set()
    if path.exists():
        with Archive(path) as archive:
            for call in archive.of(study.theory.identity()):
                known.add(tuple(sorted(call.inputs.items())))
                found += [call.seconds] if call.done else []
    asked = [tuple(sorted(point.items())) for points in design(study) for point in theory_points(study, points)]
    calls, workers = sum(point not in known for point in asked), study.settings.compute.count
    kind = settings.kind + (", denser towards the edges" if settings.density == "edges" else "")
    if settings.solves is not None:
        cheap = [name for name, each in zip(names, cheap_inputs(study), strict=True) if each]
        kind += f", {settings.solves} solutions shared by what differs in {', '.join(cheap)}"
    time = "not known before the first call"
    if found:
        seconds = float(np.mean(found))
        time = f"{seconds * calls / workers / 60:.1f} minutes at {seconds:.2g} s a call, on {workers} workers"
    lines = {
        "exact code": study.settings.theory.code,
        "emulated in": ", ".join(names),
        "outputs": ", ".join(study.theory.outputs()) or "known after the first call",
        "exact calls": f"{settings.number} to learn from ({kind}), {settings.held_out} held out",
        "in the archive": f"{len(found)} finished calls of this code and settings; {calls} of {len(asked)} missing",
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
