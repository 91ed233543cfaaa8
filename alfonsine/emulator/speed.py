"""How long an emulator takes, measured where it is."""

from time import perf_counter

import jax
import numpy as np

from alfonsine.emulator.emulator import Emulator

BATCH = 1000
REPEATS = 5


def measure_speed(emulator: Emulator, theta: np.ndarray) -> dict[str, float]:
    """Seconds of one point and of one of a batch, compiled, the best of several; `theta` (n, d) inside the domain."""
    predict = jax.jit(emulator.__call__)
    one, many = theta[0], np.resize(theta, (BATCH, theta.shape[1]))
    return {"one_point": best_time(predict, one), f"one_of_{BATCH}": best_time(predict, many) / BATCH}


def best_time(function, argument: np.ndarray) -> float:
    """Shortest of a few calls after the first, which compiles."""
    jax.block_until_ready(function(argument))
    found = []
    for _ in range(REPEATS):
        start = perf_counter()
        jax.block_until_ready(function(argument))
        found.append(perf_counter() - start)
    return min(found)
