"""Does the certificate's 95 % limit hold? Simulated certificates of deliberately wrong emulators of known divergence.

The emulated posterior is N(0, 1) in d dimensions, the exact one N(mean, C): shifted, wider, narrower, or all of it in
a random general way, scaled until the larger of the two divergences is the one wanted. l is then an exact quadratic
form of the parameters and both divergences are known in closed form. For every shape, divergence and number of
judging calls the benchmark counts how often the truth lies below `upper95`, and how often an emulator passes.

A limit may be infinite ("none can be stated"): that covers the truth but says nothing, and cells where more than one
certificate in ten has none are listed and left out of `coverage`; the share of them is `no_limit`.

    python benchmarks/certificate_coverage.py [--certificates 300] [--quick]

Last line: JSON with `coverage` {min, max} over the cells, `false_pass` (largest rate at which an emulator with a
divergence above 0.1 passes the default tolerance), `width` (median upper95 over s^2/2 for a pure shift, by number of
calls), and `seconds` of processor time.
"""

import argparse
import json
import time
from collections.abc import Sequence
from dataclasses import dataclass
from statistics import NormalDist

import numpy as np
from scipy.optimize import brentq

from alfonsine.certificate.certificate import Tolerance
from alfonsine.certificate.estimates import equal_or_given
from alfonsine.certificate.limits import half_variance, kl_limits
from alfonsine.certificate.quadratic_form import QuadraticForms, divergences

LEVELS = (0.001, 0.12, 1.0, 5.0)  # 0.12: just above where an emulator must not pass
CALLS = (16, 24, 50, 100, 200)


@dataclass(frozen=True)
class Shape:
    """A family of exact posteriors: mean t shift, covariance exp(2 t log_width) in its eigenframe; t is the size."""

    name: str
    shift: np.ndarray
    log_width: np.ndarray

    def form(self, divergence: float) -> tuple[np.ndarray, np.ndarray]:
        """Coefficients b and a of l = b z + a z^2 / 2, with max(D(P||P_E), D(P_E||P)) = divergence."""

        def larger(t: float) -> float:
            b, a = self._at(t)
            forward, reverse = divergences(QuadraticForms(b[None], a[None], np.zeros(1), np.zeros(1, int)))
            return np.log(max(forward[0], reverse[0]) / divergence)

        return self._at(brentq(larger, 1e-6, 8.0))

    def _at(self, t: float) -> tuple[np.ndarray, np.ndarray]:
        precision = np.exp(-2 * t * self.log_width)
        return precision * t * self.shift, 1 - precision


def shapes() -> list[Shape]:
    """From the mildest l (Gaussian) to the hardest (one direction out of many has the wrong width)."""
    rng = np.random.default_rng(1252)
    one = np.eye(6)[0]
    return [
        Shape("shift, d=6", rng.normal(size=6), np.zeros(6)),
        Shape("general, d=2", rng.normal(size=2), rng.normal(size=2)),
        Shape("general, d=4", rng.normal(size=4), rng.normal(size=4)),
        Shape("general, d=8", rng.normal(size=8), rng.normal(size=8)),
        Shape("covariance only, d=5", np.zeros(5), rng.normal(size=5)),
        Shape("one direction wide, d=6", np.zeros(6), one),
        Shape("one direction narrow, d=3", np.zeros(3), -one[:3]),
    ]


@dataclass(frozen=True)
class Cell:
    """Rates over the certificates of one shape, divergence and number of calls."""

    shape: str
    divergence: float
    calls: int
    covered: float
    no_limit: float
    passed: float
    width: float


def cell(shape: Shape, divergence: float, calls: int, certificates: int, seed: int) -> Cell:
    """Simulate certificates; the draws' coordinates are rotated at random, as real parameters would be."""
    rng = np.random.default_rng([seed, calls, int(1e4 * divergence)])
    b, a = shape.form(divergence)
    rotation = np.linalg.qr(rng.normal(size=(len(b), len(b))))[0]
    upper, size = np.empty(certificates), np.empty(certificates)
    for k in range(certificates):
        z = rng.normal(size=(calls, len(b)))
        log_ratio = z @ b + 0.5 * z**2 @ a
        size[k] = half_variance(log_ratio, equal_or_given(calls, None))
        upper[k] = kl_limits(log_ratio, z @ rotation).upper95
    return Cell(
        shape.name,
        divergence,
        calls,
        covered=float(np.mean(upper >= divergence)),
        no_limit=float(np.mean(np.isinf(upper))),
        passed=float(np.mean(upper <= Tolerance().kl)),
        width=float(np.median(upper / size)),
    )


def summary(cells: Sequence[Cell]) -> dict[str, object]:
    """The figures of the last line."""
    stated = [c.covered for c in cells if c.no_limit <= 0.1]
    shifts = [c for c in cells if c.shape.startswith("shift") and c.divergence < 0.002]
    return {
        "coverage": {
            "min": round(min(stated), 4),
            "max": round(max(stated), 4),
            "mean": round(float(np.mean(stated)), 4),
        },
        "false_pass": round(max((c.passed for c in cells if c.divergence > 0.1), default=0.0), 4),
        "cells": len(cells),
        "cells_without_limit": len(cells) - len(stated),
        "width": {str(c.calls): round(c.width, 2) for c in shifts},
    }


def table(cells: Sequence[Cell]) -> None:
    """One line for each shape and divergence, one column for each number of calls."""
    calls = sorted({c.calls for c in cells})
    print(f"{'shape':<28}{'KL':>7}" + "".join(f"{f'n = {n}':>16}" for n in calls))
    for key in dict.fromkeys((c.shape, c.divergence) for c in cells):
        row = {c.calls: c for c in cells if (c.shape, c.divergence) == key}
        entries = [
            f"{100 * row[n].covered:5.1f} %" + (f"{row[n].width:8.2f}" if np.isfinite(row[n].width) else "     inf")
            + ("*" if row[n].no_limit > 0.1 else " ")
            for n in calls
        ]  # fmt: skip
        print(f"{key[0]:<28}{key[1]:>7g}" + "".join(f"{e:>16}" for e in entries), flush=True)


def main() -> None:
    """Simulate, print."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--certificates", type=int, default=300, help="per cell")
    parser.add_argument("--quick", action="store_true", help="two shapes, two divergences, two numbers of calls")
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()
    start = time.process_time()
    families, levels, calls = (shapes()[1:3], LEVELS[:2], CALLS[:3:2]) if options.quick else (shapes(), LEVELS, CALLS)
    cells = []
    for number, shape in enumerate(families):
        for divergence in levels:
            cells += [cell(shape, divergence, n, options.certificates, 100 * options.seed + number) for n in calls]
        table(cells[-len(levels) * len(calls) :])
    print(
        f"\nShare of {options.certificates} certificates whose upper95 covers the true divergence, and the "
        "median of upper95 over s^2/2.\n* more than one certificate in ten states no limit: not counted in `coverage`."
    )
    figures = summary(cells)
    counted = figures["cells"] - figures["cells_without_limit"]
    tail = NormalDist().inv_cdf(1 - 0.5 / counted) * np.sqrt(0.95 * 0.05 / options.certificates)
    low, high = 0.95 - tail, 0.95 + tail
    print(f"Were every true coverage 95 %, {counted} cells would scatter between about {low:.3f} and {high:.3f}.")
    print(json.dumps({**figures, "seconds": round(time.process_time() - start, 1)}))


if __name__ == "__main__":
    main()
