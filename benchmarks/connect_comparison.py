"""CONNECT's comparison, at the size of a certified run: posteriors of each iteration, and of Latin hypercubes.

    python benchmarks/connect_comparison.py FOLDER [--figures PREFIX] [--seed 1]

For examples/massive_neutrinos.yaml (data sets by ALFONSINE_DATA), with the N exact calls that our loop learned from and
the M that it made in all:

    ours          the posterior after each lesson of the loop, until the certificate passes
    connect       the posterior after each iteration of `points: iterative` with `preset: connect`, on a budget of M;
                  networks give spectra at CLASS's multipoles and take STEPS steps of the optimiser, here and below; one
                  of ten models validates
    hypercube     networks of `connect` from a Latin hypercube of N points over the whole prior, and of 4 N

Each is held against the posterior of the certified run, corrected by the exact calls that judged it: the largest shift
of a mean, in its standard deviations, the widths, and the divergence D(q || corrected), once of the two Gaussians that
have the same moments and, where at least 1 % of the draws carry the weight from q to the other, from the densities.
In most of CONNECT's box CLASS has no answer, which it says at once (its tables of primordial helium end): hypercubes
have as many points more, and only calls with an answer are counted. Every exact call is archived in FOLDER; the same
command goes on where it was stopped. Prints a table and, as its last line, one JSON object. Figures: PREFIX_1.png and
PREFIX_2.png: two planes of parameters.
"""

import argparse
import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import jax
import numpy as np
from comparison_figures import draw
from massive_neutrinos import EXAMPLES
from threadpoolctl import threadpool_limits

from alfonsine.certificate.corrected import correct
from alfonsine.certificate.whiten import whitening_of_samples
from alfonsine.posterior.formats.chains import read_chains
from alfonsine.posterior.target import Target
from alfonsine.study.clock import Clock
from alfonsine.study.infer import study_target
from alfonsine.study.iterations import keep, path_of
from alfonsine.study.iterative import Iterations
from alfonsine.study.iterative_settings import IterativeSettings
from alfonsine.study.judge import log_ratio
from alfonsine.study.learn import Lesson
from alfonsine.study.loop import Run
from alfonsine.study.prepare import Study, prepare
from alfonsine.study.progress import Silent
from alfonsine.study.records import certificate_record, keep_study, write_arrays, write_json, write_records
from alfonsine.study.run import conclude, open_engine, open_loop
from alfonsine.study.settings import EmulatorSettings, PointsSettings, Settings, read_study
from alfonsine.study.stages import stored_emulator

ANSWERED = 0.25  # of a Latin hypercube over the box
STEPS, BATCH = 3000, 65
LARGEST = 2508  # multipole
LEAST = 0.01  # of the draws of q must carry the weight to the corrected posterior
JUDGED = "judged.npz"  # exact calls at draws of the certified posterior, which correct it


class Recorded(Run):
    """Our loop, which keeps the posterior of every lesson."""

    lessons = 0

    def say(self, lesson: Lesson, forecast: float) -> None:
        """Called once for each lesson."""
        super().say(lesson, forecast)
        assert self.calls is not None
        keep(self.study.folder, self.lessons, lesson, self.calls, None)
        self.lessons += 1


@dataclass(frozen=True)
class Found:
    """One posterior: how it was come by, exact calls learned from, made, and without an answer, and its draws."""

    way: str
    step: int
    training: int
    calls: int
    failed: int
    names: tuple[str, ...]
    samples: np.ndarray
    weights: np.ndarray
    log_posterior: np.ndarray


