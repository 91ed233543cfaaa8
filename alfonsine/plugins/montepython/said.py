"""What is worth a line in the terminal of a chain."""

import sys

_said: set[str] = set()


def say(line: str) -> None:
    """One line on stderr, where it is not mixed with what MontePython prints for the user."""
    print(f"alfonsine: {line}", file=sys.stderr, flush=True)


def once(line: str) -> None:
    """One line on stderr, unless it has been said before."""
    if line not in _said:
        _said.add(line)
        say(line)
