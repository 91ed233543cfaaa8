"""Which names the user may have ignored: settings that CLASS could be told, and that are not answered otherwise."""

from collections.abc import Iterable

from alfonsine.emulator.emulator import Emulator
from alfonsine.errors import InputError, nearest
from alfonsine.hosts.trained_with import trained_with
from alfonsine.plugins.montepython.exact import precision
from alfonsine.plugins.montepython.told import REQUESTS, plain
from alfonsine.theory import class_defaults
from alfonsine.theory.class_names import known_inputs


def check_ignored(names: Iterable[str], emulator: Emulator) -> None:
    """InputError for a name that CLASS does not read, and for one that the emulator itself answers to.

    Any name passes where CLASS is here without its source, which alone has all names.
    """
    listed = precision()
    settings = {str(name) for name in trained_with(emulator).settings}  # a fork of CLASS has names of its own
    known = {*known_inputs(), *class_defaults.NUMBERS, *class_defaults.WORDS, *listed, *settings}
    inputs, meant = {plain(name) for name in emulator.names}, {plain(name) for name in known}
    for name in names:
        if plain(name) in inputs:
            raise InputError(
                f"--ignore: expected a setting that the emulator does not vary, got its input '{name}'; leave it out"
            )
        if plain(name) in REQUESTS:
            raise InputError(
                f"--ignore: expected a setting of the cosmology, got '{name}', which says what is to be computed; "
                "leave it out"
            )
        if listed and plain(name) not in meant:
            close = nearest(name, known - set(emulator.names))
            if close.startswith("known:"):
                close = "see CLASS's explanatory.ini"
            raise InputError(f"--ignore: expected an input that CLASS reads, got '{name}'; {close}")
