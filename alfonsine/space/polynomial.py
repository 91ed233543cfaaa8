"""Monomials of several variables."""

from itertools import combinations_with_replacement

import numpy as np
from jaxtyping import Float, Int


def monomials(dimension: int, order: int) -> Int[np.ndarray, "terms order"]:
    """Index table of all monomials up to `order`: row (i, j, k) means v_i v_j v_k with v = (1, u_1, ..., u_d).

    Rows are sorted by degree: the constant, the d linear terms, then the rest.
    """
    rows = list(combinations_with_replacement(range(dimension + 1), order))
    rows.sort(key=lambda row: (sum(i > 0 for i in row), row))
    return np.array(rows, dtype=int)


def degree(table: Int[np.ndarray, "terms order"]) -> Int[np.ndarray, " terms"]:
    """Degree of each monomial."""
    return np.sum(table > 0, axis=1)


def values(u: Float[np.ndarray, "n d"], table: Int[np.ndarray, "terms order"]) -> Float[np.ndarray, "n terms"]:
    """The monomials at n points."""
    v = np.column_stack([np.ones(len(u)), u])
    return np.prod(v[:, table], axis=2)
