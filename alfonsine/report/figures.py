"""The small figures: accuracy against effort, emulator error against multipole, best fit on the data."""

import numpy as np
from jaxtyping import Float
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from alfonsine.report.contents import Contents
from alfonsine.report.drawing import EMULATED, INK, MUTED, RULE, blank
from alfonsine.report.labels import figure_text
from alfonsine.report.observables import against
from alfonsine.report.parse import measured
from alfonsine.report.records import BestFit, SpectrumError

WIDTH = 4.8  # inches: at this width text of 10 points stays readable on a phone and is not loud on a desk
CROWDED = 60  # points of data, from where on dots are drawn small
FINE = 600  # points of a curve: more cannot be told apart and weigh on the page


def kl_against_calls(contents: Contents) -> Figure:
    """KL of every judged round (dot), up to its 95 % upper limit (bar), on a logarithmic axis.

    An estimate at or below zero has no place on that axis: it shows as its limit with an arrowhead.
    """
    figure = blank(WIDTH, 3.2)
    axes = figure.subplots(gridspec_kw={"left": 0.14, "right": 0.97, "bottom": 0.15, "top": 0.96})
    axes.set_yscale("log")
    judged = [r for r in contents.rounds if r.kl is not None or r.kl_upper95 is not None]
    calls = np.array([r.calls for r in judged], dtype=float)
    estimate, upper = (
        np.array([value if value is not None and value > 0 else np.nan for value in column])
        for column in ([r.kl for r in judged], [r.kl_upper95 for r in judged])
    )
    both, limit_only = ~np.isnan(estimate) & ~np.isnan(upper), np.isnan(estimate)
    axes.vlines(calls[both], estimate[both], upper[both], color=EMULATED, linewidth=1.4, alpha=0.55)
    axes.plot(calls, upper, color=EMULATED, linestyle="none", marker="_", markersize=9, markeredgewidth=1.6)
    axes.plot(calls[limit_only], upper[limit_only], color=EMULATED, linestyle="none", marker="v", markersize=5)
    axes.plot(calls, estimate, color=EMULATED, linewidth=1.0, marker="o", markersize=5)
    lines = [
        (value, words, dashes)
        for value, words, dashes in (
            (contents.limit, "limit of the study", (0, (6, 3))),
            (kl_floor(contents), "floor: the exact code's own noise", (0, (1, 2))),
        )
        if value is not None and value > 0
    ]
    for value, words, dashes in lines:
        axes.axhline(value, color=MUTED, linewidth=1.1, linestyle=dashes, zorder=1)
        axes.annotate(
            words, (0, value), xycoords=("axes fraction", "data"), xytext=(4, 3), textcoords="offset points",
            color=MUTED, fontsize=9.5,
        )  # fmt: skip
    seen = np.array([*estimate, *upper, *(value for value, *_ in lines)])
    if np.isfinite(seen).any():
        axes.set_ylim(np.nanmin(seen) / 2.2, np.nanmax(seen) * 2.2)
    axes.set_xlim(0, max(r.calls for r in contents.rounds) * 1.06 + 1)
    axes.xaxis.set_major_locator(MaxNLocator(6, integer=True))
    axes.set_xlabel("exact calls so far")
    axes.set_ylabel("KL divergence [nats]")
    axes.grid(axis="y", color=RULE, linewidth=0.5)
    axes.set_axisbelow(True)
    return figure


def kl_floor(contents: Contents) -> float | None:
    """KL below which the exact code's own numerical noise hides any emulator error, where it was measured."""
    kl = contents.certificate.get("kl")
    found = measured(kl.get("floor")) if isinstance(kl, dict) else None
    return None if found is None else found.estimate


