"""A normalisation of the user's own as part of an emulator: its `after` makes an output of what is linear.

It must be a record that a file can hold: fields that are arrays, with one number per entry or one in all, and plain
values.
"""

import dataclasses
from typing import Any

import equinox as eqx
import jax.numpy as jnp
import numpy as np

from alfonsine.emulator.networks.blueprint import PLAIN
from alfonsine.emulator.networks.normalisations import Normalisation
from alfonsine.errors import InputError

TYPES = ("float64", "float32", "int64", "int32", "bool")


def fields_of(normalisation: Normalisation) -> tuple[dict[str, Any], dict[str, Any]]:
    """Arrays and plain values by their names."""
    found = {field.name: getattr(normalisation, field.name) for field in dataclasses.fields(normalisation)}
    held = {name: value for name, value in found.items() if eqx.is_array(value)}
    return held, {name: value for name, value in found.items() if name not in held}


def cut(normalisation: Normalisation, name: str, first: int, last: int) -> Normalisation:
    """The same map of the entries from `first` to before `last`; InputError for one that a file cannot hold."""
    held, plain = fields_of(normalisation)
    entries = normalisation.shift.shape
    for field, value in held.items():
        if value.shape not in (entries, ()) or value.dtype.name not in TYPES:
            raise InputError(
                f"expected one number per entry or one in all in '{field}' of '{name}', got {value.dtype} of shape "
                f"{value.shape}; a file cannot hold it"
            )
        if not np.isfinite(np.asarray(value)).all():
            raise InputError(f"expected finite numbers in '{field}' of '{name}', got others; mend its fit")
    for field, value in plain.items():
        if not isinstance(value, PLAIN):
            raise InputError(
                f"expected arrays of jax and plain values in '{name}', got {type(value).__name__} in '{field}'; "
                "a file cannot hold it"
            )
    # made anew of NumPy's arrays: none of them may be of JAX's weak types, which no file can tell
    pieces = {field: np.asarray(value[first:last] if value.ndim else value) for field, value in held.items()}
    return rebuilt(type(normalisation), name, pieces, plain)


def rebuilt(kind: type[Normalisation], name: str, held: dict[str, np.ndarray], plain: dict[str, Any]) -> Normalisation:
    """The record with these fields; InputError where its class cannot be called with them."""
    try:
        return kind(**{field: jnp.asarray(value) for field, value in held.items()}, **plain)
    except Exception as error:  # the user's own code may fail in any way
        why = " ".join(f"{type(error).__name__}: {error}".split())
        raise InputError(f"expected '{name}' to be made of its fields alone, got {why}; remove its __init__") from None
