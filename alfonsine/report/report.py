"""Write the page of a run folder."""

import os
import tempfile
from pathlib import Path

from alfonsine.errors import InputError
from alfonsine.report.contents import Contents
from alfonsine.report.page import page


def render(folder: str | Path) -> Path:
    """Write `report.html` into the run folder and return its path.

    It can be called at any time, also while the run goes on: the page appears whole or not at all.
    InputError where the folder holds no run or cannot be written to.
    """
    folder = Path(folder)
    return write_page(folder / "report.html", page(Contents.read(folder)))


def write_page(target: Path, written: str) -> Path:
    """Write a page, whole or not at all; InputError where its folder cannot be written to."""
    folder = target.parent
    try:
        handle, draft = tempfile.mkstemp(prefix=f".{target.stem}-", suffix=target.suffix, dir=folder)
    except OSError as error:
        raise InputError(f"expected a folder that can be written to, got '{folder}' ({error.strerror})") from error
    try:
        with os.fdopen(handle, "w", encoding="utf-8") as stream:
            stream.write(written)
        os.chmod(draft, 0o644)
        os.replace(draft, target)
    except BaseException:
        Path(draft).unlink(missing_ok=True)
        raise
    return target
