r"""The polynomial part of an emulator: least squares with shrinkage, everything chosen by closed-form leave-one-out.

Near a posterior a spectrum is almost linear in good coordinates, and a full cubic in six parameters has 84 terms, far
more than there are models to learn from. So every coefficient has a prior width: wide for the constant and the linear
terms, and for a monomial of higher degree

.. math:: v_j = m_j\, a_{g} \prod_{i \in j} w_i^2, \qquad g = 2, 3, \dots,

with :math:`m_j` its multinomial factor, :math:`a_g` one number per degree and :math:`w_i` one relevance per input. A
parameter that enters only linearly loses its :math:`w_i`; the one that bends the spectrum keeps it. The least-squares
solution is linear in the data, so the prediction of each point from all the others is known without a second fit,

.. math:: e = \frac{y - Hy}{1 - \mathrm{diag} H}, \qquad
          H = A (A^T N^{-1} A + V^{-1})^{-1} A^T N^{-1},

and order, ridge and relevance are whatever makes its mean square smallest.

Because of the multinomial factors :math:`A V A^T` is a polynomial of one product, so that while there are fewer models
than monomials (5,456 in a cubic of thirty parameters) nothing as long as the table is ever formed:

.. math:: (A V A^T)_{xy} = 100\,(1 + x \cdot y) + \sum_g a_g \Big(\sum_i w_i^2 x_i y_i\Big)^g .
"""

from math import factorial
from typing import NamedTuple

import numpy as np
from jaxtyping import Float, Int

from alfonsine.space.polynomial import degree, values

LINEAR = 100.0  # prior variance of constant and slopes; components and inputs are of order one
NOISE = 1e-6  # variance that no polynomial can describe, same units
STRENGTH = (0.0, 1e-5, 1e-4, 1e-3, 1e-2, 1e-1, 1.0)  # a_2; zero is the linear model
DECAY = (0.0, 0.01, 0.1, 0.5)  # a_{g+1} / a_g; zero ends the polynomial at degree two
RELEVANCE = (0.2, 0.5, 2.0, 4.0)  # factors tried on w_i
QUICK = ((0.0, 0.0), (1e-4, 0.1), (1e-2, 0.0), (1e-2, 0.1), (1e-1, 0.1), (1.0, 0.1))  # strengths and decays
WORTH = 0.02  # a change must lower the error by this fraction
SWEEPS = 3


class Shrinkage(NamedTuple):
    """Prior widths: `strength` a_2, `decay` a_{g+1}/a_g, `relevance` w (d,)."""

    strength: float
    decay: float
    relevance: Float[np.ndarray, " d"]

    def variance(
        self, table: Int[np.ndarray, "terms order"], counts: Float[np.ndarray, " terms"]
    ) -> Float[np.ndarray, " terms"]:
        """Prior variance of every coefficient; a trace is left on each so that nothing divides by zero."""
        of_degree = degree(table)
        weights = np.prod(np.concatenate([[1.0], self.relevance])[table], axis=1) ** 2
        bent = np.clip(of_degree - 2, 0, None)
        higher = counts * self.strength * self.decay**bent * weights
        return np.where(of_degree <= 1, LINEAR, higher) + 1e-14


class Trend(NamedTuple):
    """Coefficients (terms, k), leave-one-out residuals (n, k), and the shrinkage that was chosen."""

    coefficients: Float[np.ndarray, "terms k"]
    residuals: Float[np.ndarray, "n k"]
    shrinkage: Shrinkage


def multiplicity(table: Int[np.ndarray, "terms order"]) -> Float[np.ndarray, " terms"]:
    """Multinomial factor of each monomial: how often it occurs in (u . u')^g."""
    counts = []
    for row in table:
        _, repeats = np.unique(row[row > 0], return_counts=True)
        counts.append(factorial(int(repeats.sum())) / np.prod([factorial(int(r)) for r in repeats]))
    return np.array(counts)


def gram(u: Float[np.ndarray, "n d"], shrinkage: Shrinkage, order: int) -> Float[np.ndarray, "n n"]:
    """A V A^T of all monomials up to `order`, without them."""
    product = (u * shrinkage.relevance**2) @ u.T
    bent = sum(shrinkage.strength * shrinkage.decay ** (g - 2) * product**g for g in range(2, order + 1))
    return LINEAR * (1.0 + (u @ u.T if order > 0 else 0.0)) + bent


def left_out(
    covariance: Float[np.ndarray, "n n"], target: Float[np.ndarray, "n k"], noise: Float[np.ndarray, " n"]
) -> tuple[Float[np.ndarray, "n k"], Float[np.ndarray, "n k"]]:
    """Dual coefficients, and leave-one-out residuals, of a model whose values have this prior covariance."""
    inverse = np.linalg.inv(covariance + np.diag(noise))
    dual = inverse @ target
    return dual, dual / np.diag(inverse)[:, None]


