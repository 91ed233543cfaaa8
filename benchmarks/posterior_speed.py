"""How fast is a posterior: one point with gradient, a batch, and 10,000 effective samples.

    python benchmarks/posterior_speed.py [STUDY.yaml FOLDER]

times the emulated posterior of a finished run: of examples/planck_lcdm.yaml in runs/benchmark_planck_lcdm where
benchmarks/planck_lcdm.py has left it. Where there is none it times a stand-in of that size and says so: six parameters
of a quadratic trend (28 features) into 30 amplitudes, a calibration, a Gaussian likelihood folded to 31 numbers.
Prints a table and, as its last line, one JSON object.
"""

import json
import os
import sys
import time
from collections.abc import Callable
from pathlib import Path

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np

import alfonsine  # noqa: F401 (enables 64-bit)
from alfonsine.posterior.coordinates import Coordinates
from alfonsine.posterior.ensemble import sample_ensemble
from alfonsine.posterior.evaluate import batch_value, value_and_grad
from alfonsine.posterior.importance import importance_evidence
from alfonsine.posterior.nuts import sample_nuts
from alfonsine.posterior.optimum import find_optimum
from alfonsine.posterior.posterior import Posterior
from alfonsine.posterior.tempered import Tempered

WANTED = 10_000


class QuadraticTarget(eqx.Module):
    """ln p of six cosmological parameters and a calibration: a quadratic in whitened inputs, chi-square of 31 numbers.

    The amplitudes scale with A_s exp(-2 tau) and the calibration, as Planck's do.
    """

    centre: jax.Array
    whitening: jax.Array
    coefficients: jax.Array
    folded: jax.Array
    data: jax.Array
    rows: tuple[int, ...] = eqx.field(static=True)
    columns: tuple[int, ...] = eqx.field(static=True)

    def __call__(self, theta: jax.Array) -> jax.Array:
        x = self.whitening @ (theta[:6] - self.centre[:6])
        products = x[jnp.array(self.rows)] * x[jnp.array(self.columns)]
        features = jnp.concatenate([jnp.ones(1), x, products])
        scale = jnp.exp(theta[3] - self.centre[3] - 2 * (theta[5] - self.centre[5])) / theta[6] ** 2
        amplitudes = scale * (self.coefficients @ features)
        residual = self.folded @ amplitudes - self.data
        prior = -0.5 * ((theta[6] - 1.0) / 0.0025) ** 2 - 0.5 * ((theta[5] - 0.054) / 0.008) ** 2
        return -0.5 * residual @ residual + prior


def planck_like() -> tuple[QuadraticTarget, np.ndarray, np.ndarray]:
    """The stand-in, a start three sigma off in every parameter, and rough widths."""
    rng = np.random.default_rng(0)
    centre = np.array([0.02236, 0.1202, 1.0409, 3.045, 0.9649, 0.054, 1.0])
    sigma = np.array([0.00015, 0.0014, 0.0003, 0.016, 0.0044, 0.008, 0.0025])
    correlation = np.eye(6) + 0.5 * (1 - np.eye(6))
    whitening = np.linalg.inv(np.linalg.cholesky(correlation)) / sigma[:6]
    linear = np.linalg.qr(rng.normal(size=(30, 6)))[0]
    rows, columns = np.triu_indices(6)
    constant = rng.normal(size=(30, 1)) * 10
    coefficients = np.concatenate([constant, linear, 0.03 * rng.normal(size=(30, len(rows)))], axis=1)
    folded = np.linalg.qr(rng.normal(size=(31, 31)))[0][:, :30]
    arrays = (centre, whitening, coefficients, folded, folded @ coefficients[:, 0])
    target = QuadraticTarget(*map(jnp.asarray, arrays), tuple(rows.tolist()), tuple(columns.tolist()))
    return target, centre + 3 * sigma * np.array([1, -1, 1, 1, -1, 1, 0]), 2 * sigma


def best_of(call: Callable, repeats: int, rounds: int = 7) -> float:
    """Seconds of one call: the fastest of some rounds, as other work on the machine only ever adds."""
    call()
    seconds = []
    for _ in range(rounds):
        start = time.perf_counter()
        for _ in range(repeats):
            call()
        seconds.append((time.perf_counter() - start) / repeats)
    return min(seconds)


def timed(call: Callable) -> tuple[object, float]:
    """What a call returns, and its seconds."""
    start = time.perf_counter()
    result = jax.block_until_ready(call())
    return result, time.perf_counter() - start


