"""How much a trend and a way of placing points are worth: KL against number of training points, without any CLASS call.

    python benchmarks/points_and_trend.py [FOLDER]

FOLDER (default runs/benchmark_planck_lcdm) is what benchmarks/planck_lcdm.py left: a cubic of all models in its archive
stands for the exact code, its chains for the posterior. Prints a table and, as its last line, one JSON object.
"""

import json
import sys
from pathlib import Path

import numpy as np

from alfonsine.emulator.around import trend
from alfonsine.emulator.around.fit import Shape, fit
from alfonsine.emulator.around.focus import Focus
from alfonsine.points.learn import choose
from alfonsine.points.training_set import TrainingSet
from alfonsine.posterior.formats.chains import read_chains
from alfonsine.space.polynomial import degree, monomials, values
from alfonsine.study.emulate import data_metric, emulator_inputs, trust
from alfonsine.study.exact import Computed, exact_log_likelihood, training_set
from alfonsine.study.infer import emulated_log_likelihood, study_target
from alfonsine.study.prepare import prepare
from alfonsine.study.run import ARCHIVE
from alfonsine.study.settings import read_study
from alfonsine.theory.archive import Archive
from alfonsine.theory.call import Call
from alfonsine.theory.observables import Observables

STUDY = Path(__file__).parents[1] / "examples" / "planck_lcdm.yaml"
SIZES, DESIGNS, GOAL, POOL = (17, 20, 27), 16, 200, 500


def furthest_first(points: np.ndarray, count: int) -> np.ndarray:
    """Greedy maximin design."""
    chosen, distance = [], np.linalg.norm(points, axis=1)
    for _ in range(count):
        chosen.append(int(np.argmax(distance)))
        distance = np.minimum(distance, np.linalg.norm(points - points[chosen[-1]], axis=1))
    return np.array(chosen)


def main(folder: Path) -> None:
    """Build the stand-in, try all ways, print."""
    study = prepare(read_study(STUDY), folder)
    names = emulator_inputs(study)
    with Archive(folder / ARCHIVE) as archive:
        calls = tuple(call for call in archive.of(study.theory.identity()) if call.done)
    inputs = np.array([[call.inputs[name] for name in names] for call in calls])
    chains = read_chains(folder / "chain")
    draws = chains.samples[:, [chains.names.index(n) for n in study.space.names]]
    columns = list(study.space.index(names))
    focus = Focus.of(draws[:, columns].mean(axis=0), np.cov(draws[:, columns].T))
    near = np.linalg.norm(focus.white(inputs), axis=1) < 8
    padded = np.tile(draws.mean(axis=0), (len(calls), 1))
    padded[:, columns] = inputs
    models = training_set(study, Computed(padded[near], tuple(np.array(calls, dtype=object)[near])), names)
    table = monomials(len(names), 3)
    u = focus.coordinates().at(models.theta)
    penalty = np.sqrt(np.choose(np.minimum(degree(table), 3), [1e-9, 1e-9, 1e-4, 1e-3]) * len(u))
    design = np.vstack([values(u, table), np.diag(penalty)])
    solve = np.linalg.pinv(design)[:, : len(u)]
    truth = {name: solve @ output for name, output in models.outputs.items()}

    def exact(theta: np.ndarray) -> dict[str, np.ndarray]:
        terms = values(focus.coordinates().at(theta), table)
        return {name: terms @ coefficients for name, coefficients in truth.items()}

    goal = draws[np.linspace(0, len(draws) - 1, GOAL).astype(int)]
    spectra = exact(goal[:, columns])
    stand_ins = tuple(
        Call("", {}, "done", "", 0.0, Observables({n: spectra[n][i] for n in spectra if n != "derived"}, {}))
        for i in range(GOAL)
    )
    expected = exact_log_likelihood(study, Computed(goal, stand_ins))
    reference = {name: output[0] for name, output in exact(np.asarray(focus.centre)[None]).items()}
    metric = data_metric(tuple(study.likelihoods.values()), reference)

    def divergence(theta: np.ndarray) -> float:
        outputs = {name: output for name, output in exact(theta).items() if name != "derived"}
        stand_in = TrainingSet(names, theta, outputs, ())
        learned = fit(
            names, theta, outputs, domain=trust(study, stand_in, focus), focus=focus, metric=metric, shape=Shape()
        ).emulator
        return float(np.var(expected - emulated_log_likelihood(study_target(study, learned), goal)) / 2)

    found: dict[str, dict[str, float]] = {}
    sweeps = trend.SWEEPS
    for count in SIZES:
        for way in ("tempered, one strength", "tempered", "furthest first", "most is learned"):
            trend.SWEEPS = 0 if way.endswith("one strength") else sweeps
            kl = []
            for seed in range(DESIGNS):
                normal = np.random.default_rng(seed).standard_normal((POOL, len(names)))
                pool = np.asarray(focus.centre) + np.sqrt(2.0) * normal @ np.asarray(focus.cholesky).T
                rows = np.arange(count)
                if way == "furthest first":
                    rows = furthest_first(focus.white(pool[: 3 * count]), count)
                if way == "most is learned":
                    white = focus.white(goal[:, columns])
                    rows = choose(focus.white(pool), white[:0], white, count)
                kl.append(divergence(pool[rows]))
            found.setdefault(way, {})[str(count)] = float(np.median(kl))
            print(f"{count:3d} points, {way:<24} median KL {np.median(kl):.5f}, largest {max(kl):.5f}", flush=True)
    print(json.dumps(found))


if __name__ == "__main__":
    main(Path(sys.argv[1]) if len(sys.argv) > 1 else Path("runs/benchmark_planck_lcdm"))
