"""CMB band powers whatever their experiment: windows, data, covariance, calibrations and templates put together.

What a file format has to be turned into; `cmb_lite.py` reads any experiment's folder, and Planck's files and the
lensing measurements have formats of their own.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import jax.numpy as jnp
import numpy as np
from jaxtyping import Float

from alfonsine.errors import InputError
from alfonsine.likelihood.band_likelihood import BandLikelihood, DataPoints
from alfonsine.likelihood.binning import Binning, Dense, Windows
from alfonsine.likelihood.calibrated import calibrated

TO_BANDS = {
    "C_l": lambda ell: np.ones_like(ell),
    "D_l": lambda ell: ell * (ell + 1) / (2 * np.pi),
    "L2_D_l": lambda ell: (ell * (ell + 1)) ** 2 / (2 * np.pi),  # as the lensing potential is drawn
    "kappa": lambda ell: (ell * (ell + 1)) ** 2 / 4,  # convergence from the lensing potential
}
"""Unit of a band power -> what C_l is multiplied with."""


@dataclass(frozen=True)
class Block:
    """The band powers of one spectrum.

    spectrum     tt, te, ee, bb or pp
    window       from C_l to the bands of the model, in the data's units
    value        (band,)
    ell          (band,) effective multipole, for figures
    unit         of the bands, a key of `TO_BANDS`; figures show D_l of C_l
    calibration  name -> the power with which it multiplies the model
    """

    spectrum: str
    window: Binning | Dense
    value: Float[np.ndarray, " band"]
    ell: Float[np.ndarray, " band"]
    unit: str = "D_l"
    calibration: Mapping[str, int] = field(default_factory=dict)


def band_powers(
    name: str,
    blocks: Sequence[Block],
    covariance: Float[np.ndarray, "..."],
    templates: Mapping[str, Float[np.ndarray, " band"]] | None = None,
    *,
    offset: Float[np.ndarray, " band"] | None = None,
    normalised: bool = True,
) -> BandLikelihood:
    """Gaussian of the blocks, one after the other; `templates` and `offset` are added to the model.

    InputError where the sizes do not fit together, or the covariance is none.
    """
    spectra = [block.spectrum for block in blocks]
    if len(set(spectra)) < len(spectra):
        raise InputError(f"{name}: expected each spectrum once, got {', '.join(spectra)}")
    value = np.concatenate([block.value for block in blocks])
    form = calibrated(
        value if offset is None else value - offset,
        covariance,
        {
            each: np.concatenate([np.full(b.value.size, float(b.calibration.get(each, 0))) for b in blocks])
            for each in dict.fromkeys(each for block in blocks for each in block.calibration)
        },
        templates,
        normalised=normalised,
    )
    error, points, first = np.sqrt(np.diag(covariance)), {}, 0
    for block in blocks:
        unit = TO_BANDS["D_l"](block.ell) if block.unit == "C_l" else np.ones(block.ell.size)
        rows = slice(first, first + block.value.size)
        points[block.spectrum] = DataPoints(
            *(jnp.asarray(x) for x in (block.ell, unit * value[rows], unit * error[rows], unit))
        )
        first = rows.stop
    return BandLikelihood(
        name=name, windows=Windows(tuple(spectra), tuple(block.window for block in blocks)), form=form, points=points
    )
