"""Arrays of numbers out of text and .npz files, of the expected shape; whatever is wrong is told in one line."""

import re
import warnings
from pathlib import Path
from typing import Any

import numpy as np
from jaxtyping import Float

from alfonsine.errors import InputError
from alfonsine.likelihood.npz import read_npz

Shape = tuple[int | None, ...]
"""Expected shape of an array; None for any number."""


def read_text(path: Path, shape: Shape | None, advice: str, where: str = "", **how: Any) -> Float[np.ndarray, "..."]:
    """Numbers of a text file, # begins a comment; InputError where they are not finite, or of another shape.

    advice   what to try, as the end of the message
    where    which part of the file is read, where that is not all of it
    how      `skiprows`, `usecols`, `ndmin` of numpy.loadtxt
    """
    try:
        with warnings.catch_warnings():  # of empty files: told below
            warnings.simplefilter("ignore")
            table = np.loadtxt(path, **how)
    except (ValueError, OSError, IndexError) as error:
        got = _place(error, path, how.get("skiprows", 0))
        raise InputError(f"expected a table of numbers in {path}, got{got}; {advice}") from None
    return checked(table, shape, where or f"{path}", advice)


def read_key(path: Path, key: str, shape: Shape | None, advice: str) -> Float[np.ndarray, "..."]:
    """One array of an .npz file; InputError where there is none of finite numbers and that shape."""
    try:
        array = read_npz(path, key)
        if array.dtype.kind not in "fiu":
            raise ValueError(f"{array.dtype} instead of numbers")
    except (ValueError, TypeError, OSError) as error:
        raise InputError(f"expected an array '{key}' in {path}, got: {_line(error)}; {advice}") from None
    return checked(np.asarray(array, dtype=float), shape, f"{path}", advice)


def checked(array: np.ndarray, shape: Shape | None, where: str, advice: str) -> Float[np.ndarray, "..."]:
    """The array as it is; InputError unless its numbers are finite and its shape the expected one."""
    wrong = array.size == 0 or (
        shape is not None
        and (len(shape) != array.ndim or any(n not in (None, m) for n, m in zip(shape, array.shape, strict=True)))
    )
    if wrong:
        wanted = " x ".join("n" if n is None else str(n) for n in shape or (None,))
        got = " x ".join(map(str, array.shape)) or "one number"
        raise InputError(f"expected {wanted} numbers in {where}, got {got}; {advice}")
    if not np.isfinite(array).all():
        raise InputError(f"expected finite numbers in {where}, got NaN or infinity; {advice}")
    return array


def _place(error: Exception, path: Path, skipped: int) -> str:
    """What numpy found wrong, by lines of the file and columns from 1: it counts some from 0, and numbers alone."""
    if found := re.search(r"could not convert string '(.*)' to \w+ at row (\d+), column (\d+)", str(error)):
        word, row, column = found.groups()
        return f" '{word}' in line {_line_of(int(row) + 1, path, skipped)}, column {column} (column 1 is the first)"
    if found := re.search(r"invalid column index (-?\d+) at row (\d+) with (\d+) columns", str(error)):
        column, row, count = map(int, found.groups())
        line = _line_of(row, path, skipped)
        return f" {_columns(count)} in line {line}, where column {column + 1} is asked for (column 1 is the first)"
    if found := re.search(r"number of columns changed from (\d+) to (\d+) at row (\d+)", str(error)):
        before, now, row = map(int, found.groups())
        return f" {_columns(now)} in line {_line_of(row, path, skipped)}, and {before} above it"
    return f": {_line(error)}"


def _columns(count: int) -> str:
    return "one column" if count == 1 else f"{count} columns"


def _line_of(row: int, path: Path, skipped: int) -> int:
    """The line of the file on which the row stands that is so far from the first one with numbers, which is row 1."""
    lines = enumerate(path.read_text(encoding="utf-8", errors="replace").splitlines(), 1)
    with_numbers = [number for number, line in lines if number > skipped and line.partition("#")[0].strip()]
    return with_numbers[row - 1] if row <= len(with_numbers) else row


def _line(error: Exception) -> str:
    """What numpy says, without its advice, which is for programmers."""
    return " ".join(str(error).partition("; use `")[0].split())[:200].rstrip(".")
