"""Everything of a training but the learning: rows, split, output chain, initial networks, loss."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, PyTree

from alfonsine.emulator.networks.blueprint import Blueprint
from alfonsine.emulator.networks.chain import OutputChain
from alfonsine.emulator.networks.custom import Parts, chosen, own_modules, with_options
from alfonsine.emulator.networks.dense import Architecture
from alfonsine.emulator.networks.feed import Feed
from alfonsine.emulator.networks.losses import LOSSES, Loss
from alfonsine.emulator.networks.model_set import PARTS, ModelSet
from alfonsine.emulator.networks.normalisations import NORMALISATIONS, Normalisation, outer_of
from alfonsine.emulator.networks.plan import Plan
from alfonsine.emulator.networks.rows import Rows
from alfonsine.emulator.networks.streaming import moments
from alfonsine.emulator.networks.trained import TrainedNetwork
from alfonsine.emulator.networks.trainer import Trainer
from alfonsine.errors import InputError


@dataclass(frozen=True)
class Prepared:
    """A training that can begin.

    ids             rows of each part of the split
    shift, spread   standardisation of the inputs, from training rows
    digests         module -> digest of its file, for parts of the user's own
    """

    rows: Rows
    ids: dict[str, np.ndarray]
    shift: np.ndarray
    spread: np.ndarray
    chain: OutputChain
    trainer: Trainer
    digests: Mapping[str, str]

    def feed(self, part: str, seed: int, resident: int, chunk: int) -> Feed:
        """Batches of one part, as the network sees them."""
        given = self.rows.plan.derivatives
        size = len(self.shift) + self.chain.size * (1 + (0 if given is None else len(given.directions)))
        return Feed(self.encoded, self.ids[part], 4 * size, seed, resident, chunk)

    def encoded(self, ids: np.ndarray) -> tuple[Array, ...]:
        """Inputs and targets of some rows, 32-bit; derivatives too where they are given."""
        u = jnp.asarray((self.rows.theta(ids) - self.shift) / self.spread, jnp.float32)
        values = jnp.asarray(self.rows.values(ids), float)
        if self.rows.plan.derivatives is None:
            return u, _encode(self.chain, values)
        return u, *_encode_with(self.chain, values, jnp.asarray(self.rows.derivatives(ids), float))

    def record(self, weights: PyTree, **card: Any) -> TrainedNetwork:
        """The networks of some weights with all that belongs to them; `card` is told besides the plan."""
        parts = {"parts": self.digests} if self.digests else {}
        return TrainedNetwork(
            self.rows.inputs,
            self.rows.outputs,
            self.rows.sizes,
            jnp.asarray(self.shift),
            jnp.asarray(self.spread),
            self.trainer.network(weights),
            self.chain,
            tuple(None if s is None else jnp.asarray(s) for s in self.rows.splines),
            (1.0,) * len(self.rows.outputs),
            json.dumps({"plan": self.rows.plan.record(), **parts, **card}, sort_keys=True),
        )


def prepare(
    model_set: ModelSet, plan: Plan, seed: int = 0, members: int = 1, parts: str | Path | None = None
) -> Prepared:
    """Check the plan against the set, learn the output chain from the training rows, draw the first weights.

    parts   folder of the user's own activations, losses, ...
    """
    if members < 1:
        raise InputError(f"expected at least one member, got {members}")
    own = own_modules(plan.parts, parts)
    normalisation = chosen("normalisation", plan.normalisation, NORMALISATIONS, Normalisation, own)
    kind = chosen("loss", plan.loss, LOSSES, Loss, own)
    loss_of = with_options(kind.of, plan.loss_options, "loss")
    fit = with_options(normalisation.fit, plan.normalisation_options, "normalisation")
    rows = Rows(model_set, plan)
    if plan.nodes and outer_of(normalisation, plan.normalisation) != "identity":
        raise InputError(f"expected no nodes with '{plan.normalisation}', got some; try 'standardisation' or no nodes")
    ids = {name: rows.part(name) for name in PARTS}
    if not len(ids["train"]) or not len(ids["validation"]):
        raise InputError("expected filled rows for training and validation, got none; fill the set or change fractions")
    inputs = moments(lambda: iter([rows.theta(ids["train"])]))
    spread = np.where(inputs.std > 0, inputs.std, 1.0)
    chain = OutputChain.fit(rows, ids["train"], fit)
    networks = draw(plan, len(rows.inputs), chain.size, jax.random.key(seed), members, own)
    loss = loss_of(rows.entries(np.array(chain.scale)))
    directions = None
    if plan.derivatives is not None:
        directions = jnp.asarray(np.array(plan.derivatives.directions) / spread, jnp.float32)
    digests = {module: source.digest for module, source in own.items()}
    return Prepared(rows, ids, inputs.mean, spread, chain, Trainer(plan, networks, loss, directions), digests)


def draw(plan: Plan, d: int, m: int, key: Array, members: int, parts: Parts) -> Architecture:
    """Initial networks, with a leading axis, each from a key of its own."""
    keys = jax.vmap(partial(jax.random.fold_in, key))(jnp.arange(members))
    return eqx.filter_vmap(Blueprint.of(plan.record(), d, m).drawer(parts))(keys)


@eqx.filter_jit
def _encode(chain: OutputChain, values: Array) -> Array:
    return chain.encode(values).astype(jnp.float32)


@eqx.filter_jit
def _encode_with(chain: OutputChain, values: Array, derivatives: Array) -> tuple[Array, Array]:
    def along(tangent: Array) -> Array:
        return jax.jvp(chain.encode, (values,), (tangent,))[1]

    found = jax.vmap(along, in_axes=1, out_axes=1)(derivatives)
    return chain.encode(values).astype(jnp.float32), found.astype(jnp.float32)
