"""Outputs of CAMB in the names and units of all codes: bare C_l in muK^2, P(k) in Mpc^3, lengths in Mpc."""

from collections.abc import Callable, Collection
from typing import Any

import numpy as np
from jaxtyping import Float
from scipy.interpolate import CubicSpline

from alfonsine.theory.class_spectra import UNLENSED
from alfonsine.theory.grids import Background, MatterPower
from alfonsine.theory.theory import TheoryError

LIGHT = 299792.458  # km/s
COLUMNS = {"tt": 0, "ee": 1, "bb": 2, "te": 3}
POTENTIAL = {"pp": 0, "tp": 1}
POWER = ("pk_lin", "pk_nl", "pk_lin_cb")  # CAMB's non-linear models are made for the total matter
DENSITIES = {"g": "photon", "b": "baryon", "cdm": "cdm", "ur": "neutrino", "ncdm": "nu"}
NEEDS_MATTER_POWER = {"sigma8_z", "f_sigma8"}
METHODS: dict[str, Callable[[Any, np.ndarray], np.ndarray]] = {
    "H": lambda data, z: data.hubble_parameter(z),
    "D_A": lambda data, z: data.angular_diameter_distance(z),
    "D_L": lambda data, z: data.luminosity_distance(z),
    "comoving_distance": lambda data, z: data.comoving_radial_distance(z),
    "time": lambda data, z: np.array([data.physical_time(float(x)) for x in z]),
    "conformal_time": lambda data, z: data.conformal_time(z),
    "sound_horizon": lambda data, z: data.sound_horizon(z),
    "rho_crit": lambda data, z: (data.hubble_parameter(z) / LIGHT) ** 2,
    "sigma8_z": lambda data, z: _at(data, z, data.get_sigma8()),
    "f_sigma8": lambda data, z: _at(data, z, data.get_fsigma8()),
}
BACKGROUND = (*METHODS, *(f"rho_{s}" for s in DENSITIES), *(f"Omega_{s}_z" for s in DENSITIES))


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
    """P(k, z), z first, flattened: CAMB's own redshifts, a cubic spline of ln P over ln k between its wavenumbers."""
    found = {}
    for name in power.names:
        variable = "delta_nonu" if name.endswith("_cb") else None
        k, z, table = data.get_linear_matter_power_spectrum(
            variable, variable, hubble_units=False, k_hunit=False, nonlinear=name == "pk_nl"
        )
        rows = _rows(np.array(power.z), np.asarray(z))
        found[name] = np.concatenate([_interpolated(data, k, table[i], np.array(power.k)) for i in rows])
    return found


def read_background(data: Any, background: Background) -> dict[str, Float[np.ndarray, " z"]]:
    """Functions of redshift; TheoryError for a species without density."""
    z = np.array(background.z)
    return {name: np.asarray(_function(data, name, z), dtype=np.float64) for name in background.names}


def _function(data: Any, name: str, z: np.ndarray) -> np.ndarray:
    if name in METHODS:
        return METHODS[name](data, z)
    species = DENSITIES[name.removeprefix("rho_").removeprefix("Omega_").removesuffix("_z")]
    a = 1 / (1 + z)
    # CAMB gives 8 pi G a^4 rho / c^2
    density = data.get_background_densities(a, [species])[species] / (3 * a**4)
    if not np.any(density > 0):
        raise TheoryError(f"no '{name}' in this cosmology: its density is zero")
    return density / METHODS["rho_crit"](data, z) if name.startswith("Omega_") else density


def _interpolated(data: Any, k: np.ndarray, row: np.ndarray, wanted: np.ndarray) -> np.ndarray:
    spline = CubicSpline(np.log(k), np.log(row))
    inside = np.maximum(wanted, k[0])
    values = np.exp(spline(np.log(inside)))
    # far outside the horizon the transfer function is 1, and P(k) ~ k times the primordial spectrum
    primordial = data.Params.scalar_power
    return values * (wanted * primordial(wanted)) / (inside * primordial(inside))


def _rows(wanted: np.ndarray, z: np.ndarray) -> list[int]:
    """Where the redshifts asked for stand among those that were computed."""
    return [int(np.argmin(np.abs(z - value))) for value in wanted]


def _at(data: Any, z: np.ndarray, values: np.ndarray) -> np.ndarray:
    """CAMB's own redshifts are all that was asked for, from early to late."""
    return values[_rows(z, np.array(data.Params.Transfer.PK_redshifts[: len(values)]))]
