"""BAO of SDSS that are Gaussian: DR12 consensus and galaxies, DR16 galaxies and quasars. Normalised.

name                 rows
sdss_dr12_consensus  z = 0.38, 0.51, 0.61; `use`: bao (D_M, H), full_shape or combined (and f sigma8)
sdss_dr12_lrg        z = 0.38, 0.51: D_M, D_H, as used together with DR16
sdss_dr16_lrg        z = 0.698: D_M, D_H; with growth: also f sigma8, and with it z = 0.38, 0.51 of DR12
sdss_dr16_qso        z = 1.48: D_M, D_H; with growth: also f sigma8

All distances are over the sound horizon at drag, r_d. The consensus is published as D_M r_fid / r_d [Mpc] and
H r_d / r_fid [km/s/Mpc] with r_fid = 147.78 Mpc: both, and their covariance, are rescaled to D_M / r_d and H r_d.
Those of one line overlap with those of others at the same redshift: do not use them together.

Sources: DR12 arXiv:1607.03155; DR16 (eBOSS) arXiv:2007.08991.
"""

import numpy as np

from alfonsine.errors import InputError
from alfonsine.likelihood.band_likelihood import BandLikelihood
from alfonsine.likelihood.bao import bao, bao_from_files, read_rows
from alfonsine.likelihood.data_sets import read_table

DATA_SET = "bao"
FIDUCIAL_HORIZON = 147.78  # Mpc, of the consensus
CONSENSUS = {
    "bao": ("sdss_DR12Consensus_bao.dat", "BAO_consensus_covtot_dM_Hz.txt"),
    "full_shape": ("sdss_DR12Consensus_FS.dat", "FS_consensus_covtot_dM_Hz_fsig.txt"),
    "combined": ("sdss_DR12Consensus_final.dat", "final_consensus_covtot_dM_Hz_fsig.txt"),
}
UNITS = {"DM_over_rs": 1 / FIDUCIAL_HORIZON, "bao_Hz_rs": FIDUCIAL_HORIZON, "f_sigma8": 1.0}


def dr12_consensus(use: str = "bao") -> BandLikelihood:
    """The consensus of DR12; `use`: bao, full_shape or combined."""
    name = "sdss_dr12_consensus"
    if use not in CONSENSUS:
        raise InputError(f"{name}: expected use: one of {', '.join(CONSENSUS)}, got '{use}'")
    rows, covariance = (f"sdss/{file}" for file in CONSENSUS[use])
    z, value, kind = read_rows(DATA_SET, rows)
    matrix = read_table(DATA_SET, covariance, (len(z), len(z)))
    unknown = [each for each in kind if each not in UNITS]
    if unknown:
        raise InputError(f"{name}: expected kinds among {', '.join(UNITS)}, got '{unknown[0]}'")
    unit = np.array([UNITS[each] for each in kind])
    kind = ["H_rs" if each == "bao_Hz_rs" else each for each in kind]
    return bao(name, z, unit * value, kind, unit[:, None] * matrix * unit)


def dr12_lrg() -> BandLikelihood:
    """Galaxies of DR12, two redshifts."""
    return _gaussian("sdss_dr12_lrg", "sdss_DR12_LRG_BAO_DMDH.dat", "sdss_DR12_LRG_BAO_DMDH_covtot.txt")


def dr16_lrg(growth: bool = False) -> BandLikelihood:
    """Luminous red galaxies of DR16; with `growth`, f sigma8 and the redshifts of DR12 too."""
    if growth:
        stem = "sdss_DR16_BAOplus_LRG_FSBAO_DMDHfs8"
        return _gaussian("sdss_dr16_lrg", f"{stem}.dat", f"{stem}_covtot.txt")
    return _gaussian("sdss_dr16_lrg", "sdss_DR16_LRG_BAO_DMDH.dat", "sdss_DR16_LRG_BAO_DMDH_covtot.txt")


def dr16_qso(growth: bool = False) -> BandLikelihood:
    """Quasars of DR16; with `growth`, f sigma8 too."""
    if growth:
        stem = "sdss_DR16_BAOplus_QSO_FSBAO_DMDHfs8"
        return _gaussian("sdss_dr16_qso", f"{stem}.dat", f"{stem}_covtot.txt")
    return _gaussian("sdss_dr16_qso", "sdss_DR16_QSO_BAO_DMDH.txt", "sdss_DR16_QSO_BAO_DMDH_covtot.txt")


def _gaussian(name: str, rows: str, covariance: str) -> BandLikelihood:
    return bao_from_files(name, DATA_SET, f"sdss/{rows}", f"sdss/{covariance}")
