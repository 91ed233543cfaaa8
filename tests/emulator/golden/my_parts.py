"""Parts of the user's own that the golden file of the kind "network" is made with.

Never edit this file: its digest is in the golden file, as that of a user's file is in theirs.
"""

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np

from alfonsine.emulator.networks.activations import Activation
from alfonsine.emulator.networks.dense import Architecture, Dense
from alfonsine.emulator.networks.losses import Loss
from alfonsine.emulator.networks.normalisations import Normalisation, standard
from alfonsine.emulator.networks.streaming import moments


class Wave(Activation):
    """x + height sin(frequency x), one frequency per unit, one height in all, which is no array."""

    frequency: jax.Array
    height: float = eqx.field(static=True)

    @classmethod
    def draw(cls, key, width, height=0.5):
        return cls(jax.random.uniform(key, (width,), jnp.float32, 0.5, 2.0), height)

    def __call__(self, x):
        return x + self.height * jnp.sin(self.frequency * x)


class Both(Architecture):
    """Its last hidden layer is the inputs beside that of a dense network, so wider than any of its layers."""

    dense: Dense
    weight: jax.Array
    bias: jax.Array

    @classmethod
    def draw(cls, key, sizes, activations, weights):
        a, b = jax.random.split(key)
        dense = Dense.draw(a, (*sizes[:-1], 1), activations, weights)
        weight = jax.random.normal(b, (sizes[-1], sizes[0] + sizes[-2]), jnp.float32) / 4
        return cls(dense, weight, jnp.zeros(sizes[-1], jnp.float32))

    def hidden(self, u):
        return jnp.concatenate([u, self.dense.hidden(u)], axis=-1)


class InverseSinh(Normalisation):
    """asinh((x - zero) / unit), standardised; one zero in all, and a power that is no array."""

    unit: jax.Array
    zero: jax.Array
    power: int = eqx.field(static=True)

    @classmethod
    def fit(cls, chunks):
        unit = moments(chunks).std
        shift, scale = standard(moments(chunks, lambda x: np.arcsinh((x - 1e-10) / unit)))
        return cls(shift, scale, jnp.asarray(unit), jnp.asarray(1e-10), 1)

    def before(self, x):
        return jnp.arcsinh((x - self.zero) / self.unit)

    def after(self, x):
        return self.zero + self.unit * jnp.sinh(x) ** self.power


class Cube(Loss):
    """Mean of the absolute errors' third power."""

    def __call__(self, prediction, target):
        return jnp.mean(jnp.abs(prediction - target) ** 3)
