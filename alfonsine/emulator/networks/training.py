"""Training of networks from a training set on disk: reproducible, resumable, the best weights kept.

Everything that is random is a function of the seed, the member and the number of the epoch; so a training that was
killed and goes on from its last checkpoint ends with the same bits as one that was not.
"""

import json
import os
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array

from alfonsine.emulator.networks.checkpoint import State, load_state, save_state
from alfonsine.emulator.networks.feed import Feed
from alfonsine.emulator.networks.model_set import ModelSet
from alfonsine.emulator.networks.plan import Plan
from alfonsine.emulator.networks.prepare import prepare
from alfonsine.emulator.networks.trained import TrainedNetwork
from alfonsine.emulator.networks.trainer import Trainer
from alfonsine.errors import InputError

Progress = Callable[[Mapping[str, Any]], None]


@dataclass(frozen=True)
class Limits:
    """How much memory a training takes, and how often it saves its state.

    resident            bytes up to which the rows are kept on the device, 32-bit
    chunk               bytes of a chunk otherwise
    epochs, seconds     save after so many epochs, or at the end of the epoch when so much time has passed
    """

    resident: int = 1 << 30
    chunk: int = 256 << 20
    epochs: int = 50
    seconds: float = 60.0


def train(
    model_set: ModelSet,
    plan: Plan,
    folder: str | Path,
    seed: int = 0,
    members: int = 1,
    parts: str | Path | None = None,
    progress: Progress | None = None,
    limits: Limits = Limits(),
) -> TrainedNetwork:
    """Train the networks of a plan, or go on with a training that `folder` holds the state of.

    seed        of initial weights and of the order of the rows
    members     networks trained side by side, each with its own initial weights and order
    parts       folder of the user's own activations, losses, ...; an edited file makes another training
    progress    called after each epoch with its record of the learning curves
    """
    folder = Path(folder)
    prepared = prepare(model_set, plan, seed, members, parts)
    trainer = prepared.trainer
    memory = (limits.resident, limits.chunk)
    feed, held_out = (prepared.feed(part, seed, *memory) for part in ("train", "validation"))
    purpose = {
        "plan": plan.record(),
        "training set": model_set.identity(),
        "seed": seed,
        "members": members,
        "memory": list(memory),  # the order of the rows depends on what fits
    }
    if prepared.digests:
        purpose["files of your own"] = dict(prepared.digests)
    folder.mkdir(parents=True, exist_ok=True)
    state = fit(trainer, feed, held_out, members, purpose, folder, progress, limits)
    _write_curves(state, folder)
    test = None
    if len(prepared.ids["test"]):
        test = trainer.loss(state.best, prepared.feed("test", seed, *memory), plan.stages[0].batch).tolist()
    return prepared.record(
        state.best,
        seed=seed,
        rows={name: len(part) for name, part in prepared.ids.items()},
        epochs=len(state.curves),
        loss={"validation": state.best_loss.tolist(), "test": test},
    )


def fit(
    trainer: Trainer,
    feed: Feed,
    held_out: Feed,
    members: int,
    purpose: dict[str, Any],
    folder: Path,
    progress: Progress | None,
    limits: Limits,
) -> State:
    """All stages, from the last checkpoint where there is one."""
    stages, path = trainer.plan.stages, folder / "state.safetensors"
    start = State(
        trainer.start,
        trainer.memory(trainer.start),
        trainer.start,
        np.full(members, np.inf),
        np.zeros(members, dtype=np.int64),
        np.ones(members, dtype=bool),
        0,
        0,
        [],
    )
    state = load_state(start, purpose, path)
    if state is None:
        first = trainer.loss(start.best, held_out, stages[0].batch)
        state = start._replace(best_loss=np.where(np.isfinite(first), first, np.inf))
    since, saved_at = 0, time.monotonic()
    while state.stage < len(stages):
        if state.epoch == 0:  # each stage starts from the best weights, not from the last
            state = state._replace(
                weights=state.best,
                memory=trainer.memory(state.best),
                waited=np.zeros(members, dtype=np.int64),
                active=np.ones(members, dtype=bool),
            )
        state = advance(trainer, state, feed, held_out)
        since += 1
        if since >= limits.epochs or time.monotonic() - saved_at > limits.seconds or state.stage == len(stages):
            save_state(state, purpose, path)
            _write_curves(state, folder)
            since, saved_at = 0, time.monotonic()
        if progress is not None:
            progress(state.curves[-1])
    if not np.all(np.isfinite(state.best_loss)):
        raise InputError("expected a finite loss of every member, got none; try a lower learning rate")
    return state


def advance(trainer: Trainer, state: State, feed: Feed, held_out: Feed) -> State:
    """One epoch: learn, validate, keep the best, and say whether the stage is over."""
    stage = trainer.plan.stages[state.stage]
    weights, memory, losses = trainer.epoch(state, feed)
    now = trainer.loss(weights, held_out, stage.batch)
    better = state.active & (now < state.best_loss)

    def keep(new: Array, old: Array) -> Array:
        return jnp.where(better.reshape(-1, *[1] * (new.ndim - 1)), new, old)

    best = jax.tree.map(keep, weights, state.best)
    waited = np.where(better, 0, state.waited + 1)
    # not a number comes back to no number: there is nothing to wait for
    active = state.active & np.isfinite(now) & (stage.patience is None or waited < stage.patience)
    over = state.epoch + 1 == stage.epochs or not active.any()
    record = {
        "stage": state.stage,
        "epoch": state.epoch,
        "rate": stage.rate,
        "train": [float(v) for v in losses],
        "validation": [float(v) for v in now],
    }
    return State(
        weights,
        memory,
        best,
        np.where(better, now, state.best_loss),
        waited,
        active,
        state.stage + over,
        0 if over else state.epoch + 1,
        [*state.curves, record],
    )


def _write_curves(state: State, folder: Path) -> None:
    temporary = folder / f".curves.{os.getpid()}.json"
    temporary.write_text(json.dumps(state.curves), encoding="utf-8")
    os.replace(temporary, folder / "curves.json")