def measure(
    target: Callable,
    start: np.ndarray,
    scale: np.ndarray,
    lower: np.ndarray | None = None,
    upper: np.ndarray | None = None,
) -> dict[str, float]:
    """Time one target. `seconds` covers optimum, warm-up, sampling and diagnostics, after compilation.

    compile_seconds is what the first run of all samplers (optimum, NUTS, ensemble, evidence) takes above the second.
    """
    d = len(start)
    lower = np.full(d, -np.inf) if lower is None else lower
    upper = np.full(d, np.inf) if upper is None else upper
    names = [f"x{i}" for i in range(d)]

    def nuts(seed: int) -> Posterior:
        rough = Coordinates.of(lower, upper, start, scale)
        optimum = find_optimum(target, rough)
        draws, _ = sample_nuts(target, optimum.coordinates, jax.random.key(seed), ess=WANTED)
        return Posterior.of(names, names, draws.theta, draws.log_density, draws.diagnostics)

    first, nuts_first = timed(lambda: nuts(0))
    walkers = first.samples[:: len(first) // 64][:64]
    others = {
        "ensemble": lambda: sample_ensemble(Tempered(target, 2.0), walkers, jax.random.key(1), ess=0, max_blocks=1),
        "evidence": lambda: importance_evidence(
            target, Coordinates.of_samples(lower, upper, first.samples), jax.random.key(2)
        ),
    }
    compiling = {}
    for name, run in others.items():
        compiling[name] = timed(run)[1] - timed(run)[1]
    runs = [timed(lambda seed=seed: nuts(seed)) for seed in (1, 2, 3)]
    posterior, seconds = min(runs, key=lambda run: run[1])
    compiling = {"nuts": nuts_first - seconds, **compiling}

    point = jnp.asarray(posterior.mean())
    evaluate, batch = value_and_grad(target), batch_value(target)
    cloud = jnp.asarray(posterior.thinned(10_000).samples)
    return {
        "value_and_grad_us": 1e6 * best_of(lambda: jax.block_until_ready(evaluate(point)), 500),
        "batch_us": 1e6 * best_of(lambda: jax.block_until_ready(batch(cloud)), 10) / len(cloud),
        "ess": posterior.ess,
        "seconds": seconds,
        "compile_seconds": sum(compiling.values()),
        **{f"compile_{name}_seconds": value for name, value in compiling.items()},
        "draws": len(posterior),
        "max_r_hat": max(posterior.diagnostics["r_hat"].values()),
        "divergences": posterior.diagnostics["divergences"],
        "load": os.getloadavg()[0],
        "cpus": os.cpu_count() or 1,
    }


LIMITS = {"value_and_grad_us": 50, "batch_us": 1, "seconds": 2, "compile_seconds": 15}


def show(found: dict[str, float]) -> None:
    """A table for people and one line of JSON for programs."""
    print(f"{'quantity':<26}{'measured':>12}{'at most':>12}")
    for name, value in found.items():
        print(f"{name:<26}{value:>12.4g}{LIMITS.get(name, ''):>12}")
    print(json.dumps({name: round(float(value), 4) for name, value in found.items()}))


def of_run(study_file: Path, folder: Path) -> tuple:
    """The posterior of a finished run, started three sigma off in every parameter."""
    from alfonsine.emulator.stored.file import load_emulator
    from alfonsine.posterior.formats.chains import read_chains
    from alfonsine.study.infer import study_target
    from alfonsine.study.prepare import prepare
    from alfonsine.study.settings import read_study

    study = prepare(read_study(study_file), folder)
    target = study_target(study, load_emulator(folder / "emulator.safetensors"))
    found = read_chains(folder / "chain")
    order = [found.names.index(name) for name in study.space.names]
    mean, sigma = found.mean()[order], found.std()[order]
    edges = (np.asarray(study.space.lower), np.asarray(study.space.upper))
    return target, mean + 3 * sigma * np.where(np.arange(len(mean)) % 2, -1, 1), 2 * sigma, *edges


if __name__ == "__main__":
    given = [Path(argument) for argument in sys.argv[1:]]
    study_file, folder = given or (
        Path(__file__).parents[1] / "examples" / "planck_lcdm.yaml",
        Path("runs/benchmark_planck_lcdm"),
    )
    if (folder / "emulator.safetensors").exists():
        show({**measure(*of_run(study_file, folder)), "stand_in": 0})
    else:
        print(f"no finished run in {folder}: timing a stand-in")
        show({**measure(*planck_like()), "stand_in": 1})
