r"""Exact physics, factored out before anything is learned.

The power spectra of linear theory are proportional to the primordial amplitude, and reionisation damps the
anisotropies on small scales by :math:`e^{-2\tau}`. What remains after division varies far less.
"""

from collections.abc import Sequence

import equinox as eqx
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float

LOG_AMPLITUDE = ("logA", "ln10^{10}A_s", "ln_A_s_1e10", "ln10^10A_s")
AMPLITUDE = ("A_s", "10^9A_s", "A_s_1e9")
OPTICAL_DEPTH = ("tau_reio", "tau")
DAMPED = ("tt", "te", "ee", "bb")
PROPORTIONAL = (*DAMPED, "pp", "tp", "ep")


class Scaling(eqx.Module):
    r"""One factor :math:`s(\theta) = \prod_i (\theta_i/\theta^0_i)^{p_i} e^{b_i(\theta_i-\theta^0_i)}`.

    origin   (d,) point at which the factor is one
    slope    (d,) b, exponents of parameters that enter as an exponential
    power    (d,) p, exponents of parameters that enter as a power
    """

    origin: Float[Array, " d"]
    slope: Float[Array, " d"]
    power: Float[Array, " d"]

    @classmethod
    def of(cls, spectrum: str, names: Sequence[str], origin: Float[np.ndarray, " d"]) -> "Scaling":
        """The factor that is exact for this spectrum as a function of the named inputs; one where none is known."""
        slope, power = np.zeros(len(names)), np.zeros(len(names))
        for i, name in enumerate(names):
            if spectrum in PROPORTIONAL and name in LOG_AMPLITUDE:
                slope[i] = 1.0
            if spectrum in PROPORTIONAL and name in AMPLITUDE:
                power[i] = 1.0
            if spectrum in DAMPED and name in OPTICAL_DEPTH:
                slope[i] = -2.0
        return cls(jnp.asarray(origin), jnp.asarray(slope), jnp.asarray(power))

    def at(self, theta: Float[np.ndarray, "n d"]) -> Float[np.ndarray, " n"]:
        """The same for a training set, without compiling anything for its length."""
        origin, slope, power = (np.asarray(x) for x in (self.origin, self.slope, self.power))
        used = power != 0
        ratio = np.log(np.where(used, theta / np.where(used, origin, 1.0), 1.0))
        return np.exp((theta - origin) @ slope + ratio @ power)

    def __call__(self, theta: Float[Array, " d"]) -> Float[Array, ""]:
        """Evaluate the factor at one point."""
        used = self.power != 0
        ratio = jnp.where(used, theta / jnp.where(used, self.origin, 1.0), 1.0)
        return jnp.exp(self.slope @ (theta - self.origin) + self.power @ jnp.log(ratio))
