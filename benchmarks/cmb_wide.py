"""CMB spectra within 8 Planck standard deviations: ours and both presets, on the same exact calls.

    python benchmarks/cmb_wide.py [FOLDER] [--models 1500] [--held-out 300] [--epochs N]
        [--published-batches] [--without-presets]

trains examples/cmb_wide.yaml on the first `--models` points of its design, and compares on the first `--held-out` of
its held-out models. Both presets learn tt, te, ee and pp from the same calls and set none aside for a test: the
held-out models are the test; `connect` predicts CLASS's own multipoles. Batches and epochs of both are meant for some
50,000 models, of which these few make two or three batches: with so few steps of the optimiser neither begins to learn.
So their batches are so small that an epoch has as many steps as the published one had; with `--published-batches` they
are trained with those as well. Exact calls and trainings are kept in FOLDER, so the same command goes on where it was
stopped. `--epochs` shortens all trainings of presets, for a try that says nothing about them and leaves its figure in
FOLDER.

Errors are in units of two standard errors of a multipole: cosmic variance of the full sky, and the Simons Observatory's
(so_noise.py). The error of a model is the largest over l. Prints tables, draws figures/cmb_wide.png, leaves
FOLDER/cmb_wide.safetensors, and prints as its last line one JSON object; its ratios are theirs/ours, of the 99 % of
models in the observatory's errors: the smallest over spectra, of the better where a preset is trained twice.
"""

import argparse
import json
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from time import perf_counter
from typing import NamedTuple

import numpy as np
from pk_wide import SMALL, STEPS, exact
from so_noise import standard_errors

from alfonsine.emulator.emulator import Emulator
from alfonsine.emulator.held_out import CHUNK
from alfonsine.emulator.metric import fallback_errors
from alfonsine.emulator.models import Models
from alfonsine.emulator.networks.model_set import ModelSet
from alfonsine.emulator.networks.presets import CosmoPower
from alfonsine.emulator.stored.file import save_emulator
from alfonsine.errors import InputError
from alfonsine.report.drawing import CORRECTED, EMULATED, PUBLISHED, blank, style
from alfonsine.study.collect import FOLDER, Collected
from alfonsine.study.prepare import Study, prepare
from alfonsine.study.progress import Silent
from alfonsine.study.settings import EmulatorSettings, read_study
from alfonsine.study.wide import design, fit
from alfonsine.theory.class_spectra import L_LINSTEP, nodes
from alfonsine.theory.output import Axis

STUDY = Path(__file__).parents[1] / "examples" / "cmb_wide.yaml"
FIGURES = Path(__file__).parent / "figures"
MODELS, HELD_OUT = 1500, 300
SPECTRA = ("tt", "te", "ee", "pp")
RANGES = ((2, 29), (30, 499), (500, 1499), (1500, 2508))
CONNECT = {"fractions": [0.95, 0.05, 0.0]}
COSMOPOWER = {"fractions": [0.9, 0.1, 0.0]}
COLOURS = {"alfonsine": EMULATED, "cosmopower": CORRECTED, "connect": PUBLISHED}

Spectra = Mapping[str, np.ndarray]


class Runs(NamedTuple):
    """The study, its models to learn from, and those held out."""

    study: Study
    training: Collected
    test: Models

    @property
    def number(self) -> int:
        """Models to learn from."""
        return int(self.training.models.filled.sum())

    @property
    def exact(self) -> dict[str, np.ndarray]:
        """Spectra of the models held out, (n, l) from l = 2."""
        return {s: self.test.read(s, np.arange(len(self.test))) for s in SPECTRA}


def main() -> None:
    """Compute, train, compare, draw, print."""
    parser = arguments(__doc__)
    parser.add_argument("--published-batches", action="store_true")
    parser.add_argument("--without-presets", action="store_true")
    options = parser.parse_args()
    runs = calls_of(options)
    exact = runs.exact
    mean = {name: values.mean(axis=0) for name, values in exact.items()}
    units = {"cosmic_variance": fallback_errors(exact), "so": standard_errors(mean)}
    recipes = {"alfonsine": EmulatorSettings()}
    if not options.without_presets:
        recipes |= presets(runs, options.epochs, options.published_batches)
    errors, seconds = {}, {}
    for label, chosen in recipes.items():
        training = runs.training if label == "alfonsine" else spectra_only(runs, label)
        begun = perf_counter()
        emulator = trained(runs.study, training, chosen)
        seconds[label] = perf_counter() - begun
        if label == "alfonsine":
            save_emulator(emulator, options.folder / "cmb_wide.safetensors")
        else:
            key = f"{label}, {runs.number} models" + (f", {options.epochs} epochs" if options.epochs else "")
            seconds[label] = training_seconds(options.folder, key, seconds[label])
        errors[label] = differences(emulator, runs.test.theta, exact)
        print(f"{label} done", flush=True)
    found = {label: {unit: summary(errors[label], units[unit]) for unit in units} for label in errors}
    print_tables(found, errors, units, seconds)
    if options.epochs:
        print(f"a try: presets trained for {options.epochs} epochs only, which says nothing about them")
    draw(errors, units["so"], figures(options, tried=options.epochs is not None) / "cmb_wide.png")
    result = {"models": runs.number, "held_out": len(runs.test), "epochs": options.epochs, "seconds": seconds}
    result |= found
    if not options.without_presets:
        ours = found["alfonsine"]["so"]
        for preset in ("cosmopower", "connect"):
            theirs = [found[label]["so"] for label in found if label.startswith(preset)]
            best = {s: min(one[s]["p99"] for one in theirs) for s in SPECTRA}
            result[f"ratio_{preset}"] = min(best[s] / ours[s]["p99"] for s in SPECTRA)
    print(json.dumps(result))


