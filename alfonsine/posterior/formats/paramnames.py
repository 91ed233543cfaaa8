r"""The two small files beside a chain: `root.paramnames` and `root.ranges`, as GetDist and CosmoMC write them.

name   latex                 one line for each column after the second; derived ones end in *
name   lower   upper         hard edges; N where there is none
"""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from alfonsine.errors import InputError
from alfonsine.posterior.formats.plain_text import read_text, shown

Limits = dict[str, tuple[float, float]]


@dataclass(frozen=True)
class Listed:
    """Columns of a chain after the second, in their order; which of them are derived, and LaTeX for each."""

    names: tuple[str, ...]
    derived: frozenset[str]
    latex: Mapping[str, str]


def read_paramnames(path: Path) -> Listed:
    """Read a list of names; InputError for an empty one, and for a name given twice."""
    names, derived, latex = [], set(), {}
    for number, line in enumerate(read_text(path, "a list of parameter names").split("\n"), 1):
        words = line.split(None, 1)
        if not words:
            continue
        name = words[0].rstrip("*")
        if not name:
            raise InputError(f"{path}:{number}: expected a parameter name, got {shown(words[0])}; give it one")
        if name in latex:
            raise InputError(f"{path}:{number}: expected each parameter once, got {shown(name)} twice; rename one")
        names.append(name)
        if words[0].endswith("*"):
            derived.add(name)
        label = words[1].split("#", 1)[0].strip() if len(words) > 1 else ""
        latex[name] = label.replace("!", "\\") or name  # CosmoMC's ! for \
    if not names:
        raise InputError(f"{path}: expected a list of parameter names, got an empty file; write it again")
    return Listed(tuple(names), frozenset(derived), latex)


def paramnames_text(listed: Listed) -> str:
    """The content of `root.paramnames`."""
    return "".join(f"{n}{'*' if n in listed.derived else ''}\t{listed.latex[n]}\n" for n in listed.names)


def read_ranges(path: Path) -> Limits:
    """Hard edges by name, infinite where there is none; nothing where there is no such file."""
    if not path.exists():
        return {}
    limits = {}
    for number, line in enumerate(read_text(path, "a list of ranges").split("\n"), 1):
        words = line.split("#", 1)[0].split()
        if not words:
            continue
        if len(words) not in (3, 4):  # a fourth says that the parameter is periodic
            raise InputError(f"{path}:{number}: expected 'name lower upper', got {shown(line.strip())}; correct it")
        low, high = (_edge(path, number, word, none) for word, none in ((words[1], -np.inf), (words[2], np.inf)))
        if not low <= high:
            raise InputError(f"{path}:{number}: expected lower below upper, got {low:g} and {high:g}; exchange them")
        limits[words[0].rstrip("*")] = (low, high)
    return limits


def ranges_text(limits: Limits) -> str:
    """The content of `root.ranges`."""
    return "".join(f"{name}\t{_written(low)}\t{_written(high)}\n" for name, (low, high) in limits.items())


def _edge(path: Path, number: int, word: str, none: float) -> float:
    if word in ("N", "None"):
        return none
    try:
        return float(word)
    except ValueError:
        raise InputError(f"{path}:{number}: expected a number or N, got {shown(word)}; correct it") from None


def _written(value: float) -> str:
    return f"{value:.12g}" if np.isfinite(value) else "N"
