"""The one kind of error that is the user's to mend."""

import difflib
import errno
import re
from collections.abc import Iterable, Iterator
from contextlib import contextmanager

QUOTED = re.compile(r"'([^']{250,})'")  # no path is as long; what is, is a slip whose beginning tells enough


class InputError(ValueError):
    """One line: what was expected, what came, what to try. The command line prints it and exits with 2."""

    def __str__(self) -> str:
        r"""The line; what is quoted of somebody's file cannot break it, nor command a terminal: `\n` for a line end.

        Nor can it drown the advice: of a long one the beginning is quoted.
        """
        line = "".join(c if c.isprintable() else ascii(c)[1:-1] for c in super().__str__())
        return QUOTED.sub(lambda found: f"'{found[1][:60]}...' ({len(found[1])} characters)", line)


class DiskFull(InputError):
    """There is no room for what was to be written."""


FULL = {errno.ENOSPC, errno.EDQUOT}
REMEDIES = {
    errno.ENOSPC: "make room",
    errno.EDQUOT: "make room in your quota",
    errno.EFBIG: "raise the limit on the size of files",
    errno.EROFS: "choose another folder with --output, or make it writable",
    errno.EACCES: "choose another folder with --output, or mend its permissions",
    errno.EPERM: "choose another folder with --output, or mend its permissions",
}


def disk_trouble(error: OSError) -> Exception:
    """A full disk or a read-only folder as the InputError that it is; other errors as they are."""
    if error.errno not in REMEDIES:
        return error
    where = f" at '{error.filename}'" if error.filename else ""
    return (DiskFull if error.errno in FULL else InputError)(
        f"expected a folder that can be written, got '{error.strerror}'{where}; {REMEDIES[error.errno]}, "
        "then give the same command again: finished calls are kept"
    )


@contextmanager
def telling_disk_trouble() -> Iterator[None]:
    """Raise InputError in the place of an OSError that comes of a full disk or a read-only folder."""
    try:
        yield
    except OSError as error:
        raise disk_trouble(error) from None


def nearest(word: str, known: Iterable[str]) -> str:
    """Name the known word closest to `word`, as the advice half of an error message."""
    known = sorted(known)
    for name in known:
        if name.casefold() == word.casefold():
            return f"did you mean '{name}'?"
    close = closest(word, known)
    return f"did you mean '{close}'?" if close else f"known: {', '.join(known)}"


def closest(word: str, known: Iterable[str], cutoff: float = 0.5) -> str | None:
    """The known word closest to `word`, None where all are far from it; `cutoff` is difflib's, 1 for the same word."""
    return next(iter(difflib.get_close_matches(word, sorted(known), n=1, cutoff=cutoff)), None)
