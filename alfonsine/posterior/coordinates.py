r"""A smooth one-to-one map between whitened, unbounded z and the parameters theta.

.. math:: z \;\to\; u = m + L z \;\to\; \theta_i = u_i + s_i\,[\zeta(-a_i) - \zeta(b_i)], \qquad
   a = (u - l)/s,\; b = (u - h)/s,\; \zeta(x) = \ln(1 + e^x).

The second step is a soft edge: the identity up to exp(-distance/s) away from the edges l and h, and never across
them. A sampler in z therefore meets no wall, and a parameter whose edges are far away is plainly affine.
Infinite edges need no special case: their terms are exact zeros.
"""

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
from jax.scipy.linalg import solve_triangular
from jaxtyping import Array, Float

# Softness of an edge in units of the posterior's width: 1/2 keeps an edge 20 sigma away exactly invisible in
# 64 bits, and turns a density cut in its middle into one whose two sides have comparable widths.
SOFTNESS = 0.5

Vector = Float[Array | np.ndarray, " d"]


class Coordinates(eqx.Module):
    """The map z -> theta; every field is an array, so that a new centre or covariance recompiles nothing.

    lower, upper  (d,) hard edges, infinite where there is none                     [units of theta]
    softness      (d,) length s over which an edge is felt                           [units of theta]
    mean          (d,) centre m of u                                                 [units of theta]
    cholesky      (d, d) lower factor L of the covariance of u                       [units of theta]
    """

    lower: Float[Array, " d"]
    upper: Float[Array, " d"]
    softness: Float[Array, " d"]
    mean: Float[Array, " d"]
    cholesky: Float[Array, "d d"]

    @classmethod
    def of(cls, lower: Vector, upper: Vector, centre: Vector, scale: Vector) -> "Coordinates":
        """Coordinates around one point, with one width per parameter and no correlations.

        A width above that of the flat density on the box, (h - l)/sqrt(12), is lowered to it; a centre on or
        beyond an edge is moved inside.
        """
        return _around(*(jnp.asarray(x, float) for x in (lower, upper, centre, scale)))

    @classmethod
    def of_samples(cls, lower: Vector, upper: Vector, theta: Float[Array | np.ndarray, "n d"]) -> "Coordinates":
        """Coordinates in which these samples have mean zero and unit covariance (n well above d)."""
        theta = jnp.asarray(theta)
        rough = cls.of(lower, upper, jnp.mean(theta, axis=0), jnp.std(theta, axis=0))
        return _standardise(rough, theta)

    @property
    def dimension(self) -> int:
        """Number of parameters d."""
        return self.mean.shape[0]

    def whitened(self, mean: Float[Array, " d"], covariance: Float[Array, "d d"]) -> "Coordinates":
        """The same edges, with a new mean and covariance of *z* absorbed into the affine step."""
        cholesky = self.cholesky @ jnp.linalg.cholesky(covariance)
        return Coordinates(self.lower, self.upper, self.softness, self.mean + self.cholesky @ mean, cholesky)

    def theta(self, z: Vector) -> Float[Array, " d"]:
        """Parameters at z."""
        u = self.mean + self.cholesky @ z
        below, above = (u - self.lower) / self.softness, (u - self.upper) / self.softness
        # clip(u) + ... is the formula above, arranged so that nothing cancels beyond an edge
        soft = jnp.log1p(jnp.exp(-jnp.abs(below))) - jnp.log1p(jnp.exp(-jnp.abs(above)))
        # the sum can round to just outside; max and min rather than clip, whose gradient is split at a tie
        theta = jnp.minimum(jnp.maximum(u, self.lower), self.upper) + self.softness * soft
        return jnp.where(theta < self.lower, self.lower, jnp.where(theta > self.upper, self.upper, theta))

    def z(self, theta: Vector) -> Float[Array, " d"]:
        """Whitened coordinates of a point inside the edges (infinite on an edge)."""
        u = _harden(theta, self.lower, self.upper, self.softness)
        return solve_triangular(self.cholesky, u - self.mean, lower=True)

    def log_jacobian(self, z: Vector) -> Float[Array, ""]:
        r"""Log volume factor.

        .. math:: \ln|\partial\theta/\partial z| = \sum_i \ln L_{ii} + \ln\sigma(a_i) + \ln\sigma(-b_i)
           + \ln(1 - e^{-(h_i-l_i)/s_i}), \quad \sigma(x) = 1/(1+e^{-x})
        """
        u = self.mean + self.cholesky @ z
        width = (self.upper - self.lower) / self.softness
        edges = (
            _log_sigmoid((u - self.lower) / self.softness)
            + _log_sigmoid((self.upper - u) / self.softness)
            + jnp.log(-jnp.expm1(-width))
        )
        return jnp.sum(edges + jnp.log(jnp.diag(self.cholesky)))


@jax.jit
def _around(
    lower: Float[Array, " d"], upper: Float[Array, " d"], centre: Float[Array, " d"], scale: Float[Array, " d"]
) -> Coordinates:
    scale = jnp.minimum(scale, (upper - lower) / jnp.sqrt(12.0))
    centre = jnp.clip(centre, lower + 0.01 * scale, upper - 0.01 * scale)
    softness = SOFTNESS * scale
    return Coordinates(lower, upper, softness, _harden(centre, lower, upper, softness), jnp.diag(scale))


@jax.jit
def _standardise(rough: Coordinates, theta: Float[Array, "n d"]) -> Coordinates:
    z = jax.vmap(rough.z)(theta)
    return rough.whitened(jnp.mean(z, axis=0), jnp.cov(z.T).reshape(rough.dimension, rough.dimension))


def _harden(
    theta: Float[Array, " d"], lower: Float[Array, " d"], upper: Float[Array, " d"], softness: Float[Array, " d"]
) -> Float[Array, " d"]:
    """The inverse of the soft edges: u of theta."""
    return theta + softness * (
        jnp.log(-jnp.expm1((lower - theta) / softness)) - jnp.log(-jnp.expm1((theta - upper) / softness))
    )


def _log_sigmoid(x: Float[Array, " d"]) -> Float[Array, " d"]:
    # written out because jax.nn.log_sigmoid has no gradient at infinity, where absent edges sit
    return jnp.minimum(x, 0.0) - jnp.log1p(jnp.exp(-jnp.abs(x)))
