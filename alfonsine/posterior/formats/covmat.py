r"""Covariance matrices of parameters as the hosts write them: one line of names, then the rows of the matrix.

# omegabh2 omegach2 logA                         Cobaya, GetDist, CosmoMC: names between spaces
#  omega_b,  omega_cdm,  ln10^{10}A_s            MontePython: names between commas
"""

import io
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from jaxtyping import Float

from alfonsine.errors import InputError
from alfonsine.posterior.formats.number_table import damaged
from alfonsine.posterior.formats.plain_text import read_text, shown
from alfonsine.posterior.formats.same_names import montepython_name
from alfonsine.posterior.formats.whole_files import write_together
from alfonsine.posterior.posterior import Posterior

ROUNDED = 1e-5  # of the correlations may be the rounding of a file: six digits are written


@dataclass(frozen=True)
class CovarianceMatrix:
    """A covariance matrix with the names of its parameters.

    names   (d,) distinct
    matrix  (d, d) symmetric, positive definite but for the rounding of printed digits   [units of the parameters]
    """

    names: tuple[str, ...]
    matrix: Float[np.ndarray, "d d"]

    def __post_init__(self) -> None:
        d = len(self.names)
        if not d or self.matrix.shape != (d, d):
            raise InputError(f"expected a matrix of {d} rows and columns, one for each name, got {self.matrix.shape}")
        repeated = sorted({name for name in self.names if self.names.count(name) > 1})
        if repeated:
            raise InputError(f"expected each name once, got {shown(repeated[0])} twice; rename one")
        if not np.all(np.isfinite(self.matrix)):
            raise InputError("expected finite numbers, got others")
        variances = np.diag(self.matrix)
        if not np.all(variances > 0):
            name = self.names[int(np.argmin(variances))]
            raise InputError(f"expected positive variances, got {np.min(variances):g} for {shown(name)}")
        with np.errstate(over="ignore"):  # of numbers that no covariance has, told below
            correlation = self.matrix / np.sqrt(variances)[:, None] / np.sqrt(variances)
        if not np.all(np.abs(correlation - correlation.T) < ROUNDED):
            i, j = np.unravel_index(np.argmax(np.abs(correlation - correlation.T)), correlation.shape)
            raise InputError(
                f"expected a symmetric matrix, got {self.matrix[i, j]:g} and {self.matrix[j, i]:g} for "
                f"{shown(self.names[i])} and {shown(self.names[j])}"
            )
        if np.min(np.linalg.eigvalsh(0.5 * (correlation + correlation.T))) < -ROUNDED:
            raise InputError("expected a positive definite matrix, got one with a negative eigenvalue")

    @classmethod
    def of(cls, posterior: Posterior) -> "CovarianceMatrix":
        """Covariance of the sampled parameters."""
        return cls(posterior.names, posterior.covariance())

    @property
    def widths(self) -> dict[str, float]:
        """Standard deviation of each parameter."""
        return dict(zip(self.names, np.sqrt(np.diag(self.matrix)).tolist(), strict=True))


def read_covmat(path: Path | str) -> CovarianceMatrix:
    """Read a matrix in either form; InputError in one line, with the path, for what is none."""
    path = Path(path)
    text = read_text(path, "a covariance matrix")
    first, _, rest = text.lstrip().partition("\n")
    listed = first[1:].split(",") if "," in first else first[1:].split()
    names = tuple(name.strip() for name in listed if name.strip())
    if not first.startswith("#") or not names:
        raise InputError(
            f"{path}: expected a first line '# names of the parameters', got {shown(first.strip())}; add it"
        )
    skipped = text[: len(text) - len(text.lstrip())].count("\n")
    lines = [(i, line) for i, line in enumerate(rest.split("\n"), skipped + 2) if line.split("#", 1)[0].strip()]
    if not lines:
        raise InputError(f"{path}: expected {len(names)} rows of a matrix, got none; write the file again")
    try:
        matrix = np.loadtxt(io.StringIO(rest), ndmin=2, comments="#")
    except (ValueError, OverflowError) as error:
        raise damaged(path, lines, str(error), wait=False) from None
    if matrix.shape != (len(names), len(names)):
        raise InputError(
            f"{path}: expected {len(names)} rows and columns, one for each name in the first line, got "
            f"{matrix.shape[0]} and {matrix.shape[1]}; correct the names or the matrix"
        )
    try:
        return CovarianceMatrix(names, matrix)
    except InputError as error:
        raise InputError(f"{path}: {error}; take another file, or write it again") from None


def covmat_text(covariance: CovarianceMatrix) -> str:
    """The matrix in the form of Cobaya, GetDist and CosmoMC."""
    for name in covariance.names:
        if not name or name.split() != [name] or name.startswith("#") or "," in name:
            raise InputError(f"expected names without space, comma or #, got {shown(name)}; rename it")
    rows = "".join(" ".join(f"{x: .16e}" for x in row) + "\n" for row in covariance.matrix.tolist())
    return f"# {' '.join(covariance.names)}\n{rows}"


def montepython_covmat_text(covariance: CovarianceMatrix) -> str:
    """The matrix in the form of MontePython, with its names for what it knows by others."""
    names = [montepython_name(name) for name in covariance.names]
    for name in names:
        if not name or "," in name or "#" in name:
            raise InputError(f"expected names without comma or #, got {shown(name)}; rename it")
    rows = "".join("\t".join(f"{x: .16e}" for x in row) + "\t\n" for row in covariance.matrix.tolist())
    return f"# {', '.join(f'{name:>16}' for name in names)}{',' if len(names) == 1 else ''}\n{rows}"


def write_covmat(path: Path | str, covariance: CovarianceMatrix) -> Path:
    """Write Cobaya's form, whole or not at all."""
    return write_together({Path(path): covmat_text(covariance).encode()})[0]
