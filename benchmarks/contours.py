"""Contours to 5 sigma of a finished run, emulated and exact.

    python benchmarks/contours.py RUN --parameters A B C [--calls 100] [--temperature 4] [--figure FILE.png]

RUN is the folder of a run (or of one seed of `massive_neutrinos.py`, `dcdm.py`). The emulated posterior is sampled with
its likelihood to the power 1/T, which reaches where a plain chain has no draws, and weighted back by L^(1 - 1/T). Exact
calls at `--calls` of these draws, evenly among shells of delta chi-square, tell l = ln L_exact - ln L_emulated out to
there; l is regressed on the parameters, as in the certificate, and exp(l) weighs the samples once more: the exact
contours. Prints l by shell and how far the ends of the marginal 5 sigma intervals move and, as its last line, one JSON
object. The calls are archived in RUN.
"""

import argparse
import json
from itertools import pairwise
from pathlib import Path

import jax
import numpy as np
from scipy.stats import chi2, norm

from alfonsine.certificate.corrected import correct
from alfonsine.certificate.whiten import whitening_of_samples
from alfonsine.posterior.chains import read_chains
from alfonsine.study.exact import compute_points, exact_log_likelihood
from alfonsine.study.infer import emulated_log_likelihood, sample_target, study_target
from alfonsine.study.prepare import prepare
from alfonsine.study.propose import rng
from alfonsine.study.run import open_engine
from alfonsine.study.settings import read_study
from alfonsine.study.stages import stored_emulator

SIGMAS = (1, 2, 3, 4, 5)
DRAWS = 40_000  # effective, of the tempered posterior
SHELLS = 5  # of delta chi-square


def main() -> None:
    """Sample, compute, compare, draw."""
    parser = argparse.ArgumentParser()
    parser.add_argument("run", type=Path)
    parser.add_argument("--parameters", nargs="+", required=True)
    parser.add_argument("--calls", type=int, default=100)
    parser.add_argument("--temperature", type=float, default=4.0)
    parser.add_argument("--figure", type=Path)
    options = parser.parse_args()
    study = prepare(read_study(options.run / "study.yaml"), options.run)
    target = study_target(study, stored_emulator(study))
    chain = read_chains(options.run / "chain")
    own = chain.samples[:, [chain.names.index(name) for name in study.space.names]]
    key = jax.random.fold_in(jax.random.key(study.settings.seed), 5_000_000)
    wide = sample_target(
        study, target, own.mean(axis=0), own.std(axis=0), key, ess=DRAWS, temperature=options.temperature, blocks=60
    )
    theta = wide.samples
    value = emulated_log_likelihood(target, theta)
    log_weight = (1.0 - 1.0 / options.temperature) * (value - value.max())

    rows = by_shell(value, options.calls, rng(jax.random.fold_in(key, 1)), own.shape[1])
    with open_engine(study) as engine:
        computed = compute_points(study, engine, theta[rows])
    done = computed.done
    points = theta[rows][done]
    emulated = emulated_log_likelihood(target, points)
    difference = exact_log_likelihood(study, computed) - emulated
    difference -= np.median(difference)  # of a constant no posterior knows
    depth = np.sqrt(2.0 * (value.max() - emulated))  # sqrt of delta chi-square
    shells = [
        {"from": low, "to": high, "calls": int(inside.sum()), "rms": rms(difference[inside])}
        for low, high in ((0, 2), (2, 3), (3, 4), (4, 5), (5, 7))
        if (inside := (depth >= low) & (depth < high)).any()
    ]
    corrected = correct(difference, points, whitening_of_samples(own), theta, np.exp(log_weight))
    both = {"emulated": normalised(log_weight), "exact": normalised(log_weight + corrected.log_weights)}
    ends = {}
    for name in options.parameters:
        column = theta[:, study.space.names.index(name)]
        width = own[:, study.space.names.index(name)].std()
        found = {which: interval(column, weights, 5.0) for which, weights in both.items()}
        ends[name] = [round(float(b - a) / width, 3) for a, b in zip(found["emulated"], found["exact"], strict=True)]
    result = {
        "calls": int(done.sum()),
        "failed": int((~done).sum()),
        "shells": shells,
        "skill": corrected.skill,
        "order": corrected.order,
        "left": corrected.residual,
        "moved_5_sigma_ends": ends,
    }
    for shell in shells:
        print(f"sqrt(delta chi2) {shell['from']} to {shell['to']}: {shell['calls']:4d} calls, l rms {shell['rms']:.3g}")
    for name, (low, high) in ends.items():
        print(f"{name:<16} ends of the 5 sigma interval move by {low:+.3f}, {high:+.3f} sigma")
    if options.figure:
        draw(study, options.parameters, theta, both, points, options.figure)
    print(json.dumps(result))


