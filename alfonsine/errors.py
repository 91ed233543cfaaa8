"""The one kind of error that is the user's to mend."""

import difflib
from collections.abc import Iterable


class InputError(ValueError):
    """One line: what was expected, what came, what to try. The command line prints it and exits with 2."""


def nearest(word: str, known: Iterable[str]) -> str:
    """Name the known word closest to `word`, as the advice half of an error message."""
    known = sorted(known)
    close = difflib.get_close_matches(word, known, n=1, cutoff=0.5)
    return f"did you mean '{close[0]}'?" if close else f"known: {', '.join(known)}"
