"""How CLASS is told things: its names, its texts, and which CLASS it is."""

from collections.abc import Mapping
from typing import Any

from alfonsine.errors import InputError
from alfonsine.theory.class_names import INPUT_ALIASES
from alfonsine.theory.installed import installed
from alfonsine.theory.theory import one_line

Scalar = float | int | str | bool
Setting = Scalar | list[Scalar] | tuple[Scalar, ...]
LONGEST = 1023  # characters of a name or value in CLASS, which copies them without looking


def renamed(values: Mapping[str, Any]) -> dict[str, Any]:
    """Change aliases into the names that CLASS knows."""
    found: dict[str, Any] = {}
    for name, value in values.items():
        target = INPUT_ALIASES.get(str(name), str(name))
        if target in found:
            raise InputError(f"expected each CLASS input once, got '{name}' beside another name of '{target}'")
        found[target] = value
    return found


def text(value: Setting) -> str:
    """Write a value as CLASS reads it; floats keep all their digits."""
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, list | tuple):
        return ",".join(text(item) for item in value)
    if not isinstance(value, int | float | str):
        raise InputError(f"expected numbers, words or lists of them as CLASS settings, got {value!r}")
    return repr(float(value)) if isinstance(value, float) else str(value)


def texts(told: Mapping[str, Setting]) -> dict[str, str]:
    """Write everything that CLASS is told; InputError for what it could not copy."""
    written = {name: text(value) for name, value in told.items()}
    for name, value in written.items():
        if max(len(name.encode()), len(value.encode())) > LONGEST:
            raise InputError(f"expected names and values of CLASS of at most {LONGEST} bytes, got {name[:40]}...")
    return written


def class_reason(error: BaseException | str) -> str:
    """The last link of CLASS's chain of error messages, which is the cause."""
    return one_line(str(error).rsplit("=>", 1)[-1])


def class_version() -> tuple[str, str]:
    """Version and build of classy."""
    return installed("classy", "_classy*.so")
