"""The folder of a training set: its empty files, and the header that says what they hold."""

import json
import os
import shutil
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from numpy.lib.format import open_memmap

from alfonsine.errors import InputError
from alfonsine.theory.output import Output


def lay_out(folder: Path, header: dict[str, Any], outputs: Sequence[Output]) -> None:
    """Make the folder under another name and move it: whole or not at all."""
    temporary = folder.with_name(f".{folder.name}.{os.getpid()}")
    shutil.rmtree(temporary, ignore_errors=True)
    temporary.mkdir(parents=True)
    n, dtype = header["n"], header["dtype"]
    open_memmap(temporary / "theta.npy", "w+", "float64", (n, len(header["names"])))
    open_memmap(temporary / "filled.npy", "w+", "bool", (n,))
    for output in outputs:
        open_memmap(temporary / f"{output.name}.npy", "w+", dtype, (n, output.size))  # sparse until filled
    write_header(temporary, {**header, "digest": None, "split": None})
    os.replace(temporary, folder)


def read_header(folder: Path) -> dict[str, Any]:
    """What the folder says of itself; InputError where it says nothing."""
    try:
        header = json.loads((folder / "header.json").read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise InputError(f"expected a training set in '{folder}', got no header.json there; check the folder") from None
    except (OSError, ValueError) as error:
        raise damaged(folder, str(error)) from None
    if not isinstance(header, dict):
        raise damaged(folder, "header.json is no object")
    return header


def write_header(folder: Path, header: dict[str, Any]) -> None:
    """Put the header in the place of the one before, whole or not at all."""
    temporary = folder / f".header.{os.getpid()}.json"
    temporary.write_text(json.dumps(header), encoding="utf-8")
    os.replace(temporary, folder / "header.json")


def damaged(folder: Path, why: str) -> InputError:
    """The one line for a set whose files are not what they should be."""
    return InputError(f"expected a whole training set in '{folder}', got a damaged one ({' '.join(why.split())})")
