"""The command line in this process."""

import sys

import pytest

from alfonsine import cli


def call(monkeypatch, *arguments):
    """Exit code of `alfonsine` with these arguments."""
    monkeypatch.setattr(sys, "argv", ["alfonsine", *map(str, arguments)])
    with pytest.raises(SystemExit) as left:
        cli.main()
    return left.value.code or 0
