r"""From outputs to what a network predicts, and back.

.. math:: x \;\to\; y = \text{normalised}(x) \;\to\; c = V(y - \bar y) \;\to\; (c - \text{shift})/\text{scale}

The last two steps are those of principal components and are absent without them.
"""

from collections.abc import Callable
from functools import partial

import equinox as eqx
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float, Int

from alfonsine.emulator.networks.normalisations import Normalisation, standard
from alfonsine.emulator.networks.rows import Rows
from alfonsine.emulator.networks.streaming import Chunks, moments, principal_components


class Compression(eqx.Module):
    """Principal components of normalised outputs, each standardised."""

    centre: Float[Array, " m"]
    vectors: Float[Array, "k m"]
    shift: Float[Array, " k"]
    scale: Float[Array, " k"]

    def forward(self, y: Float[Array, "*n m"]) -> Float[Array, "*n k"]:
        """Standardised coefficients."""
        return ((y - self.centre) @ self.vectors.T - self.shift) / jnp.where(self.scale > 0, self.scale, 1.0)

    def coefficients(self, target: Float[Array, "*n k"]) -> Float[Array, "*n k"]:
        """Undo the standardisation."""
        return self.shift + self.scale * target

    def expand(self, coefficients: Float[Array, "*n k"]) -> Float[Array, "*n m"]:
        """Normalised outputs."""
        return self.centre + coefficients @ self.vectors


class OutputChain(eqx.Module):
    """The chain of one network; arrays only."""

    normalisation: Normalisation
    compression: Compression | None

    @classmethod
    def fit(cls, rows: Rows, ids: Int[np.ndarray, " n"], normalise: Callable[[Chunks], Normalisation]) -> "OutputChain":
        """Learn it from passes over some rows, the training ones; `normalise` is the `fit` of a normalisation."""
        raw = partial(rows.chunks, ids)
        fitted = normalise(raw)
        if rows.plan.components is None:
            return cls(fitted, None)

        def normalised():
            return (np.asarray(fitted.forward(jnp.asarray(chunk, dtype=float))) for chunk in raw())

        found = principal_components(normalised, rows.plan.components)

        def project(y: np.ndarray) -> np.ndarray:
            return (y - found.mean) @ found.vectors.T

        shift, scale = standard(moments(normalised, project))
        return cls(fitted, Compression(jnp.asarray(found.mean), jnp.asarray(found.vectors), shift, scale))

    @property
    def size(self) -> int:
        """Entries that the network predicts."""
        return len(self.normalisation.shift if self.compression is None else self.compression.shift)

    @property
    def scale(self) -> Float[Array, " k"]:
        """What a change of one in a predicted entry means before the normalisation's affine part."""
        return self.normalisation.scale if self.compression is None else self.compression.scale

    def encode(self, x: Float[Array, "*n m"]) -> Float[Array, "*n k"]:
        """Outputs to what the network is to predict."""
        y = self.normalisation.forward(x)
        return y if self.compression is None else self.compression.forward(y)

    def inner(self, target: Float[Array, "*n k"]) -> Float[Array, "*n m"]:
        """Predictions to outputs, but for the last, elementwise function: all of this is affine."""
        y = target if self.compression is None else self.compression.expand(self.compression.coefficients(target))
        return self.normalisation.shift + self.normalisation.scale * y

    def outer(self, inner: Float[Array, "*n m"]) -> Float[Array, "*n m"]:
        """The last, elementwise function."""
        return self.normalisation.after(inner)

    def decode(self, target: Float[Array, "*n k"]) -> Float[Array, "*n m"]:
        """Predictions to outputs."""
        return self.outer(self.inner(target))

    def basis_of_layer(self, weight: Float[Array, "k K"], bias: Float[Array, " k"]) -> Float[Array, "m v"]:
        """Matrix B with inner = B [1, h] for predictions weight h + bias."""
        each = weight.T if self.compression is None else (self.compression.scale * weight.T) @ self.compression.vectors
        return jnp.column_stack([self.inner(bias), (self.normalisation.scale * each).T])

    def basis_of_components(self) -> Float[Array, "m v"]:
        """Matrix B with inner = B [1, coefficients]."""
        assert self.compression is not None
        scale = self.normalisation.scale
        first = self.normalisation.shift + scale * self.compression.centre
        return jnp.column_stack([first, scale[:, None] * self.compression.vectors.T])