def emulator_error(spectrum: SpectrumError) -> Figure:
    """Root mean square and largest error of one spectrum, in units of the data's error."""
    figure = blank(WIDTH, 2.7)
    axes = figure.subplots(gridspec_kw={"left": 0.15, "right": 0.96, "bottom": 0.18, "top": 0.96})
    multipole = _blocks(spectrum.multipole).mean(axis=1)
    largest = _blocks(spectrum.largest).max(axis=1)
    rms = np.sqrt((_blocks(spectrum.rms) ** 2).mean(axis=1))
    axes.fill_between(multipole, largest, color=EMULATED, alpha=0.16, linewidth=0)
    axes.plot(multipole, largest, color=EMULATED, linewidth=0.7, alpha=0.75, label="largest")
    axes.plot(multipole, rms, color=EMULATED, linewidth=1.5, label="typical (rms)")
    top = float(largest.max())
    axes.set_ylim(0, 1.25 * top if top > 0 else 1.0)
    axes.set_xlim(multipole[0], multipole[-1] if multipole.size > 1 else multipole[0] + 1)
    axes.legend(loc="upper right", frameon=False, fontsize=9.5, ncols=2, handlelength=1.4, borderaxespad=0.1)
    axes.set_xlabel(against(spectrum.name))
    axes.set_ylabel("emulator error / data error")
    return figure


def _blocks(curve: Float[np.ndarray, " l"]) -> Float[np.ndarray, "block size"]:
    """The curve in blocks of equal length, the last one filled up with its own end."""
    size = -(-curve.size // FINE)
    return np.pad(curve, (0, -curve.size % size), mode="edge").reshape(-1, size)


def best_fit(panel: BestFit) -> Figure:
    """Data with errors on the model above, residuals in units of the error below."""
    figure = blank(WIDTH, 3.5)
    layout = {"left": 0.15, "right": 0.96, "bottom": 0.135, "top": 0.97, "hspace": 0.07}
    upper, lower = figure.subplots(2, 1, sharex=True, gridspec_kw={**layout, "height_ratios": (3, 1.25)})
    crowded = panel.x.size > CROWDED
    dots = {"linestyle": "none", "marker": "o", "color": INK, "zorder": 2}
    dots |= {"markersize": 1.8, "alpha": 0.6} if crowded else {"markersize": 3.4, "alpha": 0.9}
    upper.errorbar(panel.x, panel.data, panel.error, **dots, elinewidth=0.5 if crowded else 1.0)
    if panel.curve is not None:
        x, y = panel.curve
        upper.plot(x, y, color=EMULATED, linewidth=1.4, zorder=3)
        y = y[(x >= panel.x.min()) & (x <= panel.x.max())]
    else:
        y = panel.model
        order, line = np.argsort(panel.x), "-" if crowded else "none"
        upper.plot(panel.x[order], y[order], color=EMULATED, linewidth=1.4, linestyle=line, marker="_",
                   markersize=0 if crowded else 14, markeredgewidth=1.6, zorder=3)  # fmt: skip
    residual = (panel.data - panel.model) / panel.error
    lower.axhspan(-1, 1, color=EMULATED, alpha=0.14, linewidth=0)
    lower.axhline(0, color=EMULATED, linewidth=1.0)
    lower.plot(panel.x, residual, **dots)
    reach = 1.15 * max(2.5, np.abs(residual).max())
    lower.set_ylim(-reach, reach)
    lower.set_ylabel("residual [$\\sigma$]", fontsize=9.5)
    if panel.x_scale == "log" and panel.x.min() > 0:
        upper.set_xscale("log")
    margin = 0.06 * np.ptp([(panel.data - panel.error).min(), (panel.data + panel.error).max()])
    low = min((panel.data - panel.error).min(), y.min(initial=np.inf))
    high = max((panel.data + panel.error).max(), y.max(initial=-np.inf))
    upper.set_ylim(low - margin, high + margin)
    lower.set_xlabel(figure_text(panel.x_label))
    upper.set_ylabel(figure_text(panel.y_label))
    figure.align_ylabels()
    return figure
