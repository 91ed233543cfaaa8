r"""Which new points lie where the data are still thin: the over-density filter of CONNECT.

Draws of one posterior after another pile up in its middle. A new point p is kept where the earlier data do not already
have a point about as near as their own neighbours are to each other, or where the new points themselves are so dense
that the earlier ones are thin beside them. With x the point of the earlier data :math:`P_{\rm old}` nearest to p,
:math:`d_{\min} = |p - x|`, the distances :math:`D_{\rm old}` from x to its n nearest neighbours in
:math:`P_{\rm old}`, the distances :math:`D_{\rm new}` from p to its n nearest neighbours in :math:`P_{\rm new}`, and k
standard deviations,

.. math:: d_{\min} > \overline{D_{\rm old}} + k\,{\rm std}(D_{\rm old}) \quad\text{or}\quad
   \overline{D_{\rm new}} < \overline{D_{\rm old}} - k\,{\rm std}(D_{\rm old}) .

Source: Nygaard et al. 2022 (arXiv:2205.15726), section 3.2, whose k is 2; n is not given there. Two things are ours.
Distances are taken after whitening by the covariance of the earlier data, :math:`|L^{-1}(p - x)|` with
:math:`L L^T = {\rm cov}(P_{\rm old})`, so that units, and any linear change of the parameters, change nothing. And
neighbours are found in trees, in a time that grows as N log N.
"""

import numpy as np
from jaxtyping import Bool, Float, Int
from scipy.spatial import cKDTree

from alfonsine.errors import InputError

NEIGHBOURS = 10
DEVIATIONS = 2.0
FEW = 3
LEAF = 32  # points in a leaf of a tree: fastest in eight dimensions
SINGULAR = 1e-12  # smallest eigenvalue of a correlation matrix that counts as one


def thinly_sampled(
    new: Float[np.ndarray, "n d"],
    old: Float[np.ndarray, "m d"],
    neighbours: int = NEIGHBOURS,
    deviations: float = DEVIATIONS,
    workers: int = 1,
) -> Bool[np.ndarray, " n"]:
    """Which of the new points to keep beside the old ones; all of them where the old ones do not span the space.

    neighbours   n above; fewer where there are fewer points
    deviations   k above
    workers      threads that look for neighbours
    """
    if neighbours < 1 or not deviations >= 0:
        raise InputError(
            f"expected at least one neighbour and deviations that are not negative, got {neighbours} and {deviations:g}"
        )
    if not (np.all(np.isfinite(new)) and np.all(np.isfinite(old))):
        raise InputError("expected finite points, got some that are not; leave them out")
    root = root_covariance(old)
    if root is None or not len(new):
        return np.ones(len(new), dtype=bool)
    order, new = whitened_in_order(new, root)
    _, old = whitened_in_order(old, root)
    tree = cKDTree(old, LEAF)
    nearest_distance, nearest = tree.query(new, workers=workers)
    asked, back = np.unique(nearest, return_inverse=True)  # a point of the old data is nearest to many new ones
    around = neighbour_distances(tree, old[asked], neighbours, workers)
    mean, spread = around.mean(axis=1)[back], around.std(axis=1)[back]
    thin = nearest_distance > mean + deviations * spread
    rest = np.flatnonzero(~thin)
    if len(rest) and len(new) > 1:
        thin[rest] = denser_than(mean[rest] - deviations * spread[rest], cKDTree(new, LEAF), rest, neighbours, workers)
    kept = np.empty(len(new), dtype=bool)
    kept[order] = thin
    return kept


def whitened_in_order(
    points: Float[np.ndarray, "n d"], root: Float[np.ndarray, "d d"]
) -> tuple[Int[np.ndarray, " n"], Float[np.ndarray, "n d"]]:
    """White points, neighbours after each other, and the rows they come from: what is asked next is then in memory."""
    white = np.linalg.solve(root, points.T).T
    order = cKDTree(white, LEAF).indices
    return order, white[order]


def denser_than(
    limit: Float[np.ndarray, " n"], tree: cKDTree, rows: Int[np.ndarray, " n"], neighbours: int, workers: int
) -> Bool[np.ndarray, " n"]:
    """Whether the mean distance from points of the tree to their nearest others is below a limit for each.

    Most are found not to be from their first few: the others are no nearer than the last of these.
    """
    k = min(neighbours, tree.n - 1)
    few = min(FEW, k)
    first = neighbour_distances(tree, tree.data[rows], few, workers)
    least = (first.sum(axis=1) + (k - few) * first[:, -1]) / k
    below = np.flatnonzero(least < limit)
    found = np.zeros(len(rows), dtype=bool)
    if len(below):
        mean = neighbour_distances(tree, tree.data[rows[below]], neighbours, workers).mean(axis=1)
        found[below] = mean < limit[below]
    return found


def neighbour_distances(
    tree: cKDTree, points: Float[np.ndarray, "n d"], neighbours: int, workers: int
) -> Float[np.ndarray, "n k"]:
    """Distances from points of the tree to their nearest others in it."""
    k = min(neighbours, tree.n - 1)
    return tree.query(points, k=np.arange(2, k + 2), workers=workers)[0]  # the first is the point itself


def root_covariance(points: Float[np.ndarray, "m d"]) -> Float[np.ndarray, "d d"] | None:
    """Lower factor of the covariance; None where the points lie in a plane, or are too few to say."""
    m, d = points.shape
    if m <= d:
        return None
    spread = points.std(axis=0)
    if not np.all(spread > 0):
        return None
    standardised = (points - points.mean(axis=0)) / spread
    correlation = (standardised.T @ standardised / m).reshape(d, d)
    if np.linalg.eigvalsh(correlation)[0] < SINGULAR:
        return None
    return spread[:, None] * np.linalg.cholesky(correlation)
