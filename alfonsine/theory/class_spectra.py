"""CMB spectra of CLASS: what each needs, which multipoles, and how they are read off."""

from collections.abc import Collection, Mapping
from typing import Any

import numpy as np
from jaxtyping import Float

from alfonsine.errors import InputError, nearest
from alfonsine.theory.output import Axis, Output

# name -> CLASS's `output`
NEEDS = {"tt": "tCl", "te": "tCl pCl", "ee": "pCl", "bb": "pCl", "pp": "lCl", "tp": "tCl lCl"}
LENSED = {"tt", "te", "ee", "bb"}
UNITS = {name: "muK^2" for name in NEEDS} | {"pp": "", "tp": "muK"}
UNLENSED = "unlensed_"
L_LOGSTEP, L_LINSTEP = 1.12, 40  # CLASS's own defaults


def check_spectra(spectra: Collection[str], unlensed: Collection[str], modes: str) -> None:
    """InputError for a spectrum that CLASS does not know, or has not."""
    for name in (*spectra, *unlensed):
        if name not in NEEDS:
            raise InputError(f"expected a CMB spectrum, got '{name}'; {nearest(name, NEEDS)}")
    if "bb" in unlensed and "t" not in modes:
        raise InputError("expected tensor modes (modes: s,t) for unlensed bb, which has no other source, got none")


def nodes(l_max: int, logstep: float = L_LOGSTEP, linstep: int = L_LINSTEP) -> tuple[int, ...]:
    """The multipoles from 2 to l_max at which CLASS's own rule would place its exact values.

    Steps grow by the factor `logstep` until they reach `linstep`. CLASS itself stretches the rule by the distance to
    recombination and so moves with the parameters; this list does not.
    """
    found = [2]
    step = max(int(2 * (logstep - 1)), 1)
    while found[-1] + step < l_max and step < linstep:
        found.append(found[-1] + step)
        step = max(int(found[-1] * (logstep - 1)), 1)
    while found[-1] + linstep <= l_max:
        found.append(found[-1] + linstep)
    return tuple(found) if found[-1] == l_max else (*found, l_max)


def check_multipoles(multipoles: tuple[int, ...], l_max: int) -> None:
    """InputError unless they increase within 2 and l_max."""
    if not multipoles or np.any(np.diff(multipoles) <= 0) or multipoles[0] < 2 or multipoles[-1] > l_max:
        raise InputError(
            f"expected multipoles that increase from 2 or more to at most l_max = {l_max}, got {list(multipoles)!r:.80}"
        )


def spectra_outputs(
    spectra: Collection[str], unlensed: Collection[str], multipoles: Collection[int]
) -> dict[str, Output]:
    """Name -> unit and multipoles."""
    axes = (Axis("l", "", tuple(float(ell) for ell in multipoles)),)
    lensed = {name: Output(name, UNITS[name], axes) for name in spectra}
    return lensed | {UNLENSED + name: Output(UNLENSED + name, UNITS[name], axes) for name in unlensed}


def read_spectra(
    cosmo: Any, spectra: Collection[str], unlensed: Collection[str], lensed: bool, ell: np.ndarray
) -> Mapping[str, Float[np.ndarray, " l"]]:
    """Bare C_l of a computed `classy.Class` at the multipoles `ell`, in muK^2."""
    kelvin = 1e6 * float(cosmo.T_cmb())  # in muK
    power = {"pp": 0, "tp": 1}
    found = {}
    last = int(ell[-1])
    if spectra:
        raw = cosmo.lensed_cl(last) if lensed else cosmo.raw_cl(last)
        found |= {name: raw[name][ell] * kelvin ** power.get(name, 2) for name in spectra}
    if unlensed:
        raw = cosmo.raw_cl(last)
        found |= {UNLENSED + name: raw[name][ell] * kelvin ** power.get(name, 2) for name in unlensed}
    return found
