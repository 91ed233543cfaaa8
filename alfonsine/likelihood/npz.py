"""One array out of an .npz file, with one kind of error whatever is wrong with the file."""

import zipfile
from pathlib import Path

import numpy as np
from jaxtyping import Shaped

# What numpy raises for other things than archives with that key; a bare array has no keys and is no context.
_UNREADABLE = (ValueError, KeyError, TypeError, AttributeError, OSError, EOFError, zipfile.BadZipFile)


def read_npz(path: Path, key: str) -> Shaped[np.ndarray, "..."]:
    """Array `key` of the file; ValueError with the reason where there is none. Nothing is unpickled."""
    with path.open("rb") as stream:  # numpy leaves a broken archive open
        try:
            with np.load(stream, allow_pickle=False) as archive:
                return archive[key]
        except _UNREADABLE as error:
            raise ValueError(f"no array '{key}' ({error})") from None
