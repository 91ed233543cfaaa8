"""Planck 2018 low-l EE: log-normal in the mean D_l of three bins below l = 30, in numpy alone."""

import os

import numpy as np
from montepython.likelihood_class import Likelihood


class planck_lowl_ee_2018(Likelihood):
    def __init__(self, path, data, command_line):
        Likelihood.__init__(self, path, data, command_line)
        self.need_cosmo_arguments(data, {"output": "tCl pCl lCl", "lensing": "yes"})
        self.need_cosmo_arguments(data, {"l_max_scalars": self.l_max})
        folder = os.path.join(os.environ["ALFONSINE_DATA"], "planck2018_lowl")
        self.table = np.loadtxt(os.path.join(folder, "lognormal_fit_3bins_EE.txt"))

    def loglkl(self, cosmo, data):
        ell = np.arange(self.l_max + 1)
        power = self.get_cl(cosmo, self.l_max)["ee"] * ell * (ell + 1) / (2 * np.pi)
        total = 0.0
        for first, last, location, scale, shift in self.table:
            x = power[int(first) : int(last) + 1].mean() - shift
            if x <= 0:
                return data.boundary_loglike
            total -= np.log(x * scale * np.sqrt(2 * np.pi)) + 0.5 * ((np.log(x) - location) / scale) ** 2
        return total
