"""What an emulator file must hold: every array by name, shape and kind. All of it follows from a few sizes.

A wrong shape is not left to be noticed by the arithmetic: much of it would broadcast to a wrong number. Each kind of
surrogate says what it needs in a file of its own (`polynomial.py` and its neighbours); what parts of the user's own
need stands in `own.py`.
"""

from collections.abc import Mapping
from typing import Any, NamedTuple

import numpy as np

from alfonsine.emulator.transform import FORWARD, WITH_OFFSETS
from alfonsine.theory.output import Output

UNBOUNDED = ("domain.lower", "domain.upper")  # the only numbers that may be infinite
REAL = ("float64",)
EITHER = ("float64", "float32")
WHOLE = ("int64",)


class Wanted(NamedTuple):
    """What an array must be: its shape, the types it may have, and whether it must be positive."""

    shape: tuple[int, ...]
    kinds: tuple[str, ...] = REAL
    positive: bool = False


Layout = dict[str, Wanted]


def check(header: Mapping[str, Any], arrays: Mapping[str, np.ndarray], layout: Layout, sizes: tuple[int, ...]) -> None:
    """Raise ValueError, KeyError, TypeError or IndexError for anything that does not make up a whole emulator.

    `layout` and `sizes` (amplitudes of each block) are those of its surrogate.
    """
    wanted = layout | domain_layout(len(header["names"])) | basis_layout(header["outputs"], sum(sizes))
    if wanted.keys() != arrays.keys():
        raise ValueError(f"it lacks or adds {', '.join(sorted(wanted.keys() ^ arrays.keys()))}")
    for name, (shape, kinds, positive) in wanted.items():
        values = arrays[name]
        if values.shape != shape or values.dtype not in kinds:
            raise ValueError(f"{name} is {values.dtype} of shape {values.shape}, not {' or '.join(kinds)} of {shape}")
        if np.isnan(values).any() or not (name in UNBOUNDED or np.isfinite(values).all()):
            raise ValueError(f"{name} holds values that are not numbers")
        if positive and not (values > 0).all():
            raise ValueError(f"{name} is not positive")
    if not (np.diag(arrays["domain.cholesky"]) > 0).all():
        raise ValueError("a width in it is not positive")


def check_header(header: Mapping[str, Any]) -> None:
    """Raise ValueError, TypeError or KeyError for a header whose entries are not of their kind."""
    names = header["names"]
    if not (isinstance(names, list) and names and all(isinstance(n, str) for n in names)):
        raise ValueError("its names are not a list of names")
    if len(set(names)) < len(names):
        raise ValueError("a name is in it twice")
    for part in ("outputs", "card", "parts"):
        if not isinstance(header[part], dict):
            raise ValueError(f"its {part} are no table")
    if not all(isinstance(digest, str) for digest in header.get("files", {}).values()):
        raise ValueError("its files have no digests")


def domain_layout(d: int) -> Layout:
    """Arrays of the domain."""
    return {
        "domain.centre": Wanted((d,)),
        "domain.cholesky": Wanted((d, d)),
        "domain.radius": Wanted((), positive=True),
        "domain.lower": Wanted((d,)),
        "domain.upper": Wanted((d,)),
    }


def basis_layout(outputs: Mapping[str, Any], amplitudes: int) -> Layout:
    """One matrix per output, as wide as the amplitudes that it is made of."""
    found: Layout = {}
    for name, entry in outputs.items():
        first, stop = entry["columns"]
        if not (is_count(first) and is_count(stop) and first < stop <= amplitudes):
            raise ValueError(f"'{name}' is made of amplitudes {first} to {stop} of {amplitudes}")
        if entry["transform"] not in FORWARD and "class" not in entry:
            raise ValueError(f"'{name}' has the unknown transform '{entry['transform']}'")
        if not is_count(entry["rows"]):
            raise ValueError(f"'{name}' has no number of rows")
        if entry["output"] is not None and Output.of_record(name, entry["output"]).size != entry["rows"]:
            raise ValueError(f"the axes of '{name}' do not fit its rows")
        found[f"basis.{name}"] = Wanted((entry["rows"], stop - first), EITHER)
        if entry["transform"] in WITH_OFFSETS:
            found[f"offsets.{name}"] = Wanted((2, entry["rows"]))
    return found


def is_count(value: Any) -> bool:
    """Whether a value is a whole number and not negative."""
    return isinstance(value, int) and not isinstance(value, bool) and value >= 0


def counts(values: Any, below: int) -> list[int]:
    """A list of positions; ValueError for anything else."""
    if not (isinstance(values, list) and all(is_count(v) and v < below for v in values)):
        raise ValueError(f"{values!r:.80} are not positions below {below}")
    return values
