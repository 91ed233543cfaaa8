"""How commands explain themselves: help that is not cut, and one line on what was typed wrongly.

Typer ends with a box of its own where an option is unknown or an argument is missing. Here such a slip is an
InputError like any other.
"""

import re
from typing import Any

import typer
from typer.core import TyperCommand, TyperGroup

from alfonsine.errors import InputError, nearest

Context = Any  # a class of Typer's that has no public name
UsageError: Any = typer.BadParameter.__base__  # what Typer raises for all that was typed wrongly
STUDIES = (".yaml", ".yml")
KINDS = {"NUMBER": "a whole number", "PORT": "a whole number", "SHARE": "a number"}  # by how they are shown in help


class Command(TyperCommand):
    """One command."""

    def parse_args(self, ctx: Context, args: list[str]) -> list[str]:
        """InputError, in one line, where they do not fit."""
        try:
            return super().parse_args(ctx, args)
        except UsageError as error:
            raise explained(error, ctx) from None

    def collect_usage_pieces(self, ctx: Context) -> list[str]:
        """What follows the command, with every option that must be given."""
        return ["[OPTIONS]", *needed(self), *(f"[{_name(p)}]" for p in self.params if _is_argument(p, required=False))]

    def format_options(self, ctx: Context, formatter: Any) -> None:
        """Arguments and options as they are typed, without the types that Typer puts behind arguments."""
        for title, kind in (("Arguments", "argument"), ("Options", "option")):
            shown = [p for p in self.get_params(ctx) if p.param_type_name == kind]
            records = [record for p in shown if (record := p.get_help_record(ctx))]
            if records:
                with formatter.section(title):
                    formatter.write_dl([(name.split(" <")[0], text) for name, text in records])


class Group(TyperGroup):
    """Several commands under one word."""

    def parse_args(self, ctx: Context, args: list[str]) -> list[str]:
        """InputError, in one line, for an option that there is not; help where nothing is asked."""
        if not args:  # help, which Typer shows by raising it
            return super().parse_args(ctx, args)
        try:
            return super().parse_args(ctx, args)
        except UsageError as error:
            raise explained(error, ctx) from None

    def resolve_command(self, ctx: Context, args: list[str]) -> Any:
        """InputError for a word that is no command."""
        word = args[0]
        if self.get_command(ctx, word) is None:
            whole = "" if ctx.parent is None else f" of '{ctx.command_path}'"
            if word.endswith(STUDIES) and not whole:
                raise InputError(f"expected a command, got the file '{word}'; try '{ctx.command_path} run {word}'")
            raise InputError(f"expected a command{whole}, got '{word}'; {nearest(word, self.list_commands(ctx))}")
        return super().resolve_command(ctx, args)


class Commands(typer.Typer):
    """A Typer whose commands explain themselves this way."""

    def __init__(self, help: str) -> None:
        super().__init__(
            cls=Group,
            help=help,
            no_args_is_help=True,
            add_completion=False,
            pretty_exceptions_enable=False,
            rich_markup_mode=None,
        )

    def command(self, name: str | None = None, **settings: Any) -> Any:
        """Make a function a command."""
        return super().command(name, cls=Command, **settings)


def explained(error: Any, ctx: Context) -> InputError:
    """A slip that Typer found, in one line of ours."""
    command, known = ctx.command_path, ctx.command.get_params(ctx)
    example = " ".join([command, *needed(ctx.command)])
    if hasattr(error, "possibilities"):
        options = [name for p in known for name in (*p.opts, *p.secondary_opts) if name.startswith("--")]
        return InputError(
            f"expected an option of '{command}', got '{error.option_name}'; {nearest(error.option_name, options)}"
        )
    if hasattr(error, "option_name"):
        option = next(p for p in known if error.option_name in (*p.opts, *p.secondary_opts))
        if option.is_flag:
            return InputError(f"expected no value after {error.option_name}, got one; leave it out")
        return InputError(f"expected a value after {error.option_name}, got none; try '{_typed(option)}'")
    if hasattr(error, "param_type"):
        return InputError(f"expected {_typed(error.param)} ({_what(error.param)}), got none; try '{example}'")
    if isinstance(error, typer.BadParameter):
        return _bad_value(error, command)
    extra = re.search(r"extra arguments?\S* \((.*)\)", error.message)
    if extra:
        return InputError(
            f"expected '{example}', got more: '{extra[1]}'; leave it out, or put a name with spaces in quotes"
        )
    return InputError(f"expected '{example}', got something else ({error.format_message()}); see '{command} --help'")


def _bad_value(error: Any, command: str) -> InputError:
    """A value that is not of its kind, or too small or large."""
    option, cause = error.param, error.__cause__
    least, most = getattr(option, "min", None), getattr(option, "max", None)
    limits = "" if least is None else f" of at least {least}" if most is None else f" from {least} to {most}"
    kind = KINDS.get(_name(option), "another value") + limits
    got = f"'{cause.errors()[0]['input']}'" if hasattr(cause, "errors") else f"something else ({error.message})"
    usual = f"without it, {option.default} is taken" if option.default is not None else f"see '{command} --help'"
    return InputError(f"{option.opts[0]}: expected {kind}, got {got}; {usual}")


def needed(command: Any) -> list[str]:
    """What must be given to a command, as it is typed."""
    return [_typed(p) for p in command.params if p.required]


def _is_argument(param: Any, required: bool) -> bool:
    return param.param_type_name == "argument" and param.required == required


def _name(param: Any) -> str:
    return param.metavar or param.name.upper()


def _typed(param: Any) -> str:
    """`FOLDER` for an argument, `--output FOLDER` for an option."""
    if param.param_type_name == "argument":
        return _name(param)
    return f"{max(param.opts, key=len)} {_name(param)}"


def _what(param: Any) -> str:
    """What it is, to be put into a sentence."""
    text = (param.help or "").removesuffix(".")
    return text if text[1:2].isupper() else text[:1].lower() + text[1:]
