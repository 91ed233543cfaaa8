"""The small emulator of CLASS, and CLASS itself at a point that it has not learned."""

from types import SimpleNamespace

import numpy as np
import pytest
from classy import Class
from small_class import GOLDEN, L_MAX, POINT, SETTINGS

from alfonsine.emulator.stored.file import load_emulator
from alfonsine.theory.class_input import texts


@pytest.fixture(scope="session")
def small():
    """The emulator's file, the emulator, and the real CLASS, told the same by hand."""
    asked = {"output": "tCl,pCl,lCl,mPk", "lensing": "yes", "l_max_scalars": L_MAX}
    told = {**SETTINGS, **asked, "omega_cdm": POINT["omega_cdm"], "ln10^{10}A_s": POINT["logA"]}
    cosmo = Class()
    cosmo.set(texts({**told, "P_k_max_1/Mpc": 1.0, "z_max_pk": 3.0}))
    cosmo.compute()
    # as MontePython hands it over: A_s in the place of its logarithm, and none of the precision
    pars = {k: v for k, v in told.items() if not k.startswith(("l_l", "delta", "l_max_ncdm", "ln10"))}
    pars |= {"A_s": 1e-10 * np.exp(POINT["logA"]), "P_k_max_h/Mpc": 1.0}
    yield SimpleNamespace(file=GOLDEN, emulator=load_emulator(GOLDEN), cosmo=cosmo, pars=pars)
    cosmo.struct_cleanup()
