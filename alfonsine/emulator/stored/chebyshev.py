"""How the Chebyshev surrogate of a box lies in a file."""

from collections.abc import Mapping
from typing import Any

import jax.numpy as jnp
import numpy as np

from alfonsine.emulator.box.cube import Cube
from alfonsine.emulator.box.surrogate import ChebyshevBlock, ChebyshevSurrogate
from alfonsine.emulator.scaling import Scaling
from alfonsine.emulator.stored.ensemble import ensemble_arrays, ensemble_layout, load_ensemble
from alfonsine.emulator.stored.layout import EITHER, WHOLE, Layout, Wanted, counts, is_count

SCALING = ("origin", "slope", "power")
HIGHEST = 200  # degree of a term; a damaged table could ask for any amount of memory


def parts(surrogate: ChebyshevSurrogate) -> dict[str, Any]:
    """What is not an array: inputs, slopes, logarithms and depth of the network of each block."""
    return {
        "blocks": [
            {
                "inputs": list(block.inputs),
                "slopes": [list(slope) for slope in block.slopes],
                "logarithmic": [bool(x) for x in block.cube.logarithmic],
                "network": len(block.network.members.hidden) if block.network else None,
            }
            for block in surrogate.blocks
        ]
    }


def arrays(surrogate: ChebyshevSurrogate) -> dict[str, Any]:
    """All arrays under names that tell where they belong."""
    found: dict[str, Any] = {}
    for i, block in enumerate(surrogate.blocks):
        found |= {f"block{i}.{f}": getattr(block.scaling, f) for f in SCALING}
        found |= {f"block{i}.cube.{f}": getattr(block.cube, f) for f in ("centre", "scale")}
        found |= {f"block{i}.table": block.table, f"block{i}.coefficients": block.coefficients}
        found |= ensemble_arrays(f"block{i}.network", block.network)
    return found


def layout(record: Mapping[str, Any], stored: Mapping[str, np.ndarray], d: int) -> tuple[Layout, tuple[int, ...]]:
    """The shapes that fit together, given the sizes that are free; amplitudes of each block."""
    found: Layout = {}
    sizes = []
    for i, entry in enumerate(record["blocks"]):
        inputs, depth = counts(entry["inputs"], d), entry["network"]
        slopes = counts([position for position, _ in entry["slopes"]], d)
        choices = [*entry["logarithmic"], *(logarithmic for _, logarithmic in entry["slopes"])]
        if not all(isinstance(x, bool) for x in choices) or len(entry["logarithmic"]) != len(inputs):
            raise ValueError("its logarithms are not one choice per input")
        if not (depth is None or is_count(depth)):
            raise ValueError("its networks are not numbers of layers")
        terms, components = stored[f"block{i}.coefficients"].shape
        table = stored[f"block{i}.table"]
        if not ((table >= 0) & (table <= HIGHEST)).all():
            raise ValueError("its table has impossible degrees")
        sizes.append(1 + len(slopes) + components)
        found |= {f"block{i}.{name}": Wanted((d,)) for name in SCALING}
        found[f"block{i}.cube.centre"] = Wanted((len(inputs),))
        found[f"block{i}.cube.scale"] = Wanted((len(inputs),), positive=True)
        found[f"block{i}.table"] = Wanted((terms, len(inputs)), WHOLE)
        found[f"block{i}.coefficients"] = Wanted((terms, components), EITHER)
        found |= ensemble_layout(f"block{i}.network", depth, len(inputs), components, stored)
    return found, tuple(sizes)


def build(record: Mapping[str, Any], stored: Mapping[str, np.ndarray]) -> ChebyshevSurrogate:
    """The surrogate that was taken apart."""
    blocks = []
    for i, entry in enumerate(record["blocks"]):
        cube = Cube(
            jnp.asarray(stored[f"block{i}.cube.centre"]),
            jnp.asarray(stored[f"block{i}.cube.scale"]),
            jnp.asarray(np.array(entry["logarithmic"], dtype=bool)),
        )
        blocks.append(
            ChebyshevBlock(
                entry["inputs"],
                [(position, logarithmic) for position, logarithmic in entry["slopes"]],
                Scaling(*(jnp.asarray(stored[f"block{i}.{f}"]) for f in SCALING)),
                cube,
                jnp.asarray(stored[f"block{i}.table"]),
                jnp.asarray(stored[f"block{i}.coefficients"]),
                load_ensemble(f"block{i}.network", entry["network"], stored),
            )
        )
    return ChebyshevSurrogate(tuple(blocks))
