"""Published data sets on this machine: where they are, whether they are intact, and how to get them.

`ALFONSINE_DATA` names a folder with one folder per data set; without it the platform's place for user data is
used. The public addresses and digests stand in `sources.toml`.
"""

import hashlib
import os
import tempfile
import tomllib
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from pathlib import Path
from typing import Any, Protocol, runtime_checkable

import numpy as np
import pooch
from jaxtyping import Float

from alfonsine.errors import InputError, nearest
from alfonsine.likelihood.array_file import Shape, read_key, read_text
from alfonsine.likelihood.conversions import CONVERSIONS
from alfonsine.likelihood.npz import read_npz

Fetch = Callable[[str, str, Path], Path]
"""Called as fetch(address, sha256, folder): download into folder, check the digest, return the file."""


@runtime_checkable
class Progress(Protocol):
    """What `install` tells of its downloads, in bytes."""

    def start(self, name: str, total: int) -> None:
        """A data set of which `total` bytes are to come; 0 where all of it is here."""

    def advance(self, count: int) -> None:
        """Bytes that came; a negative number where a file begins anew."""


@dataclass(frozen=True)
class Known:
    """A data set in the list.

    here     yes, no, or part of it
    size     bytes to download for all of it
    licence  what its public address states
    """

    name: str
    here: str
    size: int
    licence: str
    what: str
    cite: str


@cache
def sources() -> dict[str, dict[str, Any]]:
    """The table of `sources.toml`."""
    return tomllib.loads(files("alfonsine.likelihood").joinpath("sources.toml").read_text(encoding="utf-8"))


def folder() -> Path:
    """The folder that holds all data sets; it need not exist."""
    return Path(named()).expanduser() if named() else Path(pooch.os_cache("alfonsine"))


def named() -> str:
    """What ALFONSINE_DATA says; empty where it is not set."""
    return os.environ.get("ALFONSINE_DATA", "")


def locate(name: str, wanted: Sequence[str] | None = None) -> Path:
    """Folder of a data set; InputError naming the files that are missing, all or of those `wanted`, and what to do."""
    place, known = folder() / name, _entry(name)["files"]
    missing = [file for file in (known if wanted is None else wanted) if not (place / file).is_file()]
    if missing:
        raise InputError(
            f"expected the data set '{name}' in {place}, got {_some(missing)} missing; "
            f"try 'alfonsine data install {name}', or let ALFONSINE_DATA name the folder that holds {name}/"
        )
    return place


def check(name: str) -> Path:
    """Compare all files of a data set with their digests; InputError for those that are missing or differ."""
    place, wanted = folder() / name, _entry(name)["files"]
    missing = [file for file in wanted if not (place / file).is_file()]
    changed = [file for file, facts in wanted.items() if file not in missing and not _intact(place / file, facts)]
    if len(missing) == len(wanted):
        return locate(name)  # and say where it looks
    if missing or changed:
        wrong = [f"{_some(missing)} missing"] * bool(missing) + [f"other contents in {_some(changed)}"] * bool(changed)
        raise InputError(
            f"expected the published files of '{name}' in {place}, got {count(name) - len(missing) - len(changed)} of "
            f"{count(name)} right, {', '.join(wrong)}; try 'alfonsine data install {name}'"
        )
    return place


def count(name: str) -> int:
    """Number of files of a data set."""
    return len(_entry(name)["files"])


def install(name: str, fetch: Fetch | None = None, progress: Progress | None = None) -> Path:
    """Fetch what is missing or damaged of a data set, checked by digest; InputError where that fails.

    Each file is put in its place whole, as soon as it is there: what was interrupted goes on with the next.
    """
    place, entry = folder() / name, _entry(name)
    try:
        place.mkdir(parents=True, exist_ok=True)
        wanted = {
            file: facts
            for file, facts in entry["files"].items()
            if not ((place / file).is_file() and _intact(place / file, facts))
        }
        if progress is not None:
            progress.start(name, sum(part["bytes"] for facts in wanted.values() for part in _parts(facts)))
        for file, facts in wanted.items():
            with tempfile.TemporaryDirectory(prefix=".install-", dir=place) as scratch:
                fetched = _fetch(entry, facts, Path(scratch), fetch or _Download(progress))
                (place / file).parent.mkdir(parents=True, exist_ok=True)
                fetched.replace(place / file)  # whole or not at all
    except (OSError, ValueError, IndexError) as error:
        raise InputError(
            f"expected to install '{name}' in {place}, got: {' '.join(str(error).split())[:300]}; "
            f"try again, or put the files there by hand from {entry['address']}"
        ) from None
    return check(name)


