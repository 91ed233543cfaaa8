"""Planck 2018 plik-lite: 613 band powers of TT, TE, EE with foregrounds marginalised, Gaussian.

ln L is -chi^2 / 2 without normalisation, as the collaboration and its users quote it. The model is divided by
A_planck^2 in all bands. Sources: arXiv:1907.12875 (likelihood), arXiv:1909.05869 (this format, and the two
Gaussian TT bins for l = 2 to 29 that stand in for the low-l likelihood).
"""

import numpy as np
from jaxtyping import Float, Int

from alfonsine.errors import InputError
from alfonsine.likelihood.band_likelihood import BandLikelihood
from alfonsine.likelihood.band_powers import Block, band_powers
from alfonsine.likelihood.binning import Binning, contiguous, multipoles
from alfonsine.likelihood.data_sets import read_array, read_table

NAME = "planck_2018_lite"
DATA_SET = "planck2018_lite"
CALIBRATION = "A_planck"
BINS = {
    "tt": 215,
    "te": 199,
    "ee": 199,
}  # in the order of the data vector; TE and EE use the first bins of TT
FIRST_L = 30  # the files count multipoles from here, those of the low-l bins from 2
CHOICES = {
    "TT": ("tt",),
    "TE": ("te",),
    "EE": ("ee",),
    "TTTE": ("tt", "te"),
    "TTEE": ("tt", "ee"),
    "TEEE": ("te", "ee"),
    "TTTEEE": ("tt", "te", "ee"),
}


def planck_lite(spectra: str = "TTTEEE", low_l_tt_bins: bool = False) -> BandLikelihood:
    """Planck 2018 lite with the chosen spectra; InputError if the data are not here."""
    if spectra not in CHOICES:
        raise InputError(f"{NAME}: expected spectra: one of {', '.join(CHOICES)}, got '{spectra}'")
    names = CHOICES[spectra]
    if low_l_tt_bins and "tt" not in names:
        raise InputError(f"{NAME}: expected TT among the spectra for low_l_tt_bins, got {spectra}; add TT")
    measured, covariance = _high_l()
    block = np.repeat(list(BINS), list(BINS.values()))
    used = np.isin(block, names)
    measured, covariance, block = measured[:, used], covariance[np.ix_(used, used)], block[used]
    if low_l_tt_bins:  # in front, so that the bins of TT rise in l; independent of the others
        low = read_table(DATA_SET, "CTT_bin_low_ell_2018.dat", (None, 3)).T
        n = low.shape[1]
        covariance = np.pad(covariance, (n, 0))
        covariance[:n, :n] = np.diag(low[2] ** 2)
        measured, block = np.concatenate([low, measured], axis=1), np.r_[np.repeat("tt", n), block]
    blocks = [
        Block(
            spectrum=name,
            window=_binning(BINS[name], low_l_tt_bins and name == "tt"),
            value=measured[1, block == name],
            ell=measured[0, block == name],
            unit="C_l",
            calibration={CALIBRATION: -2},
        )
        for name in names
    ]
    return band_powers(NAME, blocks, covariance, normalised=False)


def _high_l() -> tuple[Float[np.ndarray, "3 band"], Float[np.ndarray, "band band"]]:
    """Rows effective l, C_l, error [muK^2] of the 613 bands, and their covariance [muK^4]."""
    size = sum(BINS.values())
    measured = read_table(DATA_SET, "cl_cmb_plik_v22.dat", (size, 3)).T
    return measured, read_array(DATA_SET, "cov_613.npz", "cov", (size, size))


def _binning(count: int, low_l: bool) -> Binning:
    """The first `count` bins from l = 30, behind those below l = 30 if wanted; bands are averages of C_l."""
    edges = [_edges(file, 645, FIRST_L)[:count] for file in ("blmin.dat", "blmax.dat")]
    below = np.zeros(FIRST_L - 2)
    if low_l:
        files = ("blmin_low_ell.dat", "blmax_low_ell.dat")
        edges = [np.r_[_edges(file, 2, 2), e] for file, e in zip(files, edges, strict=True)]
        below = read_table(DATA_SET, "bweight_low_ell.dat", (FIRST_L - 2,))
    try:
        return contiguous(*edges, np.r_[below, read_table(DATA_SET, "bweight.dat", (7437,))])
    except InputError as error:
        raise InputError(f"{NAME}: {error}; try 'alfonsine data check {DATA_SET}'") from None


def _edges(file: str, count: int, first: int) -> Int[np.ndarray, " bin"]:
    """Multipoles that bins begin or end with; the file counts them from `first`."""
    return multipoles(read_table(DATA_SET, file, (count,)) + first, f"{NAME}: {file}, counted from {first}")
