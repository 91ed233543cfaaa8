"""What is worth a line in the terminal of a chain, said once."""

import sys

_said: set[str] = set()


def once(line: str) -> None:
    """One line on stderr, unless it has been said before."""
    if line not in _said:
        _said.add(line)
        print(f"alfonsine: {line}", file=sys.stderr, flush=True)
