"""The training set: every exact call that has been learned from, and why it was made."""

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
from jaxtyping import Float


@dataclass(frozen=True)
class TrainingSet:
    """Inputs and outputs of exact calls, in the order in which they were made.

    names     inputs of the theory, (d,)
    theta     (n, d) points
    outputs   name -> (n, m): spectra; "derived" holds the derived scalars in the order of `derived`
    derived   names of the derived scalars
    """

    names: tuple[str, ...]
    theta: Float[np.ndarray, "n d"]
    outputs: Mapping[str, Float[np.ndarray, "n _"]]
    derived: tuple[str, ...]

    @classmethod
    def of(
        cls,
        names: Sequence[str],
        theta: Float[np.ndarray, "n d"],
        spectra: Sequence[Mapping[str, np.ndarray]],
        derived: Sequence[Mapping[str, float]],
    ) -> "TrainingSet":
        """Stack the outputs of single calls."""
        labels = tuple(derived[0])
        outputs = {name: np.stack([call[name] for call in spectra]) for name in spectra[0]}
        if labels:
            outputs["derived"] = np.array([[call[label] for label in labels] for call in derived])
        return cls(tuple(names), theta, outputs, labels)

    def __len__(self) -> int:
        """Number of points."""
        return len(self.theta)

    def take(self, rows: np.ndarray) -> "TrainingSet":
        """Some of its points: their numbers, or which ones as n truth values."""
        outputs = {name: array[rows] for name, array in self.outputs.items()}
        return replace(self, theta=self.theta[rows], outputs=outputs)

    @property
    def digest(self) -> str:
        """SHA-256 of inputs and outputs with their names, to be kept with whatever was learned from them."""
        found = hashlib.sha256(repr((self.names, self.derived)).encode())
        for name, array in (("", self.theta), *sorted(self.outputs.items())):
            found.update(f"{name} {array.shape}".encode())
            found.update(np.asarray(array, dtype=float).tobytes())
        return found.hexdigest()
