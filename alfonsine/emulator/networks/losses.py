r"""Losses: what training makes small, of predictions and targets as the network sees them (normalised).

A loss of one's own is a subclass of `Loss`; `of` tells it what the entries are.
"""

from dataclasses import dataclass

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float

from alfonsine.emulator.networks.dense import Architecture
from alfonsine.errors import InputError


@dataclass(frozen=True)
class Entries:
    """What a loss may know of the m entries that a network predicts.

    multipole   l of each, NaN where it has none (other outputs, principal components)
    scale       how much a change of one means in the units before normalisation, after the logarithm if there is one
    """

    multipole: Float[np.ndarray, " m"]
    scale: Float[np.ndarray, " m"]


class Loss(eqx.Module):
    """A number from a batch of predictions and targets."""

    @classmethod
    def of(cls, entries: Entries) -> "Loss":
        """Prepare the loss for these entries; options of the plan come as further keywords."""
        return cls()

    def __call__(self, prediction: Float[Array, "b m"], target: Float[Array, "b m"]) -> Float[Array, ""]:
        """Evaluate it."""
        raise NotImplementedError


class MeanSquare(Loss):
    r""":math:`\frac1n\sum_i (x_i-y_i)^2`: eq. 2.1 of arXiv:2205.15726."""

    def __call__(self, prediction: Float[Array, "b m"], target: Float[Array, "b m"]) -> Float[Array, ""]:
        """Evaluate it."""
        return jnp.mean((prediction - target) ** 2)


class CosmicVariance(Loss):
    r""":math:`\frac1n\sum_i \frac{2\ell_i+1}{2}\,|x_i-y_i|^p`: eq. 2.2 of arXiv:2205.15726 for p = 2.

    Entries without a multipole weigh as much as the highest one, as section 2.2 there asks; `other` sets another
    multipole for them. p = 1.5 is the variant of the public code.
    """

    weight: Float[Array, " m"]
    power: float = eqx.field(static=True, default=2.0)

    @classmethod
    def of(cls, entries: Entries, other: float | None = None, power: float = 2.0) -> "CosmicVariance":
        """Weights from the multipoles."""
        known = np.isfinite(entries.multipole)
        if other is None:
            if not known.any():
                raise InputError(
                    "expected an output with an axis 'l' for 'cosmic_variance', got none; try 'mean_square'"
                )
            other = float(entries.multipole[known].max())
        ell = np.where(known, entries.multipole, other)
        return cls(jnp.asarray((2 * ell + 1) / 2, jnp.float32), power)

    def __call__(self, prediction: Float[Array, "b m"], target: Float[Array, "b m"]) -> Float[Array, ""]:
        """Evaluate it."""
        difference = prediction - target
        size = difference**2 if self.power == 2.0 else jnp.abs(difference) ** self.power
        return jnp.mean(self.weight * size)


class RootMeanSquare(Loss):
    r""":math:`\sqrt{\frac1n\sum_i s_i^2(x_i-y_i)^2}`, :math:`s_i` the scales: CosmoPower's, an error in log10 units.

    Scales are divided by the largest before squaring: those of a raw spectrum would vanish in 32 bits.
    """

    relative: Float[Array, " m"]
    largest: Float[Array, ""]

    @classmethod
    def of(cls, entries: Entries) -> "RootMeanSquare":
        """Take the scales of the normalisation."""
        largest = float(entries.scale.max()) or 1.0
        return cls(jnp.asarray(entries.scale / largest, jnp.float32), jnp.asarray(largest, jnp.float32))

    def __call__(self, prediction: Float[Array, "b m"], target: Float[Array, "b m"]) -> Float[Array, ""]:
        """Evaluate it."""
        square = jnp.mean((self.relative * (prediction - target)) ** 2)
        return self.largest * jnp.sqrt(square + 1e-30)  # the root has no derivative at zero


def derivative_error(
    network: Architecture, u: Float[Array, "b d"], directions: Float[Array, "p d"], given: Float[Array, "b p m"]
) -> Float[Array, ""]:
    r"""Mean square of :math:`J(u)\,v_j - D_j` over rows, directions :math:`v_j` and entries.

    directions   in standardised inputs
    given        derivatives of the normalised entries along them
    """

    def along(direction: Array) -> Array:
        return jax.jvp(network, (u,), (jnp.broadcast_to(direction, u.shape),))[1]

    found = jax.vmap(along, out_axes=1)(directions)
    return jnp.mean((found - given) ** 2)


LOSSES: dict[str, type[Loss]] = {
    "mean_square": MeanSquare,
    "cosmic_variance": CosmicVariance,
    "root_mean_square": RootMeanSquare,
}
