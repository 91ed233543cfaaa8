"""Parts of a network of your own: an activation, a loss, a normalisation and an architecture.

Put such a file beside the study and name the classes in the plan or preset:

    plan = Plan(
        outputs=("te",),
        widths=(64, 64, 64),
        stages=(Stage(rate=3e-3, epochs=300, batch=64),),
        activation="custom_network:Snake",
        loss="custom_network:LogCosh",
        normalisation="custom_network:InverseSinh",
        architecture="custom_network:Residual",
    )
    network = train(model_set, plan, "runs/te", parts="folder/of/this/file")

or in a study, `emulator: {preset: connect, options: {activation: "custom_network:Snake"}}`.

Every array field of an activation or architecture is trained; what a normalisation holds is learned once, by `fit`.
Keep the file with the emulator, as it was: `alfonsine.load_emulator(path, parts="folder/of/this/file")` compares the
digests.
"""

from collections.abc import Callable, Sequence

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float, PRNGKeyArray

from alfonsine.emulator.networks.activations import Activation
from alfonsine.emulator.networks.dense import Architecture, DenseLayer, linear
from alfonsine.emulator.networks.losses import Loss
from alfonsine.emulator.networks.normalisations import Normalisation, standard
from alfonsine.emulator.networks.streaming import Chunks, moments


class Snake(Activation):
    r"""For outputs that oscillate: :math:`f(x) = x + \sin^2(a x)/a`, one frequency a per unit."""

    frequency: Float[Array, "*e width"]

    @classmethod
    def draw(cls, key: PRNGKeyArray, width: int) -> "Snake":
        """Frequencies between a half and two."""
        return cls(2.0 ** jax.random.uniform(key, (width,), jnp.float32, -1, 1))

    def __call__(self, x: Float[Array, "*n width"]) -> Float[Array, "*n width"]:
        """Apply it."""
        return x + jnp.sin(self.frequency * x) ** 2 / self.frequency


class LogCosh(Loss):
    r"""Square for small errors, absolute value for large ones: :math:`\frac1n\sum_i \ln\cosh(x_i - y_i)`."""

    def __call__(self, prediction: Float[Array, "b m"], target: Float[Array, "b m"]) -> Float[Array, ""]:
        """Evaluate it; written so that nothing overflows."""
        size = jnp.abs(prediction - target)
        return jnp.mean(size + jnp.log1p(jnp.exp(-2 * size)) - jnp.log(2.0).astype(size.dtype))


class InverseSinh(Normalisation):
    r"""A logarithm for outputs of either sign: :math:`\operatorname{asinh}(x/x_0)`, standardised, x_0 the spread."""

    unit: Float[Array, " m"]

    @classmethod
    def fit(cls, chunks: Chunks) -> "InverseSinh":
        """Two passes: the unit, and the moments of what comes of it."""
        found = moments(chunks)
        unit = np.where(found.std > 0, found.std, 1.0)
        shift, scale = standard(moments(chunks, lambda x: np.arcsinh(x / unit)))
        return cls(shift, scale, jnp.asarray(unit))

    def before(self, x: Float[Array, "*n m"]) -> Float[Array, "*n m"]:
        """The logarithm."""
        return jnp.arcsinh(x / self.unit)

    def after(self, x: Float[Array, "*n m"]) -> Float[Array, "*n m"]:
        """Its inverse."""
        return self.unit * jnp.sinh(x)


class Residual(Architecture):
    """Hidden layers that add to what came before, all of the width of the first."""

    first: DenseLayer
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
    ) -> "Residual":
        """Initial weights."""
        if len(set(sizes[1:-1])) != 1:
            raise ValueError(f"expected hidden layers of equal width, got {sizes[1:-1]}")
        layers = []
        for n_in, activation in zip([sizes[0], *sizes[1:-2]], activations, strict=True):
            key, a, b, c = jax.random.split(key, 4)
            layers.append(DenseLayer(*linear(a, b, n_in, sizes[1], weights), activation(c, sizes[1])))
        return cls(layers[0], tuple(layers[1:]), *linear(*jax.random.split(key), sizes[1], sizes[-1], weights))

    def hidden(self, u: Float[Array, "*n d"]) -> Float[Array, "*n K"]:
        """The last hidden layer."""
        u = self.first(u)
        for layer in self.layers:
            u = u + layer(u)
        return u
