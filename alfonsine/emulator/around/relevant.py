r"""The polynomial in which every monomial has a relevance of its own: few of very many terms, found from few models.

A cubic of thirty parameters has 5,456 terms, and a hundred models do not determine one relevance per input well enough
to tell which of the products matter. But the same terms serve all components, and there are as many components as
parameters: if only some terms matter, their pattern is seen again and again. So the prior variance :math:`v_j` of each
coefficient :math:`c_j`, common to the components, is what makes the models most probable (sparse Bayesian learning from
multiple measurements), by the fixed point

.. math:: v_j \leftarrow \left(\frac{\overline{c_j^2}}{\phi_j^T C^{-1} \phi_j}\right)^{1/2}, \qquad
          C = N + \sum_j v_j \phi_j \phi_j^T,

with :math:`\phi_j` the monomial at the models; a term that falls below `FLOOR` is dropped, which also makes the
emulator quick. Constant and slopes keep their wide prior.

With so many numbers chosen, leaving one out of the *last* system flatters (fifty times in eight dimensions, measured).
So the error is that of whole fits to nine tenths of the models, which have never seen the tenth that they predict.

Source: Wipf & Rao 2007 (IEEE Trans. Signal Process. 55, 3704), with the update of Wipf & Nagarajan 2007 (NeurIPS 20).
"""

from typing import NamedTuple

import numpy as np
from jaxtyping import Float, Int

from alfonsine.emulator.around.trend import Shrinkage, Trend, fit_trend, mean_square, multiplicity, solve
from alfonsine.space.polynomial import degree, values

START = (1e-2, 0.1)  # strength and decay of the shrinkage that the iteration begins with
NOISES = (1e-6, 1e-4)  # variances tried for what no polynomial can describe; components are of order one
ITERATIONS = 30
FLOOR = 1e-7  # variance of a coefficient, same units, below which its monomial is dropped
FOLDS = 10
WORTH = 0.5  # the held-out error must fall to this fraction of the leave-one-out error of one relevance per input


class Relevant(NamedTuple):
    """Which rows of the table are left, the prior variances of their coefficients, and these, (kept, k)."""

    kept: Int[np.ndarray, " kept"]
    variance: Float[np.ndarray, " kept"]
    coefficients: Float[np.ndarray, "kept k"]


def best_trend(
    u: Float[np.ndarray, "n d"],
    components: Float[np.ndarray, "n k"],
    table: Int[np.ndarray, "terms order"],
    weights: Float[np.ndarray, " n"],
) -> Trend:
    """One relevance per input, or one per monomial where that errs less on models it has not seen."""
    plain = fit_trend(u, components, table, weights)
    n, d = u.shape
    if n < d + FOLDS // 2 or table.shape[1] < 2:
        return plain
    columns = values(u, table)
    variance = Shrinkage(*START, np.ones(d)).variance(table, multiplicity(table))
    free = degree(table) > 1
    lowest, best = WORTH * mean_square(plain.residuals, weights), None
    for level in NOISES:
        residuals = held_out(columns, components, variance, free, level / weights, weights)
        error = mean_square(residuals, weights)
        if error < lowest:
            lowest, best = error, (level, residuals)
    if best is None:
        return plain
    level, residuals = best
    found = fit_relevant(columns, components, variance, free, level / weights, weights)
    coefficients = np.zeros((len(table), components.shape[1]))
    coefficients[found.kept] = found.coefficients
    return Trend(coefficients, residuals, plain.shrinkage)


def fit_relevant(
    columns: Float[np.ndarray, "n terms"],
    components: Float[np.ndarray, "n k"],
    variance: Float[np.ndarray, " terms"],
    free: np.ndarray,
    noise: Float[np.ndarray, " n"],
    weights: Float[np.ndarray, " n"],
) -> Relevant:
    """Iterate from these prior variances; those that are not `free` stay."""
    spread = np.sqrt(np.average(components**2, axis=0, weights=weights)) + 1e-300
    target = components / spread
    share = spread / spread.sum()
    kept = np.arange(columns.shape[1])
    for _ in range(ITERATIONS):
        inverse = np.linalg.inv((columns * variance) @ columns.T + np.diag(noise))
        slope = (columns.T @ (inverse @ target)) ** 2 @ share  # mean square of c_j / v_j
        precision = np.einsum("nj,nj->j", columns, inverse @ columns)
        variance = np.where(free, variance * np.sqrt(slope / np.maximum(precision, 1e-300)), variance)
        left = ~free | (variance > FLOOR)
        if not left.all():
            columns, variance, free, kept = columns[:, left], variance[left], free[left], kept[left]
    coefficients, _ = solve(columns, target, variance, noise)
    return Relevant(kept, variance, coefficients * spread)


def held_out(
    columns: Float[np.ndarray, "n terms"],
    components: Float[np.ndarray, "n k"],
    variance: Float[np.ndarray, " terms"],
    free: np.ndarray,
    noise: Float[np.ndarray, " n"],
    weights: Float[np.ndarray, " n"],
) -> Float[np.ndarray, "n k"]:
    """Residual of every model, predicted by a fit to nine tenths of the others; the tenths are drawn at random."""
    n = len(columns)
    residuals = np.empty_like(components)
    for rows in np.array_split(np.random.default_rng(n).permutation(n), min(FOLDS, n)):
        seen = np.setdiff1d(np.arange(n), rows)
        found = fit_relevant(columns[seen], components[seen], variance, free, noise[seen], weights[seen])
        residuals[rows] = components[rows] - columns[np.ix_(rows, found.kept)] @ found.coefficients
    return residuals
