"""Where an emulator may be asked, and in which order its inputs come."""

from collections.abc import Mapping, Sequence
from typing import Any

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float

from alfonsine.emulator.around.features import Features
from alfonsine.errors import InputError

SAME = 1e-3  # of half the width of a box: nearer edges are one


class OutsideDomain(InputError):
    """A point where the emulator may not be asked; `reason` says what lies beyond which edge.

    beyond           inputs beyond their edges; none where the point is too far from the middle instead
    outside, asked   how many of how many points
    """

    def __init__(self, reason: str, beyond: Sequence[str] = (), outside: int = 1, asked: int = 1) -> None:
        many = f" ({outside} of {asked} outside)" if asked > 1 else ""
        super().__init__(
            f"emulator: expected a point inside the training domain, got {reason}{many}; "
            "call the exact code there, or train wider"
        )
        self.reason, self.beyond = reason, tuple(beyond)


class Domain(eqx.Module):
    r"""Where the emulator may be asked: an ellipsoid about the training set, and a box.

    .. math:: r^2 = |L^{-1}(x(\theta) - x(c))|^2 \le R^2, \qquad \text{lower} \le \theta \le \text{upper}

    The ellipsoid is one of the inputs x of the emulator: the parameters themselves, or features of them. Where cheap
    quantities are among these, the box in which they were learned is an edge, too.
    """

    centre: Float[Array, " d"]
    cholesky: Float[Array, "d d"]
    radius: Float[Array, ""]
    lower: Float[Array, " d"]
    upper: Float[Array, " d"]
    features: Features | None
    whitening: Float[Array, "d d"]
    middle: Float[Array, " d"]

    def __init__(
        self,
        centre: Array,
        cholesky: Array,
        radius: Array,
        lower: Array,
        upper: Array,
        features: Features | None = None,
    ) -> None:
        """Invert the factor once: a product costs less than a triangular solve."""
        self.centre, self.cholesky, self.radius, self.lower, self.upper = centre, cholesky, radius, lower, upper
        self.features = features
        self.whitening = jnp.linalg.inv(cholesky)
        self.middle = centre if features is None else features(centre)

    @property
    def widths(self) -> Float[Array, " d"]:
        """Standard deviations of the parameters about the centre, where x has the covariance L L^T."""
        if self.features is None:
            return jnp.linalg.norm(self.cholesky, axis=1)
        return self.features.widths(self.centre, self.cholesky)

    @property
    def spread(self) -> Float[Array, "d d"]:
        """A factor S of the covariance S S^T of the parameters about the centre."""
        if self.features is None:
            return self.cholesky
        return jnp.linalg.solve(jax.jacfwd(self.features)(self.centre), self.cholesky)

    def distance(self, theta: Float[Array, " d"]) -> Float[Array, ""]:
        """Distance r from the centre, in units of the radius: at most one inside."""
        x = theta if self.features is None else self.features(theta)
        z = self.whitening @ (x - self.middle)
        distance = jnp.sqrt(z @ z + 1e-300) / self.radius
        if self.features is None or not self.features.cheap.used:
            return distance
        return jnp.maximum(distance, jnp.max(jnp.abs(self.features.cheap.unit(theta))))

    def way_to_edge(self, theta: Float[np.ndarray, "n d"]) -> Float[np.ndarray, " n"]:
        """How far from the middle to an edge of the emulator's own points lie, 0 to 1; that of its box is none.

        Zero for an emulator that was trained all over its box.
        """
        if self.features is None:
            return np.zeros(len(theta))
        z = (self.features.at(theta) - np.asarray(self.middle)) @ np.asarray(self.whitening).T
        way = np.linalg.norm(z, axis=1) / float(self.radius)
        cheap, rows = self.features.cheap, list(self.features.cheap.used)
        if not rows:
            return way
        lower, upper = np.asarray(cheap.lower)[rows], np.asarray(cheap.upper)[rows]
        half = (upper - lower) / 2
        u = (theta[:, rows] - lower) / half - 1.0
        below = np.where(lower - np.asarray(self.lower)[rows] > SAME * half, -u, 0.0)
        above = np.where(np.asarray(self.upper)[rows] - upper > SAME * half, u, 0.0)
        return np.maximum(way, np.maximum(below, above).max(axis=1))

    def inside(self, theta: Float[Array, " d"]) -> Array:
        """Say whether one point may be asked."""
        return (self.distance(theta) <= 1.0) & jnp.all((theta >= self.lower) & (theta <= self.upper))

    def beyond(self, theta: Float[np.ndarray, " d"], names: Sequence[str]) -> tuple[str, ...]:
        """The inputs of a point that are beyond their edges, also those that are no number."""
        edges = zip(names, theta, np.asarray(self.lower), np.asarray(self.upper), strict=True)
        return tuple(n for n, x, a, b in edges if not a <= x <= b)

    def reason(self, theta: Float[np.ndarray, " d"], names: Sequence[str]) -> str:
        """Why a point may not be asked: the inputs beyond their edges, or its distance."""
        edges = zip(names, theta, np.asarray(self.lower), np.asarray(self.upper), strict=True)
        if beyond := self.beyond(theta, names):
            return "; ".join(f"{n} = {x:.6g}, beyond {a:.6g} to {b:.6g}" for n, x, a, b in edges if n in beyond)
        radius, values = float(self.radius), ", ".join(f"{n} = {x:.6g}" for n, x in zip(names, theta, strict=True))
        distance = radius * float(self.distance(jnp.asarray(theta)))
        return f"{values}, {distance:.3g} standard deviations from the middle of the training set, {radius:.3g} at most"


def ordered(parameters: Mapping[str, Any] | Array | np.ndarray, names: Sequence[str]) -> Array:
    """Put parameters given by name into the order of the emulator's inputs; arrays pass through."""
    if isinstance(parameters, Mapping):
        return jnp.stack(jnp.broadcast_arrays(*[jnp.asarray(parameters[n], dtype=float) for n in names]), axis=-1)
    return jnp.asarray(parameters, dtype=float)
