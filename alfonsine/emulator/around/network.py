r"""The network that learns what the polynomial leaves.

Dense layers with the trainable activation of Alsing et al. (arXiv:1911.11778),

.. math:: f(x) = \left[\beta + \frac{1-\beta}{1+e^{-\alpha x}}\right] x,

one :math:`\alpha, \beta` per unit. An ensemble is trained in one `vmap`; each member keeps the weights that were best
on the validation split, which is drawn once and never trained on.
"""

from itertools import pairwise
from typing import NamedTuple

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
import optax
from jaxtyping import Array, Float, Int, PRNGKeyArray


class Layer(eqx.Module):
    """One dense layer followed by the trainable activation."""

    weight: Float[Array, "*e out in"]
    bias: Float[Array, "*e out"]
    alpha: Float[Array, "*e out"]
    beta: Float[Array, "*e out"]

    def __call__(self, x: Float[Array, " in"]) -> Float[Array, " out"]:
        """Apply the layer to one input."""
        y = self.weight @ x + self.bias
        return (self.beta + (1.0 - self.beta) * jax.nn.sigmoid(self.alpha * y)) * y


class Network(eqx.Module):
    """Hidden layers and a linear last one."""

    hidden: tuple[Layer, ...]
    weight: Float[Array, "*e k in"]
    bias: Float[Array, "*e k"]

    def __call__(self, u: Float[Array, " d"]) -> Float[Array, " k"]:
        """Apply the network to one input."""
        for layer in self.hidden:
            u = layer(u)
        return self.weight @ u + self.bias


class Ensemble(eqx.Module):
    """Several networks whose mean is the prediction.

    members   one `Network` whose arrays have a leading axis, one entry per member
    scale     (k,) unit of each component, zero where the network does not help
    """

    members: Network
    scale: Float[Array, " k"]

    def each(self, u: Float[Array, " d"]) -> Float[Array, "e k"]:
        """Predictions of the single members."""
        return jax.vmap(lambda member: member(u))(self.members) * self.scale

    def __call__(self, u: Float[Array, " d"]) -> Float[Array, " k"]:
        """Mean prediction at one standardised input."""
        return jnp.mean(self.each(u), axis=0)


class Training(NamedTuple):
    """How a network is trained: passes over the data, batch, learning rate, patience in passes."""

    width: int = 64
    depth: int = 3
    members: int = 4
    epochs: int = 2000
    batch: int = 64
    rate: float = 3e-3
    patience: int = 200


def initial(key: PRNGKeyArray, d: int, k: int, settings: Training) -> Network:
    """Draw a network whose hidden units have unit variance and whose output starts at zero."""
    sizes = [d] + [settings.width] * settings.depth
    layers = []
    for n_in, n_out in pairwise(sizes):
        key, a, b, c = jax.random.split(key, 4)
        layers.append(
            Layer(
                jax.random.normal(a, (n_out, n_in)) * np.sqrt(2.0 / n_in),
                jax.random.normal(b, (n_out,)) * 0.1,
                1.0 + 0.3 * jax.random.normal(c, (n_out,)),
                jnp.full(n_out, 0.1),
            )
        )
    return Network(tuple(layers), jnp.zeros((k, sizes[-1])), jnp.zeros(k))


def train(
    u: Float[np.ndarray, "n d"],
    target: Float[np.ndarray, "n k"],
    held_out: Int[np.ndarray, " v"],
    key: PRNGKeyArray,
    settings: Training,
) -> Ensemble:
    """Fit an ensemble to `target` on all points except `held_out`, which decides when to stop and what to keep.

    The loss is the mean square of the residual in units of its own spread, so that every component counts.
    """
    n, k = target.shape
    rows = np.setdiff1d(np.arange(n), held_out)
    scale = jnp.asarray(np.sqrt(np.mean(target[rows] ** 2, axis=0)) + 1e-300)
    x, y = jnp.asarray(u[rows]), jnp.asarray(target[rows]) / scale
    x_out, y_out = jnp.asarray(u[held_out]), jnp.asarray(target[held_out]) / scale
    batch = min(settings.batch, len(rows))
    steps = len(rows) // batch
    optimiser = optax.adam(optax.cosine_decay_schedule(settings.rate, settings.epochs * steps, 0.01))

    def loss(network: Network, x: Array, y: Array) -> Array:
        return jnp.mean((jax.vmap(network)(x) - y) ** 2)

    def epoch(state: tuple, key: PRNGKeyArray) -> tuple:
        network, memory = state
        order = jax.random.permutation(key, len(rows))[: steps * batch].reshape(steps, batch)

        def step(state: tuple, rows: Array) -> tuple:
            network, memory = state
            gradient = jax.grad(loss)(network, x[rows], y[rows])
            update, memory = optimiser.update(gradient, memory)
            return (optax.apply_updates(network, update), memory), None

        return jax.lax.scan(step, (network, memory), order)[0]

    def fit(key: PRNGKeyArray) -> Network:
        network = initial(key, u.shape[1], k, settings)

        def unfinished(carry: tuple) -> Array:
            _, _, _, best_at, i = carry
            return (i < settings.epochs) & (i - best_at < settings.patience)

        def advance(carry: tuple) -> tuple:
            state, best, best_loss, best_at, i = carry
            state = epoch(state, jax.random.fold_in(key, i))
            now = loss(state[0], x_out, y_out)
            better = now < best_loss
            best = jax.tree.map(lambda new, old: jnp.where(better, new, old), state[0], best)
            return state, best, jnp.minimum(now, best_loss), jnp.where(better, i, best_at), i + 1

        start = ((network, optimiser.init(network)), network, loss(network, x_out, y_out), 0, 0)
        return jax.lax.while_loop(unfinished, advance, start)[1]

    members = jax.jit(jax.vmap(fit))(jax.random.split(key, settings.members))
    return Ensemble(members, scale)


def pad_outputs(ensemble: Ensemble, size: int) -> Ensemble:
    """Add outputs that are zero, up to `size` of them."""
    extra = (0, size - len(ensemble.scale))
    members = Network(
        ensemble.members.hidden,
        jnp.pad(ensemble.members.weight, ((0, 0), extra, (0, 0))),
        jnp.pad(ensemble.members.bias, ((0, 0), extra)),
    )
    return Ensemble(members, jnp.pad(ensemble.scale, extra))
