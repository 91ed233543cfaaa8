"""How long the over-density filter takes, against the paper's loop over points, and how both grow.

    python benchmarks/overdensity.py [LARGEST]

New and old points are draws of two Gaussians in 8 dimensions, the new one wider by a fifth, as many of either. The loop
(tests/slow_overdensity.py) is run up to a few thousand points and must keep the same ones. Exponents are those of the
last doubling. Prints a table and, as its last line, one JSON object.
"""

import json
import sys
from pathlib import Path
from time import process_time

import numpy as np

from alfonsine.points.overdensity import thinly_sampled

sys.path.insert(0, str(Path(__file__).parents[1] / "tests"))
from slow_overdensity import thinly_sampled_slowly

DIMENSION, WIDER, SLOWEST = 8, 1.2, 4_000


def clouds(n: int, seed: int = 1) -> tuple[np.ndarray, np.ndarray]:
    """New and old points, correlated."""
    generator = np.random.default_rng(seed)
    root = np.tril(generator.standard_normal((DIMENSION, DIMENSION))) + 3 * np.eye(DIMENSION)
    new, old = generator.standard_normal((2, n, DIMENSION))
    return WIDER * new @ root.T, old @ root.T


def timed(function, *arguments) -> tuple[np.ndarray, float]:
    """What it returns, and its seconds on one core: those of the clock where nothing else runs."""
    begun = process_time()
    return function(*arguments), process_time() - begun


def main(largest: int) -> None:
    """Time both, compare where both ran, print."""
    sizes = [n for n in (1_000, 2_000, 4_000, 12_500, 25_000, 50_000) if n < largest] + [largest]
    rows: list[dict[str, float | None]] = []
    print(f"{'points':>8} {'kept':>6} {'seconds':>9} {'exponent':>9} {'loop':>9} {'exponent':>9}")
    for n in sizes:
        new, old = clouds(n)
        kept, seconds = timed(thinly_sampled, new, old)
        row: dict[str, float | None] = {"points": n, "kept": float(kept.mean()), "seconds": seconds, "loop": None}
        if n <= SLOWEST:
            slowly, row["loop"] = timed(thinly_sampled_slowly, new, old)
            assert np.array_equal(kept, slowly), f"the two differ at {n} points"
        shown = [f"{n:8d} {row['kept']:6.3f}"]
        for name in ("seconds", "loop"):
            before = rows[-1] if rows else {}
            found = row[name]
            row[f"exponent_{name}"] = None
            if found and before.get(name):
                row[f"exponent_{name}"] = float(np.log(found / before[name]) / np.log(n / before["points"]))
            cells = [("" if v is None else f"{v:.3g}") for v in (found, row[f"exponent_{name}"])]
            shown.append(" ".join(f"{cell:>9}" for cell in cells))
        print(" ".join(shown), flush=True)
        rows.append(row)
    print(json.dumps({"dimension": DIMENSION, "threads": 1, "rows": rows}))


if __name__ == "__main__":
    main(int(float(sys.argv[1])) if len(sys.argv) > 1 else 100_000)
