"""The commands `alfonsine data ...`: which data sets there are, and how they come here."""

import contextlib
from typing import Annotated

import typer
from rich.console import Console
from rich.table import Column, Table

from alfonsine.terminal import DownloadDisplay, each_of, size_told
from alfonsine.usage import Commands

data = Commands("List, install and check data sets.")
DataSets = Annotated[list[str] | None, typer.Argument(metavar="NAME...", help="As in `alfonsine data list`.")]
Every = Annotated[bool, typer.Option("--all", help="All data sets.")]
Quiet = Annotated[bool, typer.Option("--quiet", "-q", help="No progress display: for logs.")]


@data.command("list")
def data_list() -> None:
    """Show the known data sets, and whether each is here. With its size, its licence, and what to cite."""
    from alfonsine.likelihood import data_sets

    set_by = "as ALFONSINE_DATA says" if data_sets.named() else "set ALFONSINE_DATA to look in another folder"
    print(f"Data sets are looked for in {data_sets.folder()} ({set_by}).\n")
    table = Table(Column("data set", no_wrap=True), "here", "size", "what it is", box=None)
    for row in data_sets.list():
        told = f"{row.what}\nCite {row.cite}. Licence: {row.licence}."
        table.add_row(row.name, row.here, size_told(row.size), told)
    Console().print(table)


@data.command("install")
def data_install(names: DataSets = None, every: Every = False, quiet: Quiet = False) -> None:
    """Fetch data sets from their public addresses. Each is checked by its digest; what is here already is kept."""
    from alfonsine.likelihood import data_sets

    chosen = data_sets.chosen(names or [], every)
    with contextlib.ExitStack() as stack:
        progress = None if quiet else stack.enter_context(DownloadDisplay())
        each_of(chosen, lambda name: data_sets.install(name, progress=progress))


@data.command("check")
def data_check(names: DataSets = None, every: Every = False) -> None:
    """Compare data sets that are here with their published digests."""
    from alfonsine.likelihood import data_sets

    def checked(name: str) -> str:
        place, count = data_sets.check(name), data_sets.count(name)
        return f"{place}: {count} of {count} files are right"

    each_of(data_sets.chosen(names or [], every), checked)
