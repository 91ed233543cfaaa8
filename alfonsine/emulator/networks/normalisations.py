r"""Normalisations: invertible maps of every entry of an output to a number of order one.

All have the same form, an elementwise function and then an affine map,

.. math:: y = (g(x) - \text{shift})/\text{scale}, \qquad x = g^{-1}(\text{shift} + \text{scale}\, y),

since the affine part folds into the last layer of a network and only :math:`g^{-1}`, named by `outer`, is left to do.
An entry that never varies has scale zero: it comes back exactly, whatever the network says.

A normalisation of one's own is a subclass of `Normalisation` with its own `fit`, `before` and `after`.
"""

from typing import ClassVar

import equinox as eqx
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float

from alfonsine.emulator.networks.streaming import Chunks, Moments, moments
from alfonsine.errors import InputError

CONSTANT = 1e-12  # an entry whose spread is below this fraction of its size does not vary


class Normalisation(eqx.Module):
    """The general form, with g the identity.

    outer   name of the inverse of g, for those below: "identity", "exp10", ...
    """

    shift: Float[Array, " m"]
    scale: Float[Array, " m"]
    outer: ClassVar[str] = "identity"

    @classmethod
    def fit(cls, chunks: Chunks) -> "Normalisation":
        """Learn the parameters from passes over the training rows."""
        raise NotImplementedError

    def before(self, x: Float[Array, "*n m"]) -> Float[Array, "*n m"]:
        """The elementwise function g."""
        return x

    def after(self, x: Float[Array, "*n m"]) -> Float[Array, "*n m"]:
        """Its inverse."""
        return x

    def parameters(self) -> dict[str, Float[Array, " m"]]:
        """What the inverse of g needs besides its name."""
        return {}

    def forward(self, x: Float[Array, "*n m"]) -> Float[Array, "*n m"]:
        """Normalise."""
        varies = self.scale > 0
        return jnp.where(varies, (self.before(x) - self.shift) / jnp.where(varies, self.scale, 1.0), 0.0)

    def inverse(self, y: Float[Array, "*n m"]) -> Float[Array, "*n m"]:
        """Undo it."""
        return self.after(self.shift + self.scale * y)


class Identity(Normalisation):
    """Leave all as it is."""

    @classmethod
    def fit(cls, chunks: Chunks) -> "Identity":
        """Nothing to learn but the width."""
        m = next(iter(chunks())).shape[1]
        return cls(jnp.zeros(m), jnp.ones(m))


class Standardisation(Normalisation):
    """Mean zero, standard deviation one: the default of arXiv:2205.15726."""

    @classmethod
    def fit(cls, chunks: Chunks) -> "Standardisation":
        """One pass."""
        return cls(*standard(moments(chunks)))


class MinMax(Normalisation):
    r"""To [0, 1]: :math:`y = (x - x_{\min})/(x_{\max} - x_{\min})`."""

    @classmethod
    def fit(cls, chunks: Chunks) -> "MinMax":
        """One pass."""
        found = moments(chunks)
        span = found.high - found.low
        return cls(jnp.asarray(found.low), jnp.asarray(np.where(span > CONSTANT * np.abs(found.low), span, 0.0)))


class Log10(Normalisation):
    """Standardised decimal logarithm, for outputs that are positive."""

    outer: ClassVar[str] = "exp10"

    @classmethod
    def fit(cls, chunks: Chunks) -> "Log10":
        """Two passes: is all positive, and the moments of the logarithm."""
        if not np.all(moments(chunks).low > 0):
            raise InputError("expected positive outputs for 'log10', got zero or less; try 'standardisation'")
        return cls(*standard(moments(chunks, np.log10)))

    def before(self, x: Float[Array, "*n m"]) -> Float[Array, "*n m"]:
        """Decimal logarithm."""
        return jnp.log10(x)

    def after(self, x: Float[Array, "*n m"]) -> Float[Array, "*n m"]:
        """Ten to the power of x."""
        return 10.0**x


class DoubleLog(Normalisation):
    r"""The logarithm taken twice, each time after a shift to positive values (section 2.4 of arXiv:2205.15726).

    .. math:: y = \ln[\ln(x + a) + b], \qquad x = \exp(e^y - b) - a

    a is 0 where all training values are positive, else 1.01 times the lowest of them, and b likewise. Values of other
    rows below the lowest training value are held at a thousandth of its distance to the pole.
    """

    first: Float[Array, " m"]
    second: Float[Array, " m"]
    lowest_first: Float[Array, " m"]
    lowest_second: Float[Array, " m"]
    outer: ClassVar[str] = "double_exp"

    @classmethod
    def fit(cls, chunks: Chunks) -> "DoubleLog":
        """Two passes, one for each logarithm."""
        outside = moments(chunks)
        a = offset(outside)
        inside = moments(chunks, lambda x: np.log(x + a))
        b = offset(inside)
        m = len(a)
        floors = (1e-3 * (outside.low + a), 1e-3 * (inside.low + b))
        return cls(jnp.zeros(m), jnp.ones(m), *(jnp.asarray(v) for v in (a, b, *floors)))

    def before(self, x: Float[Array, "*n m"]) -> Float[Array, "*n m"]:
        """Both logarithms."""
        inside = jnp.log(jnp.maximum(x + self.first, self.lowest_first))
        return jnp.log(jnp.maximum(inside + self.second, self.lowest_second))

    def after(self, x: Float[Array, "*n m"]) -> Float[Array, "*n m"]:
        """Both exponentials."""
        return jnp.exp(jnp.exp(x) - self.second) - self.first

    def parameters(self) -> dict[str, Float[Array, " m"]]:
        """The two offsets."""
        return {"first": self.first, "second": self.second}


def outer_of(kind: type[Normalisation], name: str) -> str:
    """Name of the inverse of g in an emulator: ours where `after` is, else the name of the normalisation itself."""
    owner = next(cls for cls in kind.__mro__ if "after" in vars(cls))
    return owner.outer if owner in (Normalisation, *NORMALISATIONS.values()) else name


def standard(found: Moments) -> tuple[Float[Array, " m"], Float[Array, " m"]]:
    """Mean, and standard deviation, zero where nothing varies."""
    varies = found.std > CONSTANT * np.abs(found.mean)
    return jnp.asarray(found.mean), jnp.asarray(np.where(varies, found.std, 0.0))


def offset(found: Moments) -> Float[np.ndarray, " m"]:
    """What makes all values positive; where the lowest is zero, a hundredth of the largest, or one."""
    zero = np.where(found.high > 0, 0.01 * found.high, 1.0)
    return np.where(found.low > 0, 0.0, np.where(found.low < 0, -1.01 * found.low, zero))


NORMALISATIONS: dict[str, type[Normalisation]] = {
    "none": Identity,
    "standardisation": Standardisation,
    "min_max": MinMax,
    "log10": Log10,
    "double_log": DoubleLog,
}
