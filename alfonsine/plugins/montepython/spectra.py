"""CMB spectra as CLASS hands them over: without unit, from l = 0, and no silent zeros for those that are not held."""

from typing import Any

import numpy as np

from alfonsine.hosts.missing import MissingQuantity
from alfonsine.hosts.quantities import Quantities
from alfonsine.plugins.montepython.errors import CosmoSevereError
from alfonsine.theory.class_spectra import UNLENSED

LENSED = ("tt", "ee", "te", "bb", "pp", "tp")
KELVINS = {"pp": 0, "tp": 1}  # powers of the temperature; two for the others
NEEDS = {"tt": {"tCl"}, "te": {"tCl", "pCl"}, "ee": {"pCl"}, "bb": {"pCl"}, "pp": {"lCl"}, "tp": {"tCl", "lCl"}}


class Spectra(dict):
    """C_l by name. A spectrum that is not held raises when it is asked for, also by `get`."""

    def __init__(self, held: dict[str, np.ndarray], method: str, missing: dict[str, str]) -> None:
        super().__init__(held)
        self._method, self._missing = method, missing

    def __missing__(self, name: str) -> Any:
        raise CosmoSevereError(
            self._missing.get(
                name, f"expected a spectrum of CLASS's {self._method} ({', '.join(LENSED)}), got '{name}'"
            )
        )

    def get(self, name: str, default: Any = None) -> Any:
        """The spectrum; never the default."""
        return self[name]


def spectra(held: Quantities, lensed: bool, lensing: bool, outputs: frozenset[str], l_max: int) -> Spectra:
    """Those that were asked for by words of `output` and are held, for l = 0..l_max.

    lensed    of lensed_cl; otherwise of raw_cl
    lensing   whether the emulator's plain names are lensed spectra
    """
    method = "lensed_cl" if lensed else "raw_cl"
    found, missing = {}, {}
    kelvin = 1e6 * held.number("T_cmb", f"cosmo.{method}, in units of T_cmb")
    for name in LENSED:
        if not outputs >= NEEDS[name]:
            needed = " ".join(sorted(NEEDS[name]))
            asked = f"expected {needed} in output for '{name}' of {method}"
            missing[name] = f"{asked}, got '{' '.join(sorted(outputs))}'; add {needed}"
            continue
        # the lensing potential itself is not lensed
        ours = name if lensed or not lensing or name in KELVINS else UNLENSED + name
        try:
            found[name] = held.spectrum(ours, l_max, f"'{name}' of cosmo.{method}") / kelvin ** KELVINS.get(name, 2)
        except MissingQuantity as error:
            missing[name] = str(error)
    if not found:
        raise CosmoSevereError(next(iter(missing.values())))
    found["ell"] = np.arange(l_max + 1)
    return Spectra(found, method, missing)