def solve(
    columns: Float[np.ndarray, "n terms"],
    target: Float[np.ndarray, "n k"],
    variance: Float[np.ndarray, " terms"],
    noise: Float[np.ndarray, " n"],
) -> tuple[Float[np.ndarray, "terms k"], Float[np.ndarray, "n k"]]:
    """Coefficients and leave-one-out residuals, through the smaller of the two equivalent linear systems."""
    n, terms = columns.shape
    if n <= terms:
        dual, residuals = left_out((columns * variance) @ columns.T, target, noise)
        return variance[:, None] * (columns.T @ dual), residuals
    weighted = columns * np.sqrt(variance)
    operator = np.linalg.solve(weighted.T @ (weighted / noise[:, None]) + np.eye(terms), weighted.T / noise[None, :])
    coefficients = operator @ target
    hat = np.sum(weighted * operator.T, axis=1)
    residuals = (target - weighted @ coefficients) / (1.0 - hat)[:, None]
    return np.sqrt(variance)[:, None] * coefficients, residuals


class Problem(NamedTuple):
    """Inputs u (n, d), target (n, k), monomials with their multiplicities, noise (n,); `columns` where they are few."""

    u: Float[np.ndarray, "n d"]
    target: Float[np.ndarray, "n k"]
    table: Int[np.ndarray, "terms order"]
    counts: Float[np.ndarray, " terms"]
    noise: Float[np.ndarray, " n"]
    columns: Float[np.ndarray, "n terms"] | None

    @classmethod
    def of(cls, u, target, table, counts, noise) -> "Problem":
        """Form the monomials only where there are fewer of them than points."""
        return cls(u, target, table, counts, noise, values(u, table) if len(u) > len(table) else None)

    def residuals(self, shrinkage: Shrinkage) -> Float[np.ndarray, "n k"]:
        """Leave-one-out residuals."""
        if self.columns is None:
            return left_out(gram(self.u, shrinkage, self.table.shape[1]), self.target, self.noise)[1]
        return solve(self.columns, self.target, shrinkage.variance(self.table, self.counts), self.noise)[1]


def fit_trend(
    u: Float[np.ndarray, "n d"],
    components: Float[np.ndarray, "n k"],
    table: Int[np.ndarray, "terms order"],
    weights: Float[np.ndarray, " n"],
) -> Trend:
    """Fit all components of one block with one shrinkage.

    `weights` in (0, 1] say how much a point matters; a point far from where the emulator will be used is both
    allowed a larger misfit and counted less. Components are in units of the data's error, so the summed square
    of the leave-one-out residuals is the error in chi-square.
    """
    n, d = u.shape
    counts = multiplicity(table)
    spread = np.sqrt(np.average(components**2, axis=0, weights=weights)) + 1e-300
    problem = Problem.of(u, components / spread, table, counts, NOISE / weights)

    def error(shrinkage: Shrinkage) -> float:
        return mean_square(problem.residuals(shrinkage) * spread, weights)

    best = Shrinkage(0.0, 0.0, np.ones(d))
    if n > d + 2:  # before that, leaving one out leaves a slope undetermined
        grid = [Shrinkage(a, c, np.ones(d)) for a in STRENGTH for c in DECAY if a > 0 or c == 0]
        lowest, index = min((error(s), i) for i, s in enumerate(grid))
        best = refine(grid[index], lowest, error)
    coefficients, residuals = solve(values(u, table), problem.target, best.variance(table, counts), problem.noise)
    return Trend(coefficients * spread, residuals * spread, best)


def mean_square(residuals: Float[np.ndarray, "n k"], weights: Float[np.ndarray, " n"]) -> float:
    """Weighted mean over the points of the squares, summed over components."""
    return float(weights @ np.sum(residuals**2, axis=1) / weights.sum())


def quick_error(
    u: Float[np.ndarray, "n d"],
    components: Float[np.ndarray, "n k"],
    table: Int[np.ndarray, "terms order"],
    counts: Float[np.ndarray, " terms"],
    weights: Float[np.ndarray, " n"],
) -> float:
    """The leave-one-out error of a trend, with all inputs equally relevant: good for comparing sets of inputs.

    `counts` are the multiplicities of the monomials.
    """
    spread = np.sqrt(np.average(components**2, axis=0, weights=weights)) + 1e-300
    problem = Problem.of(u, components / spread, table, counts, NOISE / weights)
    tried = (Shrinkage(strength, decay, np.ones(u.shape[1])) for strength, decay in QUICK)
    return min(mean_square(problem.residuals(shrinkage) * spread, weights) for shrinkage in tried)


def refine(start: Shrinkage, lowest: float, error) -> Shrinkage:
    """Coordinate descent on the relevance of each input and on the strength of the higher degrees."""
    best = start
    for _ in range(SWEEPS):
        before = lowest
        trials = [(i, factor) for i in range(len(best.relevance)) for factor in RELEVANCE]
        for i, factor in trials:
            relevance = best.relevance.copy()
            relevance[i] *= factor
            lowest, best = keep(best, lowest, best._replace(relevance=relevance), error)
        for strength, decay in ((0.2, 1.0), (5.0, 1.0), (1.0, 0.2), (1.0, 5.0)):
            trial = best._replace(strength=best.strength * strength, decay=best.decay * decay)
            lowest, best = keep(best, lowest, trial, error)
        if lowest >= before * (1.0 - WORTH):
            break
    return best


def keep(best: Shrinkage, lowest: float, trial: Shrinkage, error) -> tuple[float, Shrinkage]:
    """The better of two, the trial having to be worth the change."""
    found = error(trial)
    return (found, trial) if found < lowest * (1.0 - WORTH) else (lowest, best)
