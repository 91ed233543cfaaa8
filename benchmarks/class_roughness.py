"""How rough CLASS is: what a parabola leaves of nearby models, in units of Planck's errors, by precision setting.

    python benchmarks/class_roughness.py

Nine models along a line of 0.16 standard deviations of each parameter, one neutrino of 0.06 eV; Planck 2018 lite (by
ALFONSINE_DATA) whitens them. About two minutes per setting. Prints a table and, as its last line, one JSON object.
"""

import json
import time

import jax.numpy as jnp
import numpy as np

from alfonsine.likelihood.planck_lite import planck_lite
from alfonsine.theory.classy import ClassTheory

CENTRE = {
    "omega_b": 0.02236, "omega_cdm": 0.1202, "theta_s_100": 1.042, "logA": 3.045, "n_s": 0.9649, "tau_reio": 0.0544
}  # fmt: skip
SIGMA = np.array([0.00015, 0.0014, 0.0003, 0.016, 0.0044, 0.0078])
NEUTRINO = {"N_ur": 2.0308, "N_ncdm": 1, "m_ncdm": 0.06}
SETTINGS = {"default": {}, "l_linstep 30": {"l_linstep": 30}, "l_linstep 20": {"l_linstep": 20}}
STEPS = np.linspace(0.0, 0.16, 9)


def main() -> None:
    """Compute and print."""
    likelihood = planck_lite()
    direction = np.random.default_rng(3).standard_normal(6)
    parabola = np.vander(np.linspace(-1, 1, len(STEPS)), 3)
    found = {}
    for name, precision in SETTINGS.items():
        theory = ClassTheory(settings={**NEUTRINO, **precision})
        begun, bands = time.perf_counter(), []
        for step in STEPS:
            point = np.array(list(CENTRE.values())) + step * SIGMA * direction
            spectra = theory.compute(dict(zip(CENTRE, point.tolist(), strict=True))).spectra
            bands.append(likelihood.bands({k: jnp.asarray(v) for k, v in spectra.items()}))
        seconds = (time.perf_counter() - begun) / len(STEPS)
        white = np.asarray(likelihood.whiten(jnp.stack(bands) - bands[0], bands[0]))
        left = white - parabola @ np.linalg.lstsq(parabola, white, rcond=None)[0]
        found[name] = {"squared_norm": float(np.sum(left**2) / (len(STEPS) - 3)), "seconds": round(seconds, 2)}
        print(f"{name:<14} squared norm {found[name]['squared_norm']:.6f}   {seconds:.1f} s per model", flush=True)
    print(json.dumps(found))


if __name__ == "__main__":
    main()
