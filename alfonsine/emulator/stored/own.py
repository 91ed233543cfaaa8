"""Parts of the user's own in a file: names, digests, fields and arrays. Their classes are never in it.

Nothing is executed because of what a file says. Reading one that names parts of the user's own needs the user's word:
the folder of the files that may be imported. Each must have the digest that it had when the network was trained, which
is looked at before anything of it runs.
"""

import dataclasses
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array

from alfonsine.emulator.emulator import Emulator
from alfonsine.emulator.networks.custom import chosen, is_own
from alfonsine.emulator.networks.normalisations import NORMALISATIONS, Normalisation
from alfonsine.emulator.networks.own_normalisation import PLAIN, TYPES, fields_of, rebuilt
from alfonsine.emulator.stored import network
from alfonsine.emulator.stored.layout import Layout, Wanted, is_count
from alfonsine.errors import InputError
from alfonsine.theory.user_module import UserModule

LABEL = re.compile(r"[^\W\d]\w*(\.[^\W\d]\w*)*:[^\W\d]\w*")
TOLERANCE = 1e-3  # of the largest value: rounding differs from machine to machine, and an exponential enlarges it


def is_of_own(header: Mapping[str, Any]) -> bool:
    """Whether a file needs classes, of the user's own or ours, to be built."""
    transforms = [entry["transform"] for entry in header["outputs"].values()]
    if not all(isinstance(transform, str) for transform in transforms):
        raise ValueError("its transforms are no names")
    return header["kind"] == "network" or any(is_own(transform) for transform in transforms)


def opened(header: Mapping[str, Any], folder: str | Path | None, path: str | Path) -> dict[str, Any]:
    """The header with the classes that it names in it: skeletons of networks, normalisations."""
    outputs, parts = header["outputs"], header["parts"]
    names = [entry["transform"] for entry in outputs.values()]
    names += network.names(parts) if header["kind"] == "network" else []
    if any(not LABEL.fullmatch(name) for name in names if is_own(name)):
        raise ValueError("it names no classes")
    own = trusted(sorted({name for name in names if is_own(name)}), header["files"], folder, path)
    try:
        found = {}
        for name, entry in outputs.items():
            found[name] = entry
            if is_own(entry["transform"]):
                kind = chosen("normalisation", entry["transform"], NORMALISATIONS, Normalisation, own)
                found[name] = {**entry, "class": kind}
        parts = network.opened(parts, own) if header["kind"] == "network" else parts
    except InputError as error:
        raise InputError(f"expected the parts of your own that '{path}' names, got none: {error}") from None
    return {**header, "outputs": found, "parts": parts}


def trusted(
    names: list[str], digests: Mapping[str, str], folder: str | Path | None, path: str | Path
) -> dict[str, UserModule]:
    """Files of the user's own in the folder that the user gave, their digests compared; nothing is imported."""
    found = {}
    for name in names:
        module = name.partition(":")[0]
        if folder is None:
            raise InputError(
                f"expected the folder of '{name}', which the network in '{path}' is made with, got none; "
                f"try parts=FOLDER, or --parts FOLDER, with the folder that has {module.replace('.', '/')}.py"
            )
        source = UserModule.within(module, folder)
        if source is None:
            raise InputError(
                f"expected the file of '{name}', which the network in '{path}' is made with, in '{folder}', got none; "
                f"try the folder that has {module.replace('.', '/')}.py"
            )
        if source.digest != digests[module]:
            raise InputError(
                f"expected '{source.path}' as it was when the network in '{path}' was trained, got a file that was "
                "edited since; try the version it was trained with, or train again"
            )
        found[module] = source
    return found


def record_of(emulator: Emulator, name: str) -> dict[str, Any]:
    """What is not an array of the normalisation of an output; nothing where it is none of the user's own."""
    if name not in emulator.undone:
        return {}
    held, plain = fields_of(emulator.undone[name])
    types = {field: [value.ndim, value.dtype.name] for field, value in held.items()}
    return {"normalisation": {"arrays": types, "plain": plain}}


def arrays(emulator: Emulator) -> dict[str, Any]:
    """Arrays of the normalisations, and what the classes give when stored; InputError where it is not numbers."""
    found: dict[str, Any] = {}
    for name, normalisation in emulator.undone.items():
        found |= {f"undone.{name}.{field}": values for field, values in fields_of(normalisation)[0].items()}
    for name, values in witness(emulator).items() if emulator.digests else ():
        if not np.isfinite(values).all():
            raise InputError(f"expected numbers in '{name}' in the middle of the domain, got others; train it again")
        found[f"witness.{name}"] = values
    return found


def witness(emulator: Emulator) -> dict[str, np.ndarray]:
    """Outputs at the centre of the domain and a little to both sides of it, (3, m) each."""
    domain = emulator.domain
    points = domain.centre + 0.3 * jnp.array([[-1.0], [0.0], [1.0]]) * jnp.diag(domain.cholesky)
    return {name: np.asarray(values, dtype=float) for name, values in _predict(emulator, points).items()}


@eqx.filter_jit
def _predict(emulator: Emulator, points: Array) -> dict[str, Array]:
    return jax.vmap(emulator.predict)(points)


def layout(header: Mapping[str, Any]) -> Layout:
    """The shapes that the parts of the user's own must have."""
    found: Layout = {}
    for name, entry in header["outputs"].items():
        if header["files"]:
            found[f"witness.{name}"] = Wanted((3, entry["rows"]))
        if "class" in entry:
            held, plain = entry["normalisation"]["arrays"], entry["normalisation"]["plain"]
            fields = {field.name for field in dataclasses.fields(entry["class"])}
            if {*held} | {*plain} != fields or {*held} & {*plain}:
                raise ValueError(f"the normalisation of '{name}' has other fields")
            if not all(isinstance(value, PLAIN) for value in plain.values()):
                raise ValueError(f"the normalisation of '{name}' has fields that are no plain values")
            for field, (axes, kind) in held.items():
                if not is_count(axes) or axes > 1 or kind not in TYPES:
                    raise ValueError(f"the normalisation of '{name}' has an impossible field '{field}'")
                found[f"undone.{name}.{field}"] = Wanted((entry["rows"],) * axes, (kind,))
    return found


def build(header: Mapping[str, Any], stored: Mapping[str, np.ndarray]) -> dict[str, Normalisation]:
    """The normalisations of the user's own by output."""
    found = {}
    for name, entry in header["outputs"].items():
        if "class" in entry:
            record = entry["normalisation"]
            held = {field: stored[f"undone.{name}.{field}"] for field in record["arrays"]}
            found[name] = rebuilt(entry["class"], entry["transform"], held, record["plain"])
    return found


def check_witness(emulator: Emulator, stored: Mapping[str, np.ndarray], path: str | Path) -> None:
    """InputError unless the classes give what they gave: what they import is not part of their digest."""
    for name, values in witness(emulator).items():
        was = stored[f"witness.{name}"]
        if not (np.abs(values - was) <= TOLERANCE * np.abs(was).max()).all():
            raise InputError(
                f"expected the same '{name}' from '{path}' as when it was stored, got another; something that your "
                "file imports was edited since: try the version it was trained with"
            )
