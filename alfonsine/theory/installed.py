"""Which build of a compiled code is installed."""

import hashlib
import importlib.metadata
import importlib.util
from functools import lru_cache
from pathlib import Path

from alfonsine.errors import InputError


@lru_cache
def installed(package: str, libraries: str) -> tuple[str, str]:
    """Version of a package, and a digest of its compiled libraries: a modified code often keeps its version number.

    `libraries` is a pattern of file names in the folder of the package; a package that is one file is its own library.
    """
    specification = importlib.util.find_spec(package)
    if specification is None or specification.origin is None:
        raise InputError(f"expected the package {package}, got none; install it with: pip install {package}")
    origin = Path(specification.origin)
    files = sorted(origin.parent.glob(libraries)) if origin.name == "__init__.py" else [origin]
    digest = hashlib.sha256(b"".join(path.read_bytes() for path in files)).hexdigest()[:16]
    try:
        return importlib.metadata.version(package), digest
    except importlib.metadata.PackageNotFoundError:
        return "unknown", digest
