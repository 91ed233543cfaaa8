"""The numbers of a chain file: rows of one length, weights and log posteriors that are such."""

import io
from pathlib import Path

import numpy as np
from jaxtyping import Float

from alfonsine.errors import InputError
from alfonsine.posterior.formats.plain_text import read_text, shown

HEADER = ("weight", "minuslogpost")  # a first line that begins so names the columns: Cobaya's


def read_table(path: Path) -> tuple[tuple[str, ...], Float[np.ndarray, "n column"]]:
    """Names of the columns, where the file gives them, and the numbers: weight, -ln p, and the rest.

    Lines that begin with # are comments. InputError, in one line with the line's number, for what is no table of
    numbers, and for weights or log posteriors that are not finite or weights below zero.
    """
    text = read_text(path, "a chain")
    header = _header(text)
    lines = [(i, line) for i, line in enumerate(text.split("\n"), 1) if line.split("#", 1)[0].strip()]
    if not lines:
        raise InputError(f"{path}: expected rows of numbers, got none; the chain has not begun, or the file is damaged")
    try:
        table = np.loadtxt(io.StringIO(text), ndmin=2, comments="#")
    except (ValueError, OverflowError) as error:
        raise damaged(path, lines, str(error)) from None
    if header and len(header) != table.shape[1]:
        raise InputError(
            f"{path}: expected {len(header)} columns, as the first line names, got {table.shape[1]}; "
            "a column is missing, or its name"
        )
    if table.shape[1] < 3:
        raise InputError(
            f"{path}: expected columns of weight, -ln p and parameters, got {table.shape[1]}; is this a chain?"
        )
    _check(path, lines, table)
    return header, table


def _header(text: str) -> tuple[str, ...]:
    first = text.split("\n", 1)[0].lstrip()
    names = tuple(first[1:].split()) if first.startswith("#") else ()
    return names if names[:2] == HEADER else ()


def _check(path: Path, lines: list[tuple[int, str]], table: Float[np.ndarray, "n column"]) -> None:
    weight, height = table[:, 0], table[:, 1]
    for wrong, expected, column in (
        (~np.isfinite(weight), "a finite weight", weight),
        (weight < 0, "a weight that is not negative", weight),
        (~np.isfinite(height), "a finite -ln p in the second column", height),
    ):
        if wrong.any():
            row = int(np.argmax(wrong))
            number = lines[row][0] if len(lines) == len(table) else row + 1
            raise InputError(
                f"{path}:{number}: expected {expected}, got {column[row]:g}; "
                "the file is damaged, or its columns are others"
            )
    if not weight.any():
        raise InputError(f"{path}: expected weights that are not all zero; is the first column the weight?")
    with np.errstate(over="ignore"):
        total = weight.sum()
    if not np.isfinite(total):
        raise InputError(f"{path}: expected weights with a finite sum, got infinity; the file is damaged")


def damaged(path: Path, lines: list[tuple[int, str]], reason: str, wait: bool = True) -> InputError:
    """Name the first line that is no row of numbers, or has another length than the first.

    lines   number and text of those that are not empty
    wait    whether somebody may be writing the file
    """
    width = None
    for number, line in lines:
        words = line.split("#", 1)[0].split()
        for word in words:
            try:
                float(word)
            except ValueError:
                return InputError(
                    f"{path}:{number}: expected numbers, got {shown(word)}; correct it, or delete the line"
                )
        if width is not None and len(words) != width:
            return InputError(
                f"{path}:{number}: expected {width} columns, as in the line before, got {len(words)}; "
                + ("delete the line, or wait until the chain is written" if wait else "correct it")
            )
        width = len(words)
    return InputError(f"{path}: expected a table of numbers, got: {shown(reason)}; the file is damaged")
