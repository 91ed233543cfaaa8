"""The matter power spectrum over CosmoPower's whole box: ours and both presets, on the same exact calls.

    python benchmarks/pk_wide.py [FOLDER] [--study STUDY] [--models N] [--held-out N] [--without-presets]

trains examples/pk_wide.yaml, or another study of one P(k, z), on the first `--models` points of its design, and
compares on the first `--held-out` of its held-out models at redshifts between those that were learned; on all of them
where no number is given. Both presets learn from the same calls, and with `--more N` from N further ones, of a design
of the same kind drawn apart; `cosmopower` takes the redshift as an input and sees `--redshifts` of each model.
Published batches are meant for some 50,000 models, of which these few make two or three: so both presets have batches
so small that an epoch has as many steps of the optimiser as the published one had, and with `--published-batches` are
trained with those as well. Exact calls and trainings are kept in FOLDER, so the same command goes on where it was
stopped. The largest error of a model is that over all k and z. Prints a table and, as its last line, one JSON object.
"""

import argparse
import json
from dataclasses import replace
from pathlib import Path
from time import perf_counter

import numpy as np

from alfonsine.emulator.emulator import Emulator
from alfonsine.emulator.models import Models
from alfonsine.emulator.resample import resample
from alfonsine.emulator.stored.file import save_emulator
from alfonsine.study.collect import Collected, collect
from alfonsine.study.prepare import Study, prepare
from alfonsine.study.progress import Silent
from alfonsine.study.run import open_engine
from alfonsine.study.settings import EmulatorSettings, read_study
from alfonsine.study.wide import design, fit
from alfonsine.theory.grids import spaced

STUDY = Path(__file__).parents[1] / "examples" / "pk_wide.yaml"
BETWEEN = 4  # steps from one redshift of the study to the next
ALL_FOR_TRAINING = {"fractions": [0.95, 0.05, 0.0]}  # none set aside for a test: the held-out models are the test
CONNECT = {"loss": "mean_square", "normalisation": "double_log", **ALL_FOR_TRAINING}  # its weights are for multipoles
COSMOPOWER = {"fractions": [0.9, 0.1, 0.0]}
STEPS = {"cosmopower": 42, "connect": 98}  # of an epoch: 42,614 models of CosmoPower's notebook, 50,000 of CONNECT
SMALL = "small batches"
FURTHER = 2  # added to the study's seed; 1 draws the held-out models


