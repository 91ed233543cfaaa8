r"""A Chebyshev series over a box, fitted by least squares with shrinkage; everything chosen by leave-one-out.

Every coefficient has a prior width that falls with its degree, :math:`v_k = \prod_i \rho_i^{2 k_i}`, and every
component its own noise :math:`\lambda`. With the singular value decomposition of the scaled columns,
:math:`\Phi V^{1/2} = U S W^T`, the prediction of each point from all the others is known in closed form for any
:math:`\lambda`,

.. math:: e = \frac{y - Hy}{1 - \mathrm{diag} H}, \qquad H = U \frac{S^2}{S^2 + \lambda} U^T,

and the decays :math:`\rho` and noises are whatever makes its square smallest. Points that agree in some inputs, as
those that share an expensive part of the exact call do, know too much of each other: they are left out together,
:math:`e_g = (1 - H_{gg})^{-1} (y - Hy)_g`.
"""

from typing import NamedTuple

import numpy as np
from jaxtyping import Float, Int

from alfonsine.emulator.box.chebyshev import terms, values

NOISE = np.logspace(-14, -1, 14)  # tried for every component, in units of its variance
START = 0.3  # decay of every input to begin with
STEPS = (0.5, 0.75, 1.33, 2.0)  # factors tried on -ln(decay)
MOST = 2000  # terms: more cost evaluation, and time to fit, than they gain
SEARCHED = 600  # terms with which decays are compared: more of them find the same, in the cube of the time
WORTH = 0.01  # a change must lower the error by this fraction
SWEEPS = 4
FEWER = (0.4, 0.64, 0.8)  # the number of terms is lowered by these factors, the largest step first,
FOR_FREE = 1.01  # while the error rises by no more than this


class Series(NamedTuple):
    """Degrees (terms, d), coefficients (terms, k), leave-one-out residuals (n, k), and the decay chosen (d,)."""

    table: Int[np.ndarray, "terms d"]
    coefficients: Float[np.ndarray, "terms k"]
    residuals: Float[np.ndarray, "n k"]
    decay: Float[np.ndarray, " d"]


Groups = list[Int[np.ndarray, "_ _"]] | None


def solve(
    u: Float[np.ndarray, "n d"],
    target: Float[np.ndarray, "n k"],
    decay: Float[np.ndarray, " d"],
    count: int,
    together: Groups = None,
) -> Series:
    """Fit all components with the `count` largest terms of one decay; each component finds its own noise.

    `together`: points that are left out together, see `groups`; each by itself where it is None.
    """
    table = terms(decay, count)
    prior = np.exp(table @ np.log(decay))
    columns = values(u, table) * prior
    scale = np.sqrt(np.mean(target**2, axis=0)) + 1e-300
    gram_values, right = np.linalg.eigh(columns.T @ columns)
    squared = np.maximum(gram_values, gram_values[-1] * 1e-15)
    left = (columns @ right) / np.sqrt(squared)
    projected = left.T @ (target / scale)
    best = np.full(target.shape[1], np.inf)
    residuals, chosen = np.empty_like(target), np.empty(target.shape[1])
    for noise in NOISE * len(u):
        kept = squared / (squared + noise)
        error = left_out(left, kept, target / scale - left @ (kept[:, None] * projected), together)
        size = np.mean(error**2, axis=0)
        better = size < best
        best = np.where(better, size, best)
        residuals[:, better] = error[:, better] * scale[better]
        chosen[better] = noise
    solution = right @ (np.sqrt(squared)[:, None] / (squared[:, None] + chosen) * projected)
    return Series(table, prior[:, None] * solution * scale, residuals, decay)


def groups(u: Float[np.ndarray, "n d"]) -> Groups:
    """Points that agree in every input of which a value occurs twice, groups of one size in one array.

    None where no value occurs twice.
    """
    repeated = [i for i, column in enumerate(u.T) if len(np.unique(column)) < len(column)]
    if not repeated:
        return None
    _, of, sizes = np.unique(u[:, repeated], axis=0, return_inverse=True, return_counts=True)
    members = np.split(np.argsort(of.reshape(-1), kind="stable"), np.cumsum(sizes)[:-1])
    return [np.stack([m for m in members if len(m) == size]) for size in np.unique(sizes)]


def size(residuals: Float[np.ndarray, "n k"]) -> float:
    """Root mean square over the points."""
    return float(np.sqrt(np.mean(np.sum(residuals**2, axis=1))))


def left_out(
    left: Float[np.ndarray, "n p"],
    kept: Float[np.ndarray, " p"],
    misfit: Float[np.ndarray, "n k"],
    together: Groups,
) -> Float[np.ndarray, "n k"]:
    """Errors of the prediction of each point, or group, from all the others."""
    if together is None:
        return misfit / (1.0 - (left**2) @ kept)[:, None]
    error = np.empty_like(misfit)
    for members in together:
        rows = left[members]
        hat = np.einsum("gip,p,gjp->gij", rows, kept, rows, optimize=True)
        error[members] = np.linalg.solve(np.eye(members.shape[1]) - hat, misfit[members])
    return error


def fit_series(
    u: Float[np.ndarray, "n d"],
    target: Float[np.ndarray, "n k"],
    count: int | None = None,
    start: Float[np.ndarray, " d"] | None = None,
    together: Groups = None,
) -> Series:
    """Find the decay of every input by coordinate descent on the leave-one-out error, and fit.

    `u` in [-1, 1]; components in comparable units, so that their summed squares are what should be small. Where
    `count` is not given, `most_terms` of them, or fewer where these do as well.
    """
    n, d = u.shape
    most = count or most_terms(n, d)
    searched = min(most, SEARCHED)
    best = solve(u, target, np.full(d, START) if start is None else start, searched, together)
    lowest = float(np.mean(np.sum(best.residuals**2, axis=1)))
    for _ in range(SWEEPS):
        before = lowest
        for i in range(d):
            for factor in STEPS:
                decay = best.decay.copy()
                decay[i] = np.exp(np.clip(factor * np.log(decay[i]), -20.0, -0.02))
                trial = solve(u, target, decay, searched, together)
                error = float(np.mean(np.sum(trial.residuals**2, axis=1)))
                if error < lowest * (1.0 - WORTH):
                    best, lowest = trial, error
        if lowest > before * (1.0 - 5 * WORTH):
            break
    best = best if searched == most else solve(u, target, best.decay, most, together)
    return best if count else fewest(u, target, best, together)


def most_terms(n: int, d: int) -> int:
    """Terms of a series of d inputs that n points allow: as many as points, since shrinkage holds them."""
    return min(max(n, d + 1), MOST)


def fewest(
    u: Float[np.ndarray, "n d"], target: Float[np.ndarray, "n k"], series: Series, together: Groups = None
) -> Series:
    """The series with as few of its terms as lose nothing: it is quicker, and smaller in a file."""
    limit = FOR_FREE**2 * np.mean(np.sum(series.residuals**2, axis=1))
    for factor in FEWER:
        while (count := int(factor * len(series.table))) > u.shape[1]:
            trial = solve(u, target, series.decay, count, together)
            if not np.mean(np.sum(trial.residuals**2, axis=1)) <= limit:
                break
            series = trial
    return series
