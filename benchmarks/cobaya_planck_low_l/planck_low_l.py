"""Planck 2018 below l = 30 for Cobaya: two Gaussian bins of TT, log-normal bins of EE; in numpy alone."""

import os
from pathlib import Path

import numpy as np
from cobaya.likelihood import Likelihood


class LowTT(Likelihood):
    """Two Gaussian bins of TT, calibrated as the bands of plik-lite are."""

    def initialize(self):
        folder = Path(os.environ["ALFONSINE_DATA"]) / "planck2018_lite"
        _, self.value, self.error = np.loadtxt(folder / "CTT_bin_low_ell_2018.dat", unpack=True)
        self.edges = [np.loadtxt(folder / f"{name}_low_ell.dat").astype(int) for name in ("blmin", "blmax")]
        self.weight = np.loadtxt(folder / "bweight_low_ell.dat")

    def get_requirements(self):
        return {"Cl": {"tt": 30}, "A_planck": None}  # a parameter of plik-lite

    def logp(self, **_):
        A_planck = self.provider.get_param("A_planck")
        cl = self.provider.get_Cl()["tt"]
        bands = [self.weight[a : b + 1] @ cl[2 + a : 3 + b] for a, b in zip(*self.edges, strict=True)]
        return -0.5 * float(np.sum(((np.array(bands) / A_planck**2 - self.value) / self.error) ** 2))


class LowEE(Likelihood):
    """Log-normal in the mean D_l of three bins of EE."""

    def initialize(self):
        self.table = np.loadtxt(Path(os.environ["ALFONSINE_DATA"]) / "planck2018_lowl" / "lognormal_fit_3bins_EE.txt")

    def get_requirements(self):
        return {"Cl": {"ee": 30}}

    def logp(self, **_):
        power = self.provider.get_Cl(ell_factor=True)["ee"]
        total = 0.0
        for first, last, location, scale, shift in self.table:
            x = power[int(first) : int(last) + 1].mean() - shift
            if x <= 0:
                return -np.inf
            total -= np.log(x * scale * np.sqrt(2 * np.pi)) + 0.5 * ((np.log(x) - location) / scale) ** 2
        return total
