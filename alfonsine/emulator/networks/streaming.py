"""Means, spreads, limits and principal components of more rows than fit in memory, from a few passes over chunks.

A `Chunks` is a function that starts a pass: it returns an iterator over (rows, m) arrays.
"""

from collections.abc import Callable, Iterator
from typing import NamedTuple

import numpy as np
from jaxtyping import Float

from alfonsine.errors import InputError

Chunks = Callable[[], Iterator[np.ndarray]]
EXACT_UP_TO = 2048  # columns up to which the whole covariance is kept: 32 MiB


class Moments(NamedTuple):
    """Of each column: mean, standard deviation (divided by n), smallest and largest value."""

    count: int
    mean: Float[np.ndarray, " m"]
    std: Float[np.ndarray, " m"]
    low: Float[np.ndarray, " m"]
    high: Float[np.ndarray, " m"]


def moments(chunks: Chunks, function: Callable[[np.ndarray], np.ndarray] = lambda x: x) -> Moments:
    r"""One pass; chunks are merged by their means and sums of squared deviations, so nothing cancels.

    .. math:: M = M_1 + M_2 + (\mu_2-\mu_1)^2\, n_1 n_2/(n_1+n_2)
    """
    count, mean, squares, low, high = 0, 0.0, 0.0, np.inf, -np.inf
    for chunk in chunks():
        values = np.asarray(function(np.asarray(chunk, dtype=np.float64)))
        n = len(values)
        here = values.mean(axis=0)
        step = here - mean
        squares = squares + ((values - here) ** 2).sum(axis=0) + step**2 * (count * n / (count + n))
        mean = mean + step * (n / (count + n))
        low, high = np.minimum(low, values.min(axis=0)), np.maximum(high, values.max(axis=0))
        count += n
    if not count:
        raise InputError("expected at least one row to learn from, got none; fill the training set")
    return Moments(count, np.asarray(mean), np.sqrt(squares / count), np.asarray(low), np.asarray(high))


class Components(NamedTuple):
    """Principal components: orthonormal rows, largest variance first."""

    mean: Float[np.ndarray, " m"]
    vectors: Float[np.ndarray, "k m"]
    variance: Float[np.ndarray, " k"]


def principal_components(
    chunks: Chunks, count: int, seed: int = 0, exact_up_to: int = EXACT_UP_TO, passes: int = 4
) -> Components:
    r"""The `count` leading eigenvectors of the covariance C of the columns.

    Up to `exact_up_to` columns from C itself. Beyond, by subspace iteration from a random start: `passes` times
    :math:`Q \leftarrow \mathrm{qr}(C Q)` with half as many columns more than asked for, then the eigenvectors of
    :math:`Q^T C Q`; C is applied chunk by chunk and never formed. The error of a component falls as
    (eigenvalue beyond the kept ones / its own)^passes.
    """
    found = moments(chunks)
    m = len(found.mean)
    if not 1 <= count <= min(m, found.count):
        raise InputError(
            f"expected 1 to {min(m, found.count)} components of {found.count} rows of {m}, got {count}; ask for fewer"
        )

    def centred() -> Iterator[np.ndarray]:
        return (np.asarray(chunk, dtype=np.float64) - found.mean for chunk in chunks())

    if m <= exact_up_to:
        covariance = sum(x.T @ x for x in centred()) / found.count
        variance, vectors = np.linalg.eigh(covariance)
        vectors = vectors[:, ::-1]
        variance = variance[::-1]
    else:
        width = min(m, count + max(10, count // 2))
        basis = np.linalg.qr(np.random.default_rng(seed).normal(size=(m, width)))[0]
        for _ in range(passes):
            basis = np.linalg.qr(sum(x.T @ (x @ basis) for x in centred()) / found.count)[0]
        small = sum((p := x @ basis).T @ p for x in centred()) / found.count
        variance, rotation = np.linalg.eigh(small)
        vectors, variance = basis @ rotation[:, ::-1], variance[::-1]
    vectors = vectors[:, :count].T
    largest = np.take_along_axis(vectors, np.abs(vectors).argmax(axis=1)[:, None], axis=1)
    return Components(found.mean, vectors * np.sign(largest), np.maximum(variance[:count], 0.0))
