"""One array out of an .npz file, with one kind of error whatever is wrong with the file."""

import struct
import zipfile
import zlib
from pathlib import Path
from tokenize import TokenError

import numpy as np
from jaxtyping import Shaped

# What numpy raises for other things than archives with that key (a bare array has no keys and is no context), and for
# damaged ones: a size that no memory holds, compressed bytes that are none, an unknown or encrypted entry.
UNREADABLE = (
    *(ValueError, KeyError, TypeError, AttributeError, OSError, EOFError, zipfile.BadZipFile),
    *(MemoryError, OverflowError, RuntimeError, SyntaxError, TokenError, zlib.error, struct.error),
)


def read_npz(path: Path, key: str) -> Shaped[np.ndarray, "..."]:
    """Array `key` of the file; ValueError with the reason where there is none. Nothing is unpickled."""
    with path.open("rb") as stream:  # numpy leaves a broken archive open
        try:
            with np.load(stream, allow_pickle=False) as archive:
                return archive[key]
        except UNREADABLE as error:
            pickled = "pickle" in str(error)  # whose advice is to trust the file
            reason = "it holds Python objects, or is no .npz of arrays" if pickled else error
            raise ValueError(f"no array '{key}' ({reason})") from None
