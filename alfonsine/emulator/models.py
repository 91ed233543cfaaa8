"""The models that an emulator of a box learns from, or is measured on: in memory, or on disk, read piece by piece."""

import hashlib
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float, Int

from alfonsine.emulator.networks.model_set import ModelSet
from alfonsine.theory.output import Output

PIECE = 64 << 20  # bytes of one piece, in 64-bit numbers


@dataclass(frozen=True)
class Models:
    """n models of the exact code.

    names     of the d inputs
    theta     (n, d)
    outputs   what the outputs are, by name
    read      (name, rows) -> (b, m): one output of some of the models
    digest    of all of it
    """

    names: tuple[str, ...]
    theta: Float[np.ndarray, "n d"]
    outputs: Mapping[str, Output]
    read: Callable[[str, Int[np.ndarray, " b"]], np.ndarray]
    digest: str

    @classmethod
    def of_arrays(
        cls,
        names: Sequence[str],
        theta: Float[np.ndarray, "n d"],
        values: Mapping[str, Float[np.ndarray, "n _"]],
        outputs: Mapping[str, Output],
    ) -> "Models":
        """Models in memory."""
        found = hashlib.sha256(repr(tuple(names)).encode())
        for name, array in (("", theta), *sorted(values.items())):
            found.update(f"{name} {array.shape}".encode())
            found.update(np.ascontiguousarray(array, dtype=float).tobytes())
        described = {name: outputs[name] for name in values}
        return cls(tuple(names), theta, described, lambda name, rows: values[name][rows], found.hexdigest())

    @classmethod
    def of_set(cls, models: ModelSet) -> "Models":
        """The filled rows of a set on disk."""
        filled = np.flatnonzero(models.filled)

        def read(name: str, rows: np.ndarray) -> np.ndarray:
            return models.values(name, filled[rows])

        return cls(models.names, models.theta[filled], models.outputs, read, models.identity())

    def __len__(self) -> int:
        """Number of models."""
        return len(self.theta)

    def pieces(self, name: str) -> Iterator[tuple[slice, Float[np.ndarray, "b m"]]]:
        """One pass over an output, in the order of the models, in 64-bit numbers."""
        step = max(1, PIECE // (8 * self.outputs[name].size))
        for first in range(0, len(self), step):
            rows = slice(first, min(first + step, len(self)))
            yield rows, np.asarray(self.read(name, np.arange(rows.start, rows.stop)), dtype=float)
