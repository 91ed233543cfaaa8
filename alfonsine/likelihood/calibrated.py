r"""Gaussian data with several calibrations and additive templates.

.. math:: \ln L = -\tfrac12 r^T C^{-1} r \; [-\tfrac12 \ln\det 2\pi C], \qquad
          r_b = d_b - m_b \prod_k A_k^{p_{kb}} - \sum_j t_j T_{jb}

A_k are calibrations, which enter the bands of a spectrum with a power of their own (T with A^2 and E with (A P)^2 for
instance), and t_j amplitudes of templates, such as foregrounds. One calibration that divides everything by A^2 is the
case of `gaussian.py`.
"""

from collections.abc import Mapping

import equinox as eqx
import jax.numpy as jnp
import numpy as np
from jax.scipy.linalg import solve_triangular
from jaxtyping import Array, Float

from alfonsine.errors import InputError
from alfonsine.likelihood.form import Form
from alfonsine.likelihood.gaussian import gaussian
from alfonsine.likelihood.likelihood import AnyArray, FoldedLikelihood


class Calibrated(Form):
    """Gaussian density of the data; bands with the same powers are one group.

    data       (band,) d
    cholesky   (band, band) lower factor of the covariance
    constant   normalisation added to -chi^2 / 2
    powers     (calibration, group) p
    group      (group, band) one where the band is of the group
    templates  (template, band) T
    nuisance   names of the calibrations, then of the templates' amplitudes
    """

    data: Float[Array, " band"]
    cholesky: Float[Array, "band band"]
    constant: Float[Array, ""]
    powers: Float[Array, "calibration group"]
    group: Float[Array, "group band"]
    templates: Float[Array, "template band"]
    nuisance: tuple[str, ...] = eqx.field(static=True)

    @property
    def calibrations(self) -> tuple[str, ...]:
        """Those that are no amplitudes of templates."""
        return self.nuisance[: self.powers.shape[0]]

    def log_likelihood(
        self, bands: Float[AnyArray, " band"], nuisance: Float[AnyArray, " nuisance"]
    ) -> Float[Array, ""]:
        """Give ln L; `nuisance` are the calibrations (positive), then the amplitudes."""
        factors, amplitudes = _split(self.powers, nuisance)
        model = bands * (factors @ self.group) + amplitudes @ self.templates
        r = solve_triangular(self.cholesky, self.data - model, lower=True)
        return self.constant - 0.5 * r @ r

    def whiten(
        self, differences: Float[AnyArray, "n band"], reference: Float[AnyArray, " band"]
    ) -> Float[Array, "n w"]:
        """L^-1 d, at calibrations of 1; the same at every reference."""
        return solve_triangular(self.cholesky, differences.T, lower=True).T

    def fold(self, matrix: Float[AnyArray, "band K"]) -> FoldedLikelihood:
        """Reduce to the triangle of the QR of [M of each group, templates, d] in units of the errors."""
        groups = [matrix * mask[:, None] for mask in self.group]
        columns = jnp.concatenate([*groups, self.templates.T, self.data[:, None]], axis=1)
        triangle = jnp.linalg.qr(solve_triangular(self.cholesky, columns, lower=True), mode="r")
        return FoldedCalibrated(triangle, self.constant, self.powers)


class FoldedCalibrated(FoldedLikelihood):
    """Gaussian in the amplitudes; columns of `triangle`: K of each group, the templates, the data."""

    triangle: Float[Array, "r columns"]
    constant: Float[Array, ""]
    powers: Float[Array, "calibration group"]

    def __call__(self, amplitudes: Float[AnyArray, " K"], nuisance: Float[AnyArray, " nuisance"]) -> Float[Array, ""]:
        """Give ln L; `nuisance` as in `Calibrated.log_likelihood`."""
        factors, templates = _split(self.powers, nuisance)
        x = jnp.concatenate([jnp.outer(factors, amplitudes).ravel(), templates])
        r = self.triangle[:, -1] - self.triangle[:, :-1] @ x
        return self.constant - 0.5 * r @ r


def calibrated(
    data: Float[np.ndarray, " band"],
    covariance: Float[np.ndarray, "..."],
    calibration: Mapping[str, Float[np.ndarray, " band"]],
    templates: Mapping[str, Float[np.ndarray, " band"]] | None = None,
    *,
    normalised: bool = True,
) -> Calibrated:
    """Calibrated Gaussian; `calibration` names each A with its power in each band, `templates` each t with its T.

    InputError where the covariance is none of the data, or a name is given twice.
    """
    templates = templates or {}
    names = (*calibration, *templates)
    if len(set(names)) < len(names):
        raise InputError(f"expected different names of calibrations and templates, got {', '.join(names)}")
    plain = gaussian(data, covariance, normalised=normalised)
    powers = np.array([calibration[name] for name in calibration]).reshape(len(calibration), data.size)
    distinct, index = np.unique(powers, axis=1, return_inverse=True)
    return Calibrated(
        data=plain.data,
        cholesky=plain.cholesky,
        constant=plain.constant,
        powers=jnp.asarray(distinct),
        group=jnp.asarray(np.equal.outer(np.arange(distinct.shape[1]), np.ravel(index)).astype(float)),
        templates=jnp.asarray(np.array([templates[name] for name in templates]).reshape(len(templates), data.size)),
        nuisance=names,
    )


def _split(
    powers: Float[Array, "calibration group"], nuisance: Float[AnyArray, " nuisance"]
) -> tuple[Float[Array, " group"], Float[Array, " template"]]:
    """The factor of each group, and the amplitudes of the templates."""
    count = powers.shape[0]
    values = jnp.asarray(nuisance)
    return jnp.prod(values[:count, None] ** powers, axis=0), values[count:]
