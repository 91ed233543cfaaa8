"""The surrogate of networks of any architecture: last hidden layers, or principal components, are the amplitudes.

Its classes may be the user's own. A file holds their names, their digests and the arrays, never the classes: see
`alfonsine.emulator.stored.own`.
"""

import equinox as eqx
import jax.numpy as jnp
from jaxtyping import Array, Float

from alfonsine.emulator.blockwise import Blockwise
from alfonsine.emulator.networks.blueprint import Blueprint
from alfonsine.emulator.networks.dense import PRECISE, Architecture


class NetworkBlock(eqx.Module):
    r"""Amplitudes :math:`[1, h(u)]` with :math:`u = (\theta - c)/s`, or :math:`[1, W h(u) + b]` where W and b are.

    inputs          positions in theta of the inputs of the network
    blueprint       what the network was drawn from
    width           number of amplitudes besides the one
    centre, scale   (d,) standardisation of the inputs
    network         weight and bias of the last layer are None where the hidden units are the amplitudes
    """

    inputs: tuple[int, ...] = eqx.field(static=True)
    blueprint: Blueprint = eqx.field(static=True)
    width: int = eqx.field(static=True)
    centre: Float[Array, " d"]
    scale: Float[Array, " d"]
    network: Architecture

    @property
    def size(self) -> int:
        """Number of amplitudes."""
        return 1 + self.width

    def __call__(self, theta: Float[Array, " d"]) -> Float[Array, " k"]:
        """Evaluate the amplitudes at one point."""
        u = (jnp.stack([theta[i] for i in self.inputs]) - self.centre) / self.scale
        x = self.network.hidden(u.astype(jnp.float32))
        if self.network.weight is not None:
            x = jnp.matmul(self.network.weight, x, precision=PRECISE) + self.network.bias
        return jnp.concatenate([jnp.ones(1, x.dtype), x])


class NetworkSurrogate(Blockwise):
    """Networks of any architecture."""

    blocks: tuple[NetworkBlock, ...]
