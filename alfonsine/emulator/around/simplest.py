"""Which features make the outputs simplest: tried one in the place of another, kept where the held-out error falls.

A feature may take the place of an input that it largely is, the others given: the angle of the sound horizon that of
the Hubble constant, not that of the amplitude. So the map from parameters to inputs remains one-to-one.
"""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from jaxtyping import Float, Int

from alfonsine.emulator.around.features import Features, pool_at
from alfonsine.emulator.around.trend import multiplicity, quick_error

WORTH = 0.8  # the leave-one-out error must fall at least to this fraction for a feature to take another's place
ALIKE = 0.5  # correlation of a feature with the input whose place it takes, the other inputs given
EXCHANGES = 6
PRODUCTS = 12  # inputs up to which products are tried: there are as many as the square of their number


class Simplest(NamedTuple):
    """The features found, and the leave-one-out errors before and after, in squared data errors."""

    features: Features
    before: float
    after: float


def simplest_features(
    theta: Float[np.ndarray, "n d"],
    components: Sequence[Float[np.ndarray, "n _"]],
    weights: Float[np.ndarray, " n"],
    table: Int[np.ndarray, "terms order"],
    start: Features,
    draws: Float[np.ndarray, "m d"],
) -> Simplest:
    """Exchange one input for one feature of the pool, the best exchange first, as long as the error falls.

    `components` are those of every block, in units of the data's error; `table` holds the monomials of the trend;
    `draws` are where the inputs will be used.
    """
    positive = np.asarray(start.positive)
    pool, used = pool_at(theta, positive, start.cheap), pool_at(draws, positive, start.cheap)
    mean = np.average(pool, axis=0, weights=weights)
    spread = np.sqrt(np.average((pool - mean) ** 2, axis=0, weights=weights))
    usable = np.isfinite(spread) & (spread > 1e-12 * np.maximum(np.abs(mean), 1e-300))
    standard = (pool - mean) / np.where(usable, spread, 1.0)
    counts = multiplicity(table)

    def error(chosen: tuple[int, ...]) -> float:
        u = standard[:, list(chosen)] / np.sqrt(2.0)
        return sum(quick_error(u, found, table, counts, weights) for found in components)

    chosen = start.chosen
    before = lowest = error(chosen)
    for _ in range(EXCHANGES):
        trials = [
            (*chosen[:i], k, *chosen[i + 1 :])
            for i in range(len(chosen))
            for k in distinct(np.flatnonzero(usable & (likeness(used, chosen, i) > ALIKE)), chosen, theta.shape[1])
        ]
        found, best = min(((error(trial), trial) for trial in trials), default=(np.inf, chosen))
        if not found < WORTH * lowest:
            break
        lowest, chosen = found, best
    return Simplest(Features.of(chosen, np.asarray(start.positive), start.cheap), before, lowest)


def likeness(pool: Float[np.ndarray, "m pool"], chosen: tuple[int, ...], i: int) -> Float[np.ndarray, " pool"]:
    """Correlation of every entry of the pool with the i-th input, without its sign, the other inputs given."""
    others = pool[:, [k for j, k in enumerate(chosen) if j != i]]
    basis, _ = np.linalg.qr(np.column_stack([np.ones(len(pool)), (others - others.mean(axis=0)) / others.std(axis=0)]))
    scaled = np.where(np.isfinite(pool), pool, 0.0)
    scaled = (scaled - scaled.mean(axis=0)) / np.maximum(scaled.std(axis=0), 1e-300)
    left = scaled - basis @ (basis.T @ scaled)
    mine, norm = left[:, chosen[i]], np.linalg.norm(left, axis=0)
    found = np.abs(mine @ left) / np.maximum(norm * np.linalg.norm(mine), 1e-300)
    return np.where(norm > 1e-9 * np.sqrt(len(pool)), found, 0.0)


def distinct(usable: Int[np.ndarray, " k"], chosen: tuple[int, ...], d: int) -> list[int]:
    """Entries of the pool that are not among the inputs already; of a product of two, one of both orders."""
    rows, columns = np.divmod(usable - 2 * d, d)
    product = (usable >= 2 * d) & (usable < 2 * d + d * d)
    tried = ~product | ((rows <= columns) & (d <= PRODUCTS))
    return [int(k) for k in usable[tried] if k not in chosen]
