"""Cosmic clocks: H(z) from the differential ages of passive galaxies. Gaussian, independent, normalised.

Thirty measurements of H in km/s/Mpc at redshifts from 0.07 to 1.97, compiled in Moresco et al. 2016, arXiv:1601.01701
(Table 4; statistical and systematic errors as added there, no covariance between redshifts).
"""

import jax.numpy as jnp
import numpy as np

from alfonsine.errors import InputError
from alfonsine.likelihood.band_likelihood import BandLikelihood, DataPoints
from alfonsine.likelihood.binning import Windows
from alfonsine.likelihood.data_sets import read_table
from alfonsine.likelihood.gaussian import gaussian
from alfonsine.likelihood.sampled import Sampled

NAME = DATA_SET = "cosmic_clocks"


def cosmic_clocks() -> BandLikelihood:
    """The compilation of 2016; no parameters of its own."""
    z, value, error = read_table(DATA_SET, "Hz_2016.dat", (30, 3)).T
    if np.any(np.diff(z) <= 0) or z[0] < 0 or error.min() <= 0:
        raise InputError(
            f"{NAME}: expected increasing redshifts and positive errors, got others; try 'alfonsine data check {NAME}'"
        )
    return BandLikelihood(
        name=NAME,
        windows=Windows(("H",), (Sampled.of(z),)),
        form=gaussian(value, np.diag(error**2)),
        points={"H": DataPoints(*(jnp.asarray(x) for x in (z, value, error, np.ones(z.size))))},
    )
