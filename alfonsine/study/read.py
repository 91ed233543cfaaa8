"""Read a study file: YAML in, plain values and the line of every key out."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from alfonsine.errors import InputError, closest
from alfonsine.plain_yaml import Location, line_of, parse


@dataclass(frozen=True)
class Source:
    """Where settings came from: the file's name and folder, its text, and the line of each key."""

    file: str = "study"
    folder: Path | None = None
    text: str = ""
    lines: Mapping[Location, int] = field(default_factory=dict)

    def where(self, location: Location = ()) -> str:
        """`study.yaml:12` for the innermost part of `location` whose line is known."""
        line = line_of(location, self.lines)
        return self.file if line is None else f"{self.file}:{line}"

    def error(self, location: Location, message: str, line_of: Location | None = None) -> InputError:
        """Build the error `study.yaml:12: accuracy.kl: message`; `line_of` names another line."""
        name = ".".join(str(part) for part in location)
        where = self.where(location if line_of is None else line_of)
        return InputError(": ".join(part for part in (where, name, message) if part))


def read_yaml(path: Path) -> tuple[dict[str, Any], Source]:
    """Read the mapping in the YAML file `path`, and where each of its keys stands.

    Raises InputError, in one line, for a file that is absent, unreadable, empty, not YAML, or not a
    mapping, and for a key given twice.
    """
    file = path.name
    try:
        data, lines, text = parse(path, file, "study")
    except FileNotFoundError:
        alike = closest(path.name, (other.name for other in path.parent.glob("*.yaml")), 0.7)
        advice = f"did you mean '{path.with_name(alike)}'?" if alike else "check the path"
        raise InputError(f"{path}: expected a study file, found none; {advice}") from None
    except IsADirectoryError:
        raise InputError(f"{path}: expected a study file, got {_folder(path)}") from None
    except OSError as error:
        raise InputError(f"{path}: cannot be read ({error.strerror}); check its permissions") from None
    if data is None:
        raise InputError(f"{file}: expected a study, got an empty file; start from a file in examples/")
    if not isinstance(data, dict):
        raise InputError(f"{file}:1: expected blocks such as 'theory:' and 'params:', got {_kind(data)}; see examples/")
    return data, Source(file=file, folder=path.parent, text=text, lines=lines)


def _folder(path: Path) -> str:
    """What a folder is that was given for a study, and which file to give instead."""
    if (path / "study.yaml").is_file():
        return (
            f"the run folder of one; give the file that was run, with --output {path}: "
            f"a copy of it is {path / 'study.yaml'}"
        )
    studies = sorted(str(file) for file in path.glob("*.yaml"))
    return (
        f"a folder; give the file in it: {', '.join(studies[:3])}"
        if studies
        else "a folder without one; check the path"
    )


def _kind(value: object) -> str:
    return {list: "a list", str: "plain text"}.get(type(value), f"{value!r}")
