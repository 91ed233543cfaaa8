"""The triangle plot: emulated, corrected and published posteriors of every pair of parameters.

Densities come from GetDist; the panels are drawn here, because a page wants few, light and themeable paths.
"""

import contextlib
import io
import logging
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from getdist import MCSamples
from jaxtyping import Float
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.patches import Patch
from matplotlib.ticker import FixedLocator, MaxNLocator, ScalarFormatter

from alfonsine.report.contents import Contents
from alfonsine.report.drawing import CORRECTED, EMULATED, MUTED, PUBLISHED, blank
from alfonsine.report.labels import figure_label, plain
from alfonsine.report.moments import effective_size, mean_and_sigma
from alfonsine.report.records import Sample

LARGEST = 10  # parameters: beyond that, panels are too small to read
FEWEST = 100  # effective draws below which a contour is noise
# With 64 bins or more, GetDist's search for a bandwidth makes thousands of products just large enough for the
# linear algebra to start threads, which on a busy machine cost up to ten times the work itself.
_SETTINGS = {"contours": [0.68, 0.95], "fine_bins_2D": 63, "fine_bins": 512}


@dataclass(frozen=True)
class _Layer:
    densities: MCSamples
    colour: str
    filled: bool


def shown(sample: Sample) -> list[int]:
    """Columns that the triangle shows: the first sampled parameters that vary at all."""
    varying = [i for i in range(sample.sampled) if np.ptp(sample.values[sample.weights > 0, i]) > 0]
    return varying[:LARGEST]


def corrected_is_drawn(sample: Sample) -> bool:
    """True where the corrected posterior keeps enough effective draws to have a shape."""
    return sample.corrected_weights is not None and effective_size(sample.corrected_weights) >= FEWEST


def triangle(contents: Contents, sample: Sample) -> Figure:
    """Diagonal: densities scaled to their maxima. Below it: contours of 68 and 95 % probability."""
    columns = shown(sample)
    d = len(columns)
    side = max(3.8, 0.98 * d + 0.6)
    figure = blank(side, side)
    edges = {"left": 0.8 / side, "bottom": 0.75 / side, "right": 1 - 0.1 / side, "top": 1 - 0.1 / side}
    axes = figure.subplots(d, d, squeeze=False, gridspec_kw={**edges, "wspace": 0.06, "hspace": 0.06})
    with _quiet():
        layers = [_Layer(_getdist(contents, sample, columns, sample.weights), EMULATED, True)]
        if corrected_is_drawn(sample):
            corrected = _getdist(contents, sample, columns, sample.corrected_weights)
            layers.append(_Layer(corrected, CORRECTED, False))
        limits = [_limits(sample, i) for i in columns]
        for row in range(d):
            for column in range(d):
                panel = axes[row][column]
                if column > row:
                    panel.remove()
                    continue
                if row == column:
                    _density(panel, layers, row)
                    _published(panel, contents, sample.names[columns[row]])
                else:
                    _contours(panel, layers, column, row)
                    panel.set_ylim(limits[row])
                panel.set_xlim(limits[column])
                _ticks(panel, row, column, d)
    for i, column in enumerate(columns):
        label = figure_label(sample.latex[column], sample.names[column])
        size = 12 if label.startswith("$") else 9.5
        axes[d - 1][i].set_xlabel(label, fontsize=size)
        if i:
            axes[i][0].set_ylabel(label, fontsize=size)
    figure.align_labels()
    _legend(figure, contents, layers)
    return figure


@contextlib.contextmanager
def _quiet() -> Iterator[None]:
    """GetDist prints and logs what a report's reader cannot act on."""
    before = logging.root.manager.disable
    logging.disable(logging.WARNING)
    try:
        with contextlib.redirect_stdout(io.StringIO()):
            yield
    finally:
        logging.disable(before)


def _getdist(contents: Contents, sample: Sample, columns: list[int], weights: Float[np.ndarray, " n"]) -> MCSamples:
    keep = weights > 0
    names = [sample.names[i] for i in columns]
    return MCSamples(
        samples=sample.values[keep][:, columns],
        weights=weights[keep],
        names=[f"p{i}" for i in range(len(columns))],  # GetDist gives a meaning to some characters of names
        ranges={f"p{i}": contents.ranges[name] for i, name in enumerate(names) if name in contents.ranges},
        sampler="uncorrelated",
        settings=_SETTINGS,
    )


