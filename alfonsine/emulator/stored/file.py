"""An emulator as one safetensors file: arrays, and a JSON header that says what they are.

Nothing in a file is executed or unpickled; what is needed of the user's own files must be given by the user, see
`own`. Header and arrays together are checked against a digest, and every array
against the shape it must have, before an emulator is built: a damaged file gives a clear error and never a wrong
number.
"""

import hashlib
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import jax.numpy as jnp
import numpy as np
from safetensors import SafetensorError, safe_open
from safetensors.numpy import save

from alfonsine.emulator.around.surrogate import Surrogate
from alfonsine.emulator.box.surrogate import ChebyshevSurrogate
from alfonsine.emulator.domain import Domain
from alfonsine.emulator.emulator import Emulator, Shown
from alfonsine.emulator.networks.own import NetworkSurrogate
from alfonsine.emulator.networks.surrogate import DenseSurrogate
from alfonsine.emulator.stored import chebyshev, dense, network, own, polynomial
from alfonsine.emulator.stored.layout import check, check_header
from alfonsine.errors import InputError
from alfonsine.theory.durable import write_durably

FORMAT = 3
READ = (1, 2, 3)
DOMAIN = ("centre", "cholesky", "radius", "lower", "upper")
KINDS = {"polynomial": polynomial, "chebyshev": chebyshev, "dense": dense, "network": network}
KIND_OF = {
    Surrogate: "polynomial",
    ChebyshevSurrogate: "chebyshev",
    DenseSurrogate: "dense",
    NetworkSurrogate: "network",
}


def save_emulator(emulator: Emulator, path: Path) -> None:
    """Write the file, whole or not at all."""
    arrays, header = flatten(emulator), header_of(emulator)
    header["digest"] = digest(header, arrays)
    write_durably(path, save(arrays, metadata={"alfonsine": json.dumps(header, sort_keys=True)}))


def load_emulator(path: str | Path, parts: str | Path | None = None) -> Emulator:
    """Read a file; InputError in one line for anything but a whole emulator that this version understands.

    parts   folder of the user's own files that a network was made with, for networks that have such parts: these files
            are imported if they are what they were when it was trained; without it nothing is
    """
    if Path(path).is_dir():
        found = sorted(str(file) for file in Path(path).glob("*.safetensors"))
        advice = f"give the file in it: {', '.join(found[:3])}" if found else "which has none in it; train one"
        raise InputError(f"expected an emulator file, got the folder '{path}'{'; ' if found else ', '}{advice}")
    if Path(path).suffix in (".yaml", ".yml") and Path(path).exists():
        raise InputError(
            f"expected an emulator file, got the YAML file '{path}'; where that is a study, give "
            "emulator.safetensors of its run folder, which alfonsine run or train makes"
        )
    try:
        with safe_open(path, framework="numpy") as stored:
            text = (stored.metadata() or {}).get("alfonsine")
            arrays = {name: stored.get_tensor(name) for name in stored.keys()}
    except FileNotFoundError:
        raise InputError(f"expected an emulator in '{path}', got no such file; check the path") from None
    except (SafetensorError, OSError, ValueError, TypeError, AttributeError) as error:  # the last two: foreign types
        raise damaged(path, str(error)) from None
    if text is None:
        raise damaged(path, "it has no header of ours")
    try:
        header = json.loads(text)
        if header["format"] not in READ:
            raise InputError(
                f"expected emulator format {FORMAT} in '{path}', got {header['format']}; use a matching version"
            )
        if text != json.dumps(header, sort_keys=True) or header["digest"] != digest(header, arrays):
            raise damaged(path, "its contents do not match its digest")
        if header["format"] == 1:
            header = upgraded(header)
        check_header(header)
        header = {"files": {}, **header}
        if own.is_of_own(header):
            header = own.opened(header, parts, path)
        kind = KINDS[header["kind"]]
        layout, sizes = kind.layout(header["parts"], arrays, len(header["names"]))
        check(header, arrays, layout | own.layout(header), sizes)
        found = build(header, arrays)
        if header["files"]:
            own.check_witness(found, arrays, path)
        return found
    except InputError:
        raise
    except (KeyError, TypeError, ValueError, IndexError, AttributeError, RecursionError) as error:
        raise damaged(path, f"{type(error).__name__}: {error}") from None


def damaged(path: str | Path, why: str) -> InputError:
    """The one line for a file that cannot be used."""
    return InputError(
        f"expected a whole emulator in '{path}', got a damaged file, or another kind "
        f"({' '.join(why.split())}); train it again"
    )


def header_of(emulator: Emulator) -> dict[str, Any]:
    """All that is not an array."""
    kind = KIND_OF[type(emulator.surrogate)]
    outputs, described = {}, json.loads(emulator.outputs_text)
    for name, matrix in emulator.basis.items():
        first, stop, transform = emulator.made_of(name)
        outputs[name] = {
            "rows": matrix.shape[0],
            "columns": [first, stop],
            "transform": transform,
            "output": described.get(name),
            **own.record_of(emulator, name),
        }
    return {
        **({"files": dict(emulator.digests)} if emulator.digests else {}),
        "format": FORMAT,
        "names": list(emulator.names),
        "kind": kind,
        "parts": KINDS[kind].parts(emulator.surrogate),
        "outputs": outputs,
        "card": emulator.card,
    }


def upgraded(header: Mapping[str, Any]) -> dict[str, Any]:
    """A header of format 1, which knew polynomials only, in the words of format 2."""
    outputs = {
        name: {"rows": rows, "columns": [0, columns], "transform": "identity", "output": None}
        for name, (rows, columns) in header["outputs"].items()
    }
    return {
        "names": header["names"],
        "kind": "polynomial",
        "parts": {"networks": header["networks"]},
        "outputs": outputs,
        "card": header["card"],
    }


def flatten(emulator: Emulator) -> dict[str, np.ndarray]:
    """All arrays under names that tell where they belong."""
    arrays = {
        **{f"domain.{f}": getattr(emulator.domain, f) for f in DOMAIN},
        **{f"basis.{name}": matrix for name, matrix in emulator.basis.items()},
        **{f"offsets.{name}": values for name, values in emulator.offsets.items()},
        **KINDS[KIND_OF[type(emulator.surrogate)]].arrays(emulator.surrogate),
        **own.arrays(emulator),
    }
    return {name: np.asarray(values, order="C") for name, values in arrays.items()}


def build(header: Mapping[str, Any], stored: Mapping[str, np.ndarray]) -> Emulator:
    """The emulator that `flatten` took apart."""
    described = {name: entry["output"] for name, entry in header["outputs"].items() if entry["output"] is not None}
    surrogate = KINDS[header["kind"]].build(header["parts"], stored)
    features = surrogate.coordinates.features if isinstance(surrogate, Surrogate) else None
    return Emulator(
        tuple(header["names"]),
        surrogate,
        {name: jnp.asarray(stored[f"basis.{name}"]) for name in header["outputs"]},
        Domain(*(jnp.asarray(stored[f"domain.{f}"]) for f in DOMAIN), features),
        json.dumps(header["card"], sort_keys=True),
        tuple((name, Shown(*entry["columns"], entry["transform"])) for name, entry in header["outputs"].items()),
        json.dumps(described, sort_keys=True),
        {name: jnp.asarray(stored[f"offsets.{name}"]) for name in header["outputs"] if f"offsets.{name}" in stored},
        own.build(header, stored),
        tuple(sorted(header["files"].items())),
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
