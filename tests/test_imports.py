"""Imports run one way: in the order in which data pass through the rooms."""

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOMS = (
    "space",
    "theory",
    "points",
    "emulator",
    "hosts",
    "likelihood",
    "posterior",
    "sbi",
    "certificate",
    "study",
    "report",
    "plugins",
    "terminal",
    "usage",
    "front",
    "data_commands",
    "plugin_commands",
    "cli",
)
BELOW_ALL = {"errors", "plain_yaml"}
PACKAGE = Path(__file__).parents[1] / "alfonsine"
FILES = sorted(PACKAGE.rglob("*.py"))


def imported(source: str) -> Iterator[str]:
    """Dotted names of what a file imports; relative imports are marked by a leading dot."""
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.ImportFrom):
            yield "." * node.level + (node.module or "")
            if node.module == PACKAGE.name:
                yield from (f"{node.module}.{alias.name}" for alias in node.names)
        elif isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)


def room_of(path: Path) -> str:
    return path.relative_to(PACKAGE).parts[0].removesuffix(".py")


def wrong_imports(room: str, source: str) -> list[str]:
    """What a file of `room` must not import: later rooms, unknown rooms, the front door, relative names."""
    names = [n.split(".") for n in imported(source) if n.startswith(".") or n.split(".")[0] == PACKAGE.name]
    allowed = BELOW_ALL | (set() if room in BELOW_ALL else set(ROOMS[: ROOMS.index(room) + 1]))
    return sorted(".".join(n) for n in names if (n[1] if len(n) > 1 else "") not in allowed or n[0] == "")


@pytest.mark.parametrize("path", FILES, ids=lambda p: str(p.relative_to(PACKAGE)))
def test_imports_follow_the_data(path):
    if path == PACKAGE / "__init__.py":
        assert not [n for n in imported(path.read_text()) if n.startswith((".", PACKAGE.name))]
        return
    assert room_of(path) in {*ROOMS, *BELOW_ALL}, f"{path} is in no room"
    assert wrong_imports(room_of(path), path.read_text(encoding="utf-8")) == []


@pytest.mark.parametrize(
    "line",
    [
        "from alfonsine.study.loop import run",
        "import alfonsine.study.loop",
        "from alfonsine import study",
        "import alfonsine",
        "from alfonsine import __version__",
        "from .. import study",
        "from .loop import run",
        "def f():\n    from alfonsine.cli import main",
        "from alfonsine.attic.old import relic",
    ],
)
def test_a_wrong_import_is_seen(line):
    assert wrong_imports("theory", line)


@pytest.mark.parametrize("line", ["from alfonsine.space.a import b", "from alfonsine.errors import c", "import numpy"])
def test_a_right_import_passes(line):
    assert wrong_imports("theory", line) == []
