"""KL against exact calls while a run goes on: what the emulator forecast, and what exact calls said."""

from functools import lru_cache

import numpy as np
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from alfonsine.report.drawing import CORRECTED, EMULATED, MUTED, RULE, blank, style, to_svg
from alfonsine.report.figures import WIDTH
from alfonsine.report.watch import View
from alfonsine.report.watched_plot import DECADES, Mark, points


def kl_svg(view: View) -> str:
    """The figure as inline SVG, drawn again only when there is something new; empty before there is anything."""
    found = tuple(points(view))
    return _drawn(found, view.limit) if found else ""


@lru_cache(maxsize=2)
def _drawn(found: tuple[Mark, ...], limit: float | None) -> str:
    last = {mark.kind: mark for mark in found}
    words = {"forecast": "last forecast", "judged": "last verdict", "upper": "its 95 % limit"}
    told = [f"{words[kind]} {last[kind].kl:.2g}" for kind in words if kind in last]
    asked = [] if limit is None else [f"asked for {limit:.2g}"]
    with style():
        return to_svg(kl_figure(found, limit), "kl", f"KL against exact calls: {', '.join([*told, *asked])}.")


def kl_figure(found: tuple[Mark, ...], limit: float | None) -> Figure:
    """Forecasts, batches before they were learned, and verdicts up to their 95 % limits, on a logarithmic axis."""
    figure = blank(WIDTH, 3.2)
    axes = figure.subplots(gridspec_kw={"left": 0.14, "right": 0.97, "bottom": 0.15, "top": 0.90})
    axes.set_yscale("log")
    of = {kind: _columns(found, kind) for kind in ("forecast", "learned", "judged", "upper")}
    upper = dict(zip(*of["upper"], strict=True))
    for calls, kl in zip(*of["judged"], strict=True):
        if calls in upper:
            axes.vlines(calls, kl, upper[calls], color=EMULATED, linewidth=1.4, alpha=0.55)
    axes.plot(*of["upper"], color=EMULATED, linestyle="none", marker="_", markersize=9, markeredgewidth=1.6)
    plain = {"linestyle": "none", "markersize": 5}
    axes.plot(*of["forecast"], **plain, color=CORRECTED, marker="x", markeredgewidth=1.4, label="forecast")
    axes.plot(*of["learned"], **plain, color=EMULATED, marker="o", markerfacecolor="none", label="before learning")
    axes.plot(*of["judged"], **plain, color=EMULATED, marker="o", label="verdict, to its 95 % limit")
    values = [mark.kl for mark in found] + ([] if limit is None else [limit])
    lowest = max(min(values), (limit or max(values)) * 10.0**-DECADES)
    axes.set_ylim(lowest / 2.5, max(values) * 2.5)
    if limit is not None:
        axes.axhline(limit, color=MUTED, linewidth=1.1, linestyle=(0, (6, 3)), zorder=1)
        axes.annotate(
            "asked for", (0, limit), xycoords=("axes fraction", "data"), xytext=(4, 3), textcoords="offset points",
            color=MUTED, fontsize=9.5,
        )  # fmt: skip
    axes.set_xlim(0, max(mark.calls for mark in found) * 1.06 + 1)
    axes.xaxis.set_major_locator(MaxNLocator(6, integer=True))
    axes.set_xlabel("exact calls so far")
    axes.set_ylabel("KL divergence [nats]")
    axes.grid(axis="y", color=RULE, linewidth=0.5)
    axes.set_axisbelow(True)
    axes.legend(
        loc="lower left", bbox_to_anchor=(-0.02, 1.0), frameon=False, fontsize=9, ncols=3, handletextpad=0.2,
        columnspacing=1.2, borderaxespad=0.0,
    )  # fmt: skip
    return figure


def _columns(found: tuple[Mark, ...], kind: str) -> tuple[list[float], list[float]]:
    chosen = [mark for mark in found if mark.kind == kind]
    return [mark.calls for mark in chosen], [float(np.float64(mark.kl)) for mark in chosen]
