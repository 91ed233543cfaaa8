"""How a surrogate of dense networks lies in a file."""

from collections.abc import Mapping
from typing import Any

import jax.numpy as jnp
import numpy as np

from alfonsine.emulator.networks.surrogate import ACTIVATIONS, DenseBlock, DenseLayer, DenseSurrogate
from alfonsine.emulator.stored.layout import EITHER, Layout, Wanted, counts, is_count


def parts(surrogate: DenseSurrogate) -> dict[str, Any]:
    """What is not an array: inputs, activation, number of layers, and whether there is a head."""
    return {
        "blocks": [
            {
                "inputs": list(block.inputs),
                "activation": block.activation,
                "layers": len(block.layers),
                "head": block.head is not None,
            }
            for block in surrogate.blocks
        ]
    }


def arrays(surrogate: DenseSurrogate) -> dict[str, Any]:
    """All arrays under names that tell where they belong."""
    found: dict[str, Any] = {}
    for i, block in enumerate(surrogate.blocks):
        found |= {f"block{i}.centre": block.centre, f"block{i}.scale": block.scale}
        for j, layer in enumerate(block.layers):
            at = f"block{i}.layer{j}"
            found |= {f"{at}.weight": layer.weight, f"{at}.bias": layer.bias}
            found |= {f"{at}.{name}": values for name, values in layer.parameters.items()}
        if block.head is not None:
            found |= {f"block{i}.head.weight": block.head[0], f"block{i}.head.bias": block.head[1]}
    return found


def layout(record: Mapping[str, Any], stored: Mapping[str, np.ndarray], d: int) -> tuple[Layout, tuple[int, ...]]:
    """The shapes that fit together, given the sizes that are free; amplitudes of each block."""
    found: Layout = {}
    sizes = []
    for i, entry in enumerate(record["blocks"]):
        width, depth = len(counts(entry["inputs"], d)), entry["layers"]
        if not (is_count(depth) and depth > 0 and isinstance(entry["head"], bool)):
            raise ValueError("its layers are not a number of layers")
        if entry["activation"] not in ACTIVATIONS:
            raise ValueError(f"it has the unknown activation '{entry['activation']}'")
        found |= {f"block{i}.centre": Wanted((width,)), f"block{i}.scale": Wanted((width,), positive=True)}
        for j in range(depth):
            at = f"block{i}.layer{j}"
            (units,) = stored[f"{at}.bias"].shape
            found |= {f"{at}.weight": Wanted((units, width), EITHER), f"{at}.bias": Wanted((units,), EITHER)}
            found |= {f"{at}.{name}": Wanted((units,), EITHER) for name in ACTIVATIONS[entry["activation"]][0]}
            width = units
        if entry["head"]:
            (units,) = stored[f"block{i}.head.bias"].shape
            found[f"block{i}.head.weight"] = Wanted((units, width), EITHER)
            found[f"block{i}.head.bias"] = Wanted((units,), EITHER)
            width = units
        sizes.append(1 + width)
    return found, tuple(sizes)


def build(record: Mapping[str, Any], stored: Mapping[str, np.ndarray]) -> DenseSurrogate:
    """The surrogate that was taken apart."""
    blocks = []
    for i, entry in enumerate(record["blocks"]):
        layers = []
        for j in range(entry["layers"]):
            at = f"block{i}.layer{j}"
            names = ACTIVATIONS[entry["activation"]][0]
            own = {name: jnp.asarray(stored[f"{at}.{name}"]) for name in names}
            layers.append(DenseLayer(jnp.asarray(stored[f"{at}.weight"]), jnp.asarray(stored[f"{at}.bias"]), own))
        head = tuple(jnp.asarray(stored[f"block{i}.head.{f}"]) for f in ("weight", "bias")) if entry["head"] else None
        blocks.append(
            DenseBlock(
                tuple(entry["inputs"]),
                entry["activation"],
                jnp.asarray(stored[f"block{i}.centre"]),
                jnp.asarray(stored[f"block{i}.scale"]),
                tuple(layers),
                head,
            )
        )
    return DenseSurrogate(tuple(blocks))
