"""The band powers of any CMB experiment, out of a folder: a new experiment needs no code.

The folder holds `data.yaml` and the files that it names; docs/howto/my_experiments_data.md shows all of it. Files are
text tables or .npz archives of plain arrays; nothing in them, or in the YAML, is ever executed. What does not fit is
told in one line: which key on which line, what was expected, what came.
"""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
from jaxtyping import Float

from alfonsine.errors import InputError
from alfonsine.likelihood.array_file import Shape, checked, read_key, read_text
from alfonsine.likelihood.band_likelihood import BandLikelihood
from alfonsine.likelihood.band_powers import TO_BANDS, Block, band_powers
from alfonsine.likelihood.binning import Binning, Dense, contiguous, dense, multipoles
from alfonsine.likelihood.cmb_lite_file import Column, Experiment, Keys, Matrix, Numbers, Spectrum, read_experiment

NAME = "cmb_lite"
FIRST = "column 1 is the first"


def cmb_lite(folder: str, spectra: Sequence[str] | None = None) -> BandLikelihood:
    """The experiment in `folder`: all its spectra, or those named in `spectra` (the rest marginalised over)."""
    experiment, keys = read_experiment(Path(folder), NAME)
    n = sum(block.bands for block in experiment.spectra)
    value = _numbers(keys, experiment.band_powers, (n,), "band_powers")
    covariance = _numbers(keys, experiment.covariance, (n, n), "covariance")
    with keys.at("simulations"):
        covariance = covariance / _hartlap(experiment.simulations, n)
    offset = None if experiment.offset is None else _numbers(keys, experiment.offset, (n,), "offset")
    templates = {k: _numbers(keys, each, (n,), "templates", k) for k, each in experiment.templates.items()}
    blocks, used, first = [], [], 0
    _check_chosen(spectra, [block.spectrum for block in experiment.spectra])
    for index, block in enumerate(experiment.spectra):
        rows = np.arange(first, first + block.bands)
        first += block.bands
        if spectra is None or block.spectrum in spectra:
            blocks.append(_block(keys, index, block, experiment.units, value[rows]))
            used.append(rows)
    _check_names(keys, experiment, [block.spectrum for block in blocks])
    row = np.concatenate(used)
    with keys.at("covariance"):
        return band_powers(
            NAME,
            blocks,
            covariance[np.ix_(row, row)],
            {name: template[row] for name, template in templates.items()},
            offset=None if offset is None else offset[row],
            normalised=experiment.normalised,
        )


def _block(keys: Keys, index: int, block: Spectrum, units: str, value: Float[np.ndarray, " band"]) -> Block:
    place = ("spectra", index)
    with keys.at(*place, "windows"):
        window = _window(keys, index, block, units)
        if block.ell is None:
            weights = np.abs(_as_matrix(window))
            total = weights.sum(axis=1)
            if total.min() == 0:
                band = int(np.argmin(total)) + 1
                raise InputError(f"expected weights for each band, got zeros only for band {band} of {block.bands}")
            ell = weights @ np.arange(2.0, window.l_max + 1) / total
        else:
            ell = _numbers(keys, block.ell, (block.bands,), *place, "ell")
    return Block(block.spectrum, window, value, ell, units, block.calibration)


def _window(keys: Keys, index: int, block: Spectrum, units: str) -> Binning | Dense:
    """From C_l to the bands in the data's units."""
    windows, n, place = block.windows, block.bands, ("spectra", index, "windows")
    if isinstance(windows, Matrix):
        table = _numbers(keys, windows.matrix, (n, None), *place, "matrix")
        matrix = np.zeros((n, max(windows.first_l + table.shape[1], 3)))
        matrix[:, windows.first_l : windows.first_l + table.shape[1]] = table
        return dense(matrix[:, 2:] * TO_BANDS[units](np.arange(2.0, matrix.shape[1])))
    edges = []
    for end, given in (("first", windows.first), ("last", windows.last)):
        with keys.at(*place, end):
            edges.append(multipoles(_numbers(keys, given, (n,), *place, end)))
    first, last = edges
    ell = np.arange(2.0, last.max() + 1)
    if windows.weight is None:
        contiguous(first, last, np.ones(ell.size))  # the bins in order, before they are counted
        weight = np.ones(ell.size)
        for lo, hi in zip(first, last, strict=True):
            weight[lo - 2 : hi - 1] = 1 / (hi - lo + 1)
    else:
        given = _numbers(keys, windows.weight, (None,), *place, "weight")
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
        raise InputError(f"expected more than {n + 2} simulations for {n} bands, got {simulations}; use fewer bands")
    return (simulations - n - 2) / (simulations - 1)


