"""Parts of the user's own: classes from a Python file beside the study, named "module:Name"."""

import importlib
import importlib.util
import inspect
import sys
from collections.abc import Callable, Mapping
from functools import partial
from pathlib import Path
from types import ModuleType
from typing import Any, TypeVar

from alfonsine.errors import InputError, nearest

T = TypeVar("T")


def chosen(what: str, name: str, known: Mapping[str, type[T]], base: type[T], folder: str | Path | None) -> type[T]:
    """The class of a name: one of ours, or, where the name has a colon, the user's own subclass of `base`."""
    if ":" not in name:
        if name not in known:
            raise InputError(f"expected a known {what} or 'module:Class', got '{name}'; {nearest(name, known)}")
        return known[name]
    found = find_object(name, folder)
    if not isinstance(found, type) or not issubclass(found, base):
        raise InputError(
            f"expected '{name}' to be a subclass of {base.__module__}.{base.__name__}; derive it from that"
        )
    return found


def with_options(function: Callable[..., Any], options: Mapping[str, Any], what: str) -> Callable[..., Any]:
    """The function with some of its keywords set; InputError for a keyword that it does not have."""
    known = inspect.signature(function).parameters
    for option in options:
        if option not in known:
            raise InputError(f"expected an option of the {what}, got '{option}'; {nearest(option, known)}")
    return partial(function, **options)


def find_object(name: str, folder: str | Path | None = None) -> Any:
    """The object "module:Name", the module a file in `folder` (the user's own comes first) or in Python's path.

    This runs the user's module, as a study that names it asks for; nothing that is read from a stored emulator
    comes here.
    """
    module, _, label = name.partition(":")
    if not module or not label.isidentifier() or not all(part.isidentifier() for part in module.split(".")):
        raise InputError(f"expected 'module:Name', got '{name}'; try 'mynetwork:MyActivation'")
    path = None if folder is None else Path(folder).absolute() / Path(*module.split(".")).with_suffix(".py")
    try:
        loaded = _load(module, path) if path is not None and path.is_file() else importlib.import_module(module)
    except InputError:
        raise
    except Exception as error:
        where = f"'{path}'" if path is not None and path.is_file() else f"module '{module}'"
        why = " ".join(f"{type(error).__name__}: {error}".split())
        raise InputError(f"expected to import {where}, got {why}; mend the module or its folder") from error
    if not hasattr(loaded, label):
        public = [other for other in vars(loaded) if not other.startswith("_")]
        raise InputError(f"expected '{label}' in module '{module}', got none; {nearest(label, public)}")
    return getattr(loaded, label)


def _load(module: str, path: Path) -> ModuleType:
    """Import a file once, under a private name: two studies may each have their own file of the same name."""
    private = f"alfonsine_custom_{abs(hash((str(path), path.stat().st_mtime_ns))):x}_{module.replace('.', '_')}"
    if private in sys.modules:
        return sys.modules[private]
    specification = importlib.util.spec_from_file_location(private, path)
    if specification is None or specification.loader is None:
        raise InputError(f"expected a Python file in '{path}', got another; check it")
    found = importlib.util.module_from_spec(specification)
    sys.modules[private] = found
    try:
        specification.loader.exec_module(found)
    except BaseException:
        del sys.modules[private]
        raise
    return found
