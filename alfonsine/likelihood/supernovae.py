"""Supernovae: distance moduli whose common offset (absolute magnitude and H0) nobody knows.

The theory gives mu(z) = 5 log10(D_L / Mpc) + 25 at the redshift in the frame of the CMB, zcmb. The light itself was
redshifted by zhel, as seen from the Sun: mu = 5 log10[(1 + zhel) D_M(zcmb) / Mpc] + 25, and the difference,
5 log10[(1 + zhel) / (1 + zcmb)], is taken from the data. The offset is integrated over with a flat measure, one for
each magnitude: see `marginalised.py` for the normalisation.

Sources: Union3, arXiv:2311.12098 (22 nodes of a spline, used as they are); Pantheon, arXiv:1710.00845 (40 bins, the
covariance of the systematics added to the squares of `dmb`).
"""

import jax.numpy as jnp
import numpy as np
from jaxtyping import Float

from alfonsine.errors import InputError
from alfonsine.likelihood.band_likelihood import BandLikelihood, DataPoints
from alfonsine.likelihood.binning import Windows
from alfonsine.likelihood.data_sets import read_table
from alfonsine.likelihood.marginalised import marginalised
from alfonsine.likelihood.sampled import Sampled

DATA_SET = "sn"


def union3() -> BandLikelihood:
    """Union3 in 22 nodes."""
    z_cmb, z_hel, modulus = read_table(DATA_SET, "union3/lcparam_full.txt", (22, 3), usecols=(1, 2, 4)).T
    return _supernovae("union3", z_cmb, z_hel, modulus, _matrix("union3/mag_covmat.txt", 22))


def pantheon_binned() -> BandLikelihood:
    """Pantheon 2018 in 40 bins."""
    file = "pantheon2018_binned/lcparam_DS17f.txt"
    z_cmb, z_hel, magnitude, error = read_table(DATA_SET, file, (40, 4), usecols=(1, 2, 4, 5)).T
    covariance = _matrix("pantheon2018_binned/sys_DS17f.txt", 40) + np.diag(error**2)
    return _supernovae("pantheon_2018_binned", z_cmb, z_hel, magnitude, covariance)


def _supernovae(
    name: str,
    z_cmb: Float[np.ndarray, " n"],
    z_hel: Float[np.ndarray, " n"],
    magnitude: Float[np.ndarray, " n"],
    covariance: Float[np.ndarray, "n n"],
) -> BandLikelihood:
    if z_cmb[0] <= 0 or np.any(np.diff(z_cmb) <= 0) or z_hel.min() <= -1:
        raise InputError(f"{name}: expected redshifts above 0, increasing, got others; try 'alfonsine data check sn'")
    value = magnitude - 5 * np.log10((1 + z_hel) / (1 + z_cmb))
    error = np.sqrt(np.abs(np.diag(covariance)))
    return BandLikelihood(
        name=name,
        windows=Windows(("mu",), (Sampled.of(z_cmb),)),
        form=marginalised(value, covariance),
        points={"mu": DataPoints(*(jnp.asarray(x) for x in (z_cmb, value, error, np.ones(value.size))))},
    )


def _matrix(file: str, size: int) -> Float[np.ndarray, "n n"]:
    """A covariance that is written as its size, and its elements row by row."""
    column = read_table(DATA_SET, file, (1 + size * size,))
    if column[0] != size:
        raise InputError(
            f"expected {size} as the first number of {file}, got {column[0]:g}; try 'alfonsine data check sn'"
        )
    return column[1:].reshape(size, size)
