"""A function of the user's own, found by its file and name, never by its pickled form.

The digest of the file is part of what identifies it: once edited, it is another function and old results are
not served for it. Modules that the file itself imports are not part of the digest.
"""

import hashlib
import importlib
import importlib.util
import inspect
import math
import sys
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from types import ModuleType
from typing import Any

from pebble import ProcessExpired

from alfonsine.errors import InputError
from alfonsine.theory.theory import TheoryError, one_line
from alfonsine.theory.workers import run_apart

Scalar = float | int | str | bool
IMPORT_LIMIT = 120.0  # seconds; importing TensorFlow from a cold disk takes 30


@dataclass(frozen=True)
class UserFunction:
    """The function `name` of the module `module` in the file `path`, as it was when its digest was taken."""

    module: str
    name: str
    path: str
    digest: str

    @classmethod
    def of(cls, function: str | Callable[..., Any], folder: str | Path | None = None) -> "UserFunction":
        """Find a function: itself, or "module:function" with a module in `folder` or Python's own path."""
        if isinstance(function, str):
            module, _, name = function.partition(":")
            if not module or not name.isidentifier():
                raise InputError(f"expected 'module:function', got '{function}'; try 'mycode:predict'")
            path = _find(module, folder)
        else:
            name = getattr(function, "__qualname__", type(function).__name__)
            module = getattr(function, "__module__", None) or ""
            if not name.isidentifier():
                raise InputError(
                    f"expected a function defined at the top level of a module, got '{name}'; "
                    "worker processes must be able to import it"
                )
            try:
                path = Path(inspect.getsourcefile(function) or "")
            except TypeError:
                path = Path()
            if module == "__main__":
                module = path.stem
        if not path.is_file():
            raise InputError(
                f"expected the function '{name}' in a file, got none for module '{module}'; save it in one"
            )
        return cls(module, name, str(path.absolute()), hashlib.sha256(path.read_bytes()).hexdigest())

    @property
    def label(self) -> str:
        """`module:function`."""
        return f"{self.module}:{self.name}"

    def identity(self) -> list[str]:
        """Label and digest; the place of the file does not matter."""
        return [self.label, self.digest]

    def check(self) -> None:
        """Import the function in a process of its own; InputError where that fails."""
        try:
            problem = run_apart(import_problem, self, timeout=IMPORT_LIMIT)
        except TimeoutError:
            problem = f"no end of the import within {IMPORT_LIMIT:g} s"
        except ProcessExpired as error:
            problem = f"a crash during the import (exit code {error.exitcode})"
        if problem:
            raise self.failure(problem)

    def failure(self, problem: str) -> InputError:
        """The error of a function that cannot be imported."""
        return InputError(f"expected to import {self.label} from {self.path}, got {problem}; mend the module")

    def __call__(self, *arguments: Any) -> Any:
        """Call it; its own exceptions pass through, TheoryError where it is not what it was."""
        return _load(self)(*arguments)

    def transform(self, parameters: Mapping[str, float]) -> dict[str, Scalar]:
        """Use it as a map from sampled parameters to the inputs of a code; TheoryError for what it cannot map."""
        try:
            found = self(dict(parameters))
        except TheoryError:
            raise
        except Exception as error:
            raise TheoryError(f"{self.label} failed: {type(error).__name__}: {one_line(error)}") from None
        if not isinstance(found, Mapping):
            raise TheoryError(f"expected a dict of inputs from {self.label}, got {type(found).__name__}")
        plain = {str(name): value.item() if hasattr(value, "item") else value for name, value in found.items()}
        for name, value in plain.items():
            if not isinstance(value, str | int | float) or (isinstance(value, float) and not math.isfinite(value)):
                raise TheoryError(f"expected finite numbers or words from {self.label}, got {name}: {value!r:.60}")
        return plain


def first_problem(functions: Iterable[UserFunction]) -> str:
    """Import functions in this process: label and problem of the first that fails; empty where none does."""
    for function in functions:
        if problem := import_problem(function):
            return f"{function.label} {problem}"
    return ""


def import_problem(function: UserFunction) -> str:
    """Import a function in this process and say what went wrong; empty where nothing did."""
    try:
        _load(function)
    except BaseException as error:
        return one_line(f"{type(error).__name__}: {error}")
    return ""


def _find(module: str, folder: str | Path | None) -> Path:
    """File of a module, without importing it (its parent packages are imported where Python must)."""
    stem = Path(*module.split("."))
    if folder is not None:
        for candidate in (Path(folder) / stem.with_suffix(".py"), Path(folder) / stem / "__init__.py"):
            if candidate.is_file():
                return candidate
    try:
        specification = importlib.util.find_spec(module)
    except (ImportError, ValueError, AttributeError):
        specification = None
    if specification is None or specification.origin is None or not Path(specification.origin).is_file():
        where = "" if folder is None else f" in {folder} or"
        raise InputError(f"expected a module '{module}'{where} among Python's, got none; check 'module:function'")
    return Path(specification.origin)


@lru_cache(maxsize=32)
def _load(function: UserFunction) -> Callable[..., Any]:
    module = _import(function)
    if hashlib.sha256(Path(function.path).read_bytes()).hexdigest() != function.digest:
        raise TheoryError(f"{function.path} was edited during the run; start again")
    found = getattr(module, function.name, None)
    if not callable(found):
        raise TheoryError(f"no function '{function.name}' in {function.path}")
    return found


def _import(function: UserFunction) -> ModuleType:
    path = Path(function.path)
    parts = function.module.split(".")
    root = path.parents[len(parts) - 1 + (path.name == "__init__.py")]
    if str(root) not in sys.path:
        sys.path.insert(0, str(root))  # as Python does for a script: the module may import its neighbours
    if len(parts) > 1 or path.suffix != ".py":
        return importlib.import_module(function.module)  # relative imports need the true name
    # a private name: two studies may each have their own `model.py`, and an edited file must be read again
    name = f"alfonsine_user_{function.digest[:16]}_{function.module}"
    if name in sys.modules:
        return sys.modules[name]  # another function of the same file
    specification = importlib.util.spec_from_file_location(name, path)
    if specification is None or specification.loader is None:
        raise TheoryError(f"{path} cannot be imported")
    module = importlib.util.module_from_spec(specification)
    sys.modules[name] = module
    try:
        specification.loader.exec_module(module)
    except BaseException:
        del sys.modules[name]
        raise
    return module
