"""The surrogate of a dense network: its last hidden layer, or its principal components, are the amplitudes.

Any network that ends in a linear layer is linear in what enters that layer. So a network of another project, or of a
preset, is an emulator like every other: outputs = basis @ amplitudes(theta).
"""

from collections.abc import Callable

import equinox as eqx
import jax
import jax.numpy as jnp
from jaxtyping import Array, Float

from alfonsine.emulator.blockwise import Blockwise

ACTIVATIONS: dict[str, tuple[tuple[str, ...], Callable[..., Array]]] = {
    "alsing": (("alpha", "beta"), lambda y, alpha, beta: (beta + (1.0 - beta) * jax.nn.sigmoid(alpha * y)) * y),
    "nygaard": (
        ("alpha", "beta", "gamma"),
        lambda y, alpha, beta, gamma: (alpha + (gamma - alpha) * jax.nn.sigmoid(beta * y)) * y,
    ),
    "relu": ((), jax.nn.relu),
    "tanh": ((), jnp.tanh),
    "elu": ((), jax.nn.elu),
    "softplus": ((), jax.nn.softplus),
    "silu": ((), jax.nn.silu),
}
"""Name -> names of its parameters per unit, and the function."""


class DenseLayer(eqx.Module):
    """An affine map and an activation with its own parameters, one of each per unit.

    weight, bias    (out, in), (out,)
    parameters      name -> (out,), as the activation names them
    """

    weight: Float[Array, "out in"]
    bias: Float[Array, " out"]
    parameters: dict[str, Float[Array, " out"]]


class DenseBlock(eqx.Module):
    r"""Amplitudes :math:`[1, h(x)]` with :math:`x = (\theta - c)/s`, or :math:`[1, W h(x) + b]` where there is a head.

    inputs          positions in theta of the inputs of the network
    centre, scale   (d,) standardisation of the inputs
    layers          hidden layers
    head            affine map after the last hidden layer, (out, in) and (out,), or None
    activation      name of the activation of every hidden layer
    """

    inputs: tuple[int, ...] = eqx.field(static=True)
    activation: str = eqx.field(static=True)
    centre: Float[Array, " d"]
    scale: Float[Array, " d"]
    layers: tuple[DenseLayer, ...]
    head: tuple[Float[Array, "out in"], Float[Array, " out"]] | None

    @property
    def size(self) -> int:
        """Number of amplitudes."""
        return 1 + (len(self.layers[-1].bias) if self.head is None else len(self.head[1]))

    def __call__(self, theta: Float[Array, " d"]) -> Float[Array, " k"]:
        """Evaluate the amplitudes at one point."""
        activate = ACTIVATIONS[self.activation][1]
        x = (jnp.stack([theta[i] for i in self.inputs]) - self.centre) / self.scale
        x = x.astype(self.layers[0].weight.dtype)
        for layer in self.layers:
            x = activate(layer.weight @ x + layer.bias, **layer.parameters)
        if self.head is not None:
            weight, bias = self.head
            x = weight @ x + bias
        return jnp.concatenate([jnp.ones(1, x.dtype), x])


class DenseSurrogate(Blockwise):
    """Dense networks."""

    blocks: tuple[DenseBlock, ...]
