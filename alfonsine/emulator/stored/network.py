"""How a surrogate of networks of any architecture lies in a file: names of classes, what they were drawn from, arrays.

Before a file comes here `opened` has put the networks without their numbers into its table: "skeleton" of each block.
"""

from collections.abc import Mapping
from typing import Any

import jax.numpy as jnp
import numpy as np

from alfonsine.emulator.networks.blueprint import Blueprint, filled, without_last
from alfonsine.emulator.networks.blueprint import arrays as arrays_of
from alfonsine.emulator.networks.custom import Parts
from alfonsine.emulator.networks.dense import Architecture
from alfonsine.emulator.networks.own import NetworkBlock, NetworkSurrogate
from alfonsine.emulator.stored.layout import Layout, Wanted, counts


def parts(surrogate: NetworkSurrogate) -> dict[str, Any]:
    """What is not an array: inputs, what the network was drawn from, and whether there is a linear layer."""
    return {
        "blocks": [
            {
                "inputs": list(block.inputs),
                "blueprint": block.blueprint.record(),
                "last": block.network.weight is not None,
            }
            for block in surrogate.blocks
        ]
    }


def arrays(surrogate: NetworkSurrogate) -> dict[str, Any]:
    """All arrays under names that tell where they belong."""
    found: dict[str, Any] = {}
    for i, block in enumerate(surrogate.blocks):
        found |= {f"block{i}.centre": block.centre, f"block{i}.scale": block.scale}
        found |= {f"block{i}.network.{name}": values for name, values in arrays_of(block.network).items()}
    return found


def names(record: Mapping[str, Any]) -> list[str]:
    """All classes that it names."""
    return [name for entry in record["blocks"] for name in Blueprint.of_record(entry["blueprint"]).names]


def opened(record: Mapping[str, Any], own: Parts) -> dict[str, Any]:
    """The table with the skeleton of each network in it, drawn by the classes that it names."""
    found = []
    for entry in record["blocks"]:
        blueprint = Blueprint.of_record(entry["blueprint"])
        skeleton = blueprint.skeleton(own)
        width = skeleton.weight.shape[0] if entry["last"] else skeleton.weight.shape[1]
        skeleton = skeleton if entry["last"] else without_last(skeleton)
        found.append({**entry, "blueprint": blueprint, "skeleton": skeleton, "width": width})
    return {"blocks": found}


def layout(record: Mapping[str, Any], stored: Mapping[str, np.ndarray], d: int) -> tuple[Layout, tuple[int, ...]]:
    """The shapes and types that the skeletons have; amplitudes of each block."""
    found: Layout = {}
    for i, entry in enumerate(record["blocks"]):
        size = len(counts(entry["inputs"], d))
        if not isinstance(entry["skeleton"], Architecture) or not isinstance(entry["last"], bool):
            raise ValueError("its networks have no architecture")
        if entry["blueprint"].sizes[0] != size:
            raise ValueError("its networks have other inputs")
        found |= {f"block{i}.centre": Wanted((size,)), f"block{i}.scale": Wanted((size,), positive=True)}
        for name, leaf in arrays_of(entry["skeleton"]).items():
            found[f"block{i}.network.{name}"] = Wanted(leaf.shape, (leaf.dtype.name,))
    return found, tuple(1 + entry["width"] for entry in record["blocks"])


def build(record: Mapping[str, Any], stored: Mapping[str, np.ndarray]) -> NetworkSurrogate:
    """The surrogate that was taken apart."""
    blocks = []
    for i, entry in enumerate(record["blocks"]):
        at = f"block{i}.network."
        values = {name.removeprefix(at): jnp.asarray(a) for name, a in stored.items() if name.startswith(at)}
        blocks.append(
            NetworkBlock(
                tuple(entry["inputs"]),
                entry["blueprint"],
                entry["width"],
                jnp.asarray(stored[f"block{i}.centre"]),
                jnp.asarray(stored[f"block{i}.scale"]),
                filled(entry["skeleton"], values),
            )
        )
    return NetworkSurrogate(tuple(blocks))
