"""The folder that MontePython takes for CLASS: `path['cosmo'] = FOLDER` in its configuration file, and nothing else.

MontePython 3.5 and 3.6 look for main/class.c, read the version from include/common.h, and import `classy` from a folder
in python/build: 3.5 from the last whose name contains "lib.", 3.6 from one whose name contains the whole text of
`sys.version`, too. A name with both serves both. 3.6 takes any other classy, in silence, where there is none of
that name: so the folder has to be laid out by each Python that uses it.
"""

import shutil
import sys
from collections.abc import Iterable
from pathlib import Path

import yaml

from alfonsine.emulator.stored.file import load_emulator
from alfonsine.errors import InputError
from alfonsine.hosts.outside import held
from alfonsine.plugins.montepython.cosmology import EmulatedClass, class_of
from alfonsine.plugins.montepython.errors import CosmoSevereError
from alfonsine.plugins.montepython.ignored import check_ignored
from alfonsine.plugins.montepython.said import say

EMULATOR, SETTINGS = "emulator.safetensors", "alfonsine.yaml"
MODULE = '''"""CLASS by an emulator, for MontePython. Made by: alfonsine plugin montepython"""

import sys
from pathlib import Path

_of_alfonsine = True

try:
    from alfonsine.plugins.montepython.errors import CosmoComputationError, CosmoError, CosmoSevereError
    from alfonsine.plugins.montepython.layout import laid_out
except ImportError as error:  # not an ImportError: MontePython would speak of a wrapper that is not compiled
    raise RuntimeError(f"expected alfonsine in {sys.executable}, got {error}; install it there") from error

Class = laid_out(Path(__file__).resolve().parents[3])
'''


def lay_out(folder: Path, emulator: Path, background: bool = True, ignored: Iterable[str] = ()) -> Path:
    """Write the folder; InputError for anything but an emulator of CLASS, a folder that holds something else, or
    a name to ignore that CLASS does not read.

    background   whether the real CLASS may serve what needs no perturbations
    ignored      CLASS inputs that are to be ignored when MontePython sets them
    """
    loaded, ignored = load_emulator(emulator), tuple(ignored)
    try:
        class_of(loaded, emulator.name)
    except CosmoSevereError as error:
        raise InputError(error.message) from None
    check_ignored(ignored, loaded)
    if folder.exists() and (not folder.is_dir() or (any(folder.iterdir()) and not (folder / SETTINGS).is_file())):
        raise InputError(f"expected a new folder, or one that was laid out before, got '{folder}'; choose another name")
    library = folder / "python" / "build" / library_name()
    for part in (folder / "main", folder / "include", library):
        part.mkdir(parents=True, exist_ok=True)
    if not (folder / EMULATOR).exists() or not emulator.samefile(folder / EMULATOR):
        shutil.copyfile(emulator, folder / EMULATOR)
    settings = {"emulator": EMULATOR, "source": emulator.name, "background": "class" if background else "none"}
    text = yaml.safe_dump({**settings, "ignore": sorted(ignored)}, sort_keys=False)
    version = str(loaded.card["theory"].get("version", "unknown"))
    files = {
        folder / SETTINGS: text,
        folder / "main" / "class.c": "/* What answers here is an emulator, see alfonsine.yaml. */\n",
        folder / "include" / "common.h": f'#define _VERSION_ "v{version}-emulated"\n',
        library / "classy.py": MODULE,
    }
    for path, content in files.items():
        path.write_text(content, encoding="utf-8")
    return library


def library_name() -> str:
    """What both versions of MontePython find with the Python that runs this."""
    name = f"lib.{sys.version}"
    if "/" in name:
        raise InputError(f"expected a version of Python without a slash, got '{sys.version}'; use another Python")
    return name


def laid_out(folder: Path) -> type[EmulatedClass]:
    """The class of a folder that was laid out."""
    settings = yaml.safe_load((folder / SETTINGS).read_text(encoding="utf-8"))
    emulator = load_emulator(folder / settings["emulator"])
    source = str(settings.get("source", EMULATOR))
    say(f"the emulator '{source}' takes the place of CLASS, with {held(emulator)}")
    for name in settings.get("ignore") or []:
        say(f"'{name}' is ignored where the parameter file sets it, as --ignore asked for")
    return class_of(emulator, source, settings.get("background") == "class", settings.get("ignore") or [])
