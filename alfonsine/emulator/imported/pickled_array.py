"""Arrays as raw bytes with a type and a shape: how numpy's pickles and its .npy files hold them.

numpy itself never sees the description before it is checked, so it cannot be led to allocate, to reinterpret, or to
follow a pointer.
"""

import math
import re
from dataclasses import dataclass
from typing import Any

import numpy as np

from alfonsine.errors import InputError

NUMBERS = re.compile(r"[iu][1248]|f[248]|b1|[SU][1-9]\d{0,3}")
MOST_AXES = 4


@dataclass(eq=False)
class PickledType:
    """A numpy type in a pickle: a code such as f4, and a byte order."""

    code: str
    order: str = "="


@dataclass(eq=False)
class PickledArray:
    """A numpy array in a pickle, filled by a second instruction: type, shape, order of the axes, bytes."""

    kind: PickledType | None = None
    shape: Any = None
    by_columns: bool = False
    content: Any = None

    @property
    def of_objects(self) -> bool:
        """Whether its entries are other values and not numbers."""
        return self.kind is not None and self.kind.code in ("O", "O8", "O4")


def plain_array(code: str, order: str, shape: Any, by_columns: bool, content: Any, where: str) -> np.ndarray:
    """The array that is described; InputError unless type, shape and number of bytes fit each other exactly."""
    if code.startswith("O"):
        raise InputError(f"expected arrays of numbers in '{where}', got an array of objects; save numbers only")
    if not NUMBERS.fullmatch(code) or order not in tuple("<>|="):
        raise InputError(f"expected arrays of numbers in '{where}', got the type {order + code!a:.40}")
    counts = isinstance(shape, tuple) and len(shape) <= MOST_AXES and all(type(n) is int and n >= 0 for n in shape)
    if not counts or not isinstance(content, bytes | bytearray):
        raise InputError(f"expected whole arrays in '{where}', got one without a shape or without contents")
    kind = np.dtype(order + code)
    if math.prod(shape) * kind.itemsize != len(content):
        raise InputError(
            f"expected {math.prod(shape)} numbers for the shape {shape} in '{where}', got {len(content)} bytes of "
            f"{kind.itemsize} each; is the file whole?"
        )
    if not content:
        return np.empty(shape, kind.newbyteorder("="))
    found = np.frombuffer(content, kind).reshape(shape, order="F" if by_columns else "C")
    return np.ascontiguousarray(found.astype(kind.newbyteorder("="))).reshape(shape)
