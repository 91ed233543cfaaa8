"""The band powers of any CMB experiment, out of a folder: a new experiment needs no code.

The folder holds `data.yaml` and the files that it names; docs/howto/my_experiments_data.md shows all of it. Files are
text tables or .npz archives of plain arrays; nothing in them, or in the YAML, is ever executed. What does not fit is
told in one line: which file, what was expected, what came.
"""

import re
import reprlib
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Any, Literal

import numpy as np
import yaml
from jaxtyping import Float
from pydantic import BaseModel, ConfigDict, Discriminator, Field, Tag, ValidationError

from alfonsine.errors import InputError, nearest
from alfonsine.likelihood.array_file import Shape, checked, read_key, read_text
from alfonsine.likelihood.band_likelihood import BandLikelihood
from alfonsine.likelihood.band_powers import TO_BANDS, Block, band_powers
from alfonsine.likelihood.binning import HIGHEST, Binning, Dense, contiguous, dense, multipoles

NAME, FILE = "cmb_lite", "data.yaml"
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
    Discriminator(_kind, custom_error_type="form", custom_error_message=f"Input should be {FORMS}"),
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


def cmb_lite(folder: str, spectra: Sequence[str] | None = None) -> BandLikelihood:
    """The experiment in `folder`: all its spectra, or those named in `spectra` (the rest marginalised over)."""
    path = Path(folder)
    experiment = _read(path)
    n = sum(block.bands for block in experiment.spectra)
    value = _numbers(path, "band_powers", experiment.band_powers, (n,))
    covariance = _numbers(path, "covariance", experiment.covariance, (n, n)) / _hartlap(experiment.simulations, n)
    offset = None if experiment.offset is None else _numbers(path, "offset", experiment.offset, (n,))
    templates = {k: _numbers(path, f"templates.{k}", each, (n,)) for k, each in experiment.templates.items()}
    blocks, used, first = [], [], 0
    _check_chosen(spectra, [block.spectrum for block in experiment.spectra])
    for block in experiment.spectra:
        rows = np.arange(first, first + block.bands)
        first += block.bands
        if spectra is None or block.spectrum in spectra:
            blocks.append(_block(path, block, experiment.units, value[rows]))
            used.append(rows)
    row = np.concatenate(used)
    try:
        return band_powers(
            NAME,
            blocks,
            covariance[np.ix_(row, row)],
            {name: template[row] for name, template in templates.items()},
            offset=None if offset is None else offset[row],
            normalised=experiment.normalised,
        )
    except InputError as error:
        raise InputError(f"{path / FILE}: {error}") from None


def _block(path: Path, block: Spectrum, units: str, value: Float[np.ndarray, " band"]) -> Block:
    where = block.spectrum
    try:
        window = _window(path, f"{where}.windows", block, units)
    except InputError as error:
        text = str(error)
        raise InputError(text if text.startswith(str(path)) else f"{path / FILE}: {where}.windows: {text}") from None
    if block.ell is None:
        weights = np.abs(_as_matrix(window))
        total = weights.sum(axis=1)
        if total.min() == 0:
            raise InputError(f"{path / FILE}: {where}.windows: expected weights for each band, got a band of zeros")
        ell = weights @ np.arange(2.0, window.l_max + 1) / total
    else:
        ell = _numbers(path, f"{where}.ell", block.ell, (block.bands,))
    return Block(block.spectrum, window, value, ell, units, block.calibration)


def _window(path: Path, where: str, block: Spectrum, units: str) -> Binning | Dense:
    """From C_l to the bands in the data's units."""
    windows, n = block.windows, block.bands
    if isinstance(windows, Matrix):
        table = _numbers(path, f"{where}.matrix", windows.matrix, (n, None))
        matrix = np.zeros((n, max(windows.first_l + table.shape[1], 3)))
        matrix[:, windows.first_l : windows.first_l + table.shape[1]] = table
        return dense(matrix[:, 2:] * TO_BANDS[units](np.arange(2.0, matrix.shape[1])))
    first, last = (
        multipoles(_numbers(path, f"{where}.{end}", given, (n,)), f"{path / FILE}: {where}.{end}")
        for end, given in (("first", windows.first), ("last", windows.last))
    )
    ell = np.arange(2.0, last.max() + 1)
    if windows.weight is None:
        contiguous(first, last, np.ones(ell.size))  # the bins in order, before they are counted
        weight = np.ones(ell.size)
        for lo, hi in zip(first, last, strict=True):
            weight[lo - 2 : hi - 1] = 1 / (hi - lo + 1)
    else:
        given = _numbers(path, f"{where}.weight", windows.weight, (None,))
        weight = np.concatenate([np.zeros(windows.weight_first_l), given])[2 : 2 + ell.size]
    return contiguous(first, last, weight * TO_BANDS[units](ell[: weight.size]))


