"""Density of weighted draws in a plane of two parameters, and the levels whose contours hold so much of it."""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from scipy.ndimage import gaussian_filter

BINS, SMOOTH = 60, 1.2  # to a side; standard deviation in bins


class Plane(NamedTuple):
    """Middles of the bins, (n,) each; density (n, n), [y, x], whose sum is at most one; share of the draws inside."""

    x: np.ndarray
    y: np.ndarray
    density: np.ndarray
    share: float

    @classmethod
    def of(cls, points: np.ndarray, weights: np.ndarray, limits: Sequence | None = None) -> "Plane":
        """A smoothed histogram of points (m, 2), inside the limits or all of them."""
        counts, x, y = np.histogram2d(*points.T, bins=BINS, range=limits, weights=weights / weights.sum())
        density = gaussian_filter(counts, SMOOTH).T  # reflected at the edges: no mass is made or lost
        return cls(0.5 * (x[1:] + x[:-1]), 0.5 * (y[1:] + y[:-1]), density, float(counts.sum()))

    def levels(self, masses: Sequence[float]) -> list[float]:
        """Densities, rising, whose contours hold these parts of all draws; none where the plane has fewer."""
        ordered = np.sort(self.density.ravel())[::-1]
        held = np.cumsum(ordered)
        found = {float(ordered[np.searchsorted(held, mass)]) for mass in masses if held[-1] > mass}
        return sorted(level for level in found if level > 0)
