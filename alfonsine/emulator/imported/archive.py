"""Read numpy's .npy and .npz files without numpy's reader, which would unpickle, or believe a header about its size."""

import re
import struct
import zipfile
import zlib
from pathlib import Path
from typing import Any

import numpy as np

from alfonsine.emulator.imported.pickled_array import plain_array
from alfonsine.emulator.imported.restricted import damaged, read_pickle
from alfonsine.errors import InputError

MAGIC = b"\x93NUMPY"
LARGEST = 2**31  # bytes, unpacked; the largest networks in use have some tens of megabytes
# numpy writes the three in this order; a header is never evaluated
HEADER = re.compile(
    rb"\{'descr': '([<>|=]?)(\w{1,8})', 'fortran_order': (True|False), "
    rb"'shape': \(((?:\d{1,18}, ?)*(?:\d{1,18})?)\),? *\}\s*"
)


def read_bytes(path: Path) -> bytes:
    """The whole file; InputError for one that cannot be read, or is no file of a network by its size."""
    try:
        size = path.stat().st_size
        if size > LARGEST:
            raise InputError(
                f"expected a network of at most {LARGEST // 2**20} MiB in '{path}', got {size // 2**20} MiB"
            )
        return path.read_bytes()
    except FileNotFoundError:
        raise InputError(f"expected a network in '{path}', got no such file; check the path") from None
    except IsADirectoryError:
        raise InputError(f"expected a network in '{path}', got a folder; name files in it") from None
    except OSError as error:
        raise InputError(f"expected a network in '{path}', got a file that cannot be read ({error.strerror})") from None


def read_npz(path: Path) -> dict[str, Any]:
    """Name -> array; or, where numpy has pickled one table under `arr_0`, its plain values.

    Members are checked against their CRC-32. InputError, in one line, for everything else.
    """
    where = path.name
    try:
        with zipfile.ZipFile(path) as archive:
            members = archive.infolist()
            if sum(member.file_size for member in members) > LARGEST:
                raise damaged(where, f"it unpacks to more than {LARGEST // 2**20} MiB")
            found = {m.filename.removesuffix(".npy"): read_npy(archive.read(m), where) for m in members}
    except InputError:
        raise
    except (zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError, RuntimeError, OSError) as error:
        raise damaged(where, " ".join(str(error).split())[:100]) from None
    except (ValueError, KeyError, TypeError, IndexError, OverflowError, struct.error, MemoryError):
        raise damaged(where, "it does not read as a zip archive") from None
    return found["arr_0"] if set(found) == {"arr_0"} and isinstance(found["arr_0"], dict) else found


def read_npy(content: bytes, where: str) -> np.ndarray | dict[str, Any]:
    """One array; or the table in an array of objects without axes, read as `restricted` reads."""
    code, order, by_columns, shape, start = _header(content, where)
    if code == "O":
        table = read_pickle(content[start:], where, wrapped=True)
        if not isinstance(table, dict):
            raise damaged(where, "its pickle is no table")
        return table
    return plain_array(code, order, shape, by_columns, content[start:], where)


def _header(content: bytes, where: str) -> tuple[str, str, bool, Any, int]:
    """Code and byte order of the type, order of the axes, shape, and where the numbers start."""
    try:
        wide = content[6] > 1  # versions 2 and 3 have four bytes for the length
        start = 12 if wide else 10
        (length,) = struct.unpack("<I" if wide else "<H", content[8:start])
        found = HEADER.fullmatch(content[start : start + length])
    except (IndexError, struct.error):
        found = None
    if content[:6] != MAGIC or found is None:
        raise damaged(where, "it does not read as an array of numpy")
    order, code, by_columns, shape = (group.decode() for group in found.groups())
    lengths = tuple(int(number) for number in shape.split(",") if number.strip())
    return code, order or "=", by_columns == "True", lengths, start + length
