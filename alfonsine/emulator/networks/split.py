"""How many models train, validate and test."""

from collections.abc import Sequence

import numpy as np

from alfonsine.errors import InputError

PARTS = ("train", "validation", "test")


def split_sizes(n: int, fractions: Sequence[float]) -> tuple[int, int, int]:
    """Models of each part; InputError for fractions that are none, and where a part that is asked for gets no model."""
    if len(fractions) != 3 or min(fractions) < 0 or fractions[0] <= 0 or abs(sum(fractions) - 1) > 1e-9:
        raise InputError(f"expected three fractions that add up to one, got {list(fractions)}; try [0.8, 0.1, 0.1]")
    first, second = np.round(np.cumsum(fractions)[:2] * n).astype(int)
    sizes = (int(first), int(second - first), int(n - second))
    if any(fraction > 0 and not size for fraction, size in zip(fractions, sizes, strict=True)):
        told = ", ".join(f"{size} to {part}" for part, size in zip(("train", "validate", "test"), sizes, strict=True))
        raise InputError(
            f"expected models for every part, got {told}, of {n} with fractions {list(fractions)}; "
            "change fractions, or compute more models"
        )
    return sizes
