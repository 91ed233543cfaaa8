"""Functions of redshift of CAMB's thermodynamics, in the names and units of all codes."""

from typing import Any

import numpy as np
from jaxtyping import Float
from scipy.interpolate import CubicSpline

from alfonsine.errors import InputError
from alfonsine.theory.grids import Thermodynamics
from alfonsine.theory.theory import TheoryError

COLUMNS = {"x_e": "x_e", "visibility": "visibility", "kappa_prime": "opacity", "T_b": "T_b"}
Z_FIRST = 1e8  # CAMB's table begins at a conformal time of 0.001 Mpc, four times earlier
FAINTEST = 1.05e-30  # below exp(-69) = 1.08e-30 CAMB writes 1e-30 for exp(-kappa)
STEP = 0.01  # in ln(1+z), of the spline through T_b


def check_thermodynamics(thermodynamics: Thermodynamics) -> None:
    """InputError for a redshift before CAMB's table begins."""
    if thermodynamics.z[-1] > Z_FIRST:
        raise InputError(
            f"axis 'z': expected redshifts of at most {Z_FIRST:g} in thermodynamics of CAMB, "
            f"got {thermodynamics.z[-1]:g}"
        )


def read_thermodynamics(data: Any, thermodynamics: Thermodynamics) -> dict[str, Float[np.ndarray, " z"]]:
    """The functions of a computed `camb.CAMBdata` with reionisation, which a run for P(k) alone leaves out.

    x_e, kappa_prime, T_b and visibility are CAMB's own columns. Then exp(-kappa) = visibility / kappa', and, by the
    definitions of CLASS (C.-P. Ma, E. Bertschinger, ApJ 455 (1995) 7, equation 68, with w for T_b),

        w_b = k_B T_b / (mu c^2),   c_b^2 = w_b (1 - d ln T_b / d ln a / 3),
        m_H / mu = 1 + (m_H / m_He - 1) Y_He + x_e (1 - Y_He).

    CAMB's own c_b^2, a `custom` output away, differs: 5/3 for 4/3 while baryons have the temperature of photons, and
    no reionisation in mu. Neither code heats the plasma when it is ionised again; CAMB's T_b does not even feel the
    new electrons, so that T_b, w_b and c_b^2 differ from CLASS below z_reio by factors. Where exp(-kappa) is smaller
    than 1e-30, it and the visibility are 0.
    """
    z = np.array(thermodynamics.z)
    table = data.get_background_redshift_evolution(z)
    if np.any(table["opacity"] <= 0):  # zeros, without a word
        raise TheoryError(f"CAMB's thermodynamics begins after z = {z[table['opacity'] <= 0][0]:g}")
    unscattered = table["visibility"] / table["opacity"]
    seen = unscattered > FAINTEST
    found = {name: table[column] for name, column in COLUMNS.items()}
    found["exp_m_kappa"] = np.where(seen, unscattered, 0.0)
    found["visibility"] = np.where(seen, table["visibility"], 0.0)
    found["w_b"] = _pressure(data.Params.YHe, table["x_e"], table["T_b"])
    if "c_b2" in thermodynamics.names:
        found["c_b2"] = found["w_b"] * (1 + _slope(data, z) / 3)
    return {name: np.asarray(found[name], dtype=np.float64) for name in thermodynamics.names}


def _pressure(helium: float, x_e: np.ndarray, temperature: np.ndarray) -> np.ndarray:
    from camb import constants

    particles = 1 + (1 / constants.mass_ratio_He_H - 1) * helium + x_e * (1 - helium)
    return constants.k_B / (constants.m_H * constants.c**2) * particles * temperature


def _slope(data: Any, z: np.ndarray) -> np.ndarray:
    """Slope d ln T_b / d ln(1+z)."""
    last = np.log1p(z[-1])
    nodes = np.linspace(0.0, last + 0.1, int((last + 0.1) / STEP) + 4)
    temperatures = data.get_background_redshift_evolution(np.expm1(nodes), ["T_b"])["T_b"]
    return CubicSpline(nodes, np.log(temperatures))(np.log1p(z), 1)
