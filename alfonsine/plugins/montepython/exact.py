"""The real CLASS for what needs no perturbations, beside a module that bears its name.

In MontePython's process `classy` is ours. The real one is looked for where Python would look next, and is given its
name back for as long as it is used: it finds its own files by that name.
"""

import importlib
import importlib.util
import re
import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from importlib.machinery import ModuleSpec, PathFinder
from pathlib import Path
from types import ModuleType
from typing import Any

from alfonsine.errors import InputError
from alfonsine.plugins.montepython.errors import CosmoSevereError
from alfonsine.theory.class_input import class_reason, renamed, texts

MARK = "_of_alfonsine"  # attribute of the module that is ours
LEVELS = ("background", "thermodynamics")
# class_precision_parameter(name, type, value), class_string_parameter(name, value, description)
_PRECISION = re.compile(r"class_(?:precision|type)_parameter\(\s*(\w+)\s*,[^,]+,\s*([^,)]+)[,)]")
_TEXTS = re.compile(r'class_string_parameter\(\s*(\w+)\s*,\s*"([^"]*)"')
_modules: dict[str, ModuleType | None] = {}


def specification() -> ModuleSpec | None:
    """Where the real classy is; None where there is none."""
    paths = [path for path in sys.path if not _is_ours(Path(path or "."))]
    return PathFinder.find_spec("classy", paths)


def _is_ours(folder: Path) -> bool:
    file = folder / "classy.py"
    return file.is_file() and MARK in file.read_text(encoding="utf-8", errors="replace")


@contextmanager
def named_classy() -> Iterator[ModuleType]:
    """The real classy under its own name; CosmoSevereError where there is none."""
    ours = sys.modules.get("classy")
    if ours is not None and not hasattr(ours, MARK):
        yield ours
        return
    if "classy" not in _modules:
        _modules["classy"] = _imported(ours)
    real = _modules["classy"]
    if real is None:
        raise CosmoSevereError("expected CLASS for its background, got no other module classy; pip install classy")
    try:
        sys.modules["classy"] = real
        yield real
    finally:
        if ours is not None:
            sys.modules["classy"] = ours


def _imported(ours: ModuleType | None) -> ModuleType | None:
    found = specification()
    if found is None or found.loader is None:
        return None
    try:
        module = importlib.util.module_from_spec(found)
        sys.modules["classy"] = module
        found.loader.exec_module(module)
        return module
    except ImportError:
        return None
    finally:
        if ours is not None:
            sys.modules["classy"] = ours
        else:
            sys.modules.pop("classy", None)


def precision() -> dict[str, str]:
    """CLASS's own precision settings and their values, as its header has them; empty where that is not installed."""
    found = specification()
    file = Path(found.origin).parent / "include" / "precisions.h" if found and found.origin else Path()
    if not file.is_file():
        return {}
    text = file.read_text(encoding="utf-8", errors="replace")
    return {name: value.strip() for pattern in (_PRECISION, _TEXTS) for name, value in pattern.findall(text)}


class ExactBackground:
    """CLASS at one point, told what the emulator's CLASS was told, and computed as far as is asked for."""

    def __init__(self, settings: Mapping[str, Any], point: Mapping[str, float]) -> None:
        self._told = {**settings, **point}
        self._cosmo: Any = None
        self._level = ""

    def at(self, level: str) -> Any:
        """The `classy.Class` itself, computed up to a level; CosmoSevereError in CLASS's own words where it fails."""
        if LEVELS.index(level) > (LEVELS.index(self._level) if self._level else -1):
            with named_classy() as classy:
                self._compute(classy, level)
            self._level = level
        return self._cosmo

    def _compute(self, classy: ModuleType, level: str) -> None:
        try:
            if self._cosmo is None:
                self._cosmo = classy.Class()
                told = {k: v for k, v in renamed(self._told).items() if k not in ("output", "lensing")}
                self._cosmo.set(texts(told))
            self._cosmo.compute([level])
        except InputError as error:
            raise CosmoSevereError(str(error)) from None
        except (classy.CosmoSevereError, classy.CosmoComputationError) as error:
            raise CosmoSevereError(f"CLASS, asked for its {level}: {class_reason(error)}") from None

    def free(self) -> None:
        """Give CLASS's memory back."""
        if self._cosmo is not None:
            self._cosmo.struct_cleanup()
            self._cosmo.empty()
        self._cosmo, self._level = None, ""


def exactly(question: Callable[[], Any]) -> Any:
    """The real CLASS's answer to a question; its error as ours."""
    try:
        return question()
    except Exception as error:
        if type(error).__name__ not in ("CosmoSevereError", "CosmoComputationError"):
            raise
        raise CosmoSevereError(" ".join(str(error).split())) from None
