"""A function of the user's own, found by its file and name, never by its pickled form.

The digest of the file is part of what identifies it: once edited, it is another function and old results are
not served for it. Modules that the file itself imports are not part of the digest.
"""

import inspect
import math
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

from pebble import ProcessExpired

from alfonsine.errors import InputError
from alfonsine.theory.theory import TheoryError, one_line
from alfonsine.theory.user_module import ModuleEdited, UserModule
from alfonsine.theory.workers import run_apart

Scalar = float | int | str | bool
IMPORT_LIMIT = 120.0  # seconds; importing TensorFlow from a cold disk takes 30


@dataclass(frozen=True)
class UserFunction:
    """The function `name` of a file as it was when its digest was taken."""

    source: UserModule
    name: str

    @classmethod
    def of(cls, function: str | Callable[..., Any], folder: str | Path | None = None) -> "UserFunction":
        """Find a function: itself, or "module:function" with a module in `folder` or Python's own path."""
        if isinstance(function, str):
            module, _, name = function.partition(":")
            if not module or not name.isidentifier():
                raise InputError(f"expected 'module:function', got '{function}'; try 'mycode:predict'")
            source = UserModule.find(module, folder)
            if source is None:
                where = "" if folder is None else f" in {folder} or"
                raise InputError(
                    f"expected a module '{module}'{where} among Python's, got none; check 'module:function'"
                )
            return cls(source, name)
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
        return cls(UserModule.at(module, path), name)

    @property
    def digest(self) -> str:
        """Of its file."""
        return self.source.digest

    @property
    def label(self) -> str:
        """`module:function`."""
        return f"{self.source.name}:{self.name}"

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
        return InputError(f"expected to import {self.label} from {self.source.path}, got {problem}; mend the module")

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


@lru_cache(maxsize=32)
def _load(function: UserFunction) -> Callable[..., Any]:
    try:
        module = function.source.load()
    except ModuleEdited as error:
        raise TheoryError(str(error)) from None
    found = getattr(module, function.name, None)
    if not callable(found):
        raise TheoryError(f"no function '{function.name}' in {function.source.path}")
    return found
