"""How the Chebyshev surrogate of a box lies in a file."""

from collections.abc import Iterator, Mapping
from typing import Any

import jax.numpy as jnp
import numpy as np

from alfonsine.emulator.box.cube import Cube
from alfonsine.emulator.box.surrogate import ChebyshevBlock, ChebyshevSurrogate, Terms
from alfonsine.emulator.scaling import Scaling
from alfonsine.emulator.stored.layout import EITHER, WHOLE, Layout, Wanted, counts

SCALING = ("origin", "slope", "power")
CUBE = ("centre", "scale", "mix")
HIGHEST = 200  # degree of a term; a damaged table could ask for any amount of memory


def parts(surrogate: ChebyshevSurrogate) -> dict[str, Any]:
    """What is not an array: inputs, slopes and logarithms of each block."""
    return {
        "blocks": [
            {
                "inputs": list(terms.inputs),
                "slopes": [list(slope) for slope in block.slopes],
                "logarithmic": [bool(x) for x in terms.cube.logarithmic],
                "mixed": True,
            }
            for terms, block in pairs(surrogate)
        ]
    }


def arrays(surrogate: ChebyshevSurrogate) -> dict[str, Any]:
    """All arrays under names that tell where they belong; terms once for each of their blocks."""
    found: dict[str, Any] = {}
    for i, (terms, block) in enumerate(pairs(surrogate)):
        found |= {f"block{i}.{f}": getattr(block.scaling, f) for f in SCALING}
        found |= {f"block{i}.cube.{f}": getattr(terms.cube, f) for f in CUBE}
        found |= {f"block{i}.table": terms.table, f"block{i}.coefficients": block.coefficients}
    return found


def pairs(surrogate: ChebyshevSurrogate) -> Iterator[tuple[Terms, ChebyshevBlock]]:
    """Every block with its terms."""
    for i, block in zip(surrogate.shared, surrogate.blocks, strict=True):
        yield surrogate.terms[i], block


def layout(record: Mapping[str, Any], stored: Mapping[str, np.ndarray], d: int) -> tuple[Layout, tuple[int, ...]]:
    """The shapes that fit together, given the sizes that are free; amplitudes of each block."""
    found: Layout = {}
    sizes = []
    for i, entry in enumerate(record["blocks"]):
        inputs = counts(entry["inputs"], d)
        slopes = counts([position for position, _ in entry["slopes"]], d)
        choices = [*entry["logarithmic"], *(logarithmic for _, logarithmic in entry["slopes"])]
        if not all(isinstance(x, bool) for x in choices) or len(entry["logarithmic"]) != len(inputs):
            raise ValueError("its logarithms are not one choice per input")
        if entry.get("network") is not None:
            raise ValueError("a block has a network, of which this version knows nothing")
        terms, components = stored[f"block{i}.coefficients"].shape
        table = stored[f"block{i}.table"]
        if not ((table >= 0) & (table <= HIGHEST)).all():
            raise ValueError("its table has impossible degrees")
        sizes.append(1 + len(slopes) + components)
        found |= {f"block{i}.{name}": Wanted((d,)) for name in SCALING}
        found[f"block{i}.cube.centre"] = Wanted((len(inputs),))
        found[f"block{i}.cube.scale"] = Wanted((len(inputs),), positive=True)
        if is_mixed(entry):
            found[f"block{i}.cube.mix"] = Wanted((len(inputs), len(inputs)))
        found[f"block{i}.table"] = Wanted((terms, len(inputs)), WHOLE)
        found[f"block{i}.coefficients"] = Wanted((terms, components), EITHER)
    return found, tuple(sizes)


def is_mixed(entry: Mapping[str, Any]) -> bool:
    """Whether a file tells how the inputs of a block are mixed: the first of them did not."""
    if not isinstance(told := entry.get("mixed", False), bool):
        raise ValueError("it does not say whether its inputs are mixed")
    return told


def build(record: Mapping[str, Any], stored: Mapping[str, np.ndarray]) -> ChebyshevSurrogate:
    """The surrogate that was taken apart."""
    blocks = []
    for i, entry in enumerate(record["blocks"]):
        cube = Cube(
            jnp.asarray(stored[f"block{i}.cube.centre"]),
            jnp.asarray(stored[f"block{i}.cube.scale"]),
            jnp.asarray(np.array(entry["logarithmic"], dtype=bool)),
            jnp.asarray(stored[f"block{i}.cube.mix"]) if is_mixed(entry) else jnp.eye(len(entry["inputs"])),
        )
        coefficients = jnp.asarray(stored[f"block{i}.coefficients"])
        terms = Terms(entry["inputs"], cube, jnp.asarray(stored[f"block{i}.table"]), coefficients.dtype.name)
        slopes = tuple((position, logarithmic) for position, logarithmic in entry["slopes"])
        scaling = Scaling(*(jnp.asarray(stored[f"block{i}.{f}"]) for f in SCALING))
        blocks.append((terms, ChebyshevBlock(slopes, scaling, coefficients)))
    return ChebyshevSurrogate.of(blocks)