def _as_matrix(window: Binning | Dense) -> Float[np.ndarray, "band l"]:
    if isinstance(window, Dense):
        return np.asarray(window.matrix)
    matrix = np.zeros((window.count, window.weight.size))
    matrix[np.asarray(window.bin), np.arange(window.weight.size)] = window.weight
    return matrix


def _hartlap(simulations: int | None, n: int) -> float:
    """What the covariance of so many simulations is divided by, for an unbiased inverse."""
    if simulations is None:
        return 1.0
    if simulations <= n + 2:
        raise InputError(f"{NAME}: expected more than {n + 2} simulations for {n} bands, got {simulations}")
    return (simulations - n - 2) / (simulations - 1)


def _check_chosen(spectra: Sequence[str] | None, known: Sequence[str]) -> None:
    if spectra is None:
        return
    if not isinstance(spectra, list | tuple) or not spectra:
        raise InputError(f"{NAME}: expected spectra: a list such as [{', '.join(known)}], got {spectra!r}")
    for name in spectra:
        if name not in known:
            raise InputError(f"{NAME}: expected spectra among {', '.join(known)}, got '{name}'")


def _numbers(path: Path, where: str, given: Numbers, shape: Shape) -> Float[np.ndarray, "..."]:
    """Numbers of the expected shape, from where they are."""
    advice = f"correct {where} in {path / FILE}"
    if isinstance(given, list):
        return checked(np.array(given, dtype=float), shape, f"{path / FILE}: {where}", advice)
    part = Column(file=given) if isinstance(given, str) else given
    file = path / part.file
    try:
        present = file.is_file()
    except OSError:
        present = False
    if not present:
        raise InputError(f"expected the file {file} for {where}, got no such file; {advice}")
    if file.suffix == ".npz":
        if part.array is None or part.column is not None:
            raise InputError(f"expected {where}: {{file: {part.file}, array: its name}}, got no name; {advice}")
        return read_key(file, part.array, shape, advice)
    if part.array is not None:
        raise InputError(f"expected an .npz file for the array '{part.array}', got {file}; {advice}")
    return read_text(file, shape, advice, **({} if part.column is None else {"usecols": part.column - 1}))


class _Loader(yaml.SafeLoader):
    """SafeLoader for which 1e-10 is a number, and a key given twice an error."""

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Any, Any]:
        """Refuse a key given twice instead of losing the first."""
        names = [key.value for key, _ in node.value if isinstance(key, yaml.ScalarNode)]
        twice = [name for place, name in enumerate(names) if name in names[:place]]
        if twice:
            raise ValueError(f"the key '{twice[0]}' twice from line {node.start_mark.line + 1} on; remove one")
        return super().construct_mapping(node, deep)


_Loader.add_implicit_resolver(
    "tag:yaml.org,2002:float", re.compile(r"^[-+]?(?:\d+\.?\d*|\.\d+)[eE][-+]?\d+$"), [*"-+0123456789."]
)


def _read(path: Path) -> Experiment:
    """The file `data.yaml`, checked by its model."""
    file = path / FILE
    try:
        data = yaml.load(file.read_text(encoding="utf-8"), _Loader)
    except OSError as error:
        raise InputError(
            f"{NAME}: expected a folder with {FILE}, got '{path}' ({error.strerror}); correct the folder"
        ) from None
    except (yaml.YAMLError, ValueError, TypeError, RecursionError) as error:
        raise InputError(f"{file}: expected plain YAML, got: {' '.join(str(error).split())[:200]}") from None
    if not isinstance(data, dict):
        raise InputError(f"{file}: expected keys such as band_powers and covariance, got {type(data).__name__}")
    try:
        return Experiment.model_validate(data)
    except ValidationError as error:
        raise InputError(f"{file}: {_explain(error)}") from None


def _explain(error: ValidationError) -> str:
    """The first thing that is wrong, an unknown key before all else."""
    found = error.errors(include_url=False)
    first = next((e for e in found if e["type"] == "extra_forbidden"), found[0])
    place = [str(part) for part in first["loc"] if part not in TAGS]
    if first["type"] == "extra_forbidden":
        known = {name for model in (Experiment, Spectrum, Bins, Matrix, Column) for name in model.model_fields}
        return f"unknown key '{'.'.join(place)}'; {nearest(place[-1], known)}"
    if first["type"] == "missing":
        return f"expected '{'.'.join(place)}', got none; add it"
    message = first["msg"].removeprefix("Input should be ").removeprefix("a valid ")
    return f"expected {'.'.join(place)}: {message}, got {' '.join(reprlib.repr(first['input']).split())}"
