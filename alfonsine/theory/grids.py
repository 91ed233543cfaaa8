"""What may be asked of a code on grids of wavenumbers and redshifts: names, units, and the grids themselves.

Names mean the same for every code. `z` suffixes tell a function of redshift from the number of today that bears
the same name (sigma8, Omega_m).
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, ClassVar, Literal

import numpy as np

from alfonsine.errors import InputError, nearest
from alfonsine.theory.output import Axis, Output

POWER = {
    "pk_lin": "linear matter power spectrum",
    "pk_nl": "non-linear matter power spectrum",
    "pk_lin_cb": "linear, cold dark matter and baryons only",
    "pk_nl_cb": "non-linear, cold dark matter and baryons only",
}
LIGHT = 299792.458  # km/s
# functions of the expansion and of the sound horizon at drag (Mpc): from z, H (km/s/Mpc), D_A (Mpc), rs
OF_THE_DRAG_HORIZON: dict[str, Callable[..., np.ndarray]] = {
    "DM_over_rs": lambda z, H, D_A, rs: (1 + z) * D_A / rs,
    "DH_over_rs": lambda z, H, D_A, rs: LIGHT / H / rs,
    "DV_over_rs": lambda z, H, D_A, rs: np.cbrt(z * ((1 + z) * D_A) ** 2 * LIGHT / H) / rs,
    "H_rs": lambda z, H, D_A, rs: H * rs,
}
SPECIES = ("g", "b", "cdm", "idm", "ncdm", "ur", "idr", "lambda", "fld", "scf", "dcdm", "dr")
# name -> unit
BACKGROUND = {
    "H": "km/s/Mpc",  # expansion rate
    "D_A": "Mpc",  # angular diameter distance
    "D_L": "Mpc",  # luminosity distance
    "comoving_distance": "Mpc",  # along the line of sight
    "time": "Gyr",  # proper time since the beginning
    "conformal_time": "Mpc",
    "sound_horizon": "Mpc",  # comoving
    "D": "",  # linear growth, 1 today, without scale dependence
    "f": "",  # d ln D / d ln a
    "sigma8_z": "",  # linear fluctuation in spheres of 8 Mpc/h
    "f_sigma8": "",  # growth rate times sigma8_z
    "DM_over_rs": "",  # comoving angular diameter distance D_M = (1 + z) D_A in units of the sound horizon at drag
    "DH_over_rs": "",  # the same of D_H = c / H
    "DV_over_rs": "",  # the same of D_V = (z D_M^2 D_H)^(1/3)
    "H_rs": "km/s",  # H times the sound horizon at drag
    "mu": "",  # distance modulus 5 log10(D_L / Mpc) + 25
    "w_fld": "",  # equation of state of the fluid
    "Omega_m_z": "",  # density over critical density at z: matter, radiation, and each species
    "Omega_r_z": "",
    **{f"Omega_{species}_z": "" for species in SPECIES},
    "rho_crit": "1/Mpc^2",  # 8 pi G rho / 3 c^2, so that rho_crit = (H/c)^2
    "rho_tot": "1/Mpc^2",
    **{f"rho_{species}": "1/Mpc^2" for species in SPECIES},
}
THERMODYNAMICS = {
    "x_e": "",  # free electrons for each hydrogen nucleus
    "visibility": "1/Mpc",  # g = kappa' exp(-kappa)
    "exp_m_kappa": "",  # exp(-kappa), kappa the optical depth from today to z
    "kappa_prime": "1/Mpc",  # rate of Thomson scattering, with respect to conformal time
    "c_b2": "",  # squared sound speed of baryons over c^2
    "T_b": "K",  # temperature of baryons
    "w_b": "",  # equation of state of baryons
}


def spaced(
    name: str, minimum: float, maximum: float, number: int, spacing: Literal["log", "linear"] = "log"
) -> tuple[float, ...]:
    """A grid of `number` values from `minimum` to `maximum`, both included exactly.

    Logarithmic means uniform in the logarithm, and for redshifts in ln(1+z), so that z = 0 may be part of it.
    """
    if number < 2 or not minimum < maximum:
        raise InputError(
            f"expected {name} from min to a larger max in at least 2 values, got {number} "
            f"from {minimum:g} to {maximum:g}"
        )
    if spacing == "linear":
        values = np.linspace(minimum, maximum, number)
    elif name != "z":
        if minimum <= 0:
            raise InputError(f"expected a positive min of {name} for logarithmic spacing, got {minimum:g}; try 1e-4")
        values = np.geomspace(minimum, maximum, number)
    else:
        if minimum <= -1:
            raise InputError(f"expected a min of z above -1, got {minimum:g}; try 0")
        values = np.expm1(np.linspace(np.log1p(minimum), np.log1p(maximum), number))
    values[0], values[-1] = minimum, maximum  # the ends are meant, not what rounding makes of them
    return tuple(values.tolist())


def known(name: str, names: Any, what: str) -> None:
    """InputError for a name that is not among `names`, with the nearest of them."""
    if name not in names:
        raise InputError(f"expected {what}, got '{name}'; {nearest(name, names)}")


def redshifts(z: tuple[float, ...]) -> Axis:
    """The axis z; InputError unless it increases from 0 or more."""
    axis = Axis("z", "", z)
    if z[0] < 0:
        raise InputError(f"axis 'z': expected redshifts of 0 or more, got {z[0]:g}")
    return axis


@dataclass(frozen=True)
class MatterPower:
    """Power spectra P(k, z) [Mpc^3]: surfaces over redshift (first axis) and wavenumber [1/Mpc]."""

    names: tuple[str, ...]
    k: tuple[float, ...]
    z: tuple[float, ...]

    def __post_init__(self) -> None:
        if not self.names:
            raise InputError(f"expected names of matter power spectra, got none; known: {', '.join(POWER)}")
        for name in self.names:
            known(name, POWER, "a matter power spectrum")
        if self.axes[1].values[0] <= 0:
            raise InputError(f"axis 'k': expected positive wavenumbers, got {self.k[0]:g}")

    @property
    def axes(self) -> tuple[Axis, Axis]:
        """Redshift and wavenumber."""
        return redshifts(self.z), Axis("k", "1/Mpc", self.k)

    @property
    def nonlinear(self) -> tuple[str, ...]:
        """Those of the names that need a non-linear method."""
        return tuple(name for name in self.names if name.startswith("pk_nl"))

    @property
    def without_neutrinos(self) -> tuple[str, ...]:
        """Those of the names that leave massive neutrinos out."""
        return tuple(name for name in self.names if name.endswith("_cb"))

    def outputs(self) -> dict[str, Output]:
        """Name -> unit and axes."""
        return {name: Output(name, "Mpc^3", self.axes) for name in self.names}

    def identity(self) -> dict[str, Any]:
        """Plain values."""
        return {"outputs": list(self.names), "k": list(self.k), "z": list(self.z)}


@dataclass(frozen=True)
class _OfRedshift:
    names: tuple[str, ...]
    z: tuple[float, ...]
    units: ClassVar[dict[str, str]] = {}
    what: ClassVar[str] = ""

    def __post_init__(self) -> None:
        if not self.names:
            raise InputError(f"expected {self.what}, got none; known: {', '.join(self.units)}")
        for name in self.names:
            known(name, self.units, self.what)
        redshifts(self.z)

    def outputs(self) -> dict[str, Output]:
        """Name -> unit and axes."""
        axes = (redshifts(self.z),)
        return {name: Output(name, self.units[name], axes) for name in self.names}

    def identity(self) -> dict[str, Any]:
        """Plain values."""
        return {"outputs": list(self.names), "z": list(self.z)}


@dataclass(frozen=True)
class Background(_OfRedshift):
    """Functions of redshift of the homogeneous universe, see `BACKGROUND`."""

    units: ClassVar[dict[str, str]] = BACKGROUND
    what: ClassVar[str] = "a background function"

    def __post_init__(self) -> None:
        super().__post_init__()
        if "mu" in self.names and self.z[0] <= 0:
            raise InputError(f"axis 'z': expected redshifts above 0 for mu, a logarithm of distance, got {self.z[0]:g}")


@dataclass(frozen=True)
class Thermodynamics(_OfRedshift):
    """Functions of redshift of the plasma, see `THERMODYNAMICS`."""

    units: ClassVar[dict[str, str]] = THERMODYNAMICS
    what: ClassVar[str] = "a thermodynamics function"