def main() -> None:
    """Infer in each way, compare, print, draw."""
    parser = argparse.ArgumentParser()
    parser.add_argument("folder", type=Path)
    parser.add_argument("--figures", type=str)
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()
    settings = read_study(EXAMPLES / "massive_neutrinos.yaml").model_copy(update={"seed": options.seed})
    certified = ours(settings, options.folder / "ours")
    record = json.loads((certified.folder / "certificate.json").read_text())
    training, total = record["solver_calls"]["training"], record["solver_calls"]["total"]
    found = kept("ours", certified.folder)
    iterate(settings, options.folder / "connect", training, total - training, certified.space.dimension)
    found += kept("connect", options.folder / "connect")
    for number in (training, 4 * training):
        found += kept("hypercube", hypercube(settings, options.folder / f"hypercube_{number}", number))
    truth = Truth(certified)
    rows = [truth.compared(one) for one in found]
    last = max(i for i, row in enumerate(rows) if row["way"] == "ours")
    rows[last]["kl"] = record["kl"]["estimate"]  # of draws that judged it; the correction is of its own chain
    print(f"{'way':<12}{'training':>9}{'calls':>7}{'shift':>9}  {'of':<11}{'widths':>14}{'KL moments':>12}{'KL':>9}")
    for row in rows:
        widths = f"{row['width'][0]:.2f} to {row['width'][1]:.2f}"
        exact = "-" if row["kl"] is None else f"{row['kl']:.4f}"
        print(
            f"{row['way']:<12}{row['training']:>9}{row['calls']:>7}{row['shift']:>9.3f}  {row['of']:<11}{widths:>14}"
            f"{row['kl_moments']:>12.4g}{exact:>9}"
        )
    if options.figures:
        for i, plane in enumerate((("m_ncdm", "deg_ncdm"), ("H0", "omega_cdm")), start=1):
            draw(found, truth.names, truth.samples, truth.weights, plane, Path(f"{options.figures}_{i}.png"))
    print(json.dumps({"outcome": record["outcome"], "solver_calls": total, "training": training, "rows": rows}))


def ours(settings: Settings, folder: Path) -> Study:
    """The certified run; its lessons are kept, and what the calls that judged it say."""
    study = prepare(settings, folder)
    folder.mkdir(parents=True, exist_ok=True)
    if not (folder / "certificate.json").exists():
        keep_study(study)
        clock = Clock()
        with open_engine(study) as engine, threadpool_limits(1, user_api="blas"):
            ending = Recorded(study, engine, Silent(), clock).go()
        judged = ending.judged
        difference = log_ratio(study, ending.lesson, judged)
        write_arrays(folder / JUDGED, theta=judged.theta[judged.done], difference=difference)
        write_records(study, ending, conclude(study, ending, clock))
        write_json(folder / "certificate.json", certificate_record(study, ending, clock))
    return study


def iterate(settings: Settings, folder: Path, training: int, judging: int, dimension: int) -> None:
    """CONNECT's iterations with its networks, on a budget of so many calls."""
    sizes = IterativeSettings().sizes(training, dimension)
    spread = round(sizes.initial / ANSWERED)
    given = IterativeSettings(
        initial=spread, first=sizes.first, samples_from=sizes.samples, mcmc_tolerance=0.1, iteration_tolerance=0.1
    )  # a few dozen points are no sharper sample than that
    calls = training + spread - sizes.initial + judging
    study = prepare(with_points(settings, given, networks(training), calls), folder)
    if (folder / "certificate.json").exists():
        return
    folder.mkdir(parents=True, exist_ok=True)
    clock = Clock()
    with open_loop(study, Silent(), clock) as loop:
        ending = loop.go()
    write_json(folder / "certificate.json", certificate_record(study, ending, clock))


def hypercube(settings: Settings, folder: Path, number: int) -> Path:
    """The emulator that begins such iterations, alone: from a Latin hypercube over the prior. Where it is kept."""
    if not path_of(folder, 0).exists():
        spread = round(number / ANSWERED)
        spent = spread + number + settings.accuracy.judging  # so that iterations could follow; none does
        given = IterativeSettings(initial=spread, first=number)
        study = prepare(with_points(settings, given, networks(number), spent), folder)
        folder.mkdir(parents=True, exist_ok=True)
        with open_loop(study, Silent(), Clock()) as loop:
            assert isinstance(loop, Iterations)
            loop.sets.add(loop.begin_design())
            assert loop.calls is not None
            keep(folder, 0, loop.learn(None), loop.calls, None)
    return folder


