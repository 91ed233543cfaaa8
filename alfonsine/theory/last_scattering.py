r"""The angle of the sound horizon at last scattering as Planck and DESI mean it, from CLASS.

.. math:: \theta_* = r_s(z_*) / D_M(z_*), \qquad \kappa(z_*) - \tau_{reio} = 1

CLASS's own z_star is where the whole optical depth is one, reionisation included; that moves its theta_star by 0.5 %,
twenty times Planck's error. Definition: Planck 2013 XVI, arXiv:1303.5076, section 2.2; as CAMB's `thetastar`.
"""

from typing import Any

import numpy as np
from scipy.interpolate import CubicSpline

WINDOW = (0.1, 10.0)  # optical depths between which it is inverted


def theta_star(cosmo: Any) -> float:
    """The angle, in rad, of a `classy.Class` computed up to its thermodynamics."""
    plasma = cosmo.get_thermodynamics()
    with np.errstate(divide="ignore"):
        depth = -np.log(plasma["exp(-kappa)"]) - cosmo.tau_reio()
    near = (depth > WINDOW[0]) & (depth < WINDOW[1]) & (plasma["z"] > 500)
    order = np.argsort(depth[near])
    z = float(np.exp(CubicSpline(np.log(depth[near][order]), np.log(plasma["z"][near][order]))(0.0)))
    background = cosmo.get_background()
    x = -np.log1p(background["z"])
    horizon = float(CubicSpline(x, background["comov.snd.hrz."])(-np.log1p(z)))
    return horizon / ((1 + z) * float(cosmo.angular_distance(z)))
