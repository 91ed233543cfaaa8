"""Growth with dimension: exact calls and seconds of the default loop on a curved posterior of known truth.

    python benchmarks/growth.py [--dimensions 2 4 8 16 30] [--seeds 1] [--folder runs/growth] [--figure FILE.png]

The theory is `alfonsine.theory.twisted_toy`: 300 bands, posterior bent in every pair of parameters. Every run starts
one standard deviation off in every parameter, with steps wrong by up to a factor of two, asks for KL 0.01 and leaves
the rest at its defaults but for the budget. Each runs in a process of its own, bound to one core; its seconds are those
of the processor, without the worker that makes the exact calls. Draws of the exact posterior, which no run sees, then
tell the true divergence, D(exact || emulated), and the largest shift of the means that were sampled. Prints a table
and, as its last line, one JSON object.
"""

import argparse
import json
import os
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
from finished import finished

DIMENSIONS = (2, 4, 8, 16, 30)
BANDS, BEND, EDGE = 300, 0.25, 20.0
DRAWS, EXACT = 20_000, 1_000_000  # for the divergence, for the means
GPRY = (70.0, 1.5)  # published: the code's own cap on exact calls, 70 d^1.5
BUDGET = 4000


def problem(d: int) -> tuple:
    """The toy, the data, and mean and root of the covariance of the heights."""
    from alfonsine.theory.twisted_toy import TwistedToy

    toy = TwistedToy(tuple(f"x{k + 1}" for k in range(d)), bands=BANDS, bend=BEND)
    rng = np.random.default_rng(1252 + d)
    data = toy.response @ toy.twist(0.5 * rng.standard_normal(d)) + rng.standard_normal(BANDS)
    covariance = np.linalg.inv(toy.response.T @ toy.response)
    return toy, data, covariance @ toy.response.T @ data, np.linalg.cholesky(covariance)


def exact_draws(d: int, count: int, seed: int) -> np.ndarray:
    """Draws of the exact posterior."""
    toy, _, mean, root = problem(d)
    normal = np.random.default_rng(seed).standard_normal((count, d))
    return toy.untwist(mean + normal @ root.T)


def study_of(d: int, seed: int) -> dict:
    """The study as a file would say it."""
    toy, data, _, _ = problem(d)
    draws = exact_draws(d, 10_000, 7)
    rng = np.random.default_rng(seed)
    reference = draws.mean(axis=0) + draws.std(axis=0) * rng.choice([-1.0, 1.0], d)
    step = draws.std(axis=0) * 2.0 ** rng.uniform(-1, 1, d)
    params = {
        name: {"prior": {"min": -EDGE, "max": EDGE}, "ref": float(ref), "proposal": float(width)}
        for name, ref, width in zip(toy.names, reference, step, strict=True)
    }
    return {
        "theory": {"toy": {"name": "twisted", "bands": BANDS, "bend": BEND}},
        "likelihood": {"gaussian": {"observable": "data", "value": data.tolist(), "error": 1.0}},
        "params": params,
        "accuracy": {"kl": 0.01, "calls": BUDGET},
        "compute": {"workers": 1},
        "seed": seed,
    }


def one(d: int, seed: int, folder: Path) -> dict:
    """Run the loop, and compare with the truth."""
    os.sched_setaffinity(0, {sorted(os.sched_getaffinity(0))[os.getpid() % len(os.sched_getaffinity(0))]})
    import jax

    from alfonsine.study.prepare import prepare
    from alfonsine.study.run import run
    from alfonsine.study.settings import settings_from

    began, spent = time.perf_counter(), time.process_time()
    result = run(prepare(settings_from(study_of(d, seed)), folder))
    seconds, processor = time.perf_counter() - began, time.process_time() - spent
    toy, data, _, _ = problem(d)
    theta = exact_draws(d, DRAWS, 8)
    emulated = np.asarray(jax.jit(lambda x: result.emulator(x)["data"])(theta))
    answered = np.isfinite(emulated).all(axis=1)
    exact = toy.twist(theta) @ toy.response.T
    ratio = 0.5 * (np.sum((emulated - data) ** 2, axis=1) - np.sum((exact - data) ** 2, axis=1))[answered]
    means = exact_draws(d, EXACT, 9)
    samples = result.posterior.samples
    shift = np.abs(np.average(samples, axis=0, weights=result.posterior.weights) - means.mean(axis=0))
    return {
        "d": d,
        "seed": seed,
        **finished(folder),
        "kl_true": float(ratio.mean() + np.log(np.mean(np.exp(-ratio)))),
        "beyond_domain": float(1.0 - answered.mean()),
        "largest_shift": float((shift / means.std(axis=0)).max()),  # of what was sampled, from the exact means
        "processor_seconds": round(processor, 1),
        "wall_seconds": round(seconds, 1),
    }