def _check_chosen(spectra: Sequence[str] | None, known: Sequence[str]) -> None:
    if spectra is None:
        return
    if not isinstance(spectra, list | tuple) or not spectra:
        raise InputError(f"{NAME}: expected spectra: a list such as [{', '.join(known)}], got {spectra!r}")
    for name in spectra:
        if name not in known:
            raise InputError(f"{NAME}: expected spectra among {', '.join(known)}, got '{name}'")


def _check_names(keys: Keys, experiment: Experiment, used: Sequence[str]) -> None:
    """InputError for a spectrum that is there twice, or a template with the name of a calibration."""
    for index, block in enumerate(experiment.spectra):
        earlier = [each.spectrum for each in experiment.spectra[:index]]
        if block.spectrum in used and block.spectrum in earlier:
            with keys.at("spectra", index):
                raise InputError(
                    f"expected each spectrum once, got {', '.join([*earlier, block.spectrum])}; remove one"
                )
    calibrations = {name for block in experiment.spectra if block.spectrum in used for name in block.calibration}
    for name in experiment.templates:
        if name in calibrations:
            with keys.at("templates", name):
                raise InputError(f"expected different names of calibrations and templates, got '{name}' for both")


def _numbers(keys: Keys, given: Numbers, shape: Shape, *place: str | int) -> Float[np.ndarray, "..."]:
    """Numbers of the expected shape, from where the key at `place` says."""
    with keys.at(*place):
        if isinstance(given, list):
            return checked(np.array(given, dtype=float), shape, "this list", _advice(keys, shape, place, "it"))
        return _from_file(keys, Column(file=given) if isinstance(given, str) else given, shape, place)


def _from_file(keys: Keys, part: Column, shape: Shape, place: tuple[str | int, ...]) -> Float[np.ndarray, "..."]:
    file = keys.file.parent / part.file
    try:
        present = file.is_file()
    except OSError:
        present = False
    if not present:
        raise InputError(f"expected the file {file}, got no such file; correct its name")
    mend, where = "correct the file", f"{file}"
    if file.suffix == ".npz":
        if part.array is None or part.column is not None:
            got = "no name" if part.array is None else "a column"
            raise InputError(f"expected {{file: {part.file}, array: its name}}, got {got}; name the array")
        table = read_key(file, part.array, None, mend)
    elif part.array is not None:
        raise InputError(f"expected an .npz file for the array '{part.array}', got {file}; name a column instead")
    elif part.column is not None:
        where = f"column {part.column} of {file} ({FIRST})"
        table = read_text(file, None, mend, where, usecols=part.column - 1, ndmin=1)
    else:
        table = read_text(file, None, mend, ndmin=len(shape))
        if table.ndim > len(shape):
            mend = f"name one column: {{file: {part.file}, column: 2}}, where {FIRST}"
            return checked(table, shape, where, mend)
    return checked(table, shape, where, _advice(keys, shape, place, "the file"))


def _advice(keys: Keys, shape: Shape, place: tuple[str | int, ...], what: str) -> str:
    """What to correct: numbers for all bands may also be as many as the spectra do not say."""
    if len(place) > 2 and shape[0] is not None:
        return f"correct {what}, or the bands of this spectrum"
    bands = [block.get("bands") for block in keys.data["spectra"]]
    together = f" ({' + '.join(map(str, bands))})" if len(bands) > 1 else ""
    return f"correct {what}" if shape[0] is None else f"correct {what}, or the bands of the spectra{together}"
