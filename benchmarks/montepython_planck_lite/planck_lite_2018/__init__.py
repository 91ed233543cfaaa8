"""Planck 2018 plik-lite TT, TE, EE, with two Gaussian bins of TT below l = 30, in numpy alone."""

import os

import numpy as np
from montepython.likelihood_class import Likelihood

SIZES = {"tt": 215, "te": 199, "ee": 199}


class planck_lite_2018(Likelihood):
    def __init__(self, path, data, command_line):
        Likelihood.__init__(self, path, data, command_line)
        self.need_cosmo_arguments(data, {"output": "tCl pCl lCl", "lensing": "yes"})
        self.need_cosmo_arguments(data, {"l_max_scalars": self.l_max})  # 3.5 drops numbers that stand beside words
        folder = os.path.join(os.environ["ALFONSINE_DATA"], "planck2018_lite")
        low, high = (
            [np.loadtxt(os.path.join(folder, f"{name}{end}.dat")) for name in ("blmin", "blmax", "bweight")]
            for end in ("_low_ell", "")
        )
        self.matrices = {name: windows(*high, 30, size, self.l_max) for name, size in SIZES.items()}
        self.matrices["tt"] = np.vstack([windows(*low, 2, 2, self.l_max), self.matrices["tt"]])
        bins = np.loadtxt(os.path.join(folder, "CTT_bin_low_ell_2018.dat"))
        bands = np.loadtxt(os.path.join(folder, "cl_cmb_plik_v22.dat"))
        self.measured = np.concatenate([bins[:, 1], bands[:, 1]])
        covariance = np.diag(np.r_[bins[:, 2] ** 2, np.zeros(len(bands))])
        covariance[2:, 2:] = np.load(os.path.join(folder, "cov_613.npz"))["cov"]
        self.inverse = np.linalg.inv(covariance)

    def loglkl(self, cosmo, data):
        cl = self.get_cl(cosmo, self.l_max)
        entry = data.mcmc_parameters["A_planck"]
        calibration = entry["current"] * entry["scale"]
        model = np.concatenate([self.matrices[name] @ cl[name] for name in SIZES]) / calibration**2
        difference = model - self.measured
        prior = ((calibration - 1) / self.calibration_error) ** 2
        return -0.5 * (difference @ self.inverse @ difference + prior)


def windows(first, last, weight, start, size, l_max):
    """Bands as sums of weight_l C_l over first..last, which count from `start`; (size, l_max + 1)."""
    matrix = np.zeros((size, l_max + 1))
    for row, (lo, hi) in enumerate(zip(first[:size].astype(int), last[:size].astype(int))):  # noqa: B905
        matrix[row, start + lo : start + hi + 1] = weight[lo : hi + 1]
    return matrix
