r"""Wishart form: the exact distribution of band powers of Gaussian skies with noise.

For a bin with nu = f_sky sum (2 l + 1) modes, fields X = T, E, model C (signal plus noise, n x n) and
measured Chat, nu Chat is Wishart-distributed with nu degrees of freedom and scale C (Hamimeche & Lewis
2008, arXiv:0801.0554):

.. math:: \ln L = \sum_b k_b
          - \tfrac{\nu_b}{2} \left[ \mathrm{tr}(C^{-1}\hat C) - \ln|C^{-1}\hat C| - n \right]

with k_b, the value at C = Chat, such that exp(ln L) is the normalised density of the n (n + 1) / 2 band
powers.
"""

import equinox as eqx
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float
from scipy.special import multigammaln

from alfonsine.errors import InputError
from alfonsine.likelihood.form import FoldedForm, Form
from alfonsine.likelihood.likelihood import AnyArray, FoldedLikelihood


class Wishart(Form):
    """Wishart density of one field (bands: its auto-spectrum) or two (bands: blocks TT, TE, EE).

    data, noise  (block, bin) measured band powers, noise included, and the noise in them; blocks 1 or 3
    modes        (bin,) nu
    constant     sum of k_b
    """

    data: Float[Array, "block bin"]
    noise: Float[Array, "block bin"]
    modes: Float[Array, " bin"]
    constant: Float[Array, ""]
    nuisance: tuple[str, ...] = eqx.field(static=True, default=())

    def log_likelihood(
        self, bands: Float[AnyArray, " band"], nuisance: Float[AnyArray, " nuisance"]
    ) -> Float[Array, ""]:
        """Give ln L; -inf where the model is not a covariance: a negative band power, or TE^2 above TT EE."""
        model = bands.reshape(self.data.shape) + self.noise
        valid = (model[0] > 0) & (_determinant(model) > 0)
        model = jnp.where(valid, model, self.data)  # so that the branch not taken has finite gradients
        # With M = C^-1 (Chat - C) the bracket is tr M - ln det(1 + M): no large numbers cancel near the data.
        trace, rest = _trace_and_determinant(model, self.data - model)
        distance = self.modes * (trace - jnp.log1p(trace + rest))
        # The choice stands inside the sum: without it XLA makes a matrix product of the sum, four times as slow.
        return self.constant - 0.5 * jnp.sum(jnp.where(valid, distance, jnp.inf))

    def whiten(
        self, differences: Float[AnyArray, "n band"], reference: Float[AnyArray, " band"]
    ) -> Float[Array, "n w"]:
        """Elements of sqrt(nu / 2) L^-1 dC L^-T, C = L L^T at the reference: F = nu / 2 tr(C^-1 dC)^2."""
        model = reference.reshape(self.data.shape) + self.noise
        d = differences.reshape(-1, *self.data.shape)
        scale = jnp.sqrt(self.modes / 2)
        if len(model) == 1:
            return scale * d[:, 0] / model[0]
        tt, te, ee = model
        a = jnp.sqrt(tt)  # L = [[a, 0], [te / a, c]]
        c = jnp.sqrt(ee - te**2 / tt)
        slope = te / tt
        x = d[:, 0] / tt
        y = (d[:, 1] - slope * d[:, 0]) / (a * c)
        z = (d[:, 2] - 2 * slope * d[:, 1] + slope**2 * d[:, 0]) / c**2
        return jnp.concatenate([scale * x, scale * jnp.sqrt(2.0) * y, scale * z], axis=1)

    def fold(self, matrix: Float[AnyArray, "band K"]) -> FoldedLikelihood:
        """The same form behind the matrix."""
        return FoldedForm(jnp.asarray(matrix), self)


def wishart(
    data: Float[np.ndarray, "block bin"],
    noise: Float[np.ndarray, "block bin"],
    modes: Float[np.ndarray, " bin"],
) -> Wishart:
    """Wishart form with its normalisation. `data` include the noise; InputError if they cannot be that."""
    if len(data) not in (1, 3):
        raise InputError(f"expected 1 block (one field) or 3 (TT, TE, EE) of band powers, got {len(data)}")
    n = 1 if len(data) == 1 else 2
    if not modes.min() > n - 1:
        raise InputError(f"expected more than {n - 1} modes in each bin, got {modes.min():g}; widen the bins")
    determinant = np.asarray(_determinant(jnp.asarray(data)))
    if not (determinant.min() > 0 and data[0].min() > 0):
        raise InputError("expected measured band powers with TT > 0 and TT EE > TE^2 in each bin; include the noise")
    constant = np.sum(
        -0.5 * (n + 1) * np.log(determinant)
        + 0.5 * modes * n * np.log(modes / 2)
        - 0.5 * modes * n
        - [multigammaln(x, n) for x in modes / 2]
    )
    return Wishart(jnp.asarray(data), jnp.asarray(noise), jnp.asarray(modes), jnp.asarray(constant))


def _determinant(c: Float[Array, "block bin"]) -> Float[Array, " bin"]:
    return c[0] if len(c) == 1 else c[0] * c[2] - c[1] ** 2


def _trace_and_determinant(
    c: Float[Array, "block bin"], d: Float[Array, "block bin"]
) -> tuple[Float[Array, " bin"], Float[Array, " bin"]]:
    """tr(C^-1 D), and what det(1 + C^-1 D) has beyond 1 + trace: nothing for n = 1, det(C^-1 D) for n = 2."""
    if len(c) == 1:
        return d[0] / c[0], jnp.zeros_like(d[0])
    det = _determinant(c)
    return (c[2] * d[0] - 2 * c[1] * d[1] + c[0] * d[2]) / det, _determinant(d) / det
