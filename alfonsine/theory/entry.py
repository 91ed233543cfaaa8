"""One call as an archive stores it: a row, from which nothing that was computed is lost."""

import hashlib
import json
import math
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from alfonsine.errors import InputError
from alfonsine.theory.call import Call
from alfonsine.theory.observables import Observables

Row = tuple[Any, ...]
INSERT = "INSERT OR IGNORE INTO calls VALUES (?,?,?,?,?,?,?,?,?)"  # what `row_of` makes
COLUMNS = "key, inputs, status, reason, seconds, observables, digest, finished"  # that make a call


def row_of(call: Call, theory: str | None) -> Row:
    """The columns of a call of the theory with this digest."""
    inputs = json.dumps({name: exact(name, value).hex() for name, value in call.inputs.items()})
    data = None if call.observables is None else call.observables.to_bytes()
    finished = call.finished or datetime.now(UTC).isoformat(timespec="milliseconds")
    found = None if data is None else hashlib.sha256(data).hexdigest()
    return (call.key, theory, inputs, call.status, call.reason, call.seconds, finished, data, found)


def call_of(row: Row) -> Call:
    """The call of COLUMNS; ValueError where what is stored is not what was written."""
    key, inputs, status, reason, seconds, data, found, finished = row
    try:
        # sqlite fills a page that was cut off with zeros and says nothing
        if data is not None and hashlib.sha256(data).hexdigest() != found:
            raise ValueError("another digest")
        observables = None if data is None else Observables.from_bytes(data)
        return Call(key, inputs_of(inputs), status, reason, seconds, observables, False, finished)
    except (AttributeError, TypeError) as error:
        raise ValueError(str(error)) from None


def inputs_of(stored: str) -> dict[str, float]:
    """Inputs, exact to the last bit."""
    return {name: float.fromhex(value) for name, value in json.loads(stored).items()}


def digest_of(content: Mapping[str, Any]) -> str:
    """SHA-256 of canonical JSON."""
    canonical = json.dumps(content, sort_keys=True, separators=(",", ":"), allow_nan=False)
    return hashlib.sha256(canonical.encode()).hexdigest()


def exact(name: str, value: float) -> float:
    """A value as it is stored and looked up; InputError where it is not finite."""
    number = float(value) + 0.0  # -0.0 and 0.0 are the same point
    if not math.isfinite(number):
        raise InputError(f"input '{name}': expected a finite number, got {number}; correct the point")
    return number
