"""Text files of others: read whole, in UTF-8, or refused in one line that says what came instead."""

import os
from pathlib import Path

from alfonsine.errors import InputError


def read_text(path: Path, what: str) -> str:
    r"""The text of a file; `what` says what was expected there.

    Raises InputError where there is no such file, where it is a folder or cannot be read, and for bytes that are no
    text in UTF-8. Line ends come as \n, a byte-order mark is dropped.
    """
    try:
        content = path.read_bytes()
    except FileNotFoundError:
        raise InputError(f"{path}: expected {what}, found no such file; check the path") from None
    except IsADirectoryError:
        raise InputError(f"{path}: expected {what}, got a folder; name a file in it") from None
    except (OSError, ValueError) as error:  # ValueError: a path with a null byte
        reason = os.strerror(error.errno) if isinstance(error, OSError) and error.errno else str(error)
        raise InputError(f"{path}: expected {what}, which cannot be read ({reason}); check its permissions") from None
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise InputError(
            f"{path}: expected {what} as text in UTF-8, got byte {content[error.start]:#04x} at {error.start}; "
            "save it as UTF-8, or fetch it again"
        ) from None
    if "\0" in text:
        raise InputError(
            f"{path}: expected {what} as text, got binary data (a null byte at {text.index(chr(0))}); "
            "the file is damaged, or of another kind"
        )
    return text.replace("\r\n", "\n").replace("\r", "\n")


def shown(word: str, most: int = 40) -> str:
    """A word of somebody's file, shortened to `most` letters, and harmless on a terminal and in one line."""
    word = ascii(word)[1:-1]
    return f"'{word}'" if len(word) <= most else f"'{word[: most - 3]}...'"
