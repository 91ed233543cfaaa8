"""From published files to the one that a likelihood reads: many text files, or a binary record, to an .npz of arrays.

Each conversion takes the fetched files, in the order of `sources.toml`, and gives the arrays by name. Nothing is lost:
the numbers are the published ones in 64-bit floats.
"""

from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
from jaxtyping import Float, Num

from alfonsine.errors import InputError

Arrays = dict[str, Num[np.ndarray, "..."]]


def fortran_lower_triangle(paths: Sequence[Path]) -> Arrays:
    """The covariance `cov` of Planck's record."""
    return {"cov": read_fortran_lower_triangle(paths[0])}


def read_fortran_lower_triangle(path: Path) -> Float[np.ndarray, "n n"]:
    """Symmetric matrix from one Fortran record of 64-bit floats with only the lower triangle filled."""
    raw = path.read_bytes()
    n = int(np.sqrt(max(len(raw) - 8, 0) / 8))
    marker = np.int32(n * n * 8).astype("<i4").tobytes()
    if not raw or raw[:4] != marker or raw[-4:] != marker or len(raw) != n * n * 8 + 8:
        raise InputError(f"expected one Fortran record with a square matrix in {path}, got {len(raw)} other bytes")
    lower = np.tril(np.frombuffer(raw[4:-4], "<f8").reshape(n, n))
    return lower + np.tril(lower, -1).T


def planck_lensing_windows(paths: Sequence[Path]) -> Arrays:
    """Windows of nine bins over L = 0 to 2500, zero where a file has no row; then the responses at their own L."""
    half = len(paths) // 2
    windows = np.zeros((half, 2501))
    for row, path in zip(windows, paths[:half], strict=True):
        ell, weight = np.loadtxt(path, unpack=True)
        row[ell.astype(int)] = weight
    responses = [np.loadtxt(path, unpack=True) for path in paths[half:]]
    return {
        "L": np.arange(2501),
        "bin_window": windows,
        "delta_L": responses[0][0].astype(int),
        "delta_window": np.array([response[1] for response in responses]),
    }


def act_lensing_windows(paths: Sequence[Path]) -> Arrays:
    """Multipoles L, and the window of each bin in a column of `kk`."""
    table = np.loadtxt(paths[0])
    return {"L": table[:, 0].astype(int), "kk": table[:, 1:]}


def spt_lensing_windows(paths: Sequence[Path]) -> Arrays:
    """The same with `pp`, and the response of each bin: columns L, four of zeros, pp."""
    table = np.loadtxt(paths[0])
    responses = np.array([np.loadtxt(path) for path in paths[1:]])
    return {"L": table[:, 0].astype(int), "pp": table[:, 1:], "M_phionly": responses}


def sroll2_table(paths: Sequence[Path]) -> Arrays:
    """Table of ln P: rows are D_l in steps of 1e-4 muK^2 from 0, columns l = 2 to 29."""
    return {"log_prob": np.loadtxt(paths[0]), "ell": np.arange(2, 30), "step_Dl_uK2": np.array(1e-4)}


CONVERSIONS: dict[str, Callable[[Sequence[Path]], Arrays]] = {
    each.__name__: each
    for each in (
        fortran_lower_triangle,
        planck_lensing_windows,
        act_lensing_windows,
        spt_lensing_windows,
        sroll2_table,
    )
}
