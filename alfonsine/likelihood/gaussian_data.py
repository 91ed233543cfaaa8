"""A user's own data: Gaussian measurements of one observable of any theory, with normalisation.

The observable is a vector that the theory returns under `observable`. By the convention of all spectra its
index 0 counts as l = 2: `spectra` asks for l_max = n + 1 to say that n values are needed.
"""

import os
import reprlib
from collections.abc import Sequence
from pathlib import Path

import jax.numpy as jnp
import numpy as np
from jaxtyping import Float

from alfonsine.errors import InputError
from alfonsine.likelihood.array_file import read_key, read_text
from alfonsine.likelihood.band_likelihood import BandLikelihood, DataPoints
from alfonsine.likelihood.binning import Binning, Windows
from alfonsine.likelihood.gaussian import gaussian

NAME = "gaussian"
Numbers = Sequence | str | float


def gaussian_data(
    observable: str, value: Numbers, covariance: Numbers | None = None, error: Numbers | None = None
) -> BandLikelihood:
    """Gaussian of the first n values of `observable`.

    value       n numbers, or a file that has them
    covariance  n x n numbers, or a file that has them (.txt, or .npz with the key 'covariance')
    error       instead: n standard deviations of independent data (or their file), or one for all

    InputError where the numbers do not fit together.
    """
    data = np.atleast_1d(_numbers("value", value))
    if data.ndim != 1 or data.size == 0:
        raise InputError(f"{NAME}: expected value: a list of numbers, got shape {data.shape}; give one column or row")
    if (covariance is None) == (error is None):
        raise InputError(
            f"{NAME}: expected covariance or error, got {'neither' if error is None else 'both'}; give one"
        )
    if error is not None:
        sigma = _numbers("error", error)
        if sigma.size not in (1, data.size) or not np.all(sigma > 0):
            raise InputError(f"{NAME}: expected error: one positive number or {data.size}, got {sigma.tolist()}")
        matrix = np.diag(np.broadcast_to(sigma.ravel(), data.shape) ** 2)
    else:
        matrix = np.atleast_2d(_numbers("covariance", covariance))
    n = data.size
    form = gaussian(data, matrix)
    everything = Binning(jnp.arange(n), jnp.ones(n), n)
    return BandLikelihood(
        name=NAME,
        windows=Windows((observable,), (everything,)),
        form=form,
        points={
            observable: DataPoints(
                jnp.arange(2.0, n + 2), form.data, jnp.sqrt(jnp.diag(jnp.asarray(matrix))), jnp.ones(n)
            )
        },
    )


def _numbers(what: str, given: Numbers) -> Float[np.ndarray, "..."]:
    """Numbers given inline, or in a text or .npz file."""
    if not isinstance(given, str):
        try:
            return np.asarray(given, dtype=float)
        except (ValueError, TypeError, OverflowError):
            raise InputError(
                f"{NAME}: expected {what}: numbers or a file of numbers, got {_line(given)}; give a number, or rows of "
                "numbers of one length"
            ) from None
    path, advice = Path(given), f"correct {what} or the file"
    if not os.path.exists(path):
        raise InputError(f"{NAME}: expected {what} in the file {given}, got no such file; correct the path")
    if path.suffix == ".npz":
        return read_key(path, what, None, advice)
    return read_text(path, None, advice)


def _line(given: object) -> str:
    return " ".join(reprlib.repr(given).split())