def _limits(sample: Sample, column: int) -> tuple[float, float]:
    values = sample.values[:, column]
    mean, sigma = mean_and_sigma(values, sample.weights)
    low, high = max(values.min(), mean - 3.6 * sigma), min(values.max(), mean + 3.6 * sigma)
    return float(low), float(high)


def _density(panel: Axes, layers: list[_Layer], index: int) -> None:
    for layer in layers:
        density = layer.densities.get1DDensity(f"p{index}")
        if density is None:
            continue
        x, height = density.x[::4], density.P[::4] / density.P.max()
        if layer.filled:
            panel.fill_between(x, height, color=layer.colour, alpha=0.25, linewidth=0)
        panel.plot(x, height, color=layer.colour, linewidth=1.1)
    panel.set_ylim(0, 1.08)


def _contours(panel: Axes, layers: list[_Layer], x: int, y: int) -> None:
    for layer in layers:
        density = layer.densities.get2DDensityGridData(f"p{x}", f"p{y}", num_plot_contours=2)
        if density is None:
            continue
        levels = sorted(density.contours)
        if not levels[0] < levels[1]:
            continue
        if layer.filled:
            outer = [levels[0], density.P.max() * 1.001]
            inner = [levels[1], density.P.max() * 1.001]
            for filling, opacity in ((outer, 0.28), (inner, 0.5)):
                panel.contourf(density.x, density.y, density.P, filling, colors=layer.colour, alpha=opacity)
        else:
            panel.contour(
                density.x,
                density.y,
                density.P,
                levels,
                colors=layer.colour,
                linewidths=1.0,
                linestyles="solid",
            )


def _published(panel: Axes, contents: Contents, name: str) -> None:
    if contents.published is None or name not in contents.published.parameters:
        return
    mean, plus, minus = contents.published.parameters[name]
    panel.axvspan(mean - minus, mean + plus, color=PUBLISHED, alpha=0.16, linewidth=0, zorder=0)
    panel.axvline(mean, color=PUBLISHED, linewidth=1.1, linestyle=(0, (4, 2)), zorder=1)


def _ticks(panel: Axes, row: int, column: int, d: int) -> None:
    panel.xaxis.set_major_locator(FixedLocator(_inner_ticks(*panel.get_xlim())))
    panel.tick_params(axis="x", labelbottom=row == d - 1, labelsize=8)
    for words in panel.get_xticklabels():
        words.set(rotation=45, ha="right", rotation_mode="anchor")
    panel.spines[["top", "right"]].set_visible(row != column)
    if row == column:
        panel.set_yticks([])
        panel.spines["left"].set_visible(False)
        return
    panel.yaxis.set_major_locator(FixedLocator(_inner_ticks(*panel.get_ylim())))
    panel.tick_params(axis="y", labelleft=column == 0, labelsize=8)
    for axis in (panel.xaxis, panel.yaxis):
        axis.set_major_formatter(ScalarFormatter(useOffset=False))


def _inner_ticks(low: float, high: float) -> list[float]:
    """Round values, none so near an edge that its label would meet the neighbour panel's."""
    edge = 0.13 * (high - low)
    return [tick for tick in MaxNLocator(4).tick_values(low, high) if low + edge <= tick <= high - edge][:3]


def _legend(figure: Figure, contents: Contents, layers: list[_Layer]) -> None:
    handles: list[Patch | Line2D] = [Patch(facecolor=EMULATED, alpha=0.5, label="emulated")]
    if len(layers) > 1:
        handles.append(Line2D([], [], color=CORRECTED, label="corrected by exact calls"))
    if contents.published is not None:
        label = plain(contents.published.label)
        handles.append(Line2D([], [], color=PUBLISHED, linestyle=(0, (4, 2)), label=label))
    legend = figure.legend(handles=handles, loc="upper right", frameon=False, fontsize=11, edgecolor=MUTED)
    legend.set_in_layout(False)