def chosen(names: Sequence[str], every: bool) -> tuple[str, ...]:
    """The data sets that are named, each once, or all; InputError for none, both, or an unknown name."""
    if every == bool(names):
        got = "both" if every else "neither"
        raise InputError(f"expected names of data sets, or --all, got {got}; known: {', '.join(sources())}")
    for name in names:
        _entry(name)
    return tuple(dict.fromkeys(names)) or tuple(sources())


def list() -> tuple[Known, ...]:
    """All data sets."""
    rows = []
    for name, entry in sources().items():
        present = [(folder() / name / file).is_file() for file in entry["files"]]
        size = sum(part["bytes"] for facts in entry["files"].values() for part in _parts(facts))
        here = "yes" if all(present) else "part" if any(present) else "no"
        rows.append(Known(name, here, size, entry["licence"], entry["what"], entry["cite"]))
    return tuple(rows)


def read_table(name: str, file: str, shape: Shape | None = None, **how: Any) -> Float[np.ndarray, "..."]:
    """Numbers of a text file of a data set; see `array_file.read_text`."""
    return read_text(locate(name, (file,)) / file, shape, _advice(name), **how)


def read_array(name: str, file: str, key: str, shape: Shape | None = None) -> Float[np.ndarray, "..."]:
    """One array of an .npz file of a data set; see `array_file.read_key`."""
    return read_key(locate(name, (file,)) / file, key, shape, _advice(name))


def _advice(name: str) -> str:
    return f"try 'alfonsine data check {name}'"


class _Download:
    """Fetch by pooch, and tell how many bytes came."""

    def __init__(self, progress: Progress | None) -> None:
        self._progress, self._count, self.total = progress, 0, 0

    def __call__(self, address: str, sha256: str, place: Path) -> Path:
        pooch.get_logger().setLevel("WARNING")
        self._count = 0
        downloader = pooch.HTTPDownloader(progressbar=False if self._progress is None else self)
        name = f"{sha256[:12]}-{address.rsplit('/', 1)[-1]}"  # several files of one name may be one data set's
        return Path(pooch.retrieve(address, f"sha256:{sha256}", fname=name, path=place, downloader=downloader))

    def update(self, count: int) -> None:
        """Called by pooch: so many bytes more."""
        self._count += count
        if self._progress is not None:
            self._progress.advance(count)

    def reset(self) -> None:
        """Called by pooch: count this file anew."""
        self.update(-self._count)

    def close(self) -> None:
        """Called by pooch: the file is complete."""


def _fetch(entry: dict[str, Any], facts: dict[str, Any], scratch: Path, fetch: Fetch) -> Path:
    """Fetch what a file is, or is made of."""
    address = facts.get("address", entry["address"])
    fetched = [fetch(address + part["source"], part["sha256"], scratch) for part in _parts(facts)]
    if "converted" not in facts:
        return fetched[0]
    converted = scratch / "converted.npz"
    np.savez_compressed(converted, **CONVERSIONS[facts["converted"]](fetched))
    return converted


def _parts(facts: dict[str, Any]) -> Sequence[dict[str, Any]]:
    """What a file is made of at its public address: itself, or several."""
    return facts.get("sources", [facts])


def _entry(name: str) -> dict[str, Any]:
    known = sources()
    if name not in known:
        raise InputError(f"expected the name of a data set, got '{name}'; {nearest(name, known)}")
    return known[name]


def _intact(path: Path, facts: dict[str, Any]) -> bool:
    """Whether a file is the published one, by its bytes or, for a converted one, by its arrays."""
    if "arrays" not in facts:
        return hashlib.sha256(path.read_bytes()).hexdigest() == facts["sha256"]
    return all(array_digest(path, key) == digest for key, digest in facts["arrays"].items())


def array_digest(path: Path, key: str) -> str:
    """SHA-256 of an array of an .npz file, as 64-bit little-endian floats row by row; empty where there is none."""
    try:
        contents = np.ascontiguousarray(read_npz(path, key), dtype="<f8").tobytes()
    except (ValueError, TypeError, OSError):
        return ""
    return hashlib.sha256(contents).hexdigest()


def _some(names: Sequence[str]) -> str:
    return ", ".join(names[:4]) + (f" and {len(names) - 4} more" if len(names) > 4 else "")
