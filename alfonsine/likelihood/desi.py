"""BAO of DESI: data releases 2 and 1 from their files, and release 2 as printed, which needs none.

Sources: DR2 arXiv:2503.14738, Table IV; DR1 arXiv:2404.03002. The printed table has rounded
errors and correlations: chi-square of a model differs from that of the files by a tenth of itself.
"""

import numpy as np

from alfonsine.likelihood.band_likelihood import BandLikelihood
from alfonsine.likelihood.bao import bao, bao_from_files

# z, then D_V/r_d and its error, or D_M/r_d, its error, D_H/r_d, its error, their correlation
TABLE = (
    (0.295, 7.944, 0.075),
    (0.510, 13.587, 0.169, 21.863, 0.427, -0.475),
    (0.706, 17.347, 0.180, 19.458, 0.332, -0.423),
    (0.934, 21.574, 0.153, 17.641, 0.193, -0.425),
    (1.321, 27.605, 0.320, 14.178, 0.217, -0.437),
    (1.484, 30.519, 0.758, 12.816, 0.513, -0.489),
    (2.330, 38.988, 0.531, 8.632, 0.101, -0.431),
)


def desi_dr2_bao_table() -> BandLikelihood:
    """The printed table of DR2: seven tracers, independent of each other."""
    z, value, kind, blocks = [], [], [], []
    for row in TABLE:
        if len(row) == 3:
            z, value, kind = [*z, row[0]], [*value, row[1]], [*kind, "DV_over_rs"]
            blocks.append(np.array([[row[2] ** 2]]))
            continue
        z, value, kind = [*z, row[0], row[0]], [*value, row[1], row[3]], [*kind, "DM_over_rs", "DH_over_rs"]
        both = row[5] * row[2] * row[4]
        blocks.append(np.array([[row[2] ** 2, both], [both, row[4] ** 2]]))
    covariance, first = np.zeros((len(z), len(z))), 0
    for block in blocks:
        rows = slice(first, first + len(block))
        covariance[rows, rows], first = block, rows.stop
    return bao("desi_dr2_bao_table", np.array(z), np.array(value), kind, covariance)


def desi_dr2_bao() -> BandLikelihood:
    """All tracers of DR2, from the collaboration's files (data set bao)."""
    stem = "desi_dr2/desi_gaussian_bao_ALL_GCcomb"
    return bao_from_files("desi_dr2_bao", "bao", f"{stem}_mean.txt", f"{stem}_cov.txt")


def desi_dr1_bao() -> BandLikelihood:
    """All tracers of DR1, from the collaboration's files (data set bao)."""
    stem = "desi_dr1/desi_2024_gaussian_bao_ALL_GCcomb"
    return bao_from_files("desi_dr1_bao", "bao", f"{stem}_mean.txt", f"{stem}_cov.txt")
