"""An emulator as one safetensors file: arrays, and a JSON header that says what they are.

Nothing in a file is executed or unpickled. Header and arrays together are checked against a digest, and every array
against the shape it must have, before an emulator is built: a damaged file gives a clear error and never a wrong
number.
"""

import hashlib
import json
import os
from pathlib import Path
from typing import Any

import jax.numpy as jnp
import numpy as np
from safetensors import SafetensorError, safe_open
from safetensors.numpy import save

from alfonsine.emulator.coordinates import Coordinates
from alfonsine.emulator.emulator import Emulator
from alfonsine.emulator.layout import check
from alfonsine.emulator.network import Ensemble, Layer, Network
from alfonsine.emulator.scaling import Scaling
from alfonsine.emulator.surrogate import Block, Domain, Surrogate
from alfonsine.errors import InputError

FORMAT = 1


def save_emulator(emulator: Emulator, path: Path) -> None:
    """Write the file, whole or not at all."""
    arrays = flatten(emulator)
    header = {
        "format": FORMAT,
        "names": list(emulator.names),
        "outputs": {name: list(matrix.shape) for name, matrix in emulator.basis.items()},
        "networks": [
            len(block.network.members.hidden) if block.network else None for block in emulator.surrogate.blocks
        ],
        "card": emulator.card,
    }
    header["digest"] = digest(header, arrays)
    content = save(arrays, metadata={"alfonsine": json.dumps(header, sort_keys=True)})
    temporary = path.with_name(f".{path.name}.{os.getpid()}")
    temporary.write_bytes(content)
    os.replace(temporary, path)


def load_emulator(path: Path) -> Emulator:
    """Read a file; InputError in one line for anything but a whole emulator that this version understands."""
    try:
        with safe_open(path, framework="numpy") as stored:
            text = (stored.metadata() or {}).get("alfonsine")
            arrays = {name: stored.get_tensor(name) for name in stored.keys()}
    except FileNotFoundError:
        raise InputError(f"expected an emulator in '{path}', got no such file") from None
    except (SafetensorError, OSError, ValueError, TypeError, AttributeError) as error:  # the last two: foreign types
        raise damaged(path, str(error)) from None
    if text is None:
        raise damaged(path, "it has no header of ours")
    try:
        header = json.loads(text)
        if header["format"] != FORMAT:
            raise InputError(
                f"expected emulator format {FORMAT} in '{path}', got {header['format']}; use a matching version"
            )
        if text != json.dumps(header, sort_keys=True) or header["digest"] != digest(header, arrays):
            raise damaged(path, "its contents do not match its digest")
        check(header, arrays)
        return build(header, arrays)
    except InputError:
        raise
    except (KeyError, TypeError, ValueError, IndexError, RecursionError) as error:
        raise damaged(path, f"{type(error).__name__}: {error}") from None


def damaged(path: Path, why: str) -> InputError:
    """The one line for a file that cannot be used."""
    return InputError(
        f"expected a whole emulator in '{path}', got a damaged file ({' '.join(why.split())}); train it again"
    )


def flatten(emulator: Emulator) -> dict[str, np.ndarray]:
    """All arrays under names that tell where they belong."""
    surrogate = emulator.surrogate
    arrays = {
        "coordinates.centre": surrogate.coordinates.centre,
        "coordinates.scale": surrogate.coordinates.scale,
        "table": surrogate.table,
        **{f"domain.{f}": getattr(emulator.domain, f) for f in ("centre", "cholesky", "radius", "lower", "upper")},
        **{f"basis.{name}": matrix for name, matrix in emulator.basis.items()},
    }
    for i, block in enumerate(surrogate.blocks):
        arrays |= {f"block{i}.{f}": getattr(block.scaling, f) for f in ("origin", "slope", "power")}
        arrays[f"block{i}.coefficients"] = block.coefficients
        if block.network is not None:
            members = block.network.members
            arrays[f"block{i}.network.scale"] = block.network.scale
            arrays |= {f"block{i}.network.{f}": getattr(members, f) for f in ("weight", "bias")}
            for j, layer in enumerate(members.hidden):
                for f in ("weight", "bias", "alpha", "beta"):
                    arrays[f"block{i}.network.layer{j}.{f}"] = getattr(layer, f)
    return {name: np.asarray(values, order="C") for name, values in arrays.items()}


def build(header: dict[str, Any], stored: dict[str, np.ndarray]) -> Emulator:
    """The emulator that `flatten` took apart."""
    arrays = {name: jnp.asarray(values) for name, values in stored.items()}
    blocks = []
    for i, depth in enumerate(header["networks"]):
        scaling = Scaling(*(arrays[f"block{i}.{f}"] for f in ("origin", "slope", "power")))
        network = None
        if depth is not None:
            hidden = tuple(
                Layer(*(arrays[f"block{i}.network.layer{j}.{f}"] for f in ("weight", "bias", "alpha", "beta")))
                for j in range(depth)
            )
            members = Network(hidden, arrays[f"block{i}.network.weight"], arrays[f"block{i}.network.bias"])
            network = Ensemble(members, arrays[f"block{i}.network.scale"])
        blocks.append(Block(scaling, arrays[f"block{i}.coefficients"], network))
    coordinates = Coordinates(arrays["coordinates.centre"], arrays["coordinates.scale"])
    domain = Domain(*(arrays[f"domain.{f}"] for f in ("centre", "cholesky", "radius", "lower", "upper")))
    basis = {name: arrays[f"basis.{name}"] for name in header["outputs"]}
    return Emulator(
        tuple(header["names"]),
        Surrogate(coordinates, arrays["table"], tuple(blocks)),
        basis,
        domain,
        json.dumps(header["card"], sort_keys=True),
    )


def digest(header: dict[str, Any], arrays: dict[str, np.ndarray]) -> str:
    """SHA-256 of all else in the header, and of all arrays with their names, types and shapes."""
    rest = {name: entry for name, entry in header.items() if name != "digest"}
    found = hashlib.sha256(json.dumps(rest, sort_keys=True).encode())
    for name in sorted(arrays):
        values = arrays[name]
        found.update(f"{name} {values.dtype.str} {values.shape}".encode())
        found.update(values.tobytes())
    return found.hexdigest()
