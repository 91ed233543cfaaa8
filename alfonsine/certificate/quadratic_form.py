r"""l as a quadratic form of standard normal coordinates: the case in which every divergence has a closed form.

In coordinates z in which the emulated posterior is N(0, 1), and in the eigenframe of A,

.. math:: l = {\rm const} + \sum_i \left( b_i z_i + \tfrac12 a_i z_i^2 \right) + s\,\epsilon

makes the exact posterior normal with variances c_i = 1/(1 - a_i) and means c_i b_i, so that

.. math::
    D(P\|P_E) = \tfrac12\sum_i (c_i - 1 - \ln c_i + c_i^2 b_i^2) + \tfrac12 s^2, \qquad
    D(P_E\|P) = \tfrac12\sum_i (1/c_i - 1 + \ln c_i + c_i b_i^2) + \tfrac12 s^2 .

The last term is the rough part of l, as normal noise s independent of z: a Gaussian l of variance s^2 has
divergence s^2/2 in both directions. Where some a_i >= 1 there is no exact posterior to normalise: both are infinite.
"""

from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from jaxtyping import Float, Int


@dataclass(frozen=True)
class QuadraticForms:
    """m quadratic forms of d coordinates: linear b, curvature a, rough part s (a standard deviation).

    tail indexes `TAILS`, the degrees of freedom of the rough part's distribution.
    """

    b: Float[np.ndarray, "m d"]
    a: Float[np.ndarray, "m d"]
    s: Float[np.ndarray, " m"]
    tail: Int[np.ndarray, " m"]


TAILS = (np.inf, 10.0, 5.0, 3.0)  # Student t, scaled to unit variance; the first is normal


def divergences(forms: QuadraticForms) -> tuple[Float[np.ndarray, " m"], Float[np.ndarray, " m"]]:
    """Forward D(P||P_E) and reverse D(P_E||P) [nats] of each form."""
    proper = np.all(forms.a < 1, axis=1)
    a = np.where(proper[:, None], forms.a, 0.0)
    c = 1 / (1 - a)
    log_c = -np.log1p(-a)
    rough = 0.5 * forms.s**2
    forward = 0.5 * np.sum(c - 1 - log_c + (c * forms.b) ** 2, axis=1) + rough
    reverse = 0.5 * np.sum(log_c - a + c * forms.b**2, axis=1) + rough
    return np.where(proper, forward, np.inf), np.where(proper, reverse, np.inf)


@lru_cache
def pairs(d: int) -> tuple[Int[np.ndarray, " t"], Int[np.ndarray, " t"], Float[np.ndarray, " t"]]:
    """Indices i <= j of the products z_i z_j, and the factors that make them orthonormal under N(0, 1)."""
    i, j = np.triu_indices(d)
    return i, j, np.where(i == j, np.sqrt(0.5), 1.0)


def features(z: Float[np.ndarray, "n d"]) -> Float[np.ndarray, "n p"]:
    """The d linear features z_i, then the d(d+1)/2 quadratic ones, orthonormal under N(0, 1)."""
    i, j, factor = pairs(z.shape[1])
    return np.concatenate([z, (z[:, i] * z[:, j] - (i == j)) * factor], axis=1)


def matrices(coefficients: Float[np.ndarray, "m p"], d: int) -> Float[np.ndarray, "m d d"]:
    """The symmetric matrix A of each set of feature coefficients."""
    i, j, factor = pairs(d)
    a = np.zeros((len(coefficients), d, d))
    value = coefficients[:, d:] * factor
    a[:, i, j] += value
    a[:, j, i] += value
    return a


def eigenframe(
    coefficients: Float[np.ndarray, "m p"], s: Float[np.ndarray, " m"], tail: Int[np.ndarray, " m"], d: int
) -> QuadraticForms:
    """Quadratic forms in their own eigenframes, from coefficients of `features`."""
    a, frame = np.linalg.eigh(matrices(coefficients, d))
    return QuadraticForms(np.einsum("mij,mi->mj", frame, coefficients[:, :d]), a, s, tail)
