"""Components that bend in different ways, as growth and acoustic oscillations do, each with decays of their own.

All components of a group have one set of decays to begin with. While more points would still teach something, they are
divided where each side bears half of the error, and each side finds its own; so twice.
"""

import numpy as np
from jaxtyping import Float, Int

from alfonsine.emulator.box.series import Series, fit_series, groups, size, solve

ROUGH = 1.1  # where half of the points raise the error by less than this, it is the exact code that is rough
DEPTH = 2  # divisions


def still_learning(
    theta: Float[np.ndarray, "n d"],
    u: Float[np.ndarray, "n d"],
    components: Float[np.ndarray, "n k"],
    series: Series,
) -> bool:
    """Whether the error is higher with half of the points, which are theta in the study and u in the cube."""
    half = fewer(theta, -(-len(u) // 2))
    count = min(len(series.table), max(len(half) // 2, 1))
    known = solve(u[half], components[half], series.decay, count, groups(theta[half]))
    return size(known.residuals) > ROUGH * size(series.residuals)


def fewer(theta: Float[np.ndarray, "n d"], most: int) -> Int[np.ndarray, " _"]:
    """Rows of no more than so many points, with all those that are left out together."""
    together, step = groups(theta), -(-len(theta) // most)
    if together is None:
        return np.arange(0, len(theta), step)
    return np.sort(np.concatenate([members[::step].reshape(-1) for members in together]))


def divided(
    theta: Float[np.ndarray, "n d"],
    u: Float[np.ndarray, "n d"],
    components: Float[np.ndarray, "n k"],
    series: Series,
    terms: int | None,
    depth: int = DEPTH,
) -> list[tuple[Int[np.ndarray, " _"], Series]]:
    """Which components, and their series; together all of them, in order."""
    k = components.shape[1]
    if not depth or k < 2 or not still_learning(theta, u, components, series):
        return [(np.arange(k), series)]
    error = np.cumsum(np.sum(series.residuals**2, axis=0))
    middle = min(int(np.searchsorted(error, error[-1] / 2)) + 1, k - 1)
    found = []
    for side in (np.arange(middle), np.arange(middle, k)):
        own = fit_series(u, components[:, side], terms, series.decay, groups(theta))
        parts = divided(theta, u, components[:, side], own, terms, depth - 1)
        found += [(side[columns], part) for columns, part in parts]
    return found
