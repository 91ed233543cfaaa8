"""The over-density filter as it is written in the paper: point after point, all distances to all points."""

import numpy as np
from scipy.spatial.distance import cdist


def thinly_sampled_slowly(new, old, neighbours=10, deviations=2.0):
    """Algorithm 1 of arXiv:2205.15726, with Mahalanobis distances in the covariance of the old points."""
    inverse = np.linalg.inv(np.cov(old.T, bias=True).reshape(old.shape[1], -1))

    def distances(point, points):
        return cdist(point[None], points, "mahalanobis", VI=inverse)[0]

    kept = np.zeros(len(new), dtype=bool)
    for i, p in enumerate(new):
        from_p = distances(p, old)
        x = np.argmin(from_p)
        d_min = from_p[x]
        d_old = np.sort(distances(old[x], np.delete(old, x, axis=0)))[:neighbours]
        d_new = np.sort(distances(p, np.delete(new, i, axis=0)))[:neighbours]
        if d_min > np.average(d_old) + deviations * np.std(d_old):
            kept[i] = True
        elif np.average(d_new) < np.average(d_old) - deviations * np.std(d_old):
            kept[i] = True
    return kept
