"""Panels of `connect_comparison.py`: every posterior over the corrected one, in one plane of parameters."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from plane import Plane

LABELS = {
    "m_ncdm": r"$m_\nu$ [eV]",
    "deg_ncdm": r"$\mathrm{deg}_\nu$",
    "H0": r"$H_0$ [km/s/Mpc]",
    "omega_cdm": r"$\omega_c$",
}
TITLES = {"ours": "our loop", "connect": "points: iterative, preset: connect", "hypercubes": "Latin hypercubes"}
MASSES = (0.95, 0.68)
WIDTHS = 5.0  # standard deviations of the corrected posterior that a panel shows to either side of its mean


def draw(
    found: Sequence[Any],
    names: Sequence[str],
    samples: np.ndarray,
    weights: np.ndarray,
    plane: tuple[str, str],
    path: Path,
) -> None:
    """One row for each way, one panel for each of its posteriors; the corrected one is filled everywhere."""
    import matplotlib

    matplotlib.use("Agg")
    from matplotlib import pyplot as plt

    rows = {
        "ours": [one for one in found if one.way == "ours"],
        "connect": [one for one in found if one.way == "connect"],
        "hypercubes": [one for one in found if one.way == "hypercube"],
    }
    columns = [list(names).index(name) for name in plane]
    truth = samples[:, columns]
    mean = weights @ truth
    sigma = np.sqrt(weights @ (truth - mean) ** 2)
    limits = [(max(m - WIDTHS * s, 0.0), m + WIDTHS * s) for m, s in zip(mean, sigma, strict=True)]
    most = max(map(len, rows.values()))
    figure, axes = plt.subplots(
        len(rows), most, figsize=(2.1 * most, 2.3 * len(rows)), squeeze=False, sharex=True, sharey=True
    )
    for panels, (row, each) in zip(axes, rows.items(), strict=True):
        for panel in panels[len(each) :]:
            panel.set_visible(False)
        panels[0].annotate(TITLES[row], (0.0, 1.2), xycoords="axes fraction", fontsize=10, fontweight="bold")
        for panel, one in zip(panels, each, strict=False):
            contours(panel, truth, weights, limits, filled=True)
            own = one.samples[:, [one.names.index(name) for name in plane]]
            share = contours(panel, own, one.weights / one.weights.sum(), limits, filled=False)
            panel.set_title(f"{one.training} calls learned", fontsize=8)
            if share < 0.5:
                panel.annotate(
                    f"{1 - share:.0%} outside", (0.05, 0.88), xycoords="axes fraction", fontsize=8, color="C3"
                )
            panel.set_xlim(*limits[0])
            panel.set_ylim(*limits[1])
            panel.tick_params(labelsize=7)
        panels[0].set_ylabel(LABELS[plane[1]])
        for panel in panels[: len(each)]:
            panel.set_xlabel(LABELS[plane[0]], fontsize=8)
            panel.xaxis.set_tick_params(labelbottom=True)
    figure.subplots_adjust(left=0.05, right=0.99, top=0.91, bottom=0.08, hspace=0.85, wspace=0.1)
    path.parent.mkdir(parents=True, exist_ok=True)
    figure.savefig(path, dpi=110)
    plt.close(figure)


def contours(panel: Any, points: np.ndarray, weights: np.ndarray, limits: Sequence, filled: bool) -> float:
    """Contours that hold 68 and 95 % of all draws; returns the share of the draws that the panel shows."""
    plane = Plane.of(points, weights, limits)
    grid, levels = (plane.x, plane.y, plane.density), plane.levels(MASSES)
    if filled and levels:
        panel.contourf(*grid, [*levels, plane.density.max() * 1.01], colors=["#bcd4ee", "#6f9fd8"])
    elif levels:
        panel.contour(*grid, levels, colors="C3", linewidths=1.1)
    if not filled and not levels and plane.share > 0:
        panel.plot(*points[:: max(1, len(points) // 400)].T, ".", ms=1, color="C3")
    return plane.share
