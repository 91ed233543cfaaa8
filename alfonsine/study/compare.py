"""Emulator against exact code, and model against data, band by band."""

from collections.abc import Iterator, Sequence
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from alfonsine.emulator.emulator import Emulator
from alfonsine.likelihood.band_likelihood import BandLikelihood, DataPoints
from alfonsine.posterior.posterior import Posterior
from alfonsine.study.exact import Computed
from alfonsine.study.learned import Learned
from alfonsine.study.prepare import Study

MULTIPOLE = ("tt", "te", "ee", "bb", "pp", "tp", "ep")


SYMBOLS = {
    "DM_over_rs": r"$D_\mathrm{M}/r_\mathrm{d}$",
    "DH_over_rs": r"$D_\mathrm{H}/r_\mathrm{d}$",
    "DV_over_rs": r"$D_\mathrm{V}/r_\mathrm{d}$",
    "H_rs": r"$H\,r_\mathrm{d}$ [km/s]",
    "H": r"$H$ [km/s/Mpc]",
    "f_sigma8": r"$f\sigma_8$",
    "mu": r"$\mu$",
}


def points_of(likelihood: BandLikelihood) -> Iterator[tuple[str, slice, DataPoints]]:
    """Spectrum, its bands within the likelihood's, and what was measured there."""
    first = 0
    for name, points in likelihood.points.items():
        bands = slice(first, first + points.ell.size)
        first = bands.stop
        yield name, bands, points


def band_errors(
    likelihoods: Sequence[BandLikelihood], lesson: Learned, judged: Computed, emulator: Emulator
) -> dict[str, np.ndarray]:
    """Emulated minus exact at the judged points, in units of the data's error: rms and largest against multipole."""
    done = [call.observables for call in judged.calls if call.observables is not None]
    if not done:
        return {}
    theta = jnp.asarray(judged.theta[judged.done][:, list(lesson.target.inputs)])
    predicted = jax.vmap(emulator.predict)(theta)
    found: dict[str, list[np.ndarray]] = {}
    for likelihood in likelihoods:
        emulated = jax.vmap(likelihood.bands)({n: predicted[n] for n in likelihood.spectra})
        exact = jax.vmap(likelihood.bands)(
            {n: jnp.asarray(np.stack([call.spectra[n] for call in done])) for n in likelihood.spectra}
        )
        for name, bands, points in points_of(likelihood):
            error = np.asarray((emulated - exact)[:, bands] * points.unit / points.error)
            found.setdefault(name, []).append(np.vstack([np.asarray(points.ell), error]))
    arrays = {}
    for name, pieces in found.items():
        columns = np.hstack(pieces)
        ell, error = columns[0], columns[1:, np.argsort(columns[0], kind="stable")]
        arrays |= {
            f"{name}_l": np.sort(ell, kind="stable"),
            f"{name}_rms": np.sqrt(np.mean(error**2, axis=0)),
            f"{name}_max": np.max(np.abs(error), axis=0),
        }
    return arrays


def best_fit(
    likelihoods: Sequence[BandLikelihood], study: Study, posterior: Posterior, emulator: Emulator
) -> tuple[list[dict[str, Any]], dict[str, np.ndarray], dict[str, float]]:
    """Panels, arrays and parameters of the best sample: measured and modelled values of each spectrum."""
    theta = posterior.samples[posterior.best()]
    point = dict(zip(posterior.names, theta.tolist(), strict=True))
    predicted = emulator.predict(jnp.asarray([point[name] for name in emulator.names]))
    panels, arrays = [], {}
    for likelihood in likelihoods:
        bands = likelihood.bands({n: predicted[n] for n in likelihood.spectra})
        for name, rows, points in points_of(likelihood):
            if points.ell.size == 1 and name not in likelihood.redshifts:
                continue  # a number stands among the derived parameters
            panel = f"{likelihood.name}_{name}"
            cmb = name in MULTIPOLE
            arrays |= {
                f"{panel}_x": np.asarray(points.ell),
                f"{panel}_data": np.asarray(points.value),
                f"{panel}_error": np.asarray(points.error),
                f"{panel}_model": np.asarray(bands[rows] * points.unit),
            }
            panels.append(
                {
                    "name": panel,
                    "title": f"{likelihood.name.replace('_', ' ')}: {name.upper() if cmb else name}",
                    "x_label": _against(likelihood, name),
                    "y_label": rf"$D_\ell^{{{name.upper()}}}$ [$\mu$K$^2$]" if cmb else SYMBOLS.get(name, name),
                    "x_scale": "log" if cmb and points.ell.size > 50 else "linear",
                }
            )
    return panels, arrays, point


def _against(likelihood: BandLikelihood, name: str) -> str:
    """Label of the axis that an output is drawn against."""
    if name in MULTIPOLE:
        return r"multipole $\ell$"
    return "redshift $z$" if name in likelihood.redshifts else "element"
