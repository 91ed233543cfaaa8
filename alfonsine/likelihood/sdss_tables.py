"""BAO of SDSS whose likelihoods are published as tables: not Gaussian.

name                 quantity (over the sound horizon at drag)      z       table
sdss_dr7_mgs         D_V, by alpha = (D_V / r_d) / 4.29720761       0.15    -2 ln L, 0.8005 <= alpha <= 1.1985
sdss_dr16_elg        D_V                                            0.845   L, 14.9 to 22.3
sdss_dr16_lyauto     D_M, D_H, Lyman-alpha auto-correlation         2.334   L, 31.4 to 47.0 and 6.9 to 10.3
sdss_dr16_lyxqso     D_M, D_H, Lyman-alpha and quasars              2.334   the same

Of L, ln L is interpolated: by cubic splines, in both directions where there are two. Beyond the edges it falls as
`tabulated.py` says. All are relative to their maximum, so without normalisation. The two of Lyman-alpha are independent
and meant to be used together.

Sources: Ross et al. 2015, arXiv:1409.3242 (MGS); eBOSS, arXiv:2007.08991.
"""

import jax.numpy as jnp
import numpy as np
from jaxtyping import Float

from alfonsine.errors import InputError
from alfonsine.likelihood.band_likelihood import BandLikelihood, DataPoints
from alfonsine.likelihood.binning import Windows
from alfonsine.likelihood.data_sets import read_table
from alfonsine.likelihood.sampled import Sampled
from alfonsine.likelihood.tabulated import tabulated, tabulated_pair

DATA_SET = "bao"
MGS_Z, MGS_FIDUCIAL = 0.15, 4.29720761
MGS_ALPHA = np.linspace(0.8005, 1.1985, 399)
ELG_Z, LYMAN_ALPHA_Z = 0.845, 2.334


def mgs() -> BandLikelihood:
    """DR7, the main galaxy sample."""
    chi2 = read_table(DATA_SET, "sdss/sdss_MGS_prob.txt", (MGS_ALPHA.size,))
    return _one("sdss_dr7_mgs", MGS_Z, MGS_FIDUCIAL * MGS_ALPHA, -0.5 * chi2)


def elg() -> BandLikelihood:
    """DR16, emission-line galaxies."""
    nodes, likelihood = read_table(DATA_SET, "sdss/sdss_DR16_ELG_BAO_DVtable.txt", (399, 2)).T
    return _one("sdss_dr16_elg", ELG_Z, nodes, _log("sdss_dr16_elg", likelihood))


def lyman_alpha_auto() -> BandLikelihood:
    """DR16, the auto-correlation of the Lyman-alpha forest."""
    return _two("sdss_dr16_lyauto", "sdss/sdss_DR16_LYAUTO_BAO_DMDHgrid.txt")


def lyman_alpha_quasars() -> BandLikelihood:
    """DR16, the correlation of the Lyman-alpha forest with quasars."""
    return _two("sdss_dr16_lyxqso", "sdss/sdss_DR16_LYxQSO_BAO_DMDHgrid.txt")


def _one(
    name: str, z: float, nodes: Float[np.ndarray, " n"], log_likelihood: Float[np.ndarray, " n"]
) -> BandLikelihood:
    """A table over D_V / r_d."""
    return BandLikelihood(
        name=name,
        windows=Windows(("DV_over_rs",), (Sampled.of(np.array([z])),)),
        form=tabulated(nodes, log_likelihood[:, None]),
        points={"DV_over_rs": _point(z, nodes, np.exp(log_likelihood - log_likelihood.max()))},
    )


def _two(name: str, file: str) -> BandLikelihood:
    """A table over D_M / r_d and D_H / r_d, whose rows may come in any order."""
    rows = read_table(DATA_SET, file, (2500, 3))
    first, second = np.unique(rows[:, 0]), np.unique(rows[:, 1])
    rows = rows[np.lexsort((rows[:, 1], rows[:, 0]))]
    if len(rows) != first.size * second.size:
        raise InputError(
            f"{name}: expected {first.size} x {second.size} rows in {file}, one for each pair, got {len(rows)}; "
            f"try 'alfonsine data check {DATA_SET}'"
        )
    log_likelihood = _log(name, rows[:, 2]).reshape(first.size, second.size)
    density = np.exp(log_likelihood - log_likelihood.max())
    z = Sampled.of(np.array([LYMAN_ALPHA_Z]))
    return BandLikelihood(
        name=name,
        windows=Windows(("DM_over_rs", "DH_over_rs"), (z, z)),
        form=tabulated_pair(first, second, log_likelihood),
        points={
            "DM_over_rs": _point(LYMAN_ALPHA_Z, first, density.sum(axis=1)),
            "DH_over_rs": _point(LYMAN_ALPHA_Z, second, density.sum(axis=0)),
        },
    )


def _log(name: str, likelihood: Float[np.ndarray, " n"]) -> Float[np.ndarray, " n"]:
    if likelihood.min() <= 0:
        raise InputError(
            f"{name}: expected positive likelihoods, got {likelihood.min():g}; try 'alfonsine data check bao'"
        )
    return np.log(likelihood)


def _point(z: float, nodes: Float[np.ndarray, " n"], density: Float[np.ndarray, " n"]) -> DataPoints:
    """Mean and standard deviation of the table, for figures."""
    share = density / density.sum()
    mean = share @ nodes
    return DataPoints(*(jnp.array([x]) for x in (z, mean, np.sqrt(share @ (nodes - mean) ** 2), 1.0)))
