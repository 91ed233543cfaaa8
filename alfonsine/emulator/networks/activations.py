r"""Activation functions, with the parameters that some of them train.

An activation of one's own is a subclass of `Activation`: its array fields, one number per unit, are trained with the
weights. A study names it "module:Class".
"""

import equinox as eqx
import jax
import jax.numpy as jnp
from jaxtyping import Array, Float, PRNGKeyArray


class Activation(eqx.Module):
    """A function of each unit, of x (..., width)."""

    @classmethod
    def draw(cls, key: PRNGKeyArray, width: int) -> "Activation":
        """Initial parameters for a layer of `width` units; nothing to draw unless overridden."""
        return cls()

    def __call__(self, x: Float[Array, "*n width"]) -> Float[Array, "*n width"]:
        """Apply it."""
        raise NotImplementedError


class Alsing(Activation):
    r"""Smooth ramp with a slope :math:`\beta` on the left and a width :math:`1/\alpha`, one of each per unit.

    .. math:: f(x) = \left[\beta + (1-\beta)\,\sigma(\alpha x)\right] x, \qquad \sigma(t) = 1/(1+e^{-t})

    Alsing et al. (arXiv:1911.11778); eq. 2.3 of arXiv:2205.15726 calls the two beta and gamma.
    """

    alpha: Float[Array, "*e width"]
    beta: Float[Array, "*e width"]

    @classmethod
    def draw(cls, key: PRNGKeyArray, width: int, spread: float = 1.0) -> "Alsing":
        """Both normal with mean zero and standard deviation `spread`."""
        a, b = jax.random.split(key)
        return cls(*(spread * jax.random.normal(k, (width,), jnp.float32) for k in (a, b)))

    def __call__(self, x: Float[Array, "*n width"]) -> Float[Array, "*n width"]:
        """Apply it."""
        return (self.beta + (1.0 - self.beta) * jax.nn.sigmoid(self.alpha * x)) * x


class Nygaard(Activation):
    r"""The same with a free slope on the right too: :math:`f(x) = [\alpha + (\gamma-\alpha)\,\sigma(\beta x)]\,x`.

    From the public code that goes with arXiv:2205.15726.
    """

    alpha: Float[Array, "*e width"]
    beta: Float[Array, "*e width"]
    gamma: Float[Array, "*e width"]

    @classmethod
    def draw(cls, key: PRNGKeyArray, width: int, spread: float = 1.0) -> "Nygaard":
        """All three normal with mean zero and standard deviation `spread`."""
        return cls(*(spread * jax.random.normal(k, (width,), jnp.float32) for k in jax.random.split(key, 3)))

    def __call__(self, x: Float[Array, "*n width"]) -> Float[Array, "*n width"]:
        """Apply it."""
        return (self.alpha + (self.gamma - self.alpha) * jax.nn.sigmoid(self.beta * x)) * x


class ReLU(Activation):
    """max(0, x)"""

    def __call__(self, x: Float[Array, "*n width"]) -> Float[Array, "*n width"]:
        """Apply it."""
        return jax.nn.relu(x)


class Tanh(Activation):
    """tanh x"""

    def __call__(self, x: Float[Array, "*n width"]) -> Float[Array, "*n width"]:
        """Apply it."""
        return jnp.tanh(x)


class Softplus(Activation):
    """ln(1 + e^x)"""

    def __call__(self, x: Float[Array, "*n width"]) -> Float[Array, "*n width"]:
        """Apply it."""
        return jax.nn.softplus(x)


class ELU(Activation):
    """x where positive, else e^x - 1"""

    def __call__(self, x: Float[Array, "*n width"]) -> Float[Array, "*n width"]:
        """Apply it."""
        return jax.nn.elu(x)


class SiLU(Activation):
    """x / (1 + e^-x)"""

    def __call__(self, x: Float[Array, "*n width"]) -> Float[Array, "*n width"]:
        """Apply it."""
        return jax.nn.silu(x)


ACTIVATIONS: dict[str, type[Activation]] = {
    "alsing": Alsing,
    "nygaard": Nygaard,
    "relu": ReLU,
    "tanh": Tanh,
    "softplus": Softplus,
    "elu": ELU,
    "silu": SiLU,
}
