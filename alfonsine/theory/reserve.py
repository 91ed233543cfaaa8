"""Room held on the disk of an archive, so that a call that finishes when there is none left can still be stored.

A file beside the archive takes it up while exact calls are made. Who finds the disk full removes it, stores the call,
and only then says that the disk is full; the run stops there. The next one needs that room before its first call.
"""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

ENDING = ".reserve"
SIZE = 4 * 2**20  # bytes: some calls of large tables, many of spectra


@contextmanager
def room_held(archive: Path) -> Iterator[None]:
    """Hold room beside an archive until the end of the block; OSError where there is none."""
    reserve = reserve_beside(archive)
    try:
        with open(reserve, "wb") as file:
            file.write(os.urandom(SIZE))  # what could be compressed might hold nothing
            file.flush()
            os.fsync(file.fileno())
    except OSError:
        reserve.unlink(missing_ok=True)
        raise
    try:
        yield
    finally:
        give_up(reserve)


def reserve_beside(archive: Path) -> Path:
    """The file that takes up the room."""
    return archive.with_name(archive.name + ENDING)


def give_up(reserve: Path) -> None:
    """Make the room free, where it is still held."""
    try:
        reserve.unlink(missing_ok=True)
    except OSError:  # a folder that cannot be written has other troubles
        return
