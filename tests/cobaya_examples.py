"""Likelihoods as users of Cobaya write them."""

import numpy as np
from cobaya.likelihood import Likelihood

L_MAX = 6
DATA = np.array([3.0, -1.0, 2.0, 0.5, 1.5])
ERROR = 0.1 * np.abs(DATA)
Z = np.array([0.3, 0.7, 1.1, 2.0])
HUBBLE = np.array([79.0, 100.0, 126.0, 203.0])


class Bands(Likelihood):
    """Independent Gaussian C_l^TT for l = 2 to 6, multiplied by a gain of its own."""

    params = {"gain": {"prior": {"dist": "norm", "loc": 1.0, "scale": 0.05}}}

    def get_requirements(self):
        return {"Cl": {"tt": L_MAX}}

    def logp(self, gain, **_):
        model = gain * self.provider.get_Cl()["tt"][2 : L_MAX + 1]
        return -0.5 * float(np.sum(((model - DATA) / ERROR) ** 2))


class Expansion(Likelihood):
    """Four measurements of H(z), to one per cent."""

    def get_requirements(self):
        return {"Hubble": {"z": Z}}

    def logp(self, **_):
        return -0.5 * float(np.sum(((self.provider.get_Hubble(Z) - HUBBLE) / (0.01 * HUBBLE)) ** 2))


class Numbers(Likelihood):
    """Asks for two derived numbers and the power at one wavenumber."""

    def get_requirements(self):
        return {"rdrag": None, "omegam": None, "Pk_grid": {"z": [0.0, 0.5, 1.0, 2.0], "k_max": 0.5, "nonlinear": False}}

    def logp(self, **_):
        k, _, values = self.provider.get_Pk_grid(nonlinear=False)
        power = values[0, np.argmin(np.abs(k - 0.1))]
        return -0.5 * ((self.provider.get_param("rdrag") - 147.0) / 0.3) ** 2 - 0.5 * (power / 4000.0 - 1.0) ** 2


class Fragile(Bands):
    """Fails where the first band is large."""

    def logp(self, gain, **_):
        if self.provider.get_Cl()["tt"][2] > 10.0:
            raise ValueError("no answer")
        return super().logp(gain)


class Sources(Likelihood):
    """Asks for what no theory here gives."""

    def get_requirements(self):
        return {"source_Cl": {"sources": {"one": {"function": "gaussian"}}}}


class Unreadable(Likelihood):
    """Has no data."""

    def initialize(self):
        raise FileNotFoundError("no data in the folder")
