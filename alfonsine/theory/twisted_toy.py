r"""A closed-form theory of any number of parameters: many smooth bands, as spectra have, and a posterior of bent pairs.

The parameters, twisted by a map that keeps volume, are the heights of overlapping bumps along the bands:

.. math:: d = W f(\theta), \qquad f_k = \theta_k + b\,(\theta_{k-1}^2 - 1) \;\text{(even k)}, \qquad
   f_k = \theta_k + c \sin\!\left(\tfrac12(\theta_{k-1} + \theta_{k-2}) + 1\right) \;\text{(odd k from 3)}

with k from 1. Since f has the Jacobian 1, Gaussian data and a wide flat prior make f(theta) exactly Gaussian: draws of
the posterior are those of a Gaussian, untwisted one parameter after another.
"""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from jaxtyping import Float

from alfonsine.theory.observables import Observables
from alfonsine.theory.output import Output
from alfonsine.theory.toy import check_names, toy_identity, toy_outputs, values_of

WIDTH = 0.5  # of a bump, standard deviation over spacing: neighbours overlap by exp(-1)


@dataclass(frozen=True, eq=False)
class TwistedToy:
    """Bumps whose heights are the twisted parameters; `total` is the sum of the bands.

    names   the d parameters
    bands   number of outputs
    bend    b: every second parameter is bent by the one before it, as a banana
    ripple  c: the others wave with the two before them; no polynomial is exact
    """

    names: tuple[str, ...]
    bands: int = 300
    bend: float = 0.25
    ripple: float = 0.1
    output: str = "data"

    @cached_property
    def response(self) -> Float[np.ndarray, "bands d"]:
        """W: bumps of unit norm, evenly spaced."""
        d = len(self.names)
        along = np.linspace(-0.5, d - 0.5, self.bands)[:, None]
        bumps = np.exp(-0.5 * ((along - np.arange(d)) / WIDTH) ** 2)
        return bumps / np.linalg.norm(bumps, axis=0)

    def twist(self, theta: Float[np.ndarray, "*n d"]) -> Float[np.ndarray, "*n d"]:
        """Evaluate f at one point or many."""
        found = np.array(theta, dtype=float)
        for k in range(1, found.shape[-1]):
            found[..., k] += self._moved(theta, k)
        return found

    def untwist(self, heights: Float[np.ndarray, "*n d"]) -> Float[np.ndarray, "*n d"]:
        """Invert f: the first parameter is known, and each is once those before it are."""
        found = np.array(heights, dtype=float)
        for k in range(1, found.shape[-1]):
            found[..., k] -= self._moved(found, k)
        return found

    def _moved(self, theta: Float[np.ndarray, "*n d"], k: int) -> Float[np.ndarray, "*n"]:
        """What is added to the k-th parameter, from 0: a function of those before it."""
        if k % 2:
            return np.asarray(self.bend * (theta[..., k - 1] ** 2 - 1.0))
        return np.asarray(self.ripple * np.sin(0.5 * (theta[..., k - 1] + theta[..., k - 2]) + 1.0))

    def identity(self) -> dict[str, Any]:
        """Name, version and every number."""
        settings = {"bands": self.bands, "bend": self.bend, "ripple": self.ripple}
        return toy_identity("twisted", self.names, self.output, settings)

    def outputs(self) -> dict[str, Output]:
        """The bands, and their sum."""
        return toy_outputs(self.output, self.bands, "total")

    def check(self, parameters: Collection[str]) -> None:
        """Know `names` and nothing else."""
        check_names(parameters, self.names)

    def compute(self, inputs: Mapping[str, float]) -> Observables:
        """Evaluate W f(theta)."""
        bands = self.response @ self.twist(values_of(inputs, self.names))
        return Observables({self.output: bands}, {"total": float(bands.sum())})
