"""Several files that belong together: all of them are complete before any of them takes its place."""

import os
import secrets
from collections.abc import Mapping
from pathlib import Path


def write_together(contents: Mapping[Path, bytes]) -> list[Path]:
    """Write files, their folders made where there are none, and return their paths.

    A full disk or a crash while they are written leaves the old files as they were, and no new one.
    """
    beside = {path: path.with_name(f".{path.name}.{secrets.token_hex(4)}") for path in contents}
    try:
        for path, content in contents.items():
            path.parent.mkdir(parents=True, exist_ok=True)
            with open(beside[path], "wb") as file:
                file.write(content)
                file.flush()
                os.fsync(file.fileno())
        for path, temporary in beside.items():
            os.replace(temporary, path)
    except BaseException:
        for temporary in beside.values():
            temporary.unlink(missing_ok=True)
        raise
    return list(contents)
