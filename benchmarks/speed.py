"""Our CMB emulator beside CosmoPower-JAX and its shipped models: one process, one core, the same points.

    python benchmarks/cmb_wide.py            # first: trains the emulator and computes the models held out
    pip install --no-deps cosmopower-jax     # a peer under other terms (GPL, non-commercial): not a dependency
    python benchmarks/speed.py [FOLDER of cmb_wide.py]

TT, TE, EE and pp at all l = 2..2508: a single point and a batch of 1,000, values, and the gradient of a sum over all
spectra. The peer is timed as shipped, operation by operation, and compiled as a whole by us; ratios are to the
faster of the two. Both predict in 32 bits. Accuracy is that of both on models of the exact code that neither was
trained on, in standard errors of a cosmic-variance limited measurement of each multipole; what CosmoPower's own
version of CLASS did otherwise is part of its error. Prints a table and, as its last line, one JSON object.
"""

import os

os.sched_setaffinity(0, {min(os.sched_getaffinity(0))})  # before anything starts its threads

import argparse  # noqa: E402
import json  # noqa: E402
from collections.abc import Callable  # noqa: E402
from pathlib import Path  # noqa: E402
from time import perf_counter  # noqa: E402

import jax  # noqa: E402
import jax.numpy as jnp  # noqa: E402
import numpy as np  # noqa: E402
from jax import Array  # noqa: E402

from alfonsine.emulator.emulator import Emulator  # noqa: E402
from alfonsine.emulator.metric import fallback_errors  # noqa: E402
from alfonsine.emulator.models import Models  # noqa: E402
from alfonsine.emulator.stored.file import load_emulator  # noqa: E402
from alfonsine.study.collect import collect  # noqa: E402
from alfonsine.study.prepare import prepare  # noqa: E402
from alfonsine.study.progress import Silent  # noqa: E402
from alfonsine.study.run import open_engine  # noqa: E402
from alfonsine.study.settings import read_study  # noqa: E402
from alfonsine.study.wide import design  # noqa: E402

STUDY = Path(__file__).parents[1] / "examples" / "cmb_wide.yaml"
SPECTRA = ("tt", "te", "ee", "pp")
ORDER = ("omega_b", "omega_cdm", "h", "tau_reio", "n_s", "ln10^{10}A_s")  # the peer's
T_CMB = 2.7255e6  # muK; the peer predicts in units of its square
BATCH = 1000
SECONDS = 3.0  # of repeats of each measurement

Predict = Callable[[Array], dict[str, Array]]


def main() -> None:
    """Measure, compare, print."""
    parser = argparse.ArgumentParser()
    parser.add_argument("folder", type=Path, nargs="?", default=Path("runs/benchmark_cmb_wide"))
    options = parser.parse_args()
    emulator = load_emulator(options.folder / "cmb_wide.safetensors")
    peer = shipped()
    theta, exact = held_out(options.folder, emulator)
    points = np.resize(theta, (BATCH, theta.shape[1]))
    ours = {"alfonsine": lambda t: emulator(t)}
    forms = {"cosmopower-jax as shipped": peer, "cosmopower-jax compiled": jax.jit(peer)}
    columns = ("one point", "batch", "gradient, one", "gradient, batch")
    table: dict[str, list[float]] = {}
    for name, predict in {**{n: jax.jit(f) for n, f in ours.items()}, **forms}.items():
        table[name] = times(predict, emulator.names if name in ours else ORDER, points, emulator.names)
    print(f"{'seconds per point':<28}" + "".join(f"{c:>18}" for c in columns))
    for name, row in table.items():
        print(f"{name:<28}" + "".join(f"{v:>18.3g}" for v in row))
    fastest = np.min([table[name] for name in forms], axis=0) / np.array(table["alfonsine"])
    print(f"{'times faster than the best':<28}" + "".join(f"{v:>18.1f}" for v in fastest))
    errors = {"alfonsine": emulator(theta), "cosmopower-jax": peer(jnp.asarray(sorted_as(theta, emulator.names)))}
    units = fallback_errors(exact)
    print(f"\n{'rms error, in cosmic variance':<30}" + "".join(f"{s:>10}" for s in SPECTRA))
    rms = {}
    for name, found in errors.items():
        rms[name] = {s: float(np.sqrt(np.mean(((np.asarray(found[s]) - exact[s]) / units[s]) ** 2))) for s in SPECTRA}
        print(f"{name:<30}" + "".join(f"{rms[name][s]:>10.4f}" for s in SPECTRA))
    shipped_ratio = np.array(table["cosmopower-jax as shipped"]) / np.array(table["alfonsine"])
    print(
        json.dumps(
            {
                "single_ratio": fastest[0],
                "batch_ratio": fastest[1],
                "grad_ratio": fastest[3],
                "grad_single_ratio": fastest[2],
                "single_ratio_as_shipped": shipped_ratio[0],
                "batch_ratio_as_shipped": shipped_ratio[1],
                "rms": rms,
                "held_out": len(theta),
            }
        )
    )


