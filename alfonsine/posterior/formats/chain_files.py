"""Which files a set of chains is: the text of one chain each, and what lies beside them."""

import re
from pathlib import Path

from alfonsine.errors import InputError

CHAIN = r"(?:[._](\d+))?\.txt"  # Cobaya counts root.1.txt, GetDist and MontePython root_1.txt; one chain may have none


def chain_files(root: Path, pattern: str = CHAIN) -> list[Path]:
    """The chains of a root, in the order of their numbers."""
    named = re.compile(re.escape(root.name) + pattern)
    found = [(int(m[1] or 0), path) for path in _entries(root.parent) if (m := named.fullmatch(path.name))]
    layouts = {path.name[len(root.name)]: path for _, path in found}
    if len({path.name.replace("_", ".") for _, path in found}) < len(found):
        raise InputError(
            f"{root}: expected chains of one layout, got {' and '.join(sorted(p.name for p in layouts.values()))}; "
            "move one set elsewhere"
        )
    return [path for _, path in sorted(found)]


def beside(root: Path, ending: str) -> Path:
    """A file of a root, which may contain a dot itself."""
    return root.with_name(root.name + ending)


def check_free(root: Path, *endings: str) -> None:
    """InputError where chains of this root, or files with these endings, are there already."""
    there = [*chain_files(root), *(path for e in endings if (path := beside(root, e)).exists())]
    if there:
        raise InputError(f"expected a new place, got '{there[0]}', which exists; choose another, or delete it")


def _entries(folder: Path) -> list[Path]:
    try:
        return [path for path in folder.iterdir() if path.name.endswith(".txt")]
    except OSError:
        return []
