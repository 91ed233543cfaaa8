"""What can happen to a file, and what somebody could do to it."""

import json
import struct
from collections.abc import Iterator

import numpy as np
from safetensors.numpy import load, save

from alfonsine.emulator.stored.file import digest


def header_end(content: bytes) -> int:
    return 8 + struct.unpack("<Q", content[:8])[0]


def header_of(content: bytes) -> dict:
    return json.loads(json.loads(content[8 : header_end(content)])["__metadata__"]["alfonsine"])


def forge(content: bytes, change_header=None, change_arrays=None) -> bytes:
    """The same file with other contents and a digest that is right for them."""
    header, arrays = header_of(content), load(content)
    header = change_header(header) if change_header else header
    if change_arrays:
        change_arrays(arrays)
    if isinstance(header, dict):
        header["digest"] = digest(header, arrays)
    text = header if isinstance(header, str) else json.dumps(header, sort_keys=True)
    return save(arrays, metadata={"alfonsine": text})


def flip(content: bytes, place: int, bit: int) -> bytes:
    return content[:place] + bytes([content[place] ^ (1 << bit)]) + content[place + 1 :]


def spoilt_arrays(content: bytes) -> Iterator[tuple[str, bytes]]:
    """Array by array: not a number, a wrong shape, a wrong type, one missing; with a digest that is right for it."""
    for name, values in load(content).items():
        changes = [
            lambda a: a[..., None],
            lambda a: np.nan_to_num(a, posinf=1, neginf=-1).astype(np.uint8),
            lambda a: a[:-1] if a.ndim else np.array([a, a]),
        ]
        if values.dtype.kind == "f":
            changes.append(lambda a: np.full_like(a, np.nan))
        for change in changes:

            def spoil(arrays, change=change, name=name):
                arrays[name] = np.ascontiguousarray(change(arrays[name]))

            yield name, forge(content, change_arrays=spoil)
        yield name, forge(content, change_arrays=lambda arrays, name=name: arrays.pop(name))