def shipped() -> Predict:
    """The peer's shipped models as one function of (..., 6) to spectra in our units."""
    from cosmopower_jax.cosmopower_jax import CosmoPowerJAX

    networks = {s: CosmoPowerJAX(probe=f"cmb_{s}", verbose=False) for s in SPECTRA}
    for network in networks.values():  # 64 bits are switched on in this process, and its components are stored so
        for name, value in vars(network).items():
            setattr(network, name, jax.tree.map(in_32_bits, value))

    def predict(theta: Array) -> dict[str, Array]:
        theta = theta.astype(jnp.float32)
        found = {s: network.predict(theta) for s, network in networks.items()}
        return {s: values * (1.0 if s == "pp" else np.float32(T_CMB**2)) for s, values in found.items()}

    return predict


def in_32_bits(value: object) -> object:
    """An array as the peer has it where 64 bits are off."""
    return value.astype(np.float32) if getattr(value, "dtype", None) == np.float64 and np.ndim(value) else value


def sorted_as(theta: np.ndarray, names: tuple[str, ...]) -> np.ndarray:
    """Columns in the peer's order."""
    return theta[:, [names.index(name) for name in ORDER]]


def held_out(folder: Path, emulator: Emulator) -> tuple[np.ndarray, dict[str, np.ndarray]]:
    """Models of the exact code that were held out, from the archive."""
    study = prepare(read_study(STUDY), folder)
    _, theta = design(study)
    with open_engine(study) as engine:
        found = Models.of_set(collect(study, engine, theta, "held-out", Silent()).models)
    rows = np.arange(len(found))
    return found.theta, {s: found.read(s, rows) for s in SPECTRA}


def times(predict: Predict, order: tuple[str, ...], points: np.ndarray, names: tuple[str, ...]) -> list[float]:
    """Seconds per point: one point, a batch, and with the gradient of a weighted sum of all spectra."""
    theta = jnp.asarray(points[:, [names.index(name) for name in order]])
    weights = {s: 1.0 / v for s, v in predict(theta[0]).items()}

    def total(point: Array) -> Array:
        return sum(jnp.sum(values * weights[s]) for s, values in predict(point).items())

    gradient = jax.jit(jax.value_and_grad(total))
    many = jax.jit(jax.vmap(jax.value_and_grad(total)))
    return [
        fastest(lambda: predict(theta[0])),
        fastest(lambda: predict(theta)) / len(theta),
        fastest(lambda: gradient(theta[0])),
        fastest(lambda: many(theta)) / len(theta),
    ]


def fastest(call: Callable[[], object]) -> float:
    """Shortest of many calls after the first, which compiles."""
    jax.block_until_ready(call())
    found, begun = [], perf_counter()
    while perf_counter() - begun < SECONDS or len(found) < 3:
        start = perf_counter()
        jax.block_until_ready(call())
        found.append(perf_counter() - start)
    return min(found)


if __name__ == "__main__":
    main()
