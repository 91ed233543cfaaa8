r"""The built-in mock CMB experiment: Planck-like, with data that come with the package.

Noise of T and E from the beams and map noise of the 100, 143 and 217 GHz channels (Planck 2018 I,
arXiv:1807.06205, Table 4), weighted by inverse variance, sigma in muK rad and FWHM theta in rad:

.. math:: 1 / N_l = \sum_c \sigma_c^{-2} \exp\left(-l (l + 1) \theta_c^2 / 8 \ln 2\right)

White noise alone would measure tau twice as well as Planck did, whose largest scales are limited by
systematics in polarization. So N^EE is raised by 1 + (20 / l)^2: a choice made here, not a published
figure. With f_sky = 0.57 the expected errors of the six parameters of flat LCDM are then 0.8 to 1.1 times
those of Planck 2018 TT, TE, EE + lowE.

Band powers are D_l averaged over bins with weights 2 l + 1; Wishart form. They include the noise, and were
drawn at the cosmology, and with the seed, that head `mock_cmb.txt`.
"""

from importlib.resources import files

import jax.numpy as jnp
import numpy as np
from jaxtyping import Float, Int

from alfonsine.errors import InputError
from alfonsine.likelihood.band_likelihood import BandLikelihood, DataPoints
from alfonsine.likelihood.binning import Binning, Windows, contiguous
from alfonsine.likelihood.wishart import wishart

NAME = "mock_cmb"
L_MAX = 2500
F_SKY = 0.57
BEAM_ARCMIN = np.array([9.66, 7.22, 4.90])  # FWHM at 100, 143, 217 GHz
NOISE_T = np.array([1.29, 0.55, 0.78])  # muK deg
NOISE_E = np.array([1.96, 1.17, 1.75])  # muK deg
RED_NOISE_L = 20.0
SPECTRA = ("tt", "te", "ee")
CHOICES = {"TT": ("tt",), "EE": ("ee",), "TTTEEE": SPECTRA}


def mock_cmb(spectra: str = "TTTEEE") -> BandLikelihood:
    """The mock experiment with T and E, or one of them. (TE alone has no Wishart form.)"""
    if spectra not in CHOICES:
        raise InputError(f"{NAME}: expected spectra: one of {', '.join(CHOICES)}, got '{spectra}'")
    rows = [SPECTRA.index(name) for name in CHOICES[spectra]]
    table = read_data()
    data, noise = table[:, 2:5].T, noise_bands()
    ell = binning().mean(np.arange(2.0, L_MAX + 1))
    error = errors(data)
    return BandLikelihood(
        name=NAME,
        windows=Windows(CHOICES[spectra], (binning(),) * len(rows)),
        form=wishart(data[rows], noise[rows], modes()),
        points={
            SPECTRA[i]: DataPoints(
                jnp.asarray(ell), jnp.asarray((data - noise)[i]), jnp.asarray(error[i]), jnp.ones(ell.size)
            )
            for i in rows
        },
    )


def read_data() -> Float[np.ndarray, "bin 8"]:
    """Columns l_first, l_last, drawn TT, TE, EE, expected TT, TE, EE (without noise) of the data file."""
    text = files("alfonsine.likelihood").joinpath("mock_cmb.txt").read_text(encoding="utf-8")
    return np.loadtxt(text.splitlines())


def edges() -> tuple[Int[np.ndarray, " bin"], Int[np.ndarray, " bin"]]:
    """First and last l of each bin: every l below 30, then steps of 10, 20 (from 200), 50 (from 1500)."""
    steps = [np.arange(2, 30), np.arange(30, 200, 10), np.arange(200, 1500, 20), np.arange(1500, L_MAX, 50)]
    first = np.concatenate(steps)
    return first, np.append(first[1:] - 1, L_MAX)


def binning() -> Binning:
    """Average of D_l with weights 2 l + 1."""
    first, last = edges()
    ell = np.arange(2, L_MAX + 1)
    share = (2 * ell + 1) / np.repeat(_multipoles(), last - first + 1)
    return contiguous(first, last, share * ell * (ell + 1) / (2 * np.pi))


def modes() -> Float[np.ndarray, " bin"]:
    """Degrees of freedom nu = f_sky sum (2 l + 1)."""
    return F_SKY * _multipoles()


def noise_bands() -> Float[np.ndarray, "3 bin"]:
    """Noise of TT, TE, EE in the bands [muK^2, as D_l]. T and E have independent noise."""
    ell = np.arange(2, L_MAX + 1)
    red = 1 + (RED_NOISE_L / ell) ** 2
    b = binning()
    tt, ee = b(jnp.asarray(white_noise(NOISE_T))), b(jnp.asarray(red * white_noise(NOISE_E)))
    return np.array([tt, np.zeros(tt.size), ee])


def white_noise(sigma_deg: Float[np.ndarray, " channel"]) -> Float[np.ndarray, " l"]:
    """N_l [muK^2] for l = 2 to 2500 of the three channels with map noise sigma [muK deg]."""
    ell = np.arange(2, L_MAX + 1)
    sigma, theta = np.deg2rad(sigma_deg), np.deg2rad(BEAM_ARCMIN / 60)
    beams = np.exp(-np.outer(ell * (ell + 1), theta**2) / (8 * np.log(2)))
    return 1 / (beams @ sigma**-2)


def errors(bands: Float[np.ndarray, "3 bin"]) -> Float[np.ndarray, "3 bin"]:
    """Standard deviations of band powers TT, TE, EE whose mean, noise included, is `bands`."""
    tt, te, ee = bands
    return np.sqrt(np.array([2 * tt**2, tt * ee + te**2, 2 * ee**2]) / modes())


def _multipoles() -> Float[np.ndarray, " bin"]:
    """Sum of 2 l + 1 over each bin."""
    first, last = edges()
    return (last + 1.0) ** 2 - first**2
