"""The parameters of a `.param` file of CONNECT, by name and kind, with its own defaults."""

import math
from pathlib import Path
from typing import Any

from alfonsine.errors import InputError, nearest
from alfonsine.study.connect_names import DEFAULTS, OLD
from alfonsine.study.connect_values import Assigned, read_values

NO_LIMIT = (None, "None")


class ParamFile:
    """Values of their kind, or InputError with the number of the line.

    given    what stands in the file
    used     names that were asked for
    remarks  what was left out or changed: name, and why
    """

    def __init__(self, path: Path) -> None:
        """Read the file; InputError for a name that CONNECT does not know."""
        self.path = path
        self.remarks: list[tuple[str, str]] = []
        self.used: set[str] = set()
        self.given: dict[str, Assigned] = {}
        for name, assigned in read_values(path).items():
            target = OLD.get(name, name)
            if target not in DEFAULTS:
                advice = nearest(name, DEFAULTS)
                raise self.error(assigned.line, f"expected a parameter of CONNECT, got '{name}'; {advice}")
            if target != name:
                self.remarks.append((name, f"today's CONNECT calls it {target}"))
            self.given[target] = assigned

    def value(self, key: str) -> Any:
        """As it stands in the file, or CONNECT's default."""
        self.used.add(key)
        return self.given[key].value if key in self.given else DEFAULTS[key]

    def word(self, key: str) -> str:
        value = self.value(key)
        if value is not None and not (isinstance(value, str) and value.isprintable()):
            raise self.wrong(key, "a word")
        return value or ""

    def number(self, key: str) -> float:
        value = self.value(key)
        if not is_number(value) or value <= 0:
            raise self.wrong(key, "a number above zero")
        return value

    def words(self, key: str) -> list[str]:
        value = self.value(key)
        if not (isinstance(value, list) and all(isinstance(v, str) and v.isprintable() for v in value)):
            raise self.wrong(key, "a list of words")
        return value

    def numbers(self, key: str) -> list[float]:
        value = self.value(key) or []
        if not (isinstance(value, list) and all(is_number(v) for v in value)):
            raise self.wrong(key, "a list of numbers")
        return value

    def table(self, key: str) -> dict[str, Any]:
        value = self.value(key)
        if not isinstance(value, dict) or not all(name.isprintable() for name in value):
            raise self.wrong(key, "a table {name: ...}")
        return value

    def pair(self, key: str, name: str, value: Any) -> tuple[float, float]:
        """Bounds; None for none of them."""
        open_to = (-math.inf, math.inf)
        if not isinstance(value, list) or len(value) != 2:
            raise self.wrong(key, f"'{name}': [min, max]")
        found = []
        for edge, otherwise in zip(value, open_to, strict=True):
            if edge in NO_LIMIT and key == "prior_ranges":
                found.append(otherwise)
            elif is_number(edge):
                found.append(float(edge))
            else:
                raise self.wrong(key, f"'{name}': [min, max] as numbers")
        return found[0], found[1]

    def wrong(self, key: str, expected: str) -> InputError:
        line = self.given[key].line if key in self.given else 1
        got = "" if key not in self.given else f", got {ascii(self.given[key].value)[:60]}"
        return self.error(line, f"expected {key} to be {expected}{got}")

    def error(self, line: int, message: str) -> InputError:
        return InputError(f"{self.path.name}:{line}: {message}")


def is_number(value: Any) -> bool:
    """A number, and neither True nor False."""
    return isinstance(value, int | float) and not isinstance(value, bool)
