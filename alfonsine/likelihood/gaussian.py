r"""Gaussian data, optionally with an overall calibration A that divides the model by A^2.

.. math:: \ln L = -\tfrac12 r^T C^{-1} r \; [-\tfrac12 \ln\det 2\pi C], \qquad r = d - m / A^2

The bracket is the normalisation. Collaborations that publish -chi^2/2 leave it out, and so does
`normalised=False`: ln L is then known up to a constant, which matters to evidences only.
"""

import equinox as eqx
import jax.numpy as jnp
import numpy as np
from jax.scipy.linalg import solve_triangular
from jaxtyping import Array, Float

from alfonsine.errors import InputError
from alfonsine.likelihood.form import Form
from alfonsine.likelihood.likelihood import AnyArray, FoldedLikelihood


class Gaussian(Form):
    """Gaussian density of the data.

    data       (band,) d
    cholesky   (band, band) lower factor of the covariance, C = L L^T
    constant   normalisation added to -chi^2 / 2
    nuisance   the name of A, or nothing
    """

    data: Float[Array, " band"]
    cholesky: Float[Array, "band band"]
    constant: Float[Array, ""]
    nuisance: tuple[str, ...] = eqx.field(static=True)

    @property
    def calibrations(self) -> tuple[str, ...]:
        """A, where there is one."""
        return self.nuisance

    def log_likelihood(
        self, bands: Float[AnyArray, " band"], nuisance: Float[AnyArray, " nuisance"]
    ) -> Float[Array, ""]:
        """Give ln L; `nuisance` is [A] or empty."""
        r = solve_triangular(self.cholesky, self.data - bands / _squared(nuisance), lower=True)
        return self.constant - 0.5 * r @ r

    def whiten(
        self, differences: Float[AnyArray, "n band"], reference: Float[AnyArray, " band"]
    ) -> Float[Array, "n w"]:
        """L^-1 d, at A = 1; the same at every reference."""
        return solve_triangular(self.cholesky, differences.T, lower=True).T

    def fold(self, matrix: Float[AnyArray, "band K"]) -> FoldedLikelihood:
        r"""Reduce to K + 1 numbers: with the triangle R of L^-1 [M, d] = Q R, chi^2 = |R [-a / A^2, 1]|^2."""
        both = jnp.concatenate([matrix, self.data[:, None]], axis=1)
        triangle = jnp.linalg.qr(solve_triangular(self.cholesky, both, lower=True), mode="r")
        return FoldedGaussian(triangle, self.constant)


class FoldedGaussian(FoldedLikelihood):
    """Gaussian in the amplitudes; columns of `triangle` are the K amplitudes and the data."""

    triangle: Float[Array, "r K_plus_1"]
    constant: Float[Array, ""]

    def __call__(self, amplitudes: Float[AnyArray, " K"], nuisance: Float[AnyArray, " nuisance"]) -> Float[Array, ""]:
        """Give ln L; `nuisance` is [A] or empty."""
        r = self.triangle[:, -1] - self.triangle[:, :-1] @ (amplitudes / _squared(nuisance))
        return self.constant - 0.5 * r @ r


def gaussian(
    data: Float[np.ndarray, " band"],
    covariance: Float[np.ndarray, "..."],
    *,
    calibration: str | None = None,
    normalised: bool = True,
) -> Gaussian:
    """Gaussian with covariance C; `calibration` names A. InputError where C is no covariance of the data."""
    if covariance.shape != (data.size, data.size):
        raise InputError(
            f"expected a {data.size} x {data.size} covariance, as there are {data.size} data, "
            f"got shape {covariance.shape}"
        )
    if not (np.isfinite(data).all() and np.isfinite(covariance).all()):
        raise InputError("expected finite data and covariance, got NaN or infinity; remove those entries")
    if not np.allclose(covariance, covariance.T, rtol=1e-8, atol=0):
        raise InputError("expected a symmetric covariance, got one that is not; give all of it, not one triangle")
    try:
        cholesky = np.linalg.cholesky(covariance)
    except np.linalg.LinAlgError:
        lowest = np.linalg.eigvalsh(covariance)[0]
        raise InputError(
            f"expected a positive definite covariance, got one with eigenvalue {lowest:.3g}; "
            "remove redundant data or correct it"
        ) from None
    constant = -np.log(np.diag(cholesky)).sum() - 0.5 * data.size * np.log(2 * np.pi)
    return Gaussian(
        data=jnp.asarray(data),
        cholesky=jnp.asarray(cholesky),
        constant=jnp.asarray(constant if normalised else 0.0),
        nuisance=() if calibration is None else (calibration,),
    )


def _squared(nuisance: Float[AnyArray, " nuisance"]) -> Float[Array, ""]:
    """A^2, or 1 where there is no calibration: the empty product."""
    return jnp.prod(nuisance) ** 2
