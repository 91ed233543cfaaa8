r"""CMB lensing: band powers of the potential from Planck 2018, ACT DR6 and SPT-3G 2018. Gaussian, normalised.

What is measured depends on the lensing spectrum of the fiducial model that the estimator was normalised with. Planck
and SPT-3G publish that response to first order,

.. math:: m_b = \sum_L (W_{bL} + M_{bL}) \hat C_L - f_b, \qquad \hat C_L = [L (L + 1)]^2 C_L^{\phi\phi} / 2\pi

with the window W, the response M and M times the fiducial spectrum, f. All of it is linear in C_L but for f, which is
added to the data. Dependence on TT, TE, EE is marginalised over in the covariances used here, so that the spectrum of
the potential, `pp`, is all that the theory must give.

Sources: Planck 2018 VIII, arXiv:1807.06210 (conservative range, 8 <= L <= 400); ACT DR6, arXiv:2304.05202 and
arXiv:2304.05203; SPT-3G 2018, arXiv:2308.11608.
"""

import numpy as np
from jaxtyping import Float

from alfonsine.errors import InputError
from alfonsine.likelihood.band_likelihood import BandLikelihood
from alfonsine.likelihood.band_powers import TO_BANDS, Block, band_powers
from alfonsine.likelihood.binning import Dense, dense
from alfonsine.likelihood.data_sets import read_array, read_table

PLANCK, ACT, SPT = "planck2018_lensing", "act_dr6_lensing", "spt3g_2018_lensing"
ACT_SIMULATIONS = 792
COVARIANCES = {"lens_only": "kk_cov_lens_only.txt", "lens_and_cmb": "kk_cov_lens_and_CMB.txt"}
FOREGROUND = "A_fg"


def planck_lensing() -> BandLikelihood:
    """Planck 2018, nine bins, marginalised over the CMB spectra."""
    measured = read_table(PLANCK, "consext8_bandpowers.dat", (9, 7))
    fiducial = read_table(PLANCK, "consext8_CMBmarged_lensing_fiducial_correction.dat", (9, 2))[:, 1]
    matrix = read_array(PLANCK, "consext8_windows.npz", "bin_window", (9, 2501))
    at = _multipoles(PLANCK, "consext8_windows.npz", "delta_L", None, slice(None))
    if at.max() > 2500:
        raise InputError(f"expected responses up to L = 2500, got {at.max()}; try 'alfonsine data check {PLANCK}'")
    response = read_array(PLANCK, "consext8_windows.npz", "delta_window", (9, at.size))
    matrix[:, at] += response
    return band_powers(
        "planck_2018_lensing",
        [Block("pp", _window(matrix, "L2_D_l"), measured[:, 4], measured[:, 3], "L2_D_l")],
        read_table(PLANCK, "consext8_CMBmarged_cov.dat", (9, 9)),
        offset=-fiducial,
    )


def act_lensing(covariance: str = "lens_only") -> BandLikelihood:
    """ACT DR6, ten bins of the convergence, C^kk = [L (L + 1)]^2 C^pp / 4.

    covariance  lens_only, for lensing without the primary CMB: marginalised over it. lens_and_cmb: for use together
                with the primary CMB; the corrections by TT, TE, EE, BB that belong with it are left out

    The inverse covariance is from 792 simulations: the covariance is divided by Hartlap's factor,
    (792 - 10 - 2) / (792 - 1).
    """
    name = "act_dr6_lensing"
    if covariance not in COVARIANCES:
        raise InputError(f"{name}: expected covariance: one of {', '.join(COVARIANCES)}, got '{covariance}'")
    value = read_table(ACT, "kk_bandpowers.txt", (10,))
    matrix = _from_columns(ACT, "kk_windows.npz", "kk", (3000, 10))
    hartlap = (ACT_SIMULATIONS - value.size - 2) / (ACT_SIMULATIONS - 1)
    return band_powers(
        name,
        [Block("pp", _window(matrix, "kappa"), value, _centres(matrix), "kappa")],
        read_table(ACT, COVARIANCES[covariance], (10, 10)) / hartlap,
    )


def spt_lensing(response: bool = True, foreground: bool = True) -> BandLikelihood:
    """SPT-3G 2018, twelve bins.

    response    the dependence on the fiducial lensing spectrum, as published; false: windows alone
    foreground  A_fg times the bias template is added to the model (uniform from 0 to 3 in the paper, 1 as predicted);
                false: no such parameter, and no bias
    """
    value = read_table(SPT, "pp_bandpowers.txt", (12,))
    windows = matrix = _from_columns(SPT, "pp_windows.npz", "pp", (2000, 12))
    offset = None
    if response:
        table = read_array(SPT, "pp_windows.npz", "M_phionly", (12, 2002, 6))
        matrix = np.zeros((12, 2002))
        matrix[:, : windows.shape[1]] = windows
        matrix += table[:, :, 5]
        offset = -read_table(SPT, "pp_fiducial_correction_phionly.txt", (12,))
    templates = {FOREGROUND: read_table(SPT, "pp_foreground_template.txt", (12, 2))[:, 1]} if foreground else {}
    return band_powers(
        "spt3g_2018_lensing",
        [Block("pp", _window(matrix, "L2_D_l"), value, _centres(windows), "L2_D_l")],
        read_table(SPT, "pp_cov.txt", (12, 12)),
        templates,
        offset=offset,
    )


def _window(matrix: Float[np.ndarray, "band L"], unit: str) -> Dense:
    """From the weights of the quantity in `unit`, for L from 0, to those of C_L from 2."""
    ell = np.arange(2.0, matrix.shape[1])
    return dense(matrix[:, 2:] * TO_BANDS[unit](ell))


def _from_columns(name: str, file: str, key: str, shape: tuple[int, int]) -> Float[np.ndarray, "band L"]:
    """Windows in columns, with rows at the multipoles `L` of the file, as rows from L = 0 without gaps."""
    table = read_array(name, file, key, shape)
    used = table.any(axis=1)  # the last row of both experiments is filled with zeros, its L too
    table, ell = table[used], _multipoles(name, file, "L", shape[0], used)
    matrix = np.zeros((shape[1], ell.max() + 1))
    matrix[:, ell] = table.T
    return matrix


def _multipoles(name: str, file: str, key: str, count: int | None, used: np.ndarray | slice) -> np.ndarray:
    """Multipoles of a file as integers, those `used`; InputError where they are no distinct ones below 10,000."""
    ell = read_array(name, file, key, (count,))[used]
    if ell.size == 0 or np.any(ell != np.round(ell)) or ell.min() < 0 or ell.max() > 10_000 or len(set(ell)) < ell.size:
        raise InputError(
            f"expected multipoles in '{key}' of {file}, got other numbers; try 'alfonsine data check {name}'"
        )
    return ell.astype(int)


def _centres(windows: Float[np.ndarray, "band L"]) -> Float[np.ndarray, " band"]:
    """Mean multipole of each window, for figures."""
    weight = np.abs(windows)
    return weight @ np.arange(windows.shape[1]) / np.maximum(weight.sum(axis=1), 1e-300)
