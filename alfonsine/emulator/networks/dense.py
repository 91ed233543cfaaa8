r"""Dense networks: hidden layers, each with its activation, and a linear last one.

An architecture of one's own is a subclass of `Architecture`: it says what its last hidden layer is. The outputs being
linear in that layer is what lets a trained network become an emulator, whose outputs are a matrix times amplitudes.
"""

from collections.abc import Callable, Sequence
from itertools import pairwise

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float, PRNGKeyArray

from alfonsine.emulator.networks.activations import Activation
from alfonsine.errors import InputError

PRECISE = jax.lax.Precision.HIGHEST  # without it, some accelerators multiply with 10 bits of mantissa


class Architecture(eqx.Module):
    """A network: y = weight h(u) + bias, u (..., d) inputs of order one, h (..., K) the last hidden layer."""

    weight: eqx.AbstractVar[Float[Array, "*e m K"]]
    bias: eqx.AbstractVar[Float[Array, "*e m"]]

    @classmethod
    def draw(
        cls,
        key: PRNGKeyArray,
        sizes: Sequence[int],
        activations: Sequence[Callable[[PRNGKeyArray, int], Activation]],
        weights: str | float,
    ) -> "Architecture":
        """Initial weights.

        sizes         (d, widths of the hidden layers, m)
        activations   one per hidden layer: (key, width) -> activation
        weights       rule of their standard deviation: see `deviation`
        """
        raise NotImplementedError

    def hidden(self, u: Float[Array, "*n d"]) -> Float[Array, "*n K"]:
        """The last hidden layer."""
        raise NotImplementedError

    def __call__(self, u: Float[Array, "*n d"]) -> Float[Array, "*n m"]:
        """Apply the network."""
        return jnp.matmul(self.hidden(u), self.weight.T, precision=PRECISE) + self.bias


class DenseLayer(eqx.Module):
    """Activation of a linear map."""

    weight: Float[Array, "*e out in"]
    bias: Float[Array, "*e out"]
    activation: Activation

    def __call__(self, x: Float[Array, "*n in"]) -> Float[Array, "*n out"]:
        """Apply the layer."""
        return self.activation(jnp.matmul(x, self.weight.T, precision=PRECISE) + self.bias)


class Dense(Architecture):
    """Dense layers one after the other, 32-bit."""

    layers: tuple[DenseLayer, ...]
    weight: Float[Array, "*e m K"]
    bias: Float[Array, "*e m"]

    @classmethod
    def draw(
        cls,
        key: PRNGKeyArray,
        sizes: Sequence[int],
        activations: Sequence[Callable[[PRNGKeyArray, int], Activation]],
        weights: str | float,
    ) -> "Dense":
        """Initial weights; biases start at zero, but for "glorot", which draws them too."""
        layers = []
        for (n_in, n_out), activation in zip(pairwise(sizes[:-1]), activations, strict=True):
            key, a, b, c = jax.random.split(key, 4)
            layers.append(DenseLayer(*linear(a, b, n_in, n_out, weights), activation(c, n_out)))
        return cls(tuple(layers), *linear(*jax.random.split(key), sizes[-2], sizes[-1], weights))

    def hidden(self, u: Float[Array, "*n d"]) -> Float[Array, "*n K"]:
        """The last hidden layer."""
        for layer in self.layers:
            u = layer(u)
        return u


def linear(
    weight_key: PRNGKeyArray, bias_key: PRNGKeyArray, n_in: int, n_out: int, weights: str | float
) -> tuple[Float[Array, "out in"], Float[Array, " out"]]:
    """Draw a linear map."""
    weight = deviation(weights, n_in, n_out) * jax.random.normal(weight_key, (n_out, n_in), jnp.float32)
    if weights == "glorot":
        return weight, np.float32(n_out**-0.5) * jax.random.normal(bias_key, (n_out,), jnp.float32)
    return weight, jnp.zeros(n_out, jnp.float32)


def deviation(weights: str | float, n_in: int, n_out: int) -> np.float32:
    r"""Standard deviation of initial weights.

    "glorot" :math:`\sqrt{2/(n_{in}+n_{out})}`, "he" :math:`\sqrt{2/n_{in}}`, or a number.
    """
    if weights == "glorot":
        return np.float32(np.sqrt(2.0 / (n_in + n_out)))
    if weights == "he":
        return np.float32(np.sqrt(2.0 / n_in))
    if isinstance(weights, str) or not weights > 0:
        raise InputError(f"expected 'glorot', 'he' or a positive number for initial weights, got {weights!r}")
    return np.float32(weights)


ARCHITECTURES: dict[str, type[Architecture]] = {"dense": Dense}
