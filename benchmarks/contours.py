"""Contours to 5 sigma of a finished run, emulated and exact.

    python benchmarks/contours.py RUN --parameters A B C [--calls 100] [--figure FILE.png]

RUN is the folder of a run (or of one seed of `massive_neutrinos.py`, `dcdm.py`). Where 5 sigma are, a plain chain has
no draws: so the emulated posterior is also sampled with its likelihood to the power 1/T, for several T, and the draws
of all together are weighted back to T = 1, by their density in the mixture (the multistate estimator of Shirts and
Chodera 2008). Exact calls at `--calls` of them, as many from every shell of delta chi-square, tell
l = ln L_exact - ln L_emulated out to there; l is regressed on the parameters, as in the certificate, and exp(l) weighs
the draws once more. Prints l by shell and how far the ends of marginal intervals of 1 to 5 sigma move and, as its last
line, one JSON object. The calls are archived in RUN.
"""

import argparse
import json
from itertools import pairwise
from pathlib import Path

import jax
import numpy as np
from plane import Plane
from scipy.special import logsumexp
from scipy.stats import chi2, norm

from alfonsine.certificate.corrected import correct
from alfonsine.certificate.whiten import whitening_of_samples
from alfonsine.posterior.formats.chains import read_chains
from alfonsine.study.exact import compute_points, exact_log_likelihood
from alfonsine.study.infer import emulated_log_likelihood, sample_target, study_target
from alfonsine.study.prepare import Study, prepare
from alfonsine.study.propose import rng
from alfonsine.study.run import open_engine
from alfonsine.study.settings import read_study
from alfonsine.study.stages import stored_emulator

SIGMAS = (1, 2, 3, 4, 5)
TEMPERATURES = (1.0, 2.5, 6.0)
DRAWS = 1000  # effective, at each temperature above one
SHELLS = (0.0, 2.0, 3.0, 4.0, 5.0, 7.0)  # sqrt of delta chi-square


def main() -> None:
    """Sample, compute, compare, draw."""
    parser = argparse.ArgumentParser()
    parser.add_argument("run", type=Path)
    parser.add_argument("--parameters", nargs="+", required=True)
    parser.add_argument("--calls", type=int, default=100)
    parser.add_argument("--figure", type=Path)
    options = parser.parse_args()
    study = prepare(read_study(options.run / "study.yaml"), options.run)
    target = study_target(study, stored_emulator(study))
    chain = read_chains(options.run / "chain")
    own = chain.samples[:, [chain.names.index(name) for name in study.space.names]]
    key = jax.random.fold_in(jax.random.key(study.settings.seed), 5_000_000)
    pieces = [own] + [
        sample_target(study, target, own.mean(axis=0), own.std(axis=0), key, ess=DRAWS, temperature=t).samples
        for t in TEMPERATURES[1:]
    ]
    theta = np.vstack(pieces)
    value = emulated_log_likelihood(target, theta)
    kept = np.isfinite(value)
    counts = np.array([int(part.sum()) for part in np.split(kept, np.cumsum([len(p) for p in pieces])[:-1])])
    theta, value = theta[kept], value[kept]
    log_weight = weighted_back(value - value.max(), counts)

    depth = np.sqrt(2.0 * (value.max() - value))
    rows = by_shell(depth, options.calls, rng(jax.random.fold_in(key, 1)))
    with open_engine(study) as engine:
        computed = compute_points(study, engine, theta[rows])
    rows = rows[computed.done]
    difference = exact_log_likelihood(study, computed) - value[rows]
    difference -= np.median(difference)  # of a constant no posterior knows
    shells = [
        {"from": low, "to": high, "calls": int(there.sum()), "rms": float(np.sqrt(np.mean(difference[there] ** 2)))}
        for low, high in pairwise(SHELLS)
        if (there := (depth[rows] >= low) & (depth[rows] < high)).any()
    ]
    corrected = correct(difference, theta[rows], whitening_of_samples(own), theta, np.exp(log_weight))
    both = {"emulated": np.exp(log_weight), "exact": normalised(log_weight + corrected.log_weights)}
    ends = {name: moved(study, name, theta, both) for name in options.parameters}
    for shell in shells:
        print(f"sqrt(delta chi2) {shell['from']} to {shell['to']}: {shell['calls']:4d} calls, l rms {shell['rms']:.3g}")
    for name, found in ends.items():
        told = "; ".join(f"{k}: {low:+.3f} {high:+.3f}" for k, (low, high) in found.items())
        print(f"{name:<16} ends of the interval of k sigma move, in sigma: {told}")
    if options.figure:
        draw(study, options.parameters, theta, both, theta[rows], options.figure)
    result = {
        "calls": len(rows),
        "failed": int((~computed.done).sum()),
        "effective": float(1.0 / np.sum(both["emulated"] ** 2)),
        "shells": shells,
        "skill": corrected.skill,
        "order": corrected.order,
        "left": corrected.residual,
        "moved": ends,
        "largest_moved": max(abs(end) for found in ends.values() for pair in found.values() for end in pair),
    }
    print(json.dumps(result))