def arguments(text: str | None) -> argparse.ArgumentParser:
    """Of this benchmark, and of the one that goes on from it."""
    parser = argparse.ArgumentParser(description=text, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path, nargs="?", default=Path("runs/benchmark_cmb_wide"))
    parser.add_argument("--models", type=int, default=MODELS)
    parser.add_argument("--held-out", type=int, default=HELD_OUT)
    parser.add_argument("--epochs", type=int)
    return parser


def calls_of(options: argparse.Namespace) -> Runs:
    """The first points of the study's design, from the archive where they are there."""
    study = prepare(read_study(STUDY), options.folder)
    options.folder.mkdir(parents=True, exist_ok=True)
    learned, held_out = (
        points[:number] for points, number in zip(design(study), (options.models, options.held_out), strict=True)
    )
    if (len(learned), len(held_out)) != (options.models, options.held_out):
        raise InputError(f"expected at most {len(learned)} models and {len(held_out)} held out; change {STUDY}")
    return Runs(study, exact(study, learned, "learned"), Models.of_set(exact(study, held_out, "held-out").models))


def figures(options: argparse.Namespace, tried: bool) -> Path:
    """Where they belong: a try, or fewer models, must not replace those of a whole run."""
    whole = (options.models, options.held_out) == (MODELS, HELD_OUT)
    return FIGURES if whole and not tried else options.folder


def class_nodes(study: Study) -> tuple[float, ...]:
    """Where CLASS computes, with the steps of the study."""
    theory = study.settings.theory.settings
    found = nodes(theory.l_max, linstep=theory.extra_args.get("l_linstep", L_LINSTEP))
    return tuple(float(ell) for ell in found)


