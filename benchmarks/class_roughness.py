"""How rough CLASS is: what a smooth curve leaves of nearby models.

    python benchmarks/class_roughness.py [--box | --curved]

In units of Planck's errors, by precision setting: nine models along a line of 0.16 standard deviations of each
parameter, one neutrino of 0.06 eV, less a parabola; Planck 2018 lite (by ALFONSINE_DATA) whitens them. About two
minutes per setting. With --curved, by step in wavenumber: seven models of Omega_k between -0.006 and -0.001, with w0
and wa, less a parabola, in the same units. With --box, of examples/cmb_wide.yaml as it is: nine models along each of
two lines of a fiftieth of the box, less a cubic, in cosmic variance (root mean square) and in the Simons Observatory's
errors (largest over l, mean of the models); no emulator of these spectra errs by less on models that it has not seen.

Prints a table and, as its last line, one JSON object.
"""

import argparse
import json
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path

import jax.numpy as jnp
import numpy as np
from cmb_wide import SPECTRA, STUDY
from so_noise import standard_errors

from alfonsine.emulator.metric import fallback_errors
from alfonsine.likelihood.planck_lite import planck_lite
from alfonsine.study.collect import theory_points
from alfonsine.study.prepare import prepare
from alfonsine.study.settings import read_study
from alfonsine.study.wide import box
from alfonsine.theory.classy import ClassTheory

CENTRE = {
    "omega_b": 0.02236, "omega_cdm": 0.1202, "theta_s_100": 1.042, "logA": 3.045, "n_s": 0.9649, "tau_reio": 0.0544
}  # fmt: skip
SIGMA = np.array([0.00015, 0.0014, 0.0003, 0.016, 0.0044, 0.0078])
NEUTRINO = {"N_ur": 2.0308, "N_ncdm": 1, "m_ncdm": 0.06}
SETTINGS = {"default": {}, "l_linstep 30": {"l_linstep": 30}, "l_linstep 20": {"l_linstep": 20}}
STEPS = np.linspace(0.0, 0.16, 9)
CURVED = {"l_linstep": 20, "Omega_Lambda": 0, "use_ppf": "yes", "w0_fld": -0.9, "wa_fld": -0.3}
CURVATURES = np.linspace(-0.006, -0.001, 7)
WAVENUMBER_STEPS = (0.45, 0.25, 0.15)  # the first is CLASS's own


def main() -> None:
    """Compute and print."""
    parser = argparse.ArgumentParser()
    which = parser.add_mutually_exclusive_group()
    which.add_argument("--box", action="store_true")
    which.add_argument("--curved", action="store_true")
    options = parser.parse_args()
    print(json.dumps(of_the_box() if options.box else of_curved_models() if options.curved else by_setting()))


def of_the_box(lines: int = 2, length: float = 0.02) -> dict[str, dict[str, float]]:
    """Roughness of every spectrum of the wide study."""
    with tempfile.TemporaryDirectory() as folder:
        study = prepare(read_study(STUDY), Path(folder) / "run")
        (_, lower, upper), rng = box(study), np.random.default_rng(3)
        steps = np.linspace(-1, 1, len(STEPS))
        cubic = np.vander(steps, 4)
        found: dict[str, list[tuple[float, float]]] = {s: [] for s in SPECTRA}
        for _ in range(lines):
            direction = rng.standard_normal(len(lower))
            direction *= length / 2 / np.linalg.norm(direction)
            centre = 0.5 + rng.uniform(-0.25, 0.25, len(lower))
            points = lower + (centre + steps[:, None] * direction) * (upper - lower)
            models = [study.theory.compute(point).spectra for point in theory_points(study, points)]
            exact = {s: np.array([model[s] for model in models]) for s in SPECTRA}
            noise, variance = standard_errors({s: v.mean(axis=0) for s, v in exact.items()}), fallback_errors(exact)
            for s, values in exact.items():
                left = values - cubic @ np.linalg.lstsq(cubic, values, rcond=None)[0]
                left *= np.sqrt(len(steps) / (len(steps) - 4))
                largest = float(np.abs(left / noise[s]).max(axis=1).mean())
                found[s].append((float(np.sqrt(np.mean((left / variance[s]) ** 2))), largest))
    mean = {s: dict(zip(("cosmic_variance", "so_largest"), np.mean(v, axis=0), strict=True)) for s, v in found.items()}
    for s, each in mean.items():
        rms, largest = each["cosmic_variance"], each["so_largest"]
        print(f"{s}   rms {rms:.5f} in cosmic variance   largest {largest:.5f} in SO errors")
    return mean


def by_setting() -> dict[str, dict[str, float]]:
    """Roughness near the best fit, for several precisions."""
    direction = np.random.default_rng(3).standard_normal(6)
    line = [
        dict(zip(CENTRE, (np.array(list(CENTRE.values())) + step * SIGMA * direction).tolist(), strict=True))
        for step in STEPS
    ]
    return {name: along(line, name, {**NEUTRINO, **precision}) for name, precision in SETTINGS.items()}


def of_curved_models() -> dict[str, dict[str, float]]:
    """Roughness along the curvature, for several steps in wavenumber."""
    line = [{**CENTRE, "Omega_k": float(curvature)} for curvature in CURVATURES]
    found = {}
    for step in WAVENUMBER_STEPS:
        name = f"q_linstep {step}"
        found[name] = along(line, name, {**NEUTRINO, **CURVED, "q_linstep": step})
    return found


def along(line: Sequence[dict[str, float]], name: str, settings: dict) -> dict[str, float]:
    """Squared norm, in Planck's errors, of what a parabola leaves of models along a line."""
    likelihood, theory = planck_lite(), ClassTheory(settings=settings)
    begun = time.perf_counter()
    models = [theory.compute(point).spectra for point in line]
    seconds = (time.perf_counter() - begun) / len(line)
    bands = jnp.stack([likelihood.bands({k: jnp.asarray(v) for k, v in spectra.items()}) for spectra in models])
    white = np.asarray(likelihood.whiten(bands - bands[0], bands[0]))
    parabola = np.vander(np.linspace(-1, 1, len(line)), 3)
    left = white - parabola @ np.linalg.lstsq(parabola, white, rcond=None)[0]
    squared = float(np.sum(left**2) / (len(line) - 3))
    print(f"{name:<14} squared norm {squared:.6f}   {seconds:.1f} s per model", flush=True)
    return {"squared_norm": squared, "seconds": round(seconds, 2)}


if __name__ == "__main__":
    main()
