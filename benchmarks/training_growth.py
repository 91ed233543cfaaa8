"""Memory and time of training a dense network against the size of the training set, with synthetic outputs.

Each size is trained in a process of its own, whose peak resident memory is what is reported: it writes the set to disk,
learns the normalisation from passes over it, and trains the `connect` network (6 x 512, batches of 512) for a few
epochs, with the default limits: rows stay on the device where they take less than 1 GiB, else they are streamed. The
outputs are sums of a few smooth functions of six parameters; nothing depends on what they are. The time of an epoch is
the median after the first, which compiles; `prepare` is all between the set and the end of the first epoch, less that.

    python benchmarks/training_growth.py [--quick] [--folder FOLDER] [--epochs 3]

1e5 models of 1e4 outputs take 4 GB of disk, in FOLDER (a temporary one unless named). Saves
benchmarks/figures/training_growth.png (unless --quick). Last line: JSON with, for each size, `models`, `outputs`,
`peak_mib`, `fill_seconds`, `prepare_seconds`, `epoch_seconds`.
"""

import argparse
import json
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np

SIZES = ((1_000, 1_000), (10_000, 1_000), (10_000, 10_000), (100_000, 10_000))
QUICK = ((200, 100), (400, 200))
FIGURE = Path(__file__).parent / "figures" / "training_growth.png"


def fill(folder: Path, n: int, m: int):
    """Write a set of n models with m outputs, 500 models at a time."""
    from alfonsine.emulator.networks.model_set import ModelSet
    from alfonsine.theory.output import multipoles

    rng = np.random.default_rng(7)
    waves = rng.normal(size=(12, m)) * np.exp(-np.arange(12) / 3)[:, None]
    directions = rng.normal(size=(6, 12))
    writer = ModelSet.create(folder, [f"p{i}" for i in range(6)], [multipoles("tt", m, "")], n)
    for first in range(0, n, 500):
        rows = np.arange(first, min(first + 500, n))
        theta = rng.uniform(-1, 1, (len(rows), 6))
        writer.write(rows, theta, {"tt": np.tanh(theta @ directions) @ waves})
    return writer.model_set  # no digest: a pass over everything that training does not need


def child(folder: Path, n: int, m: int, units: int, epochs: int) -> dict[str, float]:
    """Fill, prepare and train in this process; peak memory and times."""
    from alfonsine.emulator.networks.presets import Connect
    from alfonsine.emulator.networks.training import train

    started = time.perf_counter()
    kept = fill(folder / "set", n, m)
    filled = time.perf_counter()
    ends: list[float] = []
    plan = Connect(units=units, epochs=epochs).plans(kept)["all"]
    train(kept, plan, folder / "run", progress=lambda record: ends.append(time.perf_counter()))
    later = np.diff(ends)
    return {
        "models": n,
        "outputs": m,
        "peak_mib": round(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024),
        "fill_seconds": round(filled - started, 2),
        "prepare_seconds": round(ends[0] - filled - float(np.median(later)), 2),
        "epoch_seconds": round(float(np.median(later)), 3),
    }


def draw(found: list[dict[str, float]]) -> None:
    """Peak memory and time per epoch against the size of the set on disk."""
    import matplotlib

    matplotlib.use("Agg")
    from matplotlib import pyplot

    size = [4 * f["models"] * f["outputs"] / 2**20 for f in found]
    figure, axes = pyplot.subplots(1, 2, figsize=(7.5, 3.0), constrained_layout=True)
    for axis, key, label in zip(axes, ("peak_mib", "epoch_seconds"), ("peak memory [MiB]", "epoch [s]"), strict=True):
        axis.loglog(size, [f[key] for f in found], "o-", color="0.2", markersize=4)
        axis.set_xlabel("training set on disk [MiB]")
        axis.set_ylabel(label)
    axes[0].loglog(size, size, ":", color="0.6", label="the set itself")
    axes[0].axhline(8 * 1024, color="C3", linewidth=0.8, label="8 GiB")
    axes[0].legend(frameon=False, fontsize=8)
    FIGURE.parent.mkdir(exist_ok=True)
    figure.savefig(FIGURE, dpi=110)


def main() -> None:
    """Run each size in a child, print a table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--quick", action="store_true", help="two tiny sets, 32 units, no figure")
    parser.add_argument("--folder", type=Path, help="where the sets go; a temporary folder by default")
    parser.add_argument("--epochs", type=int, default=3, help="two at least; the first is not counted")
    parser.add_argument("--child", nargs=3, type=int, metavar=("MODELS", "OUTPUTS", "UNITS"), help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.child:
        print(json.dumps(child(options.folder, *options.child, max(2, options.epochs))))
        return
    found = []
    print(f"{'models':>8} {'outputs':>8} {'peak MiB':>9} {'fill s':>8} {'prepare s':>10} {'epoch s':>9}")
    for n, m in QUICK if options.quick else SIZES:
        with tempfile.TemporaryDirectory(dir=options.folder) as folder:
            units = 32 if options.quick else 512
            command = [sys.executable, __file__, "--folder", folder, "--epochs", str(options.epochs)]
            command += ["--child", str(n), str(m), str(units)]
            done = subprocess.run(command, capture_output=True, text=True)
            if done.returncode:
                sys.exit(f"{n} x {m}: {done.stderr.strip().splitlines()[-1]}")
            f = json.loads(done.stdout.splitlines()[-1])
        found.append(f)
        print(
            f"{n:>8} {m:>8} {f['peak_mib']:>9} {f['fill_seconds']:>8.1f} {f['prepare_seconds']:>10.1f} "
            f"{f['epoch_seconds']:>9.3f}",
            flush=True,
        )
    if not options.quick:
        draw(found)
    print(json.dumps({"sizes": found}))


if __name__ == "__main__":
    main()
