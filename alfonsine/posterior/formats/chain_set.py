"""What a set of chain files tells: a posterior, and what its record has no place for."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from alfonsine.posterior.formats.paramnames import Limits
from alfonsine.posterior.posterior import Posterior


@dataclass(frozen=True)
class ChainSet:
    """A posterior with the labels, edges and priors that other programs keep beside it.

    latex   LaTeX of derived parameters, where known
    limits  hard edges of parameters, infinite where there is none, where known
    priors  the prior of sampled parameters as in an input of Cobaya, where known
    """

    posterior: Posterior
    latex: Mapping[str, str] = field(default_factory=dict)
    limits: Limits = field(default_factory=dict)
    priors: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)

    @property
    def labels(self) -> dict[str, str]:
        """LaTeX of every sampled and derived parameter; its name where nobody said."""
        posterior = self.posterior
        own = dict(zip(posterior.names, posterior.latex, strict=True))
        return own | {name: self.latex.get(name, name) for name in posterior.derived}

    def edges(self, name: str) -> tuple[float, float]:
        """Hard edges of a parameter."""
        return self.limits.get(name, (-np.inf, np.inf))
