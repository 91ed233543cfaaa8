"""The compiled steps of a training: one vmapped program for all members, a scan over the batches of a chunk.

Compiled once for each shape: training again, on more or other rows, does not compile again.
"""

from typing import NamedTuple

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
import optax
from jaxtyping import Array, PyTree

from alfonsine.emulator.networks.checkpoint import State
from alfonsine.emulator.networks.dense import Architecture
from alfonsine.emulator.networks.feed import Feed
from alfonsine.emulator.networks.losses import Loss, derivative_error
from alfonsine.emulator.networks.plan import Plan


class Settings(NamedTuple):
    """The numbers of the optimiser; `derivative` is the weight of the derivative term."""

    epsilon: float
    amsgrad: bool
    max_norm: float | None
    derivative: float

    @property
    def optimiser(self) -> optax.GradientTransformation:
        """Adam without its learning rate, which changes from stage to stage."""
        moments = optax.scale_by_amsgrad if self.amsgrad else optax.scale_by_adam
        return moments(b1=0.9, b2=0.999, eps=self.epsilon)


class Task(eqx.Module):
    """What is minimised.

    static       the networks without their weights
    directions   (p, d) of given derivatives, in standardised inputs, or None
    """

    static: Architecture
    loss: Loss
    directions: Array | None
    settings: Settings = eqx.field(static=True)

    def objective(self, weights: PyTree, data: tuple[Array, ...]) -> Array:
        """Loss of one member on some rows."""
        network = eqx.combine(weights, self.static)
        with jax.default_matmul_precision("highest"):
            value = self.loss(network(data[0]), data[1])
            if self.directions is not None:
                term = derivative_error(network, data[0], self.directions, data[2])
                value = value + self.settings.derivative * term
        return value


class Trainer:
    """The steps of one plan. Weights are pytrees with a leading axis, one entry per member."""

    def __init__(self, plan: Plan, networks: Architecture, loss: Loss, directions: Array | None) -> None:
        """Take the networks apart into what is trained and what is not."""
        self.plan = plan
        self.start, static = eqx.partition(networks, eqx.is_inexact_array)
        weight = 0.0 if plan.derivatives is None else plan.derivatives.weight
        settings = Settings(plan.epsilon, plan.amsgrad, plan.max_norm, weight)
        self.task = Task(static, loss, directions, settings)

    def network(self, weights: PyTree) -> Architecture:
        """Put networks together again."""
        return eqx.combine(weights, self.task.static)

    def memory(self, weights: PyTree) -> PyTree:
        """A fresh memory of the optimiser."""
        return jax.vmap(self.task.settings.optimiser.init)(weights)

    def loss(self, weights: PyTree, feed: Feed, batch: int) -> np.ndarray:
        """Mean over the batches of a feed, weighted by their rows, of each member."""
        total, count = np.zeros(1), 0
        for data in feed.all(batch):
            total = total + np.asarray(_losses(self.task, weights, data), dtype=np.float64) * len(data[0])
            count += len(data[0])
        return total / count

    def epoch(self, state: State, feed: Feed) -> tuple[PyTree, PyTree, np.ndarray]:
        """One pass: weights, memory and mean training loss of each member."""
        stage = self.plan.stages[state.stage]
        weights, memory, total, steps = state.weights, state.memory, np.zeros(1), 0
        rate, active = jnp.asarray(stage.rate, jnp.float32), jnp.asarray(state.active)
        for data, order in feed.epoch(state.stage, state.epoch, stage.batch, len(state.active)):
            weights, memory, losses = _learn(self.task, weights, memory, active, jnp.asarray(order), rate, data)
            total, steps = total + np.asarray(losses, dtype=np.float64), steps + order.shape[1]
        return weights, memory, total / steps


@eqx.filter_jit
def _losses(task: Task, weights: PyTree, data: tuple[Array, ...]) -> Array:
    return jax.vmap(task.objective, in_axes=(0, None))(weights, data)


@eqx.filter_jit
def _learn(
    task: Task, weights: PyTree, memory: PyTree, active: Array, order: Array, rate: Array, data: tuple[Array, ...]
) -> tuple[PyTree, PyTree, Array]:
    """All batches of a chunk: new weights and memory, and the sum of the batches' losses."""
    optimiser = task.settings.optimiser

    def step(carry: tuple, rows: Array) -> tuple:
        weights, memory = carry
        value, gradient = jax.value_and_grad(task.objective)(weights, jax.tree.map(lambda a: a[rows], data))
        update, memory = optimiser.update(gradient, memory)
        weights = jax.tree.map(lambda w, u: (w - rate * u).astype(w.dtype), weights, update)
        return (limited(weights, task.settings.max_norm), memory), value

    def member(weights: PyTree, memory: PyTree, active: Array, order: Array) -> tuple:
        new, losses = jax.lax.scan(step, (weights, memory), order)
        # a member that has stopped stays as it is while the others go on
        kept = jax.tree.map(lambda new, old: jnp.where(active, new, old), new, (weights, memory))
        return *kept, jnp.sum(losses)

    return jax.vmap(member)(weights, memory, active, order)


def limited(weights: PyTree, max_norm: float | None) -> PyTree:
    """Scale down the weights into hidden units whose norm is above the limit; the last layer is left alone."""
    if max_norm is None:
        return weights

    def scaled(w: Array) -> Array:
        if w.ndim != 2:
            return w
        norm = jnp.sqrt(jnp.sum(w**2, axis=-1, keepdims=True))
        return w * jnp.where(norm > max_norm, max_norm / jnp.where(norm > max_norm, norm, 1.0), 1.0).astype(w.dtype)

    return eqx.tree_at(lambda network: network.weight, jax.tree.map(scaled, weights), weights.weight)
