r"""Gaussian data up to an offset that nobody knows: all data move by the same M, integrated over analytically.

.. math:: L = \int \mathrm{d}M\, \mathcal N(d;\ m + M 1,\ C), \qquad
          \ln L = -\tfrac12 r^T P r - \tfrac12\ln\det 2\pi C + \tfrac12\ln\frac{2\pi}{1^T C^{-1} 1}, \qquad
          P = C^{-1} - \frac{C^{-1} 1\, 1^T C^{-1}}{1^T C^{-1} 1}

The measure dM is flat with density one for each unit of the data (one magnitude), so exp(ln L) is a density of the
n - 1 differences of the data times that choice: evidences know it, posteriors do not. P has rank n - 1, for the data
say nothing of a common offset.
"""

import equinox as eqx
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float
from scipy.linalg import null_space, solve_triangular

from alfonsine.likelihood.form import Form
from alfonsine.likelihood.gaussian import FoldedGaussian, gaussian
from alfonsine.likelihood.likelihood import AnyArray, FoldedLikelihood


class Marginalised(Form):
    """Gaussian density with the offset integrated out.

    data       (band,) d
    whitening  (band - 1, band) W with W^T W = P
    constant   normalisation added to -chi^2 / 2
    """

    data: Float[Array, " band"]
    whitening: Float[Array, "w band"]
    constant: Float[Array, ""]
    nuisance: tuple[str, ...] = eqx.field(static=True, default=())

    def log_likelihood(
        self, bands: Float[AnyArray, " band"], nuisance: Float[AnyArray, " nuisance"]
    ) -> Float[Array, ""]:
        """Give ln L; no nuisance."""
        r = self.whitening @ (self.data - bands)
        return self.constant - 0.5 * r @ r

    def whiten(
        self, differences: Float[AnyArray, "n band"], reference: Float[AnyArray, " band"]
    ) -> Float[Array, "n w"]:
        """W d: a common offset is no difference."""
        return differences @ self.whitening.T

    def fold(self, matrix: Float[AnyArray, "band K"]) -> FoldedLikelihood:
        """The triangle R of W [M, d] = Q R, as for any Gaussian."""
        both = jnp.concatenate([jnp.asarray(matrix), self.data[:, None]], axis=1)
        return FoldedGaussian(jnp.linalg.qr(self.whitening @ both, mode="r"), self.constant)


def marginalised(data: Float[np.ndarray, " band"], covariance: Float[np.ndarray, "..."]) -> Marginalised:
    """The form for these data; InputError where the covariance is none of theirs."""
    plain = gaussian(data, covariance)
    cholesky = np.asarray(plain.cholesky)
    ones = solve_triangular(cholesky, np.ones(data.size), lower=True)  # L^-1 1
    across = null_space(ones[None]).T  # an orthonormal basis of all that is not the offset
    whitening = solve_triangular(cholesky, across.T, lower=True, trans="T").T
    return Marginalised(
        data=plain.data,
        whitening=jnp.asarray(whitening),
        constant=plain.constant + 0.5 * np.log(2 * np.pi / (ones @ ones)),
    )
