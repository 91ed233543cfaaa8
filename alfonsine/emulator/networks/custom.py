"""Parts of the user's own: classes from a Python file beside the study, named "module:Name"."""

import importlib
import inspect
import sys
from collections.abc import Callable, Iterable, Mapping
from functools import partial
from pathlib import Path
from typing import Any, TypeVar

from alfonsine.errors import InputError, nearest
from alfonsine.theory.user_module import UserModule

T = TypeVar("T")
Parts = str | Path | Mapping[str, UserModule] | None
"""The folder of the user's files (beyond which Python's path is searched), or these very files by module."""


def chosen(what: str, name: str, known: Mapping[str, type[T]], base: type[T], parts: Parts) -> type[T]:
    """The class of a name: one of ours, or, where the name has a colon, the user's own subclass of `base`."""
    if not is_own(name):
        if name not in known:
            raise InputError(f"expected a known {what} or 'module:Class', got '{name}'; {nearest(name, known)}")
        return known[name]
    found = find_object(name, parts)
    if not isinstance(found, type) or not issubclass(found, base):
        raise InputError(
            f"expected '{name}' to be a subclass of {base.__module__}.{base.__name__}; derive it from that"
        )
    return found


def is_own(name: str) -> bool:
    """Whether a name is that of a part of the user's own."""
    return ":" in name


def with_options(function: Callable[..., Any], options: Mapping[str, Any], what: str) -> Callable[..., Any]:
    """The function with some of its keywords set; InputError for a keyword that it does not have."""
    known = inspect.signature(function).parameters
    for option in options:
        if option not in known:
            raise InputError(f"expected an option of the {what}, got '{option}'; {nearest(option, known)}")
    return partial(function, **options)


def own_modules(names: Iterable[str], parts: str | Path | None) -> dict[str, UserModule]:
    """The files of those names that are the user's own, as they are now; InputError where there is no file."""
    found = {}
    for name in names:
        if is_own(name):
            module = split_name(name)[0]
            source = UserModule.find(module, parts)
            if source is None:
                raise missing(module, parts)
            found[module] = source
    return found


def find_object(name: str, parts: Parts = None) -> Any:
    """The object "module:Name".

    This runs the user's module, as a study that names it asks for. A stored emulator comes here only with files that
    its user has given by hand and whose digests are right.
    """
    module, label = split_name(name)
    source = parts.get(module) if isinstance(parts, Mapping) else UserModule.find(module, parts)
    if source is None and module not in sys.builtin_module_names:
        raise missing(module, None if isinstance(parts, Mapping) else parts)
    try:
        loaded = importlib.import_module(module) if source is None else source.load()
    except InputError:
        raise
    except Exception as error:
        where = f"module '{module}'" if source is None else f"'{source.path}'"
        why = " ".join(f"{type(error).__name__}: {error}".split())
        raise InputError(f"expected to import {where}, got {why}; mend the module or its folder") from error
    if source is not None and loaded.__name__ == module and Path(loaded.__file__ or "").absolute() != Path(source.path):
        raise InputError(f"expected module '{module}' from '{source.path}', got '{loaded.__file__}'; rename it")
    if not hasattr(loaded, label):
        public = [other for other in vars(loaded) if not other.startswith("_")]
        raise InputError(f"expected '{label}' in module '{module}', got none; {nearest(label, public)}")
    return getattr(loaded, label)


def missing(module: str, folder: str | Path | None) -> InputError:
    """The error of a module that is not there."""
    where = "" if folder is None else f" in '{folder}' or"
    return InputError(
        f"expected to import module '{module}', got no such file{where} in Python's path; mend its name or the folder"
    )


def split_name(name: str) -> tuple[str, str]:
    """Module and label; InputError for anything but "module:Name"."""
    module, _, label = name.partition(":")
    if not label.isidentifier() or not all(part.isidentifier() for part in module.split(".")):
        raise InputError(f"expected 'module:Name', got '{name}'; try 'mynetwork:MyActivation'")
    return module, label
