"""Planck 2018 EE at l = 2 to 29 from the SRoll2 maps: what measures tau, better than the release did.

A table of ln P(D_l^EE) for each multipole, on steps of 1e-4 muK^2 from 0 to 0.3; their sum is ln L. Between the steps
it is a cubic spline, so that gradients are continuous (the reference takes the step below: the two agree at the steps).
Straight lines would differ by less than 2e-4 in ln P. Beyond an edge it falls, as `tabulated.py` says: where the table
itself rises outwards there, which is noise above 0.3 and unphysical below 0, it does not go on rising.

Sources: Delouis et al. 2019, arXiv:1901.11386 (maps); Pagano et al. 2020, arXiv:1908.09856 (likelihood).
"""

import jax.numpy as jnp
import numpy as np

from alfonsine.likelihood.band_likelihood import BandLikelihood, DataPoints
from alfonsine.likelihood.binning import Windows, dl_mean
from alfonsine.likelihood.data_sets import read_array
from alfonsine.likelihood.tabulated import tabulated

NAME, DATA_SET = "planck_2018_lowl_ee_sroll2", "planck2018_lowl"
STEP = 1e-4  # muK^2
MULTIPOLES = np.arange(2, 30)


def planck_lowl_ee_sroll2() -> BandLikelihood:
    """The table, with its normalisation; no parameters of its own."""
    table = read_array(DATA_SET, "sroll2_lowE_prob_table.npz", "log_prob", (3000, MULTIPOLES.size))
    nodes = STEP * np.arange(len(table))
    density = np.exp(table - table.max(axis=0))
    density /= density.sum(axis=0)
    mean = nodes @ density
    return BandLikelihood(
        name=NAME,
        windows=Windows(("ee",), (dl_mean(MULTIPOLES, MULTIPOLES),)),
        form=tabulated(nodes, table),
        points={
            "ee": DataPoints(
                jnp.asarray(MULTIPOLES.astype(float)),
                jnp.asarray(mean),
                jnp.asarray(np.sqrt(((nodes[:, None] - mean) ** 2 * density).sum(axis=0))),
                jnp.ones(MULTIPOLES.size),
            )
        },
    )
