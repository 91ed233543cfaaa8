"""Functions of redshift of CLASS's thermodynamics."""

from collections.abc import Mapping
from typing import Any

import numpy as np
from jaxtyping import Float
from scipy.interpolate import CubicSpline

from alfonsine.errors import InputError
from alfonsine.theory.grids import Thermodynamics
from alfonsine.theory.theory import TheoryError

COLUMNS = {
    "x_e": "x_e",
    "visibility": "g [Mpc^-1]",
    "exp_m_kappa": "exp(-kappa)",
    "kappa_prime": "kappa' [Mpc^-1]",
    "c_b2": "c_b^2",
    "T_b": "Tb [K]",
    "w_b": "w_b",
}
Z_INITIAL = 5e6  # CLASS's thermo_z_initial, where its table begins


def check_thermodynamics(thermodynamics: Thermodynamics, settings: Mapping[str, Any]) -> None:
    """InputError for a redshift before CLASS's table begins."""
    first = float(settings.get("thermo_z_initial", Z_INITIAL))
    if thermodynamics.z[-1] > first:
        raise InputError(
            f"axis 'z': expected redshifts of at most {first:g} in thermodynamics, got {thermodynamics.z[-1]:g}"
        )


def read_thermodynamics(
    cosmo: Any, thermodynamics: Thermodynamics, settings: Mapping[str, Any]
) -> dict[str, Float[np.ndarray, " z"]]:
    """The functions of a computed `classy.Class`, by a cubic spline in z as CLASS itself interpolates them."""
    z = np.array(thermodynamics.z)
    table = cosmo.get_thermodynamics()
    if z[-1] > table["z"][-1]:
        raise TheoryError(f"CLASS's thermodynamics begins at z = {table['z'][-1]:g}, asked for z = {z[-1]:g}")
    # reionisation with corners: there CLASS interpolates linearly, and so do we
    form = settings.get("reio_parametrization", "")
    corners = {"reio_half_tanh": 2 * _z_reio(cosmo), "reio_inter": 50.0}.get(str(form), 0.0)
    found = {}
    for name in thermodynamics.names:
        column = table[COLUMNS[name]]
        smooth = CubicSpline(table["z"], column)(z)
        found[name] = np.where(z < corners, np.interp(z, table["z"], column), smooth)
    return found


def _z_reio(cosmo: Any) -> float:
    return float(cosmo.get_current_derived_parameters(["z_reio"])["z_reio"])
