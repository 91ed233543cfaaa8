r"""Planck's CMB as three numbers: theta_*, omega_b, and omega_bc = omega_b + omega_cdm. Built in.

The early-universe prior that DESI uses where only distances are fitted: arXiv:2503.14738, Appendix A, with the digits
of the collaboration's Cobaya files. From the CamSpec likelihood with lensing and ISW marginalised over (Lemos & Lewis,
arXiv:2302.12911). :math:`\theta_*` is in rad, and reionisation is not counted in it (`theory/last_scattering.py`).

The theory gives omega_cdm rather than the sum; the Gaussian is carried over, :math:`y = M^{-1} x`, which is exact.
"""

import jax.numpy as jnp
import numpy as np

from alfonsine.likelihood.band_likelihood import BandLikelihood, DataPoints
from alfonsine.likelihood.binning import Binning, Windows
from alfonsine.likelihood.gaussian import gaussian

NAMES = ("theta_star", "omega_b", "omega_cdm")
MEAN = np.array([0.01041027, 0.02223208, 0.14207901])
COVARIANCE = 1e-9 * np.array(
    [[0.006621, 0.12444, -1.1929], [0.12444, 21.344, -94.001], [-1.1929, -94.001, 1488.4]],
)
TO_CDM = np.array([[1.0, 0.0, 0.0], [0.0, 1.0, 0.0], [0.0, -1.0, 1.0]])  # omega_cdm = omega_bc - omega_b


def cmb_compressed() -> BandLikelihood:
    """The three-number Gaussian, normalised; no parameters of its own."""
    mean, covariance = TO_CDM @ MEAN, TO_CDM @ COVARIANCE @ TO_CDM.T
    number = Binning(jnp.arange(1), jnp.ones(1), 1)
    return BandLikelihood(
        name="cmb_compressed",
        windows=Windows(NAMES, (number,) * len(NAMES)),
        form=gaussian(mean, 0.5 * (covariance + covariance.T)),
        points={
            name: DataPoints(*(jnp.array([x]) for x in (0.0, value, error, 1.0)))
            for name, value, error in zip(NAMES, mean, np.sqrt(np.diag(covariance)), strict=True)
        },
    )