def weighted_back(value: np.ndarray, counts: np.ndarray) -> np.ndarray:
    """Log weights, of sum one, by which draws of all temperatures together are draws at T = 1; value is ln L."""
    powers = np.outer(1.0 / np.array(TEMPERATURES), value)
    free = np.zeros(len(counts))
    for _ in range(1000):
        mixture = logsumexp(powers - free[:, None] + np.log(counts)[:, None], axis=0)
        new = logsumexp(powers - mixture, axis=1)
        new -= new[0]
        settled, free = np.abs(new - free).max() < 1e-9, new
        if settled:
            break
    log_weight = value - mixture
    return log_weight - logsumexp(log_weight)


def by_shell(depth: np.ndarray, count: int, generator: np.random.Generator) -> np.ndarray:
    """Rows of `count` draws, as many from each shell of delta chi-square."""
    shells = [np.flatnonzero((depth >= low) & (depth < high)) for low, high in pairwise(SHELLS)]
    shells = [rows for rows in shells if len(rows)]
    each = -(-count // len(shells))
    return np.concatenate([generator.permutation(rows)[:each] for rows in shells])[:count]


def normalised(log_weights: np.ndarray) -> np.ndarray:
    """Weights of sum one."""
    return np.exp(log_weights - logsumexp(log_weights))


def moved(study: Study, name: str, theta: np.ndarray, both: dict[str, np.ndarray]) -> dict[int, tuple[float, float]]:
    """How far both ends of each central interval move, exact minus emulated, in standard deviations."""
    column = theta[:, study.space.names.index(name)]
    weights = both["emulated"]
    width = np.sqrt(weights @ (column - weights @ column) ** 2)
    found = {}
    for k in SIGMAS:
        (a, b), (c, d) = (interval(column, each, k) for each in (both["emulated"], both["exact"]))
        found[k] = (round(float(c - a) / width, 4), round(float(d - b) / width, 4))
    return found


def interval(column: np.ndarray, weights: np.ndarray, sigmas: float) -> tuple[float, float]:
    """Central interval of the probability that `sigmas` hold of a Gaussian, of weighted samples."""
    order = np.argsort(column)
    mass = np.cumsum(weights[order]) - 0.5 * weights[order]
    return tuple(np.interp([norm.sf(sigmas), norm.cdf(sigmas)], mass, column[order]))


def draw(study: Study, parameters: list[str], theta: np.ndarray, both: dict, points: np.ndarray, path: Path) -> None:
    """Triangle of contours: emulated filled, exact as lines; the exact calls as points."""
    import matplotlib

    matplotlib.use("Agg")
    from matplotlib import pyplot as plt
    from matplotlib.lines import Line2D

    columns = [study.space.names.index(name) for name in parameters]
    labels = [f"${study.space.latex[i]}$" for i in columns]
    k = len(columns)
    figure, axes = plt.subplots(k - 1, k - 1, figsize=(3.0 * (k - 1), 2.8 * (k - 1)), squeeze=False)
    for row in range(1, k):
        for column in range(k - 1):
            panel = axes[row - 1][column]
            if column >= row:
                panel.remove()
                continue
            for which, colour, style in (("emulated", "C0", "-"), ("exact", "C3", "--")):
                plane = Plane.of(theta[:, [columns[column], columns[row]]], both[which])
                grid, levels = (plane.x, plane.y, plane.density), plane.levels(chi2.cdf(np.square(SIGMAS), 1))
                if which == "emulated":
                    panel.contourf(*grid, [*levels, plane.density.max()], cmap="Blues", norm="log", alpha=0.7)
                panel.contour(*grid, levels, colors=colour, linestyles=style, linewidths=1.0)
            panel.plot(points[:, columns[column]], points[:, columns[row]], ".", ms=2, color="0.3")
            if row == k - 1:
                panel.set_xlabel(labels[column])
            if column == 0:
                panel.set_ylabel(labels[row])
    handles = [
        Line2D([], [], color="C0", label="emulated, 1 to 5 sigma"),
        Line2D([], [], color="C3", ls="--", label="exact"),
        Line2D([], [], color="0.3", marker=".", ls="", label="exact calls"),
    ]
    figure.legend(handles=handles, loc="upper right", frameon=False)
    figure.tight_layout()
    path.parent.mkdir(parents=True, exist_ok=True)
    figure.savefig(path, dpi=110)


if __name__ == "__main__":
    main()