def by_shell(value: np.ndarray, count: int, generator: np.random.Generator, d: int) -> np.ndarray:
    """Rows of `count` draws, as many from each shell of delta chi-square, out to that of 5 sigma in d parameters."""
    depth = np.sqrt(2.0 * (value.max() - value))
    last = np.sqrt(chi2.ppf(chi2.cdf(25.0, 1), d))
    edges = np.linspace(0.0, last, SHELLS + 1)
    shells = [np.flatnonzero((depth >= a) & (depth < b)) for a, b in pairwise(edges)]
    shells = [rows for rows in shells if len(rows)]
    each = -(-count // len(shells))
    return np.concatenate([generator.permutation(rows)[:each] for rows in shells])[:count]


def rms(values: np.ndarray) -> float:
    """Root mean square."""
    return float(np.sqrt(np.mean(values**2)))


def normalised(log_weights: np.ndarray) -> np.ndarray:
    """Weights of sum one."""
    weights = np.exp(log_weights - log_weights.max())
    return weights / weights.sum()


def interval(column: np.ndarray, weights: np.ndarray, sigmas: float) -> tuple[float, float]:
    """Central interval of the probability that `sigmas` hold of a Gaussian, of weighted samples."""
    order = np.argsort(column)
    mass = np.cumsum(weights[order])
    tail = norm.sf(sigmas)
    ends = np.searchsorted(mass, [tail, 1.0 - tail])
    return tuple(column[order][np.clip(ends, 0, len(column) - 1)])


def draw(study, parameters, theta, both, points, path: Path) -> None:
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
            x, y = theta[:, columns[column]], theta[:, columns[row]]
            for which, colour, style in (("emulated", "C0", "-"), ("exact", "C3", "--")):
                grid, density = smooth(x, y, both[which])
                levels = sorted({level(density, sigma) for sigma in SIGMAS})
                if which == "emulated":
                    panel.contourf(*grid, density, [*levels, density.max()], cmap="Blues", norm="log", alpha=0.7)
                panel.contour(*grid, density, levels, colors=colour, linestyles=style, linewidths=1.0)
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


def smooth(x: np.ndarray, y: np.ndarray, weights: np.ndarray, bins: int = 60) -> tuple[tuple, np.ndarray]:
    """Histogram of weighted samples, its logarithm smoothed a little: the tails span many decades."""
    from scipy.ndimage import gaussian_filter

    counts, xe, ye = np.histogram2d(x, y, bins=bins, weights=weights)
    density = gaussian_filter(counts, 1.2)
    middle = (0.5 * (xe[1:] + xe[:-1]), 0.5 * (ye[1:] + ye[:-1]))
    return (*np.meshgrid(*middle),), np.maximum(density.T, 1e-30) / density.sum()


def level(density: np.ndarray, sigmas: float) -> float:
    """Density whose contour holds the mass of `sigmas` standard deviations in one dimension."""
    ordered = np.sort(density.ravel())[::-1]
    mass = np.cumsum(ordered)
    return float(ordered[min(int(np.searchsorted(mass, chi2.cdf(sigmas**2, 1))), len(ordered) - 1)])


if __name__ == "__main__":
    main()
