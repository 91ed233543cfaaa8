r"""Figures 1 to 4 of CONNECT's paper (arXiv:2205.15726), redrawn from the runs of cmb_wide.py.

    python benchmarks/connect_figures.py [FOLDER of cmb_wide.py] [--models 1500] [--held-out 300] [--epochs 300]

trains the preset `connect` with one thing changed at a time, and compares on the held-out models:

1, 2  loss: mean square (eq. 2.1), or weighted as cosmic variance asks (eq. 2.2); for one model, and percentiles
3     activation: ReLU, or that of eq. 2.3
4     normalisation of the outputs: min-max, the logarithm taken twice, or standardisation

Percentiles are those of one and two sigma (68.27 and 95.45 %) over the models, of the paper's error

.. math:: \frac{|D_\ell - D_\ell^{exact}|}{\sqrt{\langle (D_\ell^{exact})^2 \rangle_\ell}}, \qquad
          D_\ell = \ell(\ell+1) C_\ell / 2\pi,

with the mean over all multipoles of the model; the paper does not say whether it takes D or C, and with C all errors at
high l would vanish. All networks learn, and are compared at, the multipoles that CLASS computes. The paper's models are
tens of thousands from a posterior of decaying dark matter and its test 20,000 more; these are few and from a box, and
learned in batches so small that an epoch has as many steps as the paper's, as in cmb_wide.py. Not redrawn: a factor of
1e10 in place of a normalisation.

Trainings are kept in FOLDER, so the same command goes on where it was stopped; `--epochs` shortens them, for a try that
says nothing, and `--only` trains one variant and stops. Prints a table of percentiles averaged
over l, draws figures/connect_1.png to connect_4.png (in FOLDER for fewer models or epochs), and prints as its last line
one JSON object.
"""

import json
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
from cmb_wide import CONNECT, arguments, calls_of, class_nodes, figures, spectra_only, trained
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from pk_wide import STEPS

from alfonsine.emulator.networks.presets import Connect
from alfonsine.report.drawing import CORRECTED, EMULATED, INK, PUBLISHED, blank, style
from alfonsine.study.settings import EmulatorSettings

SHOWN = ("tt", "te", "ee")
PERCENTILES = (68.27, 95.45)
PRESET = "preset"
VARIANTS: dict[str, dict[str, str]] = {
    PRESET: {},
    "mean square": {"loss": "mean_square"},
    "ReLU": {"activation": "relu"},
    "min-max": {"normalisation": "min_max"},
    "double log": {"normalisation": "double_log"},
}
COMPARED = {  # figure -> variant -> its label there
    2: {"mean square": "mean square (eq. 2.1)", PRESET: "cosmic variance (eq. 2.2)"},
    3: {"ReLU": "ReLU", PRESET: "Alsing et al. (eq. 2.3)"},
    4: {"min-max": "min-max", "double log": "logarithm taken twice", PRESET: "standardisation"},
}
COLOURS = {"mean square": CORRECTED, "ReLU": CORRECTED, "min-max": CORRECTED, "double log": PUBLISHED, PRESET: EMULATED}
TICKS = (0, 1000, 2000)
LOW, HIGH = 500, 1500  # multipoles below and from which the losses are compared

Errors = Mapping[str, np.ndarray]


