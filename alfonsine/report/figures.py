"""The small figures: accuracy against effort, emulator error against multipole, best fit on the data."""

import numpy as np
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from alfonsine.report.contents import BestFit, Contents, SpectrumError
from alfonsine.report.drawing import CORRECTED, EMULATED, INK, MUTED, RULE, blank
from alfonsine.report.labels import figure_text
from alfonsine.report.parse import measured, number

WIDTH = 5.4  # inches: wide enough for a column of a desk page, large enough in print on a phone


def kl_against_calls(contents: Contents) -> Figure:
    """KL of every judged round (dot), up to its 95 % upper limit (bar), on a logarithmic axis.

    An estimate at or below zero has no place on that axis: its dot is left out and the limit carries an arrowhead.
    """
    figure = blank(WIDTH, 3.3)
    axes = figure.subplots(gridspec_kw={"left": 0.13, "right": 0.97, "bottom": 0.15, "top": 0.96})
    judged = [r for r in contents.rounds if r.kl is not None or r.kl_upper95 is not None]
    calls = [r.calls for r in judged]
    estimates = [r.kl if r.kl is not None and r.kl > 0 else np.nan for r in judged]
    uppers = [r.kl_upper95 if r.kl_upper95 is not None and r.kl_upper95 > 0 else np.nan for r in judged]
    axes.set_yscale("log")
    for call, estimate, upper in zip(calls, estimates, uppers, strict=True):
        if np.isfinite(estimate) and np.isfinite(upper):
            axes.plot([call, call], [estimate, upper], color=EMULATED, linewidth=1.4, alpha=0.55)
    axes.plot(calls, estimates, color=EMULATED, linewidth=1.0, marker="o", markersize=5, label="estimate")
    axes.plot(calls, uppers, color=EMULATED, linestyle="none", marker="_", markersize=9, markeredgewidth=1.6)
    lonely = [(c, u) for c, e, u in zip(calls, estimates, uppers, strict=True) if np.isnan(e) and u == u]
    if lonely:
        axes.plot(*zip(*lonely, strict=True), color=EMULATED, linestyle="none", marker="v", markersize=5)
    positive = [v for v in (*estimates, *uppers) if np.isfinite(v)]
    floor = kl_floor(contents)
    for value, words, dashes, colour in (
        (contents.limit, "limit of the study", (0, (6, 3)), CORRECTED),
        (floor, "floor: the exact code's own noise", (0, (1, 2)), MUTED),
    ):
        if value is not None and value > 0:
            positive.append(value)
            axes.axhline(value, color=colour, linewidth=1.1, linestyle=dashes)
            axes.annotate(
                words, (1, value), xycoords=("axes fraction", "data"), xytext=(-2, 3),
                textcoords="offset points", ha="right", color=colour, fontsize=9.5,
            )  # fmt: skip
    if positive:
        axes.set_ylim(min(positive) / 2.2, max(positive) * 2.2)
    if calls:
        axes.set_xlim(0, max(calls) * 1.06)
    axes.xaxis.set_major_locator(MaxNLocator(6, integer=True))
    axes.set_xlabel("exact calls so far")
    axes.set_ylabel("KL divergence [nats]")
    axes.grid(axis="y", color=RULE, linewidth=0.5)
    axes.set_axisbelow(True)
    return figure


def kl_floor(contents: Contents) -> float | None:
    """KL below which the exact code's own numerical noise hides any emulator error, where it was measured."""
    kl = contents.certificate.get("kl")
    for place in (kl.get("floor") if isinstance(kl, dict) else None, contents.certificate.get("kl_floor")):
        found = measured(place)
        if found is not None:
            return found.estimate
    return number(contents.certificate.get("floor"))


def emulator_error(spectrum: SpectrumError) -> Figure:
    """Root mean square and largest error of one spectrum, in units of the data's error."""
    figure = blank(WIDTH, 2.9)
    axes = figure.subplots(gridspec_kw={"left": 0.13, "right": 0.97, "bottom": 0.17, "top": 0.96})
    axes.fill_between(spectrum.multipole, spectrum.largest, color=EMULATED, alpha=0.14, linewidth=0)
    axes.plot(spectrum.multipole, spectrum.largest, color=EMULATED, linewidth=0.7, alpha=0.7)
    axes.plot(spectrum.multipole, spectrum.rms, color=EMULATED, linewidth=1.4)
    finite = np.isfinite(spectrum.largest) & (spectrum.largest > 0)
    top = float(spectrum.largest[finite].max()) if finite.any() else 1.0
    axes.set_ylim(0, 1.15 * top)
    for curve, words, colour in (
        (spectrum.largest, "largest", MUTED),
        (spectrum.rms, "typical (rms)", EMULATED),
    ):
        at = int(0.72 * (curve.size - 1))
        axes.annotate(
            words, (spectrum.multipole[at], curve[at]), xytext=(0, 5), textcoords="offset points",
            ha="center", color=colour, fontsize=9.5,
        )  # fmt: skip
    if spectrum.multipole.size:
        axes.set_xlim(spectrum.multipole.min(), spectrum.multipole.max())
    axes.set_xlabel(r"multipole $\ell$")
    axes.set_ylabel("emulator error / data error")
    return figure


def best_fit(panel: BestFit) -> Figure:
    """Data with errors on the model above, residuals in units of the error below."""
    figure = blank(WIDTH, 3.7)
    layout = {"left": 0.145, "right": 0.97, "bottom": 0.13, "top": 0.97, "hspace": 0.07}
    upper, lower = figure.subplots(2, 1, sharex=True, gridspec_kw={**layout, "height_ratios": (3, 1.25)})
    crowded = panel.x.size > 60
    dots = {
        "linestyle": "none", "marker": "o", "markersize": 1.8 if crowded else 3.2, "color": INK,
        "elinewidth": 0.5 if crowded else 0.9, "alpha": 0.55 if crowded else 0.9,
    }  # fmt: skip
    upper.errorbar(panel.x, panel.data, panel.error, **dots, zorder=2)
    x, y = panel.curve if panel.curve is not None else (panel.x, panel.model)
    upper.plot(x, y, color=CORRECTED, linewidth=1.4, zorder=3)
    with np.errstate(divide="ignore", invalid="ignore"):
        residual = (panel.data - panel.model) / panel.error
    lower.axhspan(-1, 1, color=CORRECTED, alpha=0.13, linewidth=0)
    lower.axhline(0, color=CORRECTED, linewidth=1.0)
    lower.plot(panel.x, residual, linestyle="none", marker="o", markersize=dots["markersize"], color=INK,
               alpha=dots["alpha"])  # fmt: skip
    largest = np.nanmax(np.abs(residual[np.isfinite(residual)]), initial=2.5)
    lower.set_ylim(-1.15 * largest, 1.15 * largest)
    lower.set_ylabel("residual\n[$\\sigma$]")
    if panel.x_scale == "log":
        upper.set_xscale("log")
    low, high = np.nanmin(panel.data - panel.error), np.nanmax(panel.data + panel.error)
    seen = y[(x >= panel.x.min()) & (x <= panel.x.max())]
    low, high = min(low, seen.min(initial=low)), max(high, seen.max(initial=high))
    if np.isfinite(low) and low < high:
        upper.set_ylim(low - 0.06 * (high - low), high + 0.06 * (high - low))
    lower.set_xlabel(figure_text(panel.x_label))
    upper.set_ylabel(figure_text(panel.y_label))
    figure.align_ylabels()
    return figure
