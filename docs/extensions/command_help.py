"""The reference of the commands, written from the command line itself: what `--help` says, command by command."""

from collections.abc import Iterator

import click
import typer
from markdown_directive import definitions, writes
from sphinx.application import Sphinx

from alfonsine.cli import app as command_line


def setup(app: Sphinx) -> dict[str, bool]:
    """Make the directive `command-help`."""
    app.add_directive("command-help", writes(reference))
    return {"parallel_read_safe": True, "parallel_write_safe": True}


def reference() -> str:
    """All commands."""
    top = typer.main.get_command(command_line)
    return "\n\n".join(section(path, command) for path, command in commands("alfonsine", top))


def commands(path: str, command: click.Command) -> Iterator[tuple[str, click.Command]]:
    """Every command that does something, with the words that call it."""
    if hasattr(command, "commands"):
        for name, inner in command.commands.items():
            yield from commands(f"{path} {name}", inner)
    else:
        yield path, command


def section(path: str, command: click.Command) -> str:
    """One command: how it is called, what it does, its arguments and options."""
    context = command.make_context(path, [], resilient_parsing=True)
    usage = " ".join(command.collect_usage_pieces(context))
    told = [record for parameter in command.params if (record := parameter.get_help_record(context))]
    entries = [(f"`{name(call)}`", [text.replace("[required]", "").strip()]) for call, text in told if text]
    return "\n\n".join([f"## {path}", f"```sh\n{path} {usage}\n```", command.help or "", definitions(entries)])


def name(call: str) -> str:
    """An argument or option as it is typed, without the type that Typer puts behind an argument."""
    return call.split(" <")[0]
