"""Baryon acoustic oscillations: distances over the sound horizon at drag, Gaussian.

A table has rows of redshift, value and kind; the rows are sorted by kind, and their covariance with them, so that each
kind is one block of bands, read from the theory's output of that name at the redshifts of the data.
"""

from collections.abc import Sequence

import jax.numpy as jnp
import numpy as np
from jaxtyping import Float

from alfonsine.errors import InputError
from alfonsine.likelihood.band_likelihood import BandLikelihood, DataPoints
from alfonsine.likelihood.binning import Windows
from alfonsine.likelihood.data_sets import locate, read_table
from alfonsine.likelihood.gaussian import gaussian
from alfonsine.likelihood.sampled import Sampled

KINDS = ("DM_over_rs", "DH_over_rs", "DV_over_rs", "H_rs", "f_sigma8")
Rows = tuple[Float[np.ndarray, " n"], Float[np.ndarray, " n"], list[str]]


def bao(
    name: str,
    z: Float[np.ndarray, " n"],
    value: Float[np.ndarray, " n"],
    kind: Sequence[str],
    covariance: Float[np.ndarray, "n n"],
) -> BandLikelihood:
    """Gaussian of measurements `value` of `kind` at z, with normalisation; no parameters of its own."""
    unknown = [each for each in kind if each not in KINDS]
    if unknown:
        raise InputError(f"{name}: expected kinds among {', '.join(KINDS)}, got '{unknown[0]}'")
    order = sorted(range(len(z)), key=lambda row: (KINDS.index(kind[row]), z[row]))
    z, value, covariance = z[order], value[order], covariance[np.ix_(order, order)]
    blocks = np.array(kind)[order]
    present = [each for each in KINDS if each in blocks]
    for each in present:
        if np.any(np.diff(z[blocks == each]) <= 0):
            raise InputError(f"{name}: expected each redshift of {each} once, got one twice; remove a row")
    form = gaussian(value, covariance)
    error = np.sqrt(np.diag(covariance))
    return BandLikelihood(
        name=name,
        windows=Windows(tuple(present), tuple(Sampled.of(z[blocks == each]) for each in present)),
        form=form,
        points={
            each: DataPoints(*(jnp.asarray(x[blocks == each]) for x in (z, value, error, np.ones(len(z)))))
            for each in present
        },
    )


def read_rows(data_set: str, file: str) -> Rows:
    """Redshifts, values and kinds of a file whose rows are `z value kind`; # begins a comment."""
    path = locate(data_set) / file
    try:
        lines = [line.split("#")[0].split() for line in path.read_text(encoding="utf-8").splitlines()]
        rows = [(float(line[0]), float(line[1]), line[2]) for line in lines if line]
        z, value = (np.array([row[i] for row in rows], dtype=float) for i in (0, 1))
        if not rows or not np.isfinite([z, value]).all():
            raise ValueError("no rows" if not rows else "NaN or infinity")
    except (ValueError, IndexError, UnicodeDecodeError) as error:
        raise InputError(
            f"expected rows of redshift, value and kind in {path}, got: {error}; try 'alfonsine data check {data_set}'"
        ) from None
    return z, value, [row[2] for row in rows]


def bao_from_files(name: str, data_set: str, rows: str, covariance: str) -> BandLikelihood:
    """The same of two files of a data set; InputError where they are not here, or do not fit together."""
    return bao(name, *read_rows(data_set, rows), np.atleast_2d(read_table(data_set, covariance)))
