"""How the polynomial surrogate around a posterior lies in a file."""

from collections.abc import Mapping
from typing import Any

import jax.numpy as jnp
import numpy as np

from alfonsine.emulator.around.coordinates import Coordinates
from alfonsine.emulator.around.surrogate import Block, Surrogate
from alfonsine.emulator.scaling import Scaling
from alfonsine.emulator.stored import features
from alfonsine.emulator.stored.ensemble import ensemble_arrays, ensemble_layout, load_ensemble
from alfonsine.emulator.stored.layout import WHOLE, Layout, Wanted, is_count

SCALING = ("origin", "slope", "power")


def parts(surrogate: Surrogate) -> dict[str, Any]:
    """What is not an array: depth of each block's network, and what the inputs are."""
    networks = [len(b.network.members.hidden) if b.network else None for b in surrogate.blocks]
    return {"networks": networks, "features": features.record(surrogate.coordinates.features)}


def arrays(surrogate: Surrogate) -> dict[str, Any]:
    """All arrays under names that tell where they belong."""
    found = {
        "coordinates.centre": surrogate.coordinates.centre,
        "coordinates.scale": surrogate.coordinates.scale,
        "table": surrogate.table,
        **features.arrays(surrogate.coordinates.features),
    }
    for i, block in enumerate(surrogate.blocks):
        found |= {f"block{i}.{f}": getattr(block.scaling, f) for f in SCALING}
        found[f"block{i}.coefficients"] = block.coefficients
        found |= ensemble_arrays(f"block{i}.network", block.network)
    return found


def layout(record: Mapping[str, Any], stored: Mapping[str, np.ndarray], d: int) -> tuple[Layout, tuple[int, ...]]:
    """The shapes that fit together, given the sizes that are free; amplitudes of each block."""
    depths = record["networks"]
    if not all(depth is None or is_count(depth) for depth in depths):
        raise ValueError("its networks are not numbers of layers")
    terms, order = stored["table"].shape
    if not ((stored["table"] >= 0) & (stored["table"] <= d)).all():
        raise ValueError("its table names inputs that it does not have")
    found: Layout = {
        "coordinates.centre": Wanted((d,)),
        "coordinates.scale": Wanted((d,), positive=True),
        "table": Wanted((terms, order), WHOLE),
        **features.layout(record.get("features"), stored, d),
    }
    sizes = []
    for i, depth in enumerate(depths):
        components = stored[f"block{i}.coefficients"].shape[1]
        sizes.append(1 + components)
        found |= {f"block{i}.{name}": Wanted((d,)) for name in SCALING}
        found[f"block{i}.coefficients"] = Wanted((terms, components))
        found |= ensemble_layout(f"block{i}.network", depth, d, components, stored)
    return found, tuple(sizes)


def build(record: Mapping[str, Any], stored: Mapping[str, np.ndarray]) -> Surrogate:
    """The surrogate that was taken apart."""
    blocks = []
    for i, depth in enumerate(record["networks"]):
        scaling = Scaling(*(jnp.asarray(stored[f"block{i}.{f}"]) for f in SCALING))
        network = load_ensemble(f"block{i}.network", depth, stored)
        blocks.append(Block(scaling, jnp.asarray(stored[f"block{i}.coefficients"]), network))
    centre, scale = (jnp.asarray(stored[f"coordinates.{f}"]) for f in ("centre", "scale"))
    coordinates = Coordinates(centre, scale, features.build(record.get("features"), stored, len(centre)))
    return Surrogate(coordinates, jnp.asarray(stored["table"]), tuple(blocks))
