"""`alfonsine import`: files of networks in, one emulator file out."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from alfonsine.emulator.imported.convert import FAR, Imported, emulator_of
from alfonsine.emulator.imported.layouts import read_network, with_components
from alfonsine.emulator.imported.network import ImportedNetwork
from alfonsine.emulator.imported.side_table import NONE, SideTable, published, read_tables, side_table, template
from alfonsine.emulator.stored.file import save_emulator
from alfonsine.errors import InputError

BESIDE = (".", "../pca_utils")  # where CosmoPower-JAX has its components, seen from its networks


STRAYED = 0.01


def import_files(files: Sequence[Path], output: Path, table: str | None = None) -> list[str]:
    """Make one emulator of the networks in `files`, write it to `output`, and say in lines what it is.

    table   path of a YAML file (file name -> entry, see `SideTable`), or, for a single file, the name of a published
            network; without it every file must be recognised by its weights

    InputError, in one line, and nothing written, for anything that cannot be used.
    """
    if not output.parent.is_dir():
        raise InputError(f"expected a folder that exists for the emulator, got '{output.parent}'; make it first")
    emulator = emulator_of(read_files(files, table))
    save_emulator(emulator, output)
    lines = []
    for entry in emulator.card["imported"]:
        where = f"{entry['table']['output']}: layout {entry['layout']}, weights {entry['fingerprint']}"
        lines.append(f"{entry['file']} -> {where}")
        if entry["strays"] > STRAYED:
            lines.append(
                f"beware: in {100 * entry['strays']:.0f} % of the box of its ranges its outputs are further than "
                f"{FAR:g} standard deviations from those it was trained on; narrow the ranges in a table"
            )
    return [*lines, str(output)]


def read_files(files: Sequence[Path], table: str | None = None) -> list[Imported]:
    """Every file's network, complete, with its table."""
    if not files:
        raise InputError("expected at least one file of a network, got none")
    if len({file.name for file in files}) < len(files):
        raise InputError("expected files with different names, since a table goes by them, got one name twice")
    given, folder = _given(files, table)
    found = []
    for file in files:
        network = read_network(file)
        entry = side_table(network, file, given.get(file.name))
        found.append(Imported(_completed(network, entry, file, folder), entry, file))
    return found


def templates(files: Sequence[Path]) -> str:
    """A table for `files`, in YAML, to be filled in by somebody who knows."""
    return "\n".join(template(read_network(file), file) for file in files)


def _given(files: Sequence[Path], table: str | None) -> tuple[Mapping[str, Any], Path | None]:
    """File name -> what the user gives, and the folder that paths in it are relative to."""
    if table is None:
        return {}, None
    if table in published() and not Path(table).exists():
        if len(files) > 1:
            raise InputError(f"expected one file for the published network '{table}', got {len(files)}; write a table")
        return {files[0].name: {"published": table}}, None
    tables = read_tables(Path(table))
    names = [file.name for file in files]
    for name in tables:
        if name not in names:
            raise InputError(f"expected the files {', '.join(names)} in '{table}', got '{name}'")
    return tables, Path(table).parent


def _completed(network: ImportedNetwork, table: SideTable, file: Path, folder: Path | None) -> ImportedNetwork:
    """The network with its principal components, where those lie in files of their own."""
    if table.pca is None and network.layout == "C":
        raise InputError(
            f"expected to be told whether '{file.name}' gives principal components, which layout C does not say; "
            "write pca: none, or pca: {matrix: FILE.npy, mean: FILE.npy, std: FILE.npy, modes: [2, 2508]} in its table"
        )
    if table.pca is None or table.pca == NONE:
        return network
    pca = table.pca
    if not isinstance(pca, Mapping) or sorted(pca) != ["matrix", "mean", "modes", "std"]:
        raise InputError(
            f"expected pca with matrix, mean, std and modes in the table of '{file.name}', got {pca!r:.60}"
        )
    modes = pca["modes"]
    if not (isinstance(modes, list) and len(modes) == 2 and all(type(m) is int for m in modes) and modes[0] < modes[1]):
        raise InputError(f"expected the first and last mode of '{file.name}' as in [2, 2508], got {modes!r:.40}")
    places = [file.parent / place for place in BESIDE] + ([folder] if folder else [])
    paths = []
    for part in ("matrix", "mean", "std"):
        candidates = [place / str(pca[part]) for place in places if (place / str(pca[part])).is_file()]
        if not candidates:
            looked = ", ".join(f"'{place}'" for place in places)
            raise InputError(
                f"expected the principal components of '{file.name}' in '{pca[part]}', found none in {looked}"
            )
        paths.append(candidates[0])
    return with_components(network, *paths, np.arange(modes[0], modes[1] + 1).tolist())
