r"""The evidence of a sampled density by importance sampling.

The proposal q is a multivariate Student t with the mean and covariance of the samples in edge-free coordinates z: its
tails are heavier than those of any posterior in z, so that the weights w = p/q have a variance.

.. math:: \hat Z = \frac1n\sum_i w_i, \qquad \sigma(\ln\hat Z) \approx
   \frac{1}{\hat Z}\sqrt{\frac{\sum_i (w_i - \hat Z)^2}{n(n-1)}}, \qquad {\rm ESS} = \frac{(\sum w)^2}{\sum w^2}
"""

from collections.abc import Callable
from dataclasses import dataclass

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
from jax.scipy.special import gammaln
from jaxtyping import Array, Float, PRNGKeyArray

from alfonsine.posterior.coordinates import Coordinates
from alfonsine.posterior.generator import generator

DEGREES = 5  # of freedom of the proposal: heavy enough for a curved posterior, light enough for ten parameters


@dataclass(frozen=True)
class Evidence:
    """ln Z with its standard error, and how good the proposal was.

    log_evidence  ln of the integral of exp(log_density) over theta
    error         standard error of log_evidence; not to be believed where ess is below a few hundred
    ess           effective number of proposals
    proposals     number of proposals
    theta         (n, d) proposals, a weighted sample of the density
    log_weights   (n,) ln w
    """

    log_evidence: float
    error: float
    ess: float
    proposals: int
    theta: Float[np.ndarray, "n d"]
    log_weights: Float[np.ndarray, " n"]


def importance_evidence(
    log_density: Callable, coordinates: Coordinates, key: PRNGKeyArray, *, proposals: int = 20_000
) -> Evidence:
    """Evidence of `log_density`, with coordinates that whiten it: `Coordinates.of_samples` of its posterior."""
    normal = generator(key).normal(size=(proposals, coordinates.dimension + DEGREES))
    theta, log_weights = (np.asarray(x) for x in _weigh(log_density, coordinates, jnp.asarray(normal)))
    log_weights = np.where(np.isnan(log_weights), -np.inf, log_weights)
    top = np.max(log_weights)
    weight = np.exp(log_weights - top)
    mean = np.mean(weight)
    return Evidence(
        log_evidence=float(top + np.log(mean)),
        error=float(np.std(weight, ddof=1) / mean / np.sqrt(proposals)),
        ess=float(np.sum(weight) ** 2 / np.sum(weight**2)),
        proposals=proposals,
        theta=theta,
        log_weights=log_weights,
    )


@eqx.filter_jit
def _weigh(
    log_density: Callable, coordinates: Coordinates, normal: Float[Array, "n normals"]
) -> tuple[Float[Array, "n d"], Float[Array, " n"]]:
    d = coordinates.dimension
    chi2 = jnp.sum(normal[:, d:] ** 2, axis=1, keepdims=True)
    z = normal[:, :d] * jnp.sqrt(DEGREES / chi2)
    log_q = (
        gammaln(0.5 * (DEGREES + d))
        - gammaln(0.5 * DEGREES)
        - 0.5 * d * jnp.log(DEGREES * jnp.pi)
        - 0.5 * (DEGREES + d) * jnp.log1p(jnp.sum(z**2, axis=1) / DEGREES)
    )
    theta = jax.vmap(coordinates.theta)(z)
    log_p = jax.vmap(log_density)(theta) + jax.vmap(coordinates.log_jacobian)(z)
    return theta, log_p - log_q
