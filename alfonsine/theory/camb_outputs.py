"""Spectra of CAMB in the names and units of all codes: bare C_l in muK^2, P(k) in Mpc^3."""

from collections.abc import Collection
from typing import Any

import numpy as np
from jaxtyping import Float
from scipy.interpolate import CubicSpline

from alfonsine.theory.camb_background import rows
from alfonsine.theory.class_spectra import UNLENSED
from alfonsine.theory.grids import MatterPower

COLUMNS = {"tt": 0, "ee": 1, "bb": 2, "te": 3}
POTENTIAL = {"pp": 0, "tp": 1}


def read_spectra(
    data: Any, spectra: Collection[str], unlensed: Collection[str], ell: np.ndarray
) -> dict[str, Float[np.ndarray, " l"]]:
    """Bare C_l of a computed `camb.CAMBdata`; the lensing potential itself, not its deflection."""
    last = int(ell[-1])
    total = before = potential = None
    if COLUMNS.keys() & set(spectra):
        total = data.get_total_cls(last, CMB_unit="muK", raw_cl=True)
    if COLUMNS.keys() & set(unlensed):
        before = data.get_unlensed_total_cls(last, CMB_unit="muK", raw_cl=True)
    if POTENTIAL.keys() & {*spectra, *unlensed}:
        potential = data.get_lens_potential_cls(last, CMB_unit="muK", raw_cl=True)
    found = {}
    for names, table, prefix in ((spectra, total, ""), (unlensed, before, UNLENSED)):
        for name in names:
            source, column = (table, COLUMNS[name]) if name in COLUMNS else (potential, POTENTIAL[name])
            found[prefix + name] = source[ell, column].copy()
    return found


def read_power(data: Any, power: MatterPower) -> dict[str, Float[np.ndarray, " zk"]]:
    """P(k, z), z first, flattened: CAMB's own redshifts, a cubic spline of ln P over ln k between its wavenumbers.

    CAMB's non-linear models are made for the total matter, and its pk_nl_cb is pk_lin_cb times their pk_nl / pk_lin.
    CLASS puts the spectrum without neutrinos into the model itself; for neutrinos of 0.3 eV its pk_nl_cb is smaller by
    up to 4 % at k > 0.1/Mpc.
    """
    found = {}
    for name in power.names:
        variable = "delta_nonu" if name.endswith("_cb") else None
        k, z, table = data.get_linear_matter_power_spectrum(
            variable, variable, hubble_units=False, k_hunit=False, nonlinear=name in power.nonlinear
        )
        at = rows(np.array(power.z), np.asarray(z))
        found[name] = np.concatenate([_interpolated(data, k, table[i], np.array(power.k)) for i in at])
    return found


def _interpolated(data: Any, k: np.ndarray, row: np.ndarray, wanted: np.ndarray) -> np.ndarray:
    spline = CubicSpline(np.log(k), np.log(row))
    inside = np.maximum(wanted, k[0])
    values = np.exp(spline(np.log(inside)))
    # far outside the horizon the transfer function is 1, and P(k) ~ k times the primordial spectrum
    primordial = data.Params.scalar_power
    return values * (wanted * primordial(wanted)) / (inside * primordial(inside))