def networks(models: int) -> EmulatorSettings:
    """CONNECT's, for so many models."""
    batches = -(-models // BATCH)
    options = {
        "fractions": [0.9, 0.1, 0.0],
        "batch": BATCH,
        "epochs": STEPS // batches,
        "nodes": dict.fromkeys(("tt", "te", "ee"), nodes()),
    }
    return EmulatorSettings(preset="connect", options=options)


def nodes() -> list[float]:
    """Multipoles as CLASS places them: steps of 12 %, of at most 20."""
    ell = [2]
    while ell[-1] < LARGEST:
        ell.append(min(ell[-1] + min(max(1, int(0.12 * ell[-1])), 20), LARGEST))
    return [float(each) for each in ell]


def with_points(settings: Settings, iterative: IterativeSettings, emulator: EmulatorSettings, calls: int) -> Settings:
    """The same study with points placed in CONNECT's way."""
    return settings.model_copy(
        update={
            "points": PointsSettings(iterative=iterative),
            "emulator": emulator,
            "accuracy": settings.accuracy.model_copy(update={"calls": calls}),
        }
    )


def kept(way: str, folder: Path) -> list[Found]:
    """What `keep` has written there."""
    found = []
    for path in sorted((path_of(folder, 0).parent).glob("[0-9]*.npz")):
        with np.load(path) as arrays:
            numbers = (int(arrays[name]) for name in ("training", "calls", "failed"))
            columns = (arrays[name] for name in ("samples", "weights", "log_posterior"))
            found.append(Found(way, int(path.stem), *numbers, tuple(arrays["names"].tolist()), *columns))
    return found


class Truth:
    """The corrected posterior: draws with weights, and a density."""

    def __init__(self, study: Study) -> None:
        self.names = study.space.names
        chain = read_chains(study.folder / "chain")
        self.samples = chain.samples[:, [chain.names.index(name) for name in self.names]]
        self.target: Target = study_target(study, stored_emulator(study))
        with np.load(study.folder / JUDGED) as judged:
            self.theta, self.difference = judged["theta"], judged["difference"]
        self.emulated = whitening_of_samples(self.samples)
        self.weights = np.exp(self.correction(self.samples))
        self.weights /= self.weights.sum()
        self.moments = whitening_of_samples(self.samples, self.weights)

    def correction(self, samples: np.ndarray) -> np.ndarray:
        """What the judging calls say is to be added to the emulated ln L, but for a constant."""
        return correct(self.difference, self.theta, self.emulated, samples).log_weights

    def log_posterior(self, samples: np.ndarray) -> np.ndarray:
        """Of the corrected posterior, but for a constant; beyond the emulator's domain its wall."""
        values = np.concatenate([np.asarray(jax.vmap(self.target)(part)) for part in np.array_split(samples, 20)])
        return values + self.correction(samples)

    def compared(self, one: Found) -> dict[str, Any]:
        """Shift, widths and divergence of one posterior from this."""
        q, p = whitening_of_samples(one.samples, one.weights), self.moments
        shift = (q.mean - p.mean) / p.sigma
        ratio = q.sigma / p.sigma
        worst = int(np.argmax(np.abs(shift)))
        root = np.linalg.cholesky(p.covariance)
        white = np.linalg.solve(root, np.linalg.solve(root, q.covariance).T)
        apart = np.linalg.solve(root, q.mean - p.mean)
        gaussian = 0.5 * (np.trace(white) + apart @ apart - len(apart) - np.linalg.slogdet(white)[1])
        return {
            "way": one.way,
            "step": one.step,
            "training": one.training,
            "calls": one.calls - one.failed,
            "failed": one.failed,
            "shift": float(abs(shift[worst])),
            "of": self.names[worst],
            "width": [float(ratio.min()), float(ratio.max())],
            "kl_moments": float(gaussian),
            "kl": self.divergence(one),
        }

    def divergence(self, one: Found) -> float | None:
        """D(q || corrected) = E_q[delta] + ln E_q[exp(-delta)], delta the difference of the log densities."""
        weights = one.weights / one.weights.sum()
        there = self.log_posterior(one.samples)
        if not np.isfinite(there).all():
            return None
        delta = one.log_posterior - there
        delta -= weights @ delta
        ratio = weights * np.exp(-(delta - delta.min()))
        effective = ratio.sum() ** 2 / np.sum(ratio**2)
        if effective < LEAST * len(delta):
            return None
        return float(np.log(weights @ np.exp(-(delta - delta.min()))) - delta.min())


if __name__ == "__main__":
    main()
