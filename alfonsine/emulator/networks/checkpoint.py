"""The state of a training on disk: all that is needed to go on as if nothing had happened.

Arrays in one safetensors file, the counters and learning curves in its JSON header; written to another name and then
moved, so that the file is whole whenever the process dies.
"""

import json
import os
from pathlib import Path
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Bool, Float, Int, PyTree
from safetensors import SafetensorError, safe_open
from safetensors.numpy import save

from alfonsine.errors import InputError


class State(NamedTuple):
    """Where a training stands, after a whole number of epochs.

    weights, memory, best   pytrees with a leading axis, one entry per member: now, the optimiser's, the best so far
    best_loss               (e,) validation loss of the best weights
    waited                  (e,) epochs since the last improvement, in this stage
    active                  (e,) members that still learn in this stage
    stage, epoch            stage, and epochs done in it
    curves                  one record per epoch: stage, rate, train and validation losses of each member
    """

    weights: PyTree
    memory: PyTree
    best: PyTree
    best_loss: Float[np.ndarray, " e"]
    waited: Int[np.ndarray, " e"]
    active: Bool[np.ndarray, " e"]
    stage: int
    epoch: int
    curves: list[dict[str, Any]]


def save_state(state: State, purpose: dict[str, Any], path: Path) -> None:
    """Write the file; `purpose` says what the training is of, and must be the same when it goes on."""
    leaves = jax.tree.leaves(state[:6])
    arrays = {f"{i:04d}": np.ascontiguousarray(leaf) for i, leaf in enumerate(leaves)}
    header = {"purpose": purpose, "stage": state.stage, "epoch": state.epoch, "curves": state.curves}
    content = save(arrays, metadata={"alfonsine": json.dumps(header, sort_keys=True)})
    temporary = path.with_name(f".{path.name}.{os.getpid()}")
    with open(temporary, "wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())
    os.replace(temporary, path)


def load_state(like: State, purpose: dict[str, Any], path: Path) -> State | None:
    """Read the file into the shapes of `like`; None where there is none, InputError where it is of something else."""
    if not path.is_file():
        return None
    try:
        with safe_open(path, framework="numpy") as stored:
            header = json.loads((stored.metadata() or {})["alfonsine"])
            arrays = [stored.get_tensor(name) for name in sorted(stored.keys())]
        found, counters = header["purpose"], (int(header["stage"]), int(header["epoch"]), list(header["curves"]))
    except (SafetensorError, OSError, ValueError, KeyError, TypeError) as error:
        why = " ".join(str(error).split())
        raise InputError(
            f"expected the state of a training in '{path}', got a damaged file ({why}); delete it"
        ) from None
    if found != purpose:
        different = sorted(key for key in purpose if found.get(key) != purpose[key]) or ["version"]
        raise InputError(f"expected a training of the same {different[0]} in '{path}', got another; try another folder")
    leaves, structure = jax.tree.flatten(like[:6])
    if [(a.shape, a.dtype) for a in arrays] != [(np.shape(b), np.asarray(b).dtype) for b in leaves]:
        raise InputError(f"expected the state of this network in '{path}', got other shapes; delete it")
    restored = [jnp.asarray(a) if isinstance(b, jax.Array) else a for a, b in zip(arrays, leaves, strict=True)]
    return State(*jax.tree.unflatten(structure, restored), *counters)
