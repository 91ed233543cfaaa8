"""Planck 2018 large scales: log-normal compressions of the Commander TT and SimAll EE likelihoods.

Mean D_l in two (TT) and three (EE) bins below l = 30, from Prince & Dunkley (2021). EE is what measures tau.
"""

import jax.numpy as jnp
import numpy as np

from alfonsine.errors import InputError
from alfonsine.likelihood.band_likelihood import BandLikelihood, DataPoints
from alfonsine.likelihood.binning import Windows, dl_mean, multipoles
from alfonsine.likelihood.data_sets import read_table
from alfonsine.likelihood.lognormal import LogNormal

DATA_SET = "planck2018_lowl"


def planck_lowl_tt() -> BandLikelihood:
    """Two bins of TT: columns l_min, l_max, mu, sigma."""
    return _lognormal("planck_2018_lowl_tt", "tt", read_table(DATA_SET, "lognormal_fit_2bins_TT.txt", (2, 4)))


def planck_lowl_ee() -> BandLikelihood:
    """Three bins of EE: columns l_min, l_max, mu, sigma, shift."""
    return _lognormal("planck_2018_lowl_ee", "ee", read_table(DATA_SET, "lognormal_fit_3bins_EE.txt", (3, 5)))


def _lognormal(name: str, spectrum: str, table: np.ndarray) -> BandLikelihood:
    first, last = (multipoles(table[:, column], f"column {column + 1}") for column in (0, 1))
    location, scale = table[:, 2], table[:, 3]
    shift = table[:, 4] if table.shape[1] > 4 else np.zeros(len(table))
    with np.errstate(over="ignore"):
        median = np.exp(location)
    if not np.isfinite(median).all() or scale.min() <= 0:
        raise InputError(
            f"{name}: expected logarithms of muK^2 and positive widths of them, got {location.max():g} and "
            f"{scale.min():g}; try 'alfonsine data check {DATA_SET}'"
        )
    return BandLikelihood(
        name=name,
        windows=Windows((spectrum,), (dl_mean(first, last),)),
        form=LogNormal(jnp.asarray(location), jnp.asarray(scale), jnp.asarray(shift)),
        points={
            spectrum: DataPoints(
                jnp.asarray((first + last) / 2),
                jnp.asarray(shift + median),
                jnp.asarray(median * scale),
                jnp.ones(len(table)),
            )
        },
    )
