"""What an output of an exact code is: its name, its unit, and the axes on which it is given."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from jaxtyping import Float

from alfonsine.errors import InputError
from alfonsine.theory.observables import Observables


@dataclass(frozen=True)
class Axis:
    """One axis of an output: `l`, `k`, `z`, or anything else; its unit, and its values in increasing order."""

    name: str
    unit: str
    values: tuple[float, ...]

    def __post_init__(self) -> None:
        if not self.values or not np.all(np.isfinite(self.values)):
            raise InputError(f"axis '{self.name}': expected finite values, at least one, got {self.values!r:.80}")
        if np.any(np.diff(self.values) <= 0):
            raise InputError(f"axis '{self.name}': expected increasing values, got {self.values!r:.80}; sort them")

    @property
    def array(self) -> Float[np.ndarray, " n"]:
        """The values as an array."""
        return np.array(self.values)


@dataclass(frozen=True)
class Output:
    """A vector or surface: `Observables` hold it flattened, last axis fastest; no axes for a list of numbers.

    labels   names of the entries where there is no axis ("derived")
    """

    name: str
    unit: str
    axes: tuple[Axis, ...] = ()
    labels: tuple[str, ...] = ()

    @property
    def shape(self) -> tuple[int, ...]:
        """Lengths of the axes."""
        return tuple(len(axis.values) for axis in self.axes) if self.axes else (len(self.labels),)

    @property
    def size(self) -> int:
        """Number of entries."""
        return int(np.prod(self.shape))

    def axis(self, name: str) -> Axis:
        """The axis of that name; InputError where there is none."""
        for axis in self.axes:
            if axis.name == name:
                return axis
        known = ", ".join(axis.name for axis in self.axes) or "none"
        raise InputError(f"output '{self.name}': expected one of its axes ({known}), got '{name}'")

    def record(self) -> dict[str, Any]:
        """Plain values for a JSON header."""
        axes = [{"name": a.name, "unit": a.unit, "values": list(a.values)} for a in self.axes]
        return {"unit": self.unit, "axes": axes, "labels": list(self.labels)}

    @classmethod
    def of_record(cls, name: str, record: Mapping[str, Any]) -> "Output":
        """Read what `record` wrote; KeyError, TypeError, ValueError or InputError for anything else."""
        axes = tuple(Axis(str(a["name"]), str(a["unit"]), tuple(float(v) for v in a["values"])) for a in record["axes"])
        return cls(name, str(record["unit"]), axes, tuple(str(label) for label in record["labels"]))


def multipoles(name: str, size: int, unit: str) -> Output:
    """A CMB spectrum at l = 2, 3, ..."""
    return Output(name, unit, (Axis("l", "", tuple(float(v) for v in range(2, 2 + size))),))


def functions(outputs: Mapping[str, Output]) -> dict[str, Axis]:
    """Those outputs that are functions of one variable, with it."""
    return {name: output.axes[0] for name, output in outputs.items() if len(output.axes) == 1}


def numbers(labels: Sequence[str]) -> Output:
    """Derived numbers."""
    return Output("derived", "", (), tuple(labels))


def described(observables: Observables, known: Mapping[str, Output] | None = None) -> dict[str, Output]:
    """Describe what a call returned: by `known` where that has the name, else as a vector with an axis `index`.

    InputError where a vector is not as long as `known` says.
    """
    known, found = known or {}, {}
    for name, values in observables.spectra.items():
        generic = Output(name, "", (Axis("index", "", tuple(float(i) for i in range(max(len(values), 1)))),))
        found[name] = known.get(name, generic)
        if found[name].size != len(values):
            raise InputError(f"output '{name}': expected {found[name].size} numbers, got {len(values)}")
    if observables.derived:
        found["derived"] = numbers(tuple(observables.derived))
    return found
