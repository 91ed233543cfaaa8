"""A theory that is a plain Python function of the user's own.

The function takes a dict of inputs and returns a dict of arrays (spectra) and numbers (derived). It is
found again by its file and name, never by its pickled form, and the digest of the file is part of its
identity: once edited, it is another theory and old results are not served for it.
"""

import hashlib
import importlib
import importlib.util
import inspect
import sys
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
from pebble import ProcessExpired

from alfonsine.errors import InputError, nearest
from alfonsine.theory.observables import Observables
from alfonsine.theory.theory import TheoryError, one_line
from alfonsine.theory.workers import run_apart

IMPORT_LIMIT = 120.0  # seconds; importing TensorFlow from a cold disk takes 30


@dataclass(frozen=True)
class PythonTheory:
    """The function `name` of the module `module` in the file `path`, as it was when its digest was taken.

    inputs    names of its parameters; where empty, any name is passed on

    Modules that the function itself imports are not part of the digest.
    """

    module: str
    name: str
    path: str
    digest: str
    inputs: tuple[str, ...] = ()

    @classmethod
    def of(
        cls,
        function: str | Callable[..., Any],
        folder: str | Path | None = None,
        inputs: Collection[str] = (),
    ) -> "PythonTheory":
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
        digest = hashlib.sha256(path.read_bytes()).hexdigest()
        return cls(module, name, str(path.absolute()), digest, tuple(inputs))

    def identity(self) -> dict[str, Any]:
        """Module, function and the digest of its source; the place of the file does not matter."""
        return {
            "code": "python",
            "version": self.digest,
            "settings": {},
            "outputs": [f"{self.module}:{self.name}"],
        }

    def check(self, parameters: Collection[str]) -> None:
        """Know `inputs` (anything where it is empty), and import the function in a process of its own."""
        for name in parameters:
            if self.inputs and name not in self.inputs:
                raise InputError(f"expected an input of {self._label}, got '{name}'; {nearest(name, self.inputs)}")
        try:
            problem = run_apart(_problem, self, timeout=IMPORT_LIMIT)
        except TimeoutError:
            problem = f"no end of the import within {IMPORT_LIMIT:g} s"
        except ProcessExpired as error:
            problem = f"a crash during the import (exit code {error.exitcode})"
        if problem:
            raise InputError(f"expected to import {self._label} from {self.path}, got {problem}; mend the module")

    def compute(self, inputs: Mapping[str, float]) -> Observables:
        """Call the function; its exceptions pass through, a result of the wrong type is a TheoryError."""
        return _observables(_load(self)(dict(inputs)), self._label)

    @property
    def _label(self) -> str:
        return f"{self.module}:{self.name}"


def _observables(result: object, label: str) -> Observables:
    if isinstance(result, Observables):
        return result
    if not isinstance(result, Mapping):
        raise TheoryError(f"expected a dict of arrays and numbers from {label}, got {type(result).__name__}")
    spectra, derived = {}, {}
    for name, value in result.items():
        try:
            array = np.asarray(value, dtype=np.float64)
        except (TypeError, ValueError):
            raise TheoryError(f"expected numbers in '{name}' of {label}, got {type(value).__name__}") from None
        if array.ndim == 0:
            derived[str(name)] = float(array)
        else:
            spectra[str(name)] = array
    try:
        return Observables(spectra, derived)
    except InputError as error:
        raise TheoryError(one_line(error)) from None


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


@lru_cache(maxsize=8)
def _load(theory: PythonTheory) -> Callable[..., Any]:
    module = _import(theory)
    if hashlib.sha256(Path(theory.path).read_bytes()).hexdigest() != theory.digest:
        raise TheoryError(f"{theory.path} was edited during the run; start again")
    function = getattr(module, theory.name, None)
    if not callable(function):
        raise TheoryError(f"no function '{theory.name}' in {theory.path}")
    return function


def _import(theory: PythonTheory) -> ModuleType:
    path = Path(theory.path)
    parts = theory.module.split(".")
    root = path.parents[len(parts) - 1 + (path.name == "__init__.py")]
    if str(root) not in sys.path:
        sys.path.insert(0, str(root))  # as Python does for a script: the module may import its neighbours
    if len(parts) > 1 or path.suffix != ".py":
        return importlib.import_module(theory.module)  # relative imports need the true name
    # a private name: two studies may each have their own `model.py`, and an edited file must be read again
    name = f"alfonsine_user_{theory.digest[:16]}_{theory.module}"
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


def _problem(theory: PythonTheory) -> str:
    try:
        _load(theory)
    except BaseException as error:
        return one_line(f"{type(error).__name__}: {error}")
    return ""
