"""Random damage to a file of any kind, and what stands in the place of a file."""

import os
import struct
import zipfile
import zlib
from collections.abc import Callable
from pathlib import Path

import numpy as np
import safetensors
import yaml
from fuzz_text import BYTES, LINES, TABLES, Change, recoded
from fuzz_trees import header_believed, header_changed, json_changed, npz_changed, yaml_bomb, yaml_changed
from fuzz_words import Random, pick

UNREADABLE = (ValueError, LookupError, TypeError, AttributeError, OSError, EOFError, RecursionError, OverflowError)
UNREADABLE += (
    NotImplementedError,
    struct.error,
    yaml.YAMLError,
    safetensors.SafetensorError,
    zipfile.BadZipFile,
    zlib.error,
)
TRIES = 20  # at a change that leaves a file as it is

OF_KIND: dict[str, tuple[Change, ...]] = {
    ".yaml": (*BYTES[:3], *LINES, recoded, yaml_bomb, *(yaml_changed,) * 14),
    ".json": (*BYTES, *LINES[:3], *(json_changed,) * 6),
    ".safetensors": (*BYTES, *(header_changed,) * 4, *(header_believed,) * 7),
    ".npz": (*BYTES, *(npz_changed,) * 6),
    ".nc": BYTES,
    ".sqlite": BYTES,
    ".py": (*BYTES, *LINES, recoded),
    "": (*BYTES, *LINES, recoded, *TABLES * 2),
}

# ---- what stands in the place of a file


def _gone(path: Path) -> None:
    path.unlink()


def _folder(path: Path) -> None:
    path.unlink()
    path.mkdir()


def _loop(path: Path) -> None:
    path.unlink()
    path.symlink_to(path.name)


def _dangling(path: Path) -> None:
    path.unlink()
    path.symlink_to("nowhere")


def _sealed(path: Path) -> None:
    path.chmod(0)


PLACES: tuple[Callable[[Path], None], ...] = (_gone, _folder, _loop, _dangling, _sealed)


def damage(path: Path, rng: Random) -> str:
    """Damage the file; what was done, in words. A sealed file is no obstacle to root, and another damage is taken."""
    if rng.random() < 0.04:
        known = [place for place in PLACES if place is not _sealed or os.geteuid() != 0]
        place = pick(rng, known)
        place(path)
        return place.__name__.strip("_")
    raw, done = path.read_bytes(), []
    changes = OF_KIND.get(path.suffix, OF_KIND[""])
    found = raw
    for _ in range(int(pick(rng, (1, 1, 1, 2, 3)))):
        for _ in range(TRIES):
            change = pick(rng, changes)
            try:
                with np.errstate(all="ignore"):  # numbers that are too large are what is wanted
                    new = change(found, rng)
            except UNREADABLE:  # the change before left nothing that this one could read
                continue
            if new != found:
                found = new
                done.append(change.__name__)
                break
    if found == raw:
        found, done = b"", ["emptied"]
    path.write_bytes(found)
    return " and ".join(done)
