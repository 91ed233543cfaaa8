"""A surrogate made of blocks, each of which gives some of the amplitudes."""

from collections.abc import Sequence
from typing import Any

import equinox as eqx
import jax.numpy as jnp
from jaxtyping import Array, Float


class Blockwise(eqx.Module):
    """Theta (d,) to amplitudes (K,), block by block: a block is called with theta, and has a `size`."""

    blocks: tuple[Any, ...]

    @property
    def sizes(self) -> tuple[int, ...]:
        """Amplitudes per block."""
        return tuple(block.size for block in self.blocks)

    def only(self, wanted: Sequence[int]) -> "Blockwise":
        """The same function with some of its blocks."""
        return type(self)(tuple(self.blocks[i] for i in wanted))

    def __call__(self, theta: Float[Array, " d"]) -> Float[Array, " K"]:
        """Evaluate the amplitudes at one point."""
        return jnp.concatenate([block(theta) for block in self.blocks])
