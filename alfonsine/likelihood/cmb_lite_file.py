"""The file `data.yaml` of an experiment's folder: what may stand in it, and on which line each key does.

Nothing in it is ever executed. What does not fit is told as `data.yaml:7: spectra.tt.windows: expected ..., got ...`:
an entry of `spectra` is named by its spectrum, and numbers of a list are counted from 1.
"""

import reprlib
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Discriminator, Field, Tag, ValidationError

from alfonsine.errors import InputError, nearest
from alfonsine.likelihood.binning import HIGHEST
from alfonsine.plain_yaml import Location, line_of, parse

FILE = "data.yaml"
FORMS = "a file, {file: TEXT, column: 1}, {file: NPZ, array: name}, or numbers"
TAGS = ("Bins", "Matrix", "Column", "list", "str")


class _Part(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", strict=True, allow_inf_nan=False)


class Column(_Part):
    """A column of a text table, counted from 1, or an array of an .npz archive."""

    file: str
    column: int | None = Field(default=None, ge=1)
    array: str | None = None


def _kind(value: Any) -> str:
    """Which of several forms is meant, so that a message speaks of that one only."""
    if isinstance(value, dict):
        return "Matrix" if "matrix" in value else "Column" if "file" in value else "Bins"
    return "list" if isinstance(value, list) else "str"


Numbers = Annotated[
    Annotated[str, Tag("str")] | Annotated[list[float], Tag("list")] | Annotated[Column, Tag("Column")],
    Discriminator(_kind, custom_error_type="form", custom_error_message=f"Input should be {FORMS}"),
]
"""A file of numbers, one of its columns or arrays, or the numbers themselves."""
Tables = Annotated[
    Annotated[str, Tag("str")] | Annotated[Column, Tag("Column")],
    Discriminator(_kind, custom_error_type="form", custom_error_message="Input should be a file of numbers"),
]


class Bins(_Part):
    """Neighbouring multipoles in a band: the first and last l of each, and a weight for each l."""

    first: Numbers
    last: Numbers
    weight: Numbers | None = None
    weight_first_l: int = Field(default=2, ge=0, le=HIGHEST)


class Matrix(_Part):
    """A weight for each band and multipole."""

    matrix: Tables
    first_l: int = Field(default=2, ge=0, le=HIGHEST)


class Spectrum(_Part):
    """One block of the data vector; blocks are in its order."""

    spectrum: Literal["tt", "te", "ee", "bb", "pp"]
    bands: int = Field(ge=1, le=100_000)
    windows: Annotated[
        Annotated[Bins, Tag("Bins")] | Annotated[Matrix, Tag("Matrix")],
        Discriminator(
            _kind, custom_error_type="form", custom_error_message="Input should be first and last, or matrix"
        ),
    ]
    ell: Numbers | None = None
    calibration: dict[str, Annotated[int, Field(ge=-4, le=4)]] = {}


class Experiment(_Part):
    """All of `data.yaml`."""

    band_powers: Numbers
    covariance: Tables
    units: Literal["C_l", "D_l", "L2_D_l", "kappa"]
    spectra: list[Spectrum] = Field(min_length=1)
    offset: Numbers | None = None
    templates: dict[str, Numbers] = {}
    simulations: int | None = Field(default=None, ge=10)
    normalised: bool = True
    cite: str = ""


class Placed(InputError):
    """An error that says already where in the file it belongs."""


@dataclass(frozen=True)
class Keys:
    """Where the keys of a file stand.

    file    the file
    lines   line of each key
    data    what it holds, as plain values
    """

    file: Path
    lines: Mapping[Location, int]
    data: Any

    def where(self, location: tuple[str | int, ...]) -> str:
        """`folder/data.yaml:7: spectra.tt.windows` for a key and those above it."""
        words = ""
        for i, part in enumerate(location):
            if isinstance(part, str):
                words += f".{part}"
            elif location[i - 1] == "spectra":
                words += f".{self._spectrum(part)}"
            else:
                words += f": number {part + 1}"
        return ": ".join(
            each for each in (f"{self.file}:{line_of(location, self.lines) or 1}", words.lstrip(".")) if each
        )

    def _spectrum(self, index: int) -> str:
        try:
            name = self.data["spectra"][index]["spectrum"]
        except (KeyError, IndexError, TypeError):
            name = None
        return name if isinstance(name, str) else f"entry {index + 1}"

    @contextmanager
    def at(self, *location: str | int) -> Iterator[None]:
        """Say once where in the file an InputError belongs: the innermost place that is named."""
        try:
            yield
        except Placed:
            raise
        except InputError as error:
            raise Placed(f"{self.where(location)}: {error}") from None


def read_experiment(path: Path, name: str) -> tuple[Experiment, Keys]:
    """The file `data.yaml` of a folder, checked by its model, and the places of its keys.

    InputError, in one line, for what is not there, is no YAML, or does not fit; `name` is whose folder it is.
    """
    file = path / FILE
    try:
        data, lines, _ = parse(file, f"{file}", "experiment")
    except OSError as error:
        raise InputError(
            f"{name}: expected a folder with {FILE}, got '{path}' ({error.strerror}); correct the folder"
        ) from None
    if not isinstance(data, dict):
        raise InputError(f"{file}: expected keys such as band_powers and covariance, got {type(data).__name__}")
    keys = Keys(file, lines, data)
    try:
        return Experiment.model_validate(data), keys
    except ValidationError as error:
        raise _explained(error, keys) from None


def _explained(error: ValidationError, keys: Keys) -> Placed:
    """The first thing that is wrong, an unknown key before all else."""
    found = error.errors(include_url=False)
    first = next((e for e in found if e["type"] == "extra_forbidden"), found[0])
    place = tuple(part for part in first["loc"] if part not in TAGS)
    if first["type"] == "extra_forbidden":
        known = {name for model in (Experiment, Spectrum, Bins, Matrix, Column) for name in model.model_fields}
        line = keys.where(place).partition(": ")[0]
        above = keys.where(place[:-1]).partition(": ")[2]
        said = f"unknown key '{place[-1]}'; {nearest(str(place[-1]), known)}"
        return Placed(": ".join(each for each in (line, above, said) if each))
    if first["type"] == "missing":
        return Placed(f"{keys.where(place[:-1])}: expected '{place[-1]}', got none; add it")
    wanted = first["msg"].removeprefix("Input should be ").replace("a valid integer", "a whole number")
    wanted = "at least one entry" if first["type"] == "too_short" else wanted.replace("a valid ", "a ")
    wanted = f"a number {wanted}" if wanted.startswith(("greater", "less")) else wanted
    return Placed(f"{keys.where(place)}: expected {wanted}, got {' '.join(reprlib.repr(first['input']).split())}")
