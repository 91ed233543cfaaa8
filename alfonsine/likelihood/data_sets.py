"""Published data sets on this machine: where they are, whether they are intact, and how to get them.

`ALFONSINE_DATA` names a folder with one folder per data set; without it the platform's place for user data is
used. The public addresses and digests stand in `sources.toml`.
"""

import hashlib
import os
import tempfile
import tomllib
from collections.abc import Callable, Sequence
from importlib.resources import files
from pathlib import Path
from typing import Any

import numpy as np
import pooch
from jaxtyping import Float

from alfonsine.errors import InputError, nearest
from alfonsine.likelihood.npz import read_npz

Fetch = Callable[[str, str, Path], Path]
"""Called as fetch(address, sha256, folder): download into folder, check the digest, return the file."""


def sources() -> dict[str, dict[str, Any]]:
    """The table of `sources.toml`."""
    return tomllib.loads(files("alfonsine.likelihood").joinpath("sources.toml").read_text(encoding="utf-8"))


def folder() -> Path:
    """The folder that holds all data sets; it need not exist."""
    named = os.environ.get("ALFONSINE_DATA")
    return Path(named).expanduser() if named else Path(pooch.os_cache("alfonsine"))


def locate(name: str) -> Path:
    """Folder of a data set; InputError naming the files that are missing, where, and what to do."""
    place, wanted = folder() / name, _entry(name)["files"]
    missing = [file for file in wanted if not (place / file).is_file()]
    if missing:
        raise InputError(
            f"expected the data set '{name}' in {place}, got {_some(missing)} missing; "
            f"try 'alfonsine data install {name}', or let ALFONSINE_DATA name the folder that holds {name}/"
        )
    return place


def check(name: str) -> Path:
    """Compare all files of a data set with their digests; InputError for those that are missing or differ."""
    place, wanted = locate(name), _entry(name)["files"]
    changed = [file for file, facts in wanted.items() if not _intact(place / file, facts)]
    if changed:
        raise InputError(
            f"expected the published files of '{name}' in {place}, got other contents in {_some(changed)}; "
            f"remove them and try 'alfonsine data install {name}'"
        )
    return place


def install(name: str, fetch: Fetch | None = None) -> Path:
    """Fetch what is missing or damaged of a data set, checked by digest; InputError where that fails."""
    place, entry = folder() / name, _entry(name)
    try:
        place.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(prefix=".install-", dir=place) as scratch:
            for file, facts in entry["files"].items():
                if (place / file).is_file() and _intact(place / file, facts):
                    continue
                address = entry["address"] + facts["source"]
                fetched = (fetch or _download)(address, facts["sha256"], Path(scratch))
                if "converted" in facts:
                    fetched = _CONVERSIONS[facts["converted"]](fetched)
                fetched.replace(place / file)  # whole or not at all
    except (OSError, ValueError) as error:
        raise InputError(
            f"expected to install '{name}' in {place}, got: {' '.join(str(error).split())[:300]}; "
            f"try again, or put the files there by hand from {entry['address']}"
        ) from None
    return check(name)


def list() -> tuple[tuple[str, str, str], ...]:
    """Rows of (data set, 'yes' or 'no': is it here, what it is)."""
    return tuple((name, "yes" if _is_here(name) else "no", entry["what"]) for name, entry in sources().items())


def read_table(name: str, file: str) -> Float[np.ndarray, "..."]:
    """Numbers of a text file of a data set; InputError where they are not numbers."""
    path = locate(name) / file
    try:
        return np.loadtxt(path)
    except (ValueError, UnicodeDecodeError) as error:
        raise InputError(
            f"expected a table of numbers in {path}, got: {error}; try 'alfonsine data check {name}'"
        ) from None


def read_array(name: str, file: str, key: str) -> Float[np.ndarray, "..."]:
    """One array of an .npz file of a data set; InputError where there is none."""
    path = locate(name) / file
    try:
        return read_npz(path, key)
    except (ValueError, OSError) as error:
        raise InputError(
            f"expected an array '{key}' in {path}, got: {error}; try 'alfonsine data check {name}'"
        ) from None


def read_fortran_lower_triangle(path: Path) -> Float[np.ndarray, "n n"]:
    """Symmetric matrix from one Fortran record of 64-bit floats with only the lower triangle filled."""
    raw = path.read_bytes()
    n = int(np.sqrt(max(len(raw) - 8, 0) / 8))
    marker = np.int32(n * n * 8).astype("<i4").tobytes()
    if not raw or raw[:4] != marker or raw[-4:] != marker or len(raw) != n * n * 8 + 8:
        raise InputError(f"expected one Fortran record with a square matrix in {path}, got {len(raw)} other bytes")
    lower = np.tril(np.frombuffer(raw[4:-4], "<f8").reshape(n, n))
    return lower + np.tril(lower, -1).T


def _convert_covariance(path: Path) -> Path:
    converted = path.with_suffix(".npz")
    np.savez_compressed(converted, cov=read_fortran_lower_triangle(path))
    return converted


_CONVERSIONS = {"fortran_lower_triangle": _convert_covariance}


def _download(address: str, sha256: str, place: Path) -> Path:
    return Path(pooch.retrieve(address, f"sha256:{sha256}", fname=address.rsplit("/", 1)[-1], path=place))


def _entry(name: str) -> dict[str, Any]:
    known = sources()
    if name not in known:
        raise InputError(f"expected the name of a data set, got '{name}'; {nearest(name, known)}")
    return known[name]


def _is_here(name: str) -> bool:
    try:
        locate(name)
    except InputError:
        return False
    return True


def _intact(path: Path, facts: dict[str, str]) -> bool:
    """Whether a file is the published one, by its bytes or, for a converted one, by its contents."""
    if "array_sha256" not in facts:
        return hashlib.sha256(path.read_bytes()).hexdigest() == facts["sha256"]
    try:
        contents = np.ascontiguousarray(read_npz(path, "cov"), dtype="<f8").tobytes()
    except (ValueError, TypeError, OSError):
        return False
    return hashlib.sha256(contents).hexdigest() == facts["array_sha256"]


def _some(names: Sequence[str]) -> str:
    return ", ".join(names[:4]) + (f" and {len(names) - 4} more" if len(names) > 4 else "")