def main() -> None:
    """Compute, train, compare, draw, print."""
    parser = arguments(__doc__)
    parser.add_argument("--only", choices=VARIANTS)
    options = parser.parse_args()
    epochs = options.epochs or Connect.epochs
    runs = calls_of(options)
    ell = np.array(class_nodes(runs.study))
    columns = ell.astype(int) - 2
    exact = {s: power(np.arange(2, 2 + values.shape[1]), values) for s, values in runs.exact.items() if s in SHOWN}
    size = {s: np.sqrt(np.mean(values**2, axis=1, keepdims=True)) for s, values in exact.items()}
    training = spectra_only(runs, "connect-figures", ell.tolist())
    batch = max(1, int(CONNECT["fractions"][0] * runs.number) // STEPS["connect"])
    found, errors = {}, {}
    for label, changed in VARIANTS.items():
        if options.only and label != options.only:
            continue
        chosen = EmulatorSettings(preset="connect", options=CONNECT | {"epochs": epochs, "batch": batch} | changed)
        emulator = trained(runs.study, training, chosen)
        spectra = emulator(runs.test.theta)
        found[label] = {s: power(ell, np.asarray(spectra[s], float)) for s in SHOWN}
        errors[label] = {s: np.abs(found[label][s] - exact[s][:, columns]) / size[s] for s in SHOWN}
        print(f"{label} done", flush=True)
    if options.only:
        return
    folder = figures(options, tried=epochs < Connect.epochs)
    folder.mkdir(parents=True, exist_ok=True)
    central = nearest_to_centre(runs.test.theta)
    one = {label: {s: found[label][s][central] for s in SHOWN} for label in COMPARED[2]}
    draw_one(ell, {s: exact[s][central] for s in SHOWN}, one, folder / "connect_1.png")
    for number, labels in COMPARED.items():
        draw_percentiles(ell, {label: errors[label] for label in labels}, labels, folder / f"connect_{number}.png")
    averages = {label: {s: averaged(ell, errors[label][s]) for s in SHOWN} for label in VARIANTS}
    print_table(averages)
    if epochs < Connect.epochs:
        print(f"a try: trained for {epochs} epochs only, which says nothing about the variants")
    worse = {
        label: {s: averages[label][s][1] / averages[PRESET][s][1] for s in SHOWN}
        for label in VARIANTS
        if label != PRESET
    }
    result = {"models": runs.number, "held_out": len(runs.test), "epochs": epochs, "percentiles": averages}
    result |= {"times_the_preset": worse, "mean_square_times_cosmic_variance": loss_by_range(ell, errors)}
    print(json.dumps(result))


def power(ell: np.ndarray, spectra: np.ndarray) -> np.ndarray:
    """D from C."""
    return ell * (ell + 1) * spectra / (2 * np.pi)


def nearest_to_centre(theta: np.ndarray) -> int:
    """Which model is the least extreme."""
    return int(np.sum(((theta - theta.mean(axis=0)) / theta.std(axis=0)) ** 2, axis=1).argmin())


def percentiles(errors: np.ndarray) -> np.ndarray:
    """Those of one and two sigma, against l."""
    return np.percentile(errors, PERCENTILES, axis=0)


def averaged(ell: np.ndarray, errors: np.ndarray, first: int = 2, last: int = 2508) -> list[float]:
    """Percentiles averaged over all multipoles of a range, on straight lines between those that were compared."""
    every = np.arange(first, last + 1)
    return [float(np.interp(every, ell, line).mean()) for line in percentiles(errors)]


def loss_by_range(ell: np.ndarray, errors: Mapping[str, Errors]) -> dict[str, dict[str, float]]:
    """The paper's statement on its figure 2: the second loss is better at high l, at the cost of low l."""
    ranges = {f"l below {LOW}": (2, LOW - 1), f"l from {HIGH}": (HIGH, 2508)}
    return {
        name: {
            s: averaged(ell, errors["mean square"][s], *ends)[1] / averaged(ell, errors[PRESET][s], *ends)[1]
            for s in SHOWN
        }
        for name, ends in ranges.items()
    }


def print_table(averages: Mapping[str, Mapping[str, Sequence[float]]]) -> None:
    """One row per variant."""
    print(f"\n{'':<16}" + "".join(f"{f'{s} {p} %':>14}" for s in SHOWN for p in PERCENTILES))
    for label, row in averages.items():
        print(f"{label:<16}" + "".join(f"{value:>14.3g}" for s in SHOWN for value in row[s]))
    print("percentiles over the models of |D - D exact|/rms(D exact), averaged over l")
    print(f"the preset: {COMPARED[2][PRESET]}, {COMPARED[3][PRESET]}, {COMPARED[4][PRESET]}")


def draw_one(ell: np.ndarray, exact: Errors, one: Mapping[str, Errors], path: Path) -> None:
    """Figure 1: the spectra of one model by CLASS and by two networks, and the networks' errors below."""
    with style():
        figure = blank(9.0, 4.6)
        panels = figure.subplots(2, 3, sharex=True, height_ratios=(3, 2))
        for (above, below), s in zip(panels.T, SHOWN, strict=True):
            above.plot(np.arange(2, 2 + len(exact[s])), exact[s], color=INK, label="CLASS")
            scale = np.sqrt(np.mean(exact[s] ** 2))
            for (label, spectra), dashes in zip(one.items(), ((4, 2), (1, 2)), strict=True):
                look = {"color": COLOURS[label], "label": COMPARED[2][label]}
                above.plot(ell, spectra[s], dashes=dashes, **look)
                below.plot(ell, np.abs(spectra[s] - exact[s][ell.astype(int) - 2]) / scale, **look)
            above.set_title(s.upper())
            below.set(yscale="log", xlabel=r"multipole $\ell$", xlim=(0, ell[-1]), xticks=TICKS)
        panels[0, 0].set_ylabel(r"$D_\ell$ [$\mu$K$^2$]")
        panels[1, 0].set_ylabel(r"$|\Delta D_\ell|\,/\,\mathrm{rms}(D)$")
        finish(figure, panels[0, 0].get_legend_handles_labels(), path)


def draw_percentiles(ell: np.ndarray, errors: Mapping[str, Errors], labels: Mapping[str, str], path: Path) -> None:
    """Figures 2 to 4: percentiles of the error against l."""
    with style():
        figure = blank(9.0, 3.4)
        panels = figure.subplots(1, 3, sharey=True)
        for panel, s in zip(panels, SHOWN, strict=True):
            for label in labels:
                for line, dashes in zip(percentiles(errors[label][s]), ("-", "--"), strict=True):
                    panel.plot(ell, line, dashes, color=COLOURS[label])
            panel.set(yscale="log", xlabel=r"multipole $\ell$", xlim=(0, ell[-1]), xticks=TICKS)
            panel.set_title(s.upper())
        panels[0].set_ylabel(r"$|\Delta D_\ell|\,/\,\mathrm{rms}(D)$")
        lines = [Line2D([], [], color=COLOURS[label]) for label in labels]
        lines += [Line2D([], [], color=INK, linestyle=dashes) for dashes in ("-", "--")]
        finish(figure, (lines, [*labels.values(), *(f"{p} %" for p in PERCENTILES)]), path)


def finish(figure: Figure, legend: tuple[Sequence, Sequence[str]], path: Path) -> None:
    """The legend above all panels, and the file."""
    figure.legend(*legend, loc="upper center", ncols=len(legend[1]), frameon=False)
    figure.tight_layout(rect=(0, 0, 1, 0.93))
    figure.savefig(path, dpi=100)
    print(path)


if __name__ == "__main__":
    main()
