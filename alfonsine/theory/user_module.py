"""A Python file of the user's own: found by the name of its module, told from other states of it by its digest.

What runs is what was digested: the file is read once, and no compiled copy of an earlier state is used. Modules that
the file itself imports are not part of the digest.
"""

import hashlib
import importlib
import importlib.util
import sys
from dataclasses import dataclass
from importlib.machinery import SourceFileLoader
from pathlib import Path
from types import ModuleType

_imported: dict[str, str] = {}  # digests of modules that are in this process under their true names
_roots: set[str] = set()  # folders that are in Python's path for the neighbours of a module, and not for others


class ModuleEdited(Exception):
    """The file is not what it was when its digest was taken."""


@dataclass(frozen=True)
class UserModule:
    """The module `name`, as users write it, in the file `path`, as it was when its digest was taken."""

    name: str
    path: str
    digest: str

    @classmethod
    def at(cls, name: str, path: Path) -> "UserModule":
        """The file as it is now."""
        return cls(name, str(path.absolute()), hashlib.sha256(path.read_bytes()).hexdigest())

    @classmethod
    def within(cls, name: str, folder: str | Path) -> "UserModule | None":
        """The module in a folder, None where it has none; nothing is imported."""
        stem = Path(folder, *name.split("."))
        found = [path for path in (stem.with_suffix(".py"), stem / "__init__.py") if path.is_file()]
        return cls.at(name, found[0]) if found else None

    @classmethod
    def find(cls, name: str, folder: str | Path | None = None) -> "UserModule | None":
        """The module in a folder, else in Python's own path; None where there is none, or none with a file.

        It is not imported, but its parent packages are where Python must.
        """
        found = None if folder is None else cls.within(name, folder)
        if found is not None:
            return found
        try:
            specification = importlib.util.find_spec(name)
        except (ImportError, ValueError, AttributeError):
            specification = None
        if specification is None or specification.origin is None or not Path(specification.origin).is_file():
            return None
        found = cls.at(name, Path(specification.origin))
        return None if str(found.root) in _roots else found

    @property
    def root(self) -> Path:
        """The folder from which Python finds it."""
        path = Path(self.path)
        return path.parents[self.name.count(".") + (path.name == "__init__.py")]

    def load(self) -> ModuleType:
        """Import it; its own exceptions pass through, ModuleEdited where the file is not what it was."""
        path = Path(self.path)
        content = path.read_bytes()
        if hashlib.sha256(content).hexdigest() != self.digest:
            raise ModuleEdited(f"{self.path} was edited during the run; start again")
        if str(self.root) not in [str(Path(folder).absolute()) for folder in sys.path]:
            sys.path.insert(0, str(self.root))  # as Python does for a script: the module may import its neighbours
            _roots.add(str(self.root))
        if "." in self.name or path.suffix != ".py":
            return self._by_its_true_name()
        # a private name: two studies may each have their own `model.py`, and an edited file must be read again
        name = f"alfonsine_user_{self.digest[:16]}_{self.name}"
        if name in sys.modules:
            return sys.modules[name]  # another part of the same file
        specification = importlib.util.spec_from_loader(name, _Digested(name, self.path, content))
        assert specification is not None and specification.loader is not None
        module = importlib.util.module_from_spec(specification)
        sys.modules[name] = module
        try:
            specification.loader.exec_module(module)
        except BaseException:
            del sys.modules[name]
            raise
        return module

    def _by_its_true_name(self) -> ModuleType:
        """Relative imports, and what is no source, need the true name, of which Python keeps the first state."""
        module = importlib.import_module(self.name)
        if _imported.setdefault(self.name, self.digest) != self.digest:
            raise ModuleEdited(f"{self.path} was edited after it was imported; start again")
        return module


class _Digested(SourceFileLoader):
    """Runs the very bytes that were digested."""

    def __init__(self, name: str, path: str, content: bytes) -> None:
        super().__init__(name, path)
        self.content = content

    def get_data(self, path: str) -> bytes:
        return self.content

    def path_stats(self, path: str) -> dict[str, float]:
        raise OSError("a compiled copy may be of an earlier state")