def figure(rows: list[dict], path: Path) -> None:
    """Calls and seconds against dimension, with the published cap of a peer."""
    import matplotlib

    matplotlib.use("Agg")
    from matplotlib import pyplot as plt

    d = np.array([row["d"] for row in rows])
    smooth = np.geomspace(d.min(), d.max(), 50)
    calls, seconds = plt.subplots(1, 2, figsize=(9, 3.8), layout="constrained")[1]
    calls.plot(d, [row["solver_calls"] for row in rows], "o", label="alfonsine, to a pass")
    calls.plot(d, [row["training"] for row in rows], "o", mfc="none", color="C0", label="of these, to learn")
    calls.plot(smooth, 10 * smooth, ":", color="0.5", label="10 d")
    factor, power = GPRY
    calls.plot(
        smooth, factor * smooth**power, "--", color="C3", label=f"GPry's cap, {factor:g} d$^{{{power:g}}}$ (published)"
    )
    calls.set(ylabel="exact calls")
    seconds.plot(d, [row["processor_seconds"] for row in rows], "o", label="outside the exact code, one core")
    seconds.set(ylabel="processor seconds", ylim=(10, 1000))
    for axes in (calls, seconds):
        axes.set(xscale="log", yscale="log", xlabel="parameters d")
        axes.set_xticks(sorted(set(d.tolist())), [str(x) for x in sorted(set(d.tolist()))])
        axes.minorticks_off()
        axes.legend(fontsize=8, frameon=False)
    path.parent.mkdir(parents=True, exist_ok=True)
    plt.savefig(path, dpi=120)


COLUMNS = (
    "d",
    "seed",
    "outcome",
    "solver_calls",
    "training",
    "kl_upper95",
    "kl_true",
    "largest_shift",
    "processor_seconds",
)


def main() -> None:
    """Run every dimension and seed in a process of its own, and print."""
    parser = argparse.ArgumentParser(description="growth of the default loop with dimension")
    parser.add_argument("--dimensions", type=int, nargs="+", default=DIMENSIONS)
    parser.add_argument("--seeds", type=int, nargs="+", default=(1,))
    parser.add_argument("--folder", type=Path, default=Path("runs/growth"))
    parser.add_argument("--figure", type=Path)
    parser.add_argument("--one", action="store_true", help="the first of each, in this process")
    given = parser.parse_args()
    if given.one:
        d, seed = given.dimensions[0], given.seeds[0]
        print(json.dumps(one(d, seed, given.folder / f"d{d}_seed{seed}")))
        return
    rows = []
    print(" ".join(f"{name:>17}" for name in COLUMNS))
    for d in given.dimensions:
        for seed in given.seeds:
            command = [sys.executable, __file__, "--one", "--dimensions", str(d), "--seeds", str(seed)]
            done = subprocess.run(
                [*command, "--folder", str(given.folder)], stdout=subprocess.PIPE, check=True, text=True
            )
            rows.append(json.loads(done.stdout.splitlines()[-1]))
            shown = [rows[-1][name] for name in COLUMNS]
            print(" ".join(f"{x:17.4g}" if isinstance(x, float) else f"{x:>17}" for x in shown), flush=True)
    if given.figure:
        figure(rows, given.figure)
    print(json.dumps(rows))


if __name__ == "__main__":
    main()