def presets(runs: Runs, epochs: int | None, published: bool) -> dict[str, EmulatorSettings]:
    """Label -> preset, with small batches and perhaps those of the paper."""
    most = runs.number // 2  # principal components: published numbers where there are models enough
    components = {name: min(number, most) for name, number in CosmoPower().components.items()}
    options = {
        "cosmopower": COSMOPOWER | {"components": components},
        "connect": CONNECT | {"nodes": dict.fromkeys(SPECTRA, class_nodes(runs.study))},
    }
    found = {}
    for name, chosen in options.items():
        chosen = chosen | shortened(epochs)
        batch = max(1, int(chosen["fractions"][0] * runs.number) // STEPS[name])
        found[f"{name}, {SMALL}"] = EmulatorSettings(preset=name, options=chosen | {"batch": batch})
        if published:
            found[name] = EmulatorSettings(preset=name, options=chosen)
    return found


def shortened(epochs: int | None) -> dict[str, int]:
    """The option that a try sets."""
    return {"epochs": epochs} if epochs else {}


def spectra_only(runs: Runs, purpose: str, ell: Sequence[float] | None = None) -> Collected:
    """Without derived numbers, which would be one more network of `cosmopower`; at these multipoles, or at all.

    `purpose` tells apart what is divided into training and validation in different ways.
    """
    source = runs.training.models
    outputs = {s: source.outputs[s] for s in SPECTRA}
    if ell is not None:
        outputs = {s: replace(output, axes=(Axis("l", "", tuple(ell)),)) for s, output in outputs.items()}
    columns = {s: np.searchsorted(source.outputs[s].axis("l").array, outputs[s].axis("l").array) for s in SPECTRA}
    folder = runs.study.folder / FOLDER / f"{purpose.replace(', ', '-')}-{source.identity()[:12]}"
    writer = ModelSet.create(folder, source.names, list(outputs.values()), source.n, source.dtype)
    rows = np.intersect1d(writer.missing, np.flatnonzero(source.filled))
    if len(rows):
        writer.write(rows, source.theta[rows], {s: source.values(s, rows)[:, columns[s]] for s in SPECTRA})
    return Collected(writer.close(), runs.training.failed)


def trained(study: Study, training: Collected, chosen: EmulatorSettings) -> Emulator:
    """The emulator of these settings."""
    return fit(replace(study, settings=study.settings.model_copy(update={"emulator": chosen})), training, Silent())


def training_seconds(folder: Path, key: str, seconds: float) -> float:
    """Seconds of a preset's training, from the run in which it was done: a later run finds it finished."""
    path = folder / "seconds.json"
    known = json.loads(path.read_text()) if path.exists() else {}
    known[key] = max(seconds, known.get(key, 0.0))
    path.write_text(json.dumps(known, indent=1))
    return known[key]


def differences(emulator: Emulator, theta: np.ndarray, exact: Spectra) -> dict[str, np.ndarray]:
    """Per spectrum, emulated minus exact, (n, l)."""
    parts = [emulator(theta[first : first + CHUNK]) for first in range(0, len(theta), CHUNK)]
    return {s: np.concatenate([np.asarray(part[s], float) for part in parts]) - exact[s] for s in exact}


def summary(errors: Spectra, unit: Spectra) -> dict[str, dict[str, float]]:
    """Median and 99 % over the models of the largest error over l; root mean square over both."""
    found = {}
    for s in SPECTRA:
        size = np.abs(errors[s]) / unit[s]
        median, p99 = np.quantile(size.max(axis=1), [0.5, 0.99])
        found[s] = {"median": float(median), "p99": float(p99), "rms": float(np.sqrt(np.mean(size**2)))}
    return found


def print_tables(found: Mapping, errors: Mapping[str, Spectra], units: Mapping[str, Spectra], seconds: Mapping) -> None:
    """Errors in both units, and where in l they are."""
    names = {"cosmic_variance": "cosmic variance", "so": "Simons Observatory errors"}
    for unit, title in names.items():
        print(f"\nlargest error over l, in {title}: median and 99 % of the models; and rms")
        print(f"{'':<28}" + "".join(f"{s + ' ' + q:>12}" for s in SPECTRA for q in ("50 %", "99 %", "rms")))
        for label, of in found.items():
            row = [of[unit][s][q] for s in SPECTRA for q in ("median", "p99", "rms")]
            print(f"{label:<28}" + "".join(f"{v:>12.4g}" for v in row))
    for unit, title in names.items():
        print(f"\nrms in {title}, for l = " + ", ".join(f"{a}..{b}" for a, b in RANGES))
        for label, of in errors.items():
            row = []
            for s in SPECTRA:
                size = of[s] / units[unit][s]
                row.append(" ".join(f"{np.sqrt(np.mean(size[:, a - 2 : b - 1] ** 2)):8.2g}" for a, b in RANGES))
            print(f"{label:<28}" + "   ".join(f"{s}{r}" for s, r in zip(SPECTRA, row, strict=True)))
    print("\nseconds of training: " + ", ".join(f"{label} {value:.0f}" for label, value in seconds.items()))


def draw(errors: Mapping[str, Spectra], unit: Spectra, path: Path) -> None:
    """Error against l: median of the models, and the band up to 99 % of them."""
    with style():
        figure = blank(8.0, 5.6)
        panels = figure.subplots(2, 2, sharex=True)
        for panel, s in zip(panels.flat, SPECTRA, strict=True):
            for label, of in errors.items():
                size = np.abs(of[s]) / unit[s]
                ell = np.arange(2, 2 + size.shape[1])
                median, p99 = np.quantile(size, [0.5, 0.99], axis=0)
                colour, dashes = COLOURS[label.split(",")[0]], "-" if SMALL in label or label == "alfonsine" else ":"
                panel.fill_between(ell, median, p99, color=colour, alpha=0.15, linewidth=0)
                panel.plot(ell, median, dashes, color=colour, label=label, linewidth=0.9)
            panel.set(xscale="log", yscale="log", xlim=(2, ell[-1]))
            panel.set_title({"pp": r"$\phi\phi$"}.get(s, s.upper()))
        for panel in panels[1]:
            panel.set_xlabel(r"multipole $\ell$")
        for panel in panels[:, 0]:
            panel.set_ylabel(r"$|\Delta C_\ell|\,/\,\sigma(C_\ell)$, Simons Observatory")
        handles, labels = panels[0, 0].get_legend_handles_labels()
        figure.legend(handles, labels, loc="upper center", ncols=len(labels), frameon=False)
        figure.tight_layout(rect=(0, 0, 1, 0.95))
        path.parent.mkdir(exist_ok=True)
        figure.savefig(path, dpi=100)
    print(f"{path}: line, median of the models; band, up to 99 % of them")


if __name__ == "__main__":
    main()
