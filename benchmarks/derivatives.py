"""Gradients of the shipped P(k, z) emulator beside finite differences of CLASS.

    python benchmarks/derivatives.py [FOLDER] [--points 5]

At random points of the box: d ln P / d theta at all k and z, exact for the emulator, and for CLASS (f(+h) - f(-h))/2h
with h a twentieth of the range of a parameter, as well as with half of it, which says how exact the difference itself
is. Exact calls are kept in FOLDER. Prints a table and, as its last line, one JSON object.
"""

import argparse
import json
from pathlib import Path

import jax
import jax.numpy as jnp
import numpy as np

from alfonsine.emulator.stored.file import load_emulator
from alfonsine.study.collect import theory_points
from alfonsine.study.prepare import prepare
from alfonsine.study.run import open_engine
from alfonsine.study.settings import read_study
from alfonsine.study.wide import box

EXAMPLES = Path(__file__).parents[1] / "examples"
STEP = 0.05  # of the range of a parameter


def main() -> None:
    """Compute, compare, print."""
    parser = argparse.ArgumentParser()
    parser.add_argument("folder", type=Path, nargs="?", default=Path("runs/benchmark_derivatives"))
    parser.add_argument("--points", type=int, default=5)
    options = parser.parse_args()
    study = prepare(read_study(EXAMPLES / "pk_wide.yaml"), options.folder)
    options.folder.mkdir(parents=True, exist_ok=True)
    emulator = load_emulator(EXAMPLES / "pk_wide.safetensors")
    names, lower, upper = box(study)
    middle = np.random.default_rng(1).uniform(0.1, 0.9, (options.points, len(names)))
    theta, width = lower + middle * (upper - lower), STEP * (upper - lower)
    steps = [s * f for f in (1.0, 0.5) for s in (1.0, -1.0)]
    shifted = np.vstack([point + s * np.diag(width) for point in theta for s in steps])
    with open_engine(study) as engine:
        calls = engine.compute(theory_points(study, shifted))
    logs = np.log([call.observables.spectra["pk_lin"] for call in calls])
    logs = logs.reshape(len(theta), len(steps), len(names), -1)
    wide = (logs[:, 0] - logs[:, 1]) / (2 * width[:, None])
    narrow = (logs[:, 2] - logs[:, 3]) / width[:, None]
    exact = (4 * narrow - wide) / 3  # Richardson: the error of second order cancels
    gradient = jax.vmap(jax.jacfwd(lambda t: jnp.log(emulator(t)["pk_lin"].astype(float))))(jnp.asarray(theta))
    found = np.moveaxis(np.asarray(gradient), 2, 1)
    size = np.abs(exact).max(axis=(0, 2))
    error = np.abs(found - exact).max(axis=(0, 2)) / size
    rms = np.sqrt(np.mean((found - exact) ** 2, axis=(0, 2))) / size
    doubt = np.abs(exact - narrow).max(axis=(0, 2)) / size
    print(f"{'':<14}{'largest slope':>15}{'rms error':>12}{'largest error':>15}{'of the difference':>19}")
    for row in zip(names, size, rms, error, doubt, strict=True):
        print(f"{row[0]:<14}{row[1]:>15.4g}{row[2]:>12.2g}{row[3]:>15.2g}{row[4]:>19.2g}")
    print("errors relative to the largest slope; the last column is what the correction of second order amounts to")
    print(
        json.dumps(
            {
                "points": len(theta),
                "rms": dict(zip(names, rms, strict=True)),
                "largest": dict(zip(names, error, strict=True)),
            }
        )
    )


if __name__ == "__main__":
    main()
