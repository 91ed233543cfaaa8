"""Functions of redshift of CLASS's background."""

from collections.abc import Callable
from typing import Any

import numpy as np
from jaxtyping import Float
from scipy.interpolate import CubicSpline

from alfonsine.theory.grids import BACKGROUND, LIGHT, OF_THE_DRAG_HORIZON, Background
from alfonsine.theory.theory import TheoryError

NEEDS_MATTER_POWER = {"sigma8_z", "f_sigma8"}
# our name -> method of Class that evaluates its own splines at z
METHODS: dict[str, Callable[[Any, np.ndarray], np.ndarray]] = {
    "H": lambda cosmo, z: LIGHT * cosmo.Hubble(z),
    "D_A": lambda cosmo, z: cosmo.angular_distance(z),
    "D_L": lambda cosmo, z: cosmo.luminosity_distance(z),
    "comoving_distance": lambda cosmo, z: cosmo.comoving_distance(z),
    "D": lambda cosmo, z: cosmo.scale_independent_growth_factor(z),
    "f": lambda cosmo, z: cosmo.scale_independent_growth_factor_f(z),
    "sigma8_z": lambda cosmo, z: np.atleast_1d(cosmo.sigma(8.0, z, h_units=True)),
    "f_sigma8": lambda cosmo, z: cosmo.scale_independent_growth_factor_f(z) * METHODS["sigma8_z"](cosmo, z),
    "rho_crit": lambda cosmo, z: cosmo.Hubble(z) ** 2,
    "Omega_m_z": lambda cosmo, z: cosmo.Om_m(z),
    "Omega_b_z": lambda cosmo, z: cosmo.Om_b(z),
    "mu": lambda cosmo, z: 5 * np.log10(cosmo.luminosity_distance(z)) + 25,
    **{
        name: lambda cosmo, z, of=function: of(z, METHODS["H"](cosmo, z), cosmo.angular_distance(z), cosmo.rs_drag())
        for name, function in OF_THE_DRAG_HORIZON.items()
    },
}
# our name -> column of Class.get_background; those of several species of neutrinos are summed
COLUMNS = {
    "time": "proper time [Gyr]",
    "conformal_time": "conf. time [Mpc]",
    "sound_horizon": "comov.snd.hrz.",
    "w_fld": "(.)w_fld",
    "Omega_r_z": "Omega_r(z)",
    **{name: f"(.){name}" for name in BACKGROUND if name.startswith("rho_") and name not in METHODS},
}


def absent(cosmo: Any, background: Background) -> str:
    """The first name that this cosmology has not (a species without density); empty where it has all."""
    if not any(_column(name) for name in background.names):
        return ""
    columns = cosmo.get_background()
    return next((name for name in background.names if _column(name) and not _parts(columns, _column(name))), "")


def read_background(cosmo: Any, background: Background) -> dict[str, Float[np.ndarray, " z"]]:
    """The functions of a computed `classy.Class`; TheoryError for a species that it has not."""
    z = np.array(background.z)
    columns = cosmo.get_background() if any(_column(name) for name in background.names) else {}
    return {name: _values(cosmo, columns, name, z) for name in background.names}


def _column(name: str) -> str:
    """The column that a function is read from; empty where a method of Class gives it."""
    if name in METHODS:
        return ""
    if name in COLUMNS:
        return COLUMNS[name]
    return f"(.)rho_{name.removeprefix('Omega_').removesuffix('_z')}"


def _parts(columns: dict[str, np.ndarray], column: str) -> list[np.ndarray]:
    """The columns of one species: one, or as many as there are kinds of massive neutrinos."""
    return [values for name, values in columns.items() if name == column or name.startswith(f"{column}[")]


def _values(cosmo: Any, columns: dict[str, np.ndarray], name: str, z: np.ndarray) -> np.ndarray:
    if name in METHODS:
        return np.asarray(METHODS[name](cosmo, z), dtype=np.float64)
    parts = _parts(columns, _column(name))
    if not parts:
        raise TheoryError(f"no '{name}' in this cosmology: its density is zero")
    table = np.sum(parts, axis=0)
    # from early to late, as CLASS's own variable ln a; the densities span a hundred decades, their slopes do not
    x = -np.log1p(columns["z"])
    positive = bool(np.all(table > 0))
    spline = CubicSpline(x, np.log(table) if positive else table)
    values = spline(-np.log1p(z))
    values = np.exp(values) if positive else values
    return values / cosmo.Hubble(z) ** 2 if name.startswith("Omega_") and name not in COLUMNS else values
