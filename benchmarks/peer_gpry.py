"""GPry (arXiv:2211.02045) on the toy posterior of `growth.py`; `calls_vs_accuracy.py` runs it.

    PYTHON_WITH_GPRY benchmarks/peer_gpry.py PROBLEM.npz SEED

PROBLEM.npz holds `response` (bands, d), `data` (bands,), `bend`, `ripple`, `edge`, `reference`, `step` (d,) and
`draws` (n, d) of the exact posterior. Settings are GPry's defaults; its first points are drawn within a step of the
reference. Its last line is one JSON object: calls of the likelihood, the divergence D(exact || surrogate) over the
draws, and whether it says that it has converged. Needs nothing of alfonsine.
"""

import json
import sys
import time

import numpy as np


def twist(theta: np.ndarray, bend: float, ripple: float) -> np.ndarray:
    """Heights of the bumps: alfonsine.theory.twisted_toy, written down a second time."""
    heights = theta.copy()
    for k in range(1, theta.shape[-1]):
        before = theta[..., k - 1]
        if k % 2:
            heights[..., k] += bend * (before**2 - 1.0)
        else:
            heights[..., k] += ripple * np.sin(0.5 * (before + theta[..., k - 2]) + 1.0)
    return heights


def main() -> None:
    """Run GPry and compare its surrogate with the truth."""
    from gpry import Runner

    problem, seed = np.load(sys.argv[1], allow_pickle=False), int(sys.argv[2])
    response, data = problem["response"], problem["data"]
    bend, ripple, edge = (float(problem[name]) for name in ("bend", "ripple", "edge"))
    reference, step, draws = problem["reference"], problem["step"], problem["draws"]
    calls = 0

    def log_likelihood(theta: np.ndarray) -> float:
        nonlocal calls
        calls += 1
        return exact(np.atleast_2d(theta))[0]

    def exact(theta: np.ndarray) -> np.ndarray:
        return -0.5 * np.sum((twist(theta, bend, ripple) @ response.T - data) ** 2, axis=1)

    d = len(reference)
    began = time.perf_counter()
    runner = Runner(
        log_likelihood,
        bounds=[[-edge, edge]] * d,
        ref_bounds=[[float(r - s), float(r + s)] for r, s in zip(reference, step, strict=True)],
        params=[f"x{k + 1}" for k in range(d)],
        seed=seed,
        verbose=1,
    )
    runner.run()
    seconds = time.perf_counter() - began
    surrogate = np.array([float(np.ravel(runner.logp(row))[0]) for row in draws])
    known = np.isfinite(surrogate) & (surrogate > -1e10)
    ratio = (exact(draws) - surrogate)[known]
    top = float((-ratio).max())
    kl = float(ratio.mean() + top + np.log(np.mean(np.exp(-ratio - top))))
    found = {
        "d": d,
        "seed": seed,
        "solver_calls": calls,
        "kl_true": kl,
        "beyond_surrogate": float(1 - known.mean()),
        "converged": bool(runner.has_converged),
        "wall_seconds": round(seconds, 1),
    }
    print(json.dumps(found))


if __name__ == "__main__":
    main()
