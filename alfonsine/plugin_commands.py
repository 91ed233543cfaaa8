"""The commands `alfonsine plugin ...`: an emulator laid out for a host program."""

from pathlib import Path
from typing import Annotated

import typer

from alfonsine.usage import Commands

plugin = Commands("Put an emulator into the programs that cosmologists use.")


@plugin.callback()
def _hosts() -> None:
    """Put an emulator into the programs that cosmologists use."""


@plugin.command("montepython")
def plugin_montepython(
    folder: Annotated[Path, typer.Argument(metavar="FOLDER", help="Becomes path['cosmo'] of MontePython.")],
    emulator: Annotated[Path, typer.Option(metavar="FILE", help="An emulator file.")],
    background: Annotated[
        bool, typer.Option(help="Take what needs no perturbations, and is not emulated, from the real CLASS.")
    ] = True,
    ignore: Annotated[
        list[str] | None, typer.Option(metavar="NAME", help="A CLASS input to ignore where the parameter file sets it.")
    ] = None,
) -> None:
    """Lay out a folder that MontePython takes for CLASS."""
    from alfonsine.plugins.montepython.layout import lay_out

    lay_out(folder, emulator, background, ignore or [])
    print(f"path['cosmo'] = '{folder.resolve()}'")
