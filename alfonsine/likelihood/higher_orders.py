r"""What a quadratic leaves of ln L: a polynomial in the few combinations of the bands that move most.

.. math:: r(s) = \sum_{|p| \le P} c_p \prod_i u_i^{p_i}, \qquad u = W (s - \bar s), \qquad
          |u| > R: \; u \to u R / |u|

with W such that u has unit variance over the points of the fit. Beyond the furthest of these the polynomial keeps the
value that it has at the edge in that direction, so that the density still falls as the quadratic does. How many
combinations, which order, and whether it is worth anything, is decided by points that the fit has not seen.
"""

from collections.abc import Iterator
from itertools import combinations_with_replacement
from math import comb

import equinox as eqx
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float

TERMS, ORDER, COMBINATIONS = 126, 4, 6  # at most; one shape, so that a sampler is compiled once
NEGLIGIBLE = 1e-4  # nats: less than this between a quadratic and the likelihood is not worth a fit
WORTH = 0.5  # of what the quadratic misses may be left, at most, by a polynomial that is no fluke
DEPTH = 5.0  # in ln L: points that lie as far below the best count half
APART = 4  # one in so many points is kept from a fit, to judge it
RIDGES = (1e-6, 1e-3, 1e-1)  # times the number of points; u has unit variance


class HigherOrders(eqx.Module):
    """The polynomial; `factors` picks from (1, u) the factors of each term."""

    coefficients: Float[Array, " t"]
    factors: Float[Array, "p t c"]
    whiten: Float[Array, "u r"]
    centre: Float[Array, " r"]
    reach: Float[Array, ""]

    def __call__(self, s: Float[Array, " r"]) -> Float[Array, ""]:
        """Give r(s)."""
        u = self.whiten @ (s - self.centre)
        length = jnp.sqrt(jnp.sum(u**2) + 1e-30)
        u = u * jnp.minimum(1.0, self.reach / length)
        picked = self.factors @ jnp.concatenate([jnp.ones(1), u])
        product = picked[0]
        for factor in picked[1:]:
            product = product * factor
        return self.coefficients @ product


def expected_kl(residual: Float[np.ndarray, " n"], values: Float[np.ndarray, " n"]) -> float:
    """Half the variance of a difference in ln L, points of low `values` counting less [nats]."""
    weights = _weights(values)
    mean = np.average(residual, weights=weights)
    return 0.5 * float(np.average((residual - mean) ** 2, weights=weights))


def fit_higher_orders(
    s: Float[np.ndarray, "n r"], residual: Float[np.ndarray, " n"], values: Float[np.ndarray, " n"]
) -> HigherOrders | None:
    """Fit what is left at points s, where ln L is `values`; None where no polynomial explains half of it."""
    centre = s.mean(axis=0)
    _, size, right = np.linalg.svd((s - centre) / np.sqrt(len(s)), full_matrices=False)
    most = min(COMBINATIONS, int((size > 1e-6 * max(size[0], 1e-300)).sum()))
    whiten = right[:most] / size[:most, None]
    u, weights = (s - centre) @ whiten.T, _weights(values)
    judging = np.arange(len(s)) % APART == 0
    best, chosen = WORTH * expected_kl(residual[judging], values[judging]), None
    for count, order, ridge in _choices(most):
        terms = _terms(count, order)
        columns = _columns(u[:, :count], terms)
        found = _solve(columns[~judging], residual[~judging], weights[~judging], ridge)
        left = expected_kl((residual - columns @ found)[judging], values[judging])
        if left < best:
            best, chosen = left, (count, terms, ridge)
    if chosen is None:
        return None
    count, terms, ridge = chosen
    found = _solve(_columns(u[:, :count], terms), residual, weights, ridge)
    reach = np.linalg.norm(u[:, :count], axis=1).max()
    return _padded(found, terms, whiten[:count], centre, float(reach))


def _choices(most: int) -> Iterator[tuple[int, int, float]]:
    for count in range(1, most + 1):
        for order in range(2, ORDER + 1):
            if comb(count + order, order) <= TERMS:
                for ridge in RIDGES:
                    yield count, order, ridge


def _terms(count: int, order: int) -> list[tuple[int, ...]]:
    """Which of (1, u_1, ..., u_count) are multiplied in each term, `order` of them."""
    return list(combinations_with_replacement(range(count + 1), order))


def _columns(u: np.ndarray, terms: list[tuple[int, ...]]) -> Float[np.ndarray, "n t"]:
    with_one = np.column_stack([np.ones(len(u)), u])
    return np.prod(with_one[:, np.array(terms)], axis=2)


def _solve(columns: np.ndarray, residual: np.ndarray, weights: np.ndarray, ridge: float) -> Float[np.ndarray, " t"]:
    scaled = columns * weights[:, None]
    penalty = ridge * weights.sum() * np.eye(columns.shape[1])
    penalty[0, 0] = 0.0  # a constant is no roughness
    return np.linalg.lstsq(columns.T @ scaled + penalty, scaled.T @ residual, rcond=1e-12)[0]


def _weights(values: np.ndarray) -> np.ndarray:
    return 1.0 / (1.0 + (values.max() - values) / DEPTH)


def _padded(
    coefficients: np.ndarray, terms: list[tuple[int, ...]], whiten: np.ndarray, centre: np.ndarray, reach: float
) -> HigherOrders:
    """In the one shape: missing terms have no coefficient, missing combinations no weight, missing factors are 1."""
    factors = np.zeros((ORDER, TERMS, COMBINATIONS + 1))
    factors[:, :, 0] = 1.0
    for t, term in enumerate(terms):
        for place, factor in enumerate(term):
            factors[place, t, 0] = 0.0
            factors[place, t, factor] = 1.0
    wide = np.zeros((COMBINATIONS, whiten.shape[1]))
    wide[: len(whiten)] = whiten
    full = np.concatenate([coefficients, np.zeros(TERMS - len(coefficients))])
    return HigherOrders(*(jnp.asarray(x) for x in (full, factors, wide, centre, reach)))
