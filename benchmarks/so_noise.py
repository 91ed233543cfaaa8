r"""Errors of the CMB spectra as the Simons Observatory's large telescope was forecast to measure them.

Source: arXiv:1808.07445, section 2.2, and the code released with it, github.com/simonsobs/so_noise_models (v3.0.x),
where all numbers below were read. Baseline sensitivity, 40 % of the sky, the channels at 93 and 145 GHz:

.. math:: N_\ell = \left[N_{red} (\ell/\ell_{knee})^{\alpha} + N_{white}\right] e^{\ell(\ell+1)\theta^2/(8\ln 2)}

In temperature N_red is the atmosphere's own, at l_knee = 1000 with alpha = -3.5 (the code's C divided by twice the
four optics tubes: 225 and 1500 muK^2 s, so that it exceeds the white part there); in polarisation it is the white part,
at l_knee = 700 with alpha = -1.4. N in muK^2 s is spread over the sky and divided by the time of observation. The red
parts of the two channels share their optics and are correlated by 0.9; the channels are combined with the weights of
least variance, without regard to foregrounds. Version 3.1 of the code corrects the atmosphere: 119 instead of 225 at
93 GHz.

The noise of the lensing reconstruction is the collaboration's own curve for the minimum-variance combination, iterated,
with l of 30..3000 in temperature and 30..5000 in polarisation: lensing_v3_1_1, deproj0, SENS1, fsky0p4, thinned to
where straight lines between logarithms are within 2 % of it.
"""

from collections.abc import Mapping

import numpy as np
from jaxtyping import Float

F_SKY = 0.4
SECONDS = 5 * 365.25 * 24 * 3600 * 0.2 * 0.85  # five years; kept after cuts; lost to uneven depth
BEAMS = np.radians(np.array([2.2, 1.4]) / 60)  # full width at half maximum at 93 and 145 GHz
WHITE = np.array([5.4, 6.7]) ** 2  # muK^2 s in temperature: 8.0 and 10 muK arcmin; twice that in polarisation
ATMOSPHERE = np.array([1800.0, 12000.0]) / 8  # muK^2 s in temperature at l = 1000
CORRELATION = 0.9
LENSING = np.array(
    [
        (2, 3.30e-8), (4, 2.92e-8), (14, 2.81e-8), (49, 2.91e-8), (73, 3.05e-8), (101, 3.29e-8), (129, 3.62e-8),
        (161, 4.12e-8), (307, 7.03e-8), (354, 7.37e-8), (513, 7.69e-8), (653, 8.65e-8), (835, 9.31e-8),
        (1468, 1.28e-7), (1785, 1.53e-7), (2090, 1.87e-7), (2508, 3.08e-7),
    ]
)  # fmt: skip
"""l and the noise of the convergence, whose spectrum is [l(l+1)]^2/4 that of the potential."""


def standard_errors(mean: Mapping[str, Float[np.ndarray, " l"]]) -> dict[str, Float[np.ndarray, " l"]]:
    r"""Standard error of tt, te, ee (muK^2) and pp at each l = 2, 3, ..., around the spectra `mean`.

    .. math:: \sigma^2(C_\ell^{XX}) = \frac{2 (C_\ell^{XX} + N_\ell^{XX})^2}{(2\ell+1) f_{sky}}, \qquad
              \sigma^2(C_\ell^{TE}) = \frac{(C_\ell^{TE})^2 + (C_\ell^{TT} + N_\ell^{TT})
              (C_\ell^{EE} + N_\ell^{EE})}{(2\ell+1) f_{sky}}
    """
    ell = np.arange(2.0, 2.0 + len(mean["tt"]))
    modes = (2 * ell + 1) * F_SKY
    tt, ee = mean["tt"] + temperature(ell), mean["ee"] + polarisation(ell)
    pp = mean["pp"] + lensing(ell)
    errors = {name: total * np.sqrt(2 / modes) for name, total in (("tt", tt), ("ee", ee), ("pp", pp))}
    return errors | {"te": np.sqrt((mean["te"] ** 2 + tt * ee) / modes)}


def temperature(ell: Float[np.ndarray, " l"]) -> Float[np.ndarray, " l"]:
    """Noise in muK^2 with the beam divided out, both channels together."""
    return combined(ell, ATMOSPHERE[:, None] * (ell / 1000) ** -3.5, WHITE)


def polarisation(ell: Float[np.ndarray, " l"]) -> Float[np.ndarray, " l"]:
    """The same of E."""
    return combined(ell, 2 * WHITE[:, None] * (ell / 700) ** -1.4, 2 * WHITE)


def combined(
    ell: Float[np.ndarray, " l"], red: Float[np.ndarray, "2 l"], white: Float[np.ndarray, " 2"]
) -> Float[np.ndarray, " l"]:
    """Least variance of a weighted mean of the two channels, whose red parts are correlated."""
    per_mode = 4 * np.pi * F_SKY / SECONDS
    beam = np.exp(-ell * (ell + 1) * BEAMS[:, None] ** 2 / (16 * np.log(2)))
    first, second = per_mode * (red + white[:, None]) / beam**2
    both = per_mode * CORRELATION * np.sqrt(red[0] * red[1]) / (beam[0] * beam[1])
    return (first * second - both**2) / (first + second - 2 * both)


def lensing(ell: Float[np.ndarray, " l"]) -> Float[np.ndarray, " l"]:
    """Noise of the spectrum of the lensing potential, l up to 2508."""
    convergence = np.exp(np.interp(np.log(ell), np.log(LENSING[:, 0]), np.log(LENSING[:, 1])))
    return 4 * convergence / (ell * (ell + 1)) ** 2
