"""A flattened target: draws from it are wider than the posterior and hedge against mass where it has none."""

from collections.abc import Callable

import equinox as eqx
import jax.numpy as jnp
from jaxtyping import Array, Float


class Tempered(eqx.Module):
    r"""Log density with the likelihood flattened by a temperature T, the prior left as it is.

    .. math:: \ln p_T(\theta) = \ln\pi(\theta) + \frac{\ln p(\theta) - \ln\pi(\theta)}{T}

    With the prior kept, edges stay edges and a parameter that only the prior constrains (a calibration, say) is not
    thrown about. With `log_prior = None` everything is flattened: ln p / T.
    Prior and posterior as in `ParameterSpace.log_prior`: minus infinity outside.
    """

    log_density: Callable[[Float[Array, " d"]], Float[Array, ""]]
    temperature: Float[Array, ""] = eqx.field(converter=lambda t: jnp.asarray(t, float))
    log_prior: Callable[[Float[Array, " d"]], Float[Array, ""]] | None = None

    def __call__(self, theta: Float[Array, " d"]) -> Float[Array, ""]:
        """Tempered log density at one point, not normalised."""
        value = self.log_density(theta)
        if self.log_prior is None:
            return value / self.temperature
        prior = self.log_prior(theta)
        # outside the prior, where both are -inf, their difference is not a number
        finite = jnp.where(jnp.isfinite(prior), prior, 0.0)
        return jnp.where(jnp.isfinite(prior), finite + (value - finite) / self.temperature, -jnp.inf)
