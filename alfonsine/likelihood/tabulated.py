r"""Forms for likelihoods that are published as tables of ln L: for each band by itself, or for two together.

Inside the table it is interpolated. Beyond an edge, at a distance of e standard deviations of the table,

.. math:: \ln L = \ln L(\text{edge}) - \max(0, s)\,e - \tfrac12 e^2

with s the slope with which ln L falls outwards at the edge: it goes on falling from where it is, never rises, and has a
gradient that leads back. A sampler that starts there comes home; a posterior that lives there is not to be trusted.
Tables are relative likelihoods: ln L is known up to a constant.
"""

import equinox as eqx
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float

from alfonsine.errors import InputError
from alfonsine.likelihood.form import FoldedForm, Form
from alfonsine.likelihood.interpolate import Curves, Surface, bicubic, cubic, even
from alfonsine.likelihood.likelihood import AnyArray, FoldedLikelihood


class Tabulated(Form):
    """ln L as a sum over bands, each with a table of its own.

    curves      ln L over the nodes
    start, step (band,) first node and distance of the nodes, in the band's own unit
    edges       (2, band) slopes at both edges, for each step
    width       (band,) standard deviation of each table, in steps
    stiffness   (node, band) square root of the Fisher information at the nodes, for each step: the slope of the signed
                root t of -2 ln(L / L_max), and not less than one over the width
    """

    curves: Curves
    start: Float[Array, " band"]
    step: Float[Array, " band"]
    edges: Float[Array, "2 band"]
    width: Float[Array, " band"]
    stiffness: Float[Array, "node band"]
    nuisance: tuple[str, ...] = eqx.field(static=True, default=())

    def log_likelihood(
        self, bands: Float[AnyArray, " band"], nuisance: Float[AnyArray, " nuisance"]
    ) -> Float[Array, ""]:
        """Give ln L; beyond the table as the module says."""
        x = (bands - self.start) / self.step
        return jnp.sum(self.curves(x) + _beyond(x - self.curves.held(x), self.edges, self.width))

    def whiten(
        self, differences: Float[AnyArray, "n band"], reference: Float[AnyArray, " band"]
    ) -> Float[Array, "n w"]:
        """Differences in units of each table's local width at the reference."""
        node = jnp.round(self.curves.held(jnp.asarray((reference - self.start) / self.step))).astype(int)
        return differences / self.step * self.stiffness[node, jnp.arange(node.size)]

    def fold(self, matrix: Float[AnyArray, "band K"]) -> FoldedLikelihood:
        """The same form behind the matrix."""
        return FoldedForm(jnp.asarray(matrix), self)


class TabulatedPair(Form):
    """ln L of two bands together.

    surface    ln L over the nodes
    width      (2,) standard deviations of the table
    whitening  (2, 2) W with W^T W the inverse covariance of the table
    """

    surface: Surface
    width: Float[Array, " 2"]
    whitening: Float[Array, "2 2"]
    nuisance: tuple[str, ...] = eqx.field(static=True, default=())

    def log_likelihood(self, bands: Float[AnyArray, " 2"], nuisance: Float[AnyArray, " nuisance"]) -> Float[Array, ""]:
        """Give ln L; beyond the table as the module says."""
        bands = jnp.asarray(bands)
        slopes = self.surface.slopes(bands)
        excess = bands - self.surface.held(bands)
        return self.surface(bands) + jnp.sum(_beyond(excess, jnp.stack([slopes, slopes]), self.width))

    def whiten(self, differences: Float[AnyArray, "n 2"], reference: Float[AnyArray, " 2"]) -> Float[Array, "n w"]:
        """Differences in units of the errors of the table as a whole; the same at every reference."""
        return differences @ self.whitening.T

    def fold(self, matrix: Float[AnyArray, "2 K"]) -> FoldedLikelihood:
        """The same form behind the matrix."""
        return FoldedForm(jnp.asarray(matrix), self)


def tabulated(nodes: Float[np.ndarray, " node"], log_likelihood: Float[np.ndarray, "node band"]) -> Tabulated:
    """Tables of ln L at even nodes, interpolated by cubic splines."""
    start, step = even(nodes, "the table's nodes")
    if len(log_likelihood) != len(nodes) or not np.isfinite(log_likelihood).all():
        raise InputError(f"expected {len(nodes)} finite values of ln L, got {len(log_likelihood)}, or NaN among them")
    x = np.arange(len(nodes))[:, None]
    density = np.exp(log_likelihood - log_likelihood.max(axis=0))
    mean = (x * density).sum(axis=0) / density.sum(axis=0)
    width = np.sqrt(((x - mean) ** 2 * density).sum(axis=0) / density.sum(axis=0))
    root = np.sqrt(2 * (log_likelihood.max(axis=0) - log_likelihood))
    signed = np.where(x < log_likelihood.argmax(axis=0), -root, root)
    bands = log_likelihood.shape[1]
    curves = cubic(log_likelihood)
    return Tabulated(
        curves=curves,
        start=jnp.full(bands, start),
        step=jnp.full(bands, step),
        edges=curves.slopes,
        width=jnp.asarray(width),
        stiffness=jnp.asarray(np.maximum(np.abs(np.gradient(signed, axis=0)), 1 / width)),
    )


def tabulated_pair(
    first: Float[np.ndarray, " a"], second: Float[np.ndarray, " b"], log_likelihood: Float[np.ndarray, "a b"]
) -> TabulatedPair:
    """A table of ln L over two bands, on an even grid, interpolated by cubic splines in both."""
    if log_likelihood.shape != (len(first), len(second)) or not np.isfinite(log_likelihood).all():
        raise InputError(f"expected finite ln L on {len(first)} x {len(second)} nodes, got NaN, or other nodes")
    surface = bicubic(first, second, log_likelihood)
    density = np.exp(log_likelihood - log_likelihood.max()).ravel()
    points = np.stack([x.ravel() for x in np.meshgrid(first, second, indexing="ij")])
    covariance = np.cov(points, aweights=density, ddof=0)
    return TabulatedPair(
        surface=surface,
        width=jnp.asarray(np.sqrt(np.diag(covariance))),
        whitening=jnp.asarray(np.linalg.cholesky(np.linalg.inv(covariance)).T),
    )


def _beyond(
    excess: Float[Array, " band"], slopes: Float[Array, "2 band"], width: Float[Array, " band"]
) -> Float[Array, " band"]:
    """What is added to ln L at an excess beyond the lower (negative) or the upper edge."""
    falling = jnp.where(excess < 0, jnp.maximum(slopes[0], 0.0), jnp.minimum(slopes[1], 0.0))
    return falling * excess - 0.5 * (excess / width) ** 2
