r"""The maximum of a log density and the curvature there (Laplace's approximation).

Newton's method with a trust region in the eigenbasis of the Hessian: along eigenvector i the step is
g_i/|e_i|, no longer than the radius, so that directions of wrong curvature are still climbed. Works in whitened
coordinates, where one unit is about one standard deviation and no edge is ever met.
"""

from collections.abc import Callable

import equinox as eqx
import jax
import jax.numpy as jnp
from jaxtyping import Array, Bool, Float, Int

from alfonsine.posterior.coordinates import Coordinates

FLATTEST = 1e-2  # a curvature below this (a width above 10 units) is noise: Laplace cannot say how wide it is
FIRST_RADIUS, MAX_RADIUS = 1.0, 1e3
CONVERGED_GAIN = 1e-10  # expected further gain in ln p


class Optimum(eqx.Module):
    """A maximum and its Laplace approximation.

    theta              (d,) where the maximum is
    log_density        ln p(theta) there (without the Jacobian of the coordinates)
    covariance         (d, d) of theta, from the Hessian in z, linearised
    coordinates        the coordinates given, re-centred and re-whitened by the Laplace approximation
    log_evidence       Laplace's ln of the integral of p
    converged          the expected further gain in ln p is below 1e-10
    positive_definite  every curvature was sound; where not, a width of at most 10 units was put in its place
    iterations         Newton steps taken
    """

    theta: Float[Array, " d"]
    log_density: Float[Array, ""]
    covariance: Float[Array, "d d"]
    coordinates: Coordinates
    log_evidence: Float[Array, ""]
    converged: Bool[Array, ""]
    positive_definite: Bool[Array, ""]
    iterations: Int[Array, ""]


def find_optimum(log_density: Callable, coordinates: Coordinates, *, of: str = "z") -> Optimum:
    """Climb from z = 0, the centre of `coordinates`.

    `of="z"` maximises the density of z (Jacobian included): always inside the edges, the right centre for a sampler.
    `of="theta"` maximises the density of theta, which may sit on an edge: the best fit.
    """
    return _climb(log_density, coordinates, jnp.asarray(1.0 if of == "z" else 0.0), 200)


@eqx.filter_jit
def _climb(log_density: Callable, coordinates: Coordinates, jacobian: Float[Array, ""], max_iterations: int) -> Optimum:
    d = coordinates.dimension

    def value(z):
        return log_density(coordinates.theta(z)) + jacobian * coordinates.log_jacobian(z)

    def expand(z):
        """Value, gradient and Hessian from one trace of the gradient."""
        (f, g), (_, hessian) = jax.vmap(
            lambda v: jax.jvp(jax.value_and_grad(value), (z,), (v,)), out_axes=((None, None), 0)
        )(jnp.eye(d))
        return f, g, 0.5 * (hessian + hessian.T)

    def step(g, hessian, radius):
        """The step and the gain in ln p that the quadratic model promises for it."""
        curvature, vectors = jnp.linalg.eigh(-hessian)
        slope = vectors.T @ g
        along = slope / jnp.maximum(jnp.abs(curvature), jnp.maximum(jnp.abs(slope) / radius, 1e-12))
        return vectors @ along, jnp.sum(slope * along - 0.5 * curvature * along**2)

    def going(state):
        iteration, _, _, _, _, radius, converged = state
        return (iteration <= max_iterations) & ~converged & (radius > 1e-9)

    def iterate(state):
        iteration, z, move, promised, here, radius, _ = state
        there = expand(z + move)
        sound = jnp.all(jnp.array([jnp.all(jnp.isfinite(x)) for x in there]))
        ratio = jnp.where(sound, (there[0] - here[0]) / promised, -1.0)
        small = promised < CONVERGED_GAIN  # below rounding of ln p the ratio says nothing
        accept = sound & ((ratio > 1e-3) | (small & (there[0] >= here[0] - 1e-9)))
        length = jnp.max(jnp.abs(move))
        grown = jnp.where(ratio > 0.75, jnp.clip(3.0 * length, radius, MAX_RADIUS), radius)
        first = iteration == 0
        radius = jnp.where(first | (ratio > 0.25), grown, 0.25 * jnp.minimum(radius, length))
        z, here = jax.tree.map(lambda a, b: jnp.where(accept | first, a, b), (z + move, there), (z, here))
        move, promised = step(here[1], here[2], radius)
        return iteration + 1, z, move, promised, here, radius, small & ~first

    # the first pass makes no move and only evaluates the start, so that the density is compiled once
    zero, nothing = jnp.zeros(d), jnp.asarray(0.0)
    start = (jnp.asarray(0), zero, zero, nothing, (nothing, zero, jnp.zeros((d, d))), jnp.asarray(FIRST_RADIUS))
    iterations, z, _, _, (f, _, hessian), _, converged = jax.lax.while_loop(
        going, iterate, (*start, jnp.asarray(False))
    )

    hessian = jnp.where(jnp.all(jnp.isfinite(hessian)), hessian, -jnp.eye(d))
    curvature, vectors = jnp.linalg.eigh(-hessian)
    sound = curvature > FLATTEST
    variance = 1.0 / jnp.where(sound, curvature, jnp.maximum(jnp.abs(curvature), FLATTEST))
    covariance = (vectors * variance) @ vectors.T
    to_theta = jax.jacfwd(coordinates.theta)(z)
    return Optimum(
        theta=coordinates.theta(z),
        log_density=f - jacobian * coordinates.log_jacobian(z),
        covariance=to_theta @ covariance @ to_theta.T,
        coordinates=coordinates.whitened(z, covariance),
        log_evidence=f
        + (1.0 - jacobian) * coordinates.log_jacobian(z)
        + 0.5 * (d * jnp.log(2 * jnp.pi) + jnp.sum(jnp.log(variance))),
        converged=converged,
        positive_definite=jnp.all(sound),
        iterations=iterations - 1,
    )