def main() -> None:
    """Compute, train, compare, print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path, nargs="?", default=Path("runs/benchmark_pk_wide"))
    parser.add_argument("--study", type=Path, default=STUDY)
    parser.add_argument("--models", type=int)
    parser.add_argument("--held-out", type=int)
    parser.add_argument("--more", type=int, default=0)
    parser.add_argument("--redshifts", type=int, default=8)
    parser.add_argument("--published-batches", action="store_true")
    parser.add_argument("--without-presets", action="store_true")
    options = parser.parse_args()
    study = prepare(read_study(options.study), options.folder)
    options.folder.mkdir(parents=True, exist_ok=True)
    learned, held_out = (
        points[:n] for points, n in zip(design(study), (options.models, options.held_out), strict=True)
    )
    fine = between(study)
    test = Models.of_set(exact(fine, held_out, "held-out").models)
    every = np.vstack([learned, further(study, options.more)]) if options.more else learned

    rows, found = [], {}
    recipes = {"alfonsine": None}
    if not options.without_presets:
        recipes |= presets(len(every), options.redshifts, options.published_batches)
    for label, preset in recipes.items():
        own = preset or study.settings.emulator
        named = replace(study, settings=study.settings.model_copy(update={"emulator": own}))
        training = exact(named, every if preset else learned, label.replace(", ", "-").replace(" ", "-"))
        begun = perf_counter()
        emulator = fit(named, training, Silent())
        number = int(training.models.filled.sum())
        seconds = trained_seconds(options.folder, f"{label}, {number} models", perf_counter() - begun)
        errors = largest_errors(emulator, fine, test)
        quantiles = [float(np.quantile(errors, q)) for q in (0.5, 0.95, 0.99, 1.0)]
        rows.append([label, number, seconds, *quantiles])
        found[label] = quantiles[2]
        if preset is None:
            save_emulator(emulator, options.folder / "pk_wide.safetensors")
        print(f"{label} done", flush=True)
    print(f"{'':<28}{'models':>8}{'seconds':>10}" + "".join(f"{q:>10}" for q in ("50 %", "95 %", "99 %", "all")))
    for label, number, seconds, *quantiles in rows:
        print(f"{label:<28}{number:>8}{seconds:>10.0f}" + "".join(f"{q:>10.4f}" for q in quantiles))
    print("largest error of a model over all k and z, in per cent, that so many of the held-out models have at most")
    result = {"models": rows[0][1], "held_out": len(test), "p99_percent": found["alfonsine"]}
    if not options.without_presets:
        result |= {
            "ratio_cosmopower": min(found[n] for n in found if n.startswith("cosmopower")) / found["alfonsine"],
            "ratio_connect": min(found[n] for n in found if n.startswith("connect")) / found["alfonsine"],
            "p99_of_each": found,
        }
    print(json.dumps(result))


def exact(study: Study, theta: np.ndarray, purpose: str) -> Collected:
    """Models at these points, from the archive where they are there."""
    with open_engine(study) as engine:
        return collect(study, engine, theta, purpose, Silent())


def between(study: Study) -> Study:
    """The same study at its redshifts and at those between."""
    power = study.theory.matter_power
    number = BETWEEN * (len(power.z) - 1) + 1
    z = spaced("z", power.z[0], power.z[-1], number)
    return replace(study, theory=replace(study.theory, matter_power=replace(power, z=z)))


def further(study: Study, number: int) -> np.ndarray:
    """Points of a design of the same kind and box, drawn apart from the study's own."""
    settings = study.settings
    chosen = settings.design.model_copy(update={"number": number})
    drawn = settings.model_copy(update={"design": chosen, "seed": settings.seed + FURTHER})
    return design(replace(study, settings=drawn))[0]


def presets(models: int, redshifts: int, published: bool) -> dict[str, EmulatorSettings]:
    """Label -> preset, with small batches and perhaps those of the paper."""
    options = {
        "connect": (CONNECT, models),
        "cosmopower": (COSMOPOWER | {"z_per_model": redshifts}, models * redshifts),
    }
    found = {}
    for name, (chosen, rows) in options.items():
        batch = max(1, int(chosen["fractions"][0] * rows) // STEPS[name])
        found[f"{name}, {SMALL}"] = EmulatorSettings(preset=name, options=chosen | {"batch": batch})
        if published:
            found[name] = EmulatorSettings(preset=name, options=chosen)
    return found


def trained_seconds(folder: Path, key: str, seconds: float) -> float:
    """Seconds of the training, from the run in which it was done: a later run finds it finished."""
    path = folder / "seconds.json"
    known = json.loads(path.read_text()) if path.exists() else {}
    known[key] = max(seconds, known.get(key, 0.0))
    path.write_text(json.dumps(known, indent=1))
    return known[key]


def largest_errors(emulator: Emulator, fine: Study, test: Models) -> np.ndarray:
    """Per model, the largest relative error over all k and z, in per cent."""
    (name,), z = fine.theory.matter_power.names, np.array(fine.theory.matter_power.z)
    by_input = "z" in emulator.names
    if not by_input:
        emulator = resample(emulator, name, z=z)
    errors = []
    for i, point in enumerate(test.theta):
        theta = point
        if by_input:
            columns = {**dict(zip(test.names, np.repeat(point[:, None], len(z), axis=1), strict=True)), "z": z}
            theta = np.column_stack([columns[each] for each in emulator.names])
        found = np.asarray(emulator(theta)[name], float).reshape(-1)
        errors.append(np.abs(found / test.read(name, np.array([i]))[0] - 1).max())
    return 100 * np.array(errors)


if __name__ == "__main__":
    main()
