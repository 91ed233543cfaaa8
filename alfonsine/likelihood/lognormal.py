r"""Shifted log-normal form, for the skewed likelihoods of a few large-scale modes.

.. math:: \ln L = \sum_b -\ln(x_b \sigma_b \sqrt{2\pi}) - \frac{(\ln x_b - \mu_b)^2}{2\sigma_b^2},
          \qquad x_b = m_b - s_b

for model bands m, so exp(ln L) is a normalised density of the *model* bands: that is what was fitted to the
maps.
"""

import equinox as eqx
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float

from alfonsine.likelihood.form import FoldedForm, Form
from alfonsine.likelihood.likelihood import AnyArray, FoldedLikelihood

# Below this many sigma a reference says nothing about the width of the likelihood; see `LogNormal.whiten`.
FAR = 3.0


class LogNormal(Form):
    """Log-normal density: `location` mu, `scale` sigma, `shift` s, one of each per band."""

    location: Float[Array, " band"]
    scale: Float[Array, " band"]
    shift: Float[Array, " band"]
    nuisance: tuple[str, ...] = eqx.field(static=True, default=())

    def log_likelihood(
        self, bands: Float[AnyArray, " band"], nuisance: Float[AnyArray, " nuisance"]
    ) -> Float[Array, ""]:
        """Give ln L; -inf where a band does not exceed its shift."""
        x = bands - self.shift
        valid = x > 0
        log_x = jnp.log(jnp.where(valid, x, 1.0))  # so that the branch not taken has finite gradients
        terms = -log_x - jnp.log(self.scale * np.sqrt(2 * np.pi))
        terms = terms - 0.5 * ((log_x - self.location) / self.scale) ** 2
        return jnp.where(jnp.all(valid), jnp.sum(terms), -jnp.inf)

    def whiten(
        self, differences: Float[AnyArray, "n band"], reference: Float[AnyArray, " band"]
    ) -> Float[Array, "n w"]:
        """Differences over x sigma: the errors of ln x. A reference below the shift counts as 3 sigma low."""
        lowest = jnp.exp(self.location - FAR * self.scale)
        return differences / (self.scale * jnp.maximum(reference - self.shift, lowest))

    def fold(self, matrix: Float[AnyArray, "band K"]) -> FoldedLikelihood:
        """The same form behind the matrix."""
        return FoldedForm(jnp.asarray(matrix), self)
