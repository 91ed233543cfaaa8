"""A theory that is a plain Python function of the user's own.

The function takes a dict of inputs and returns a dict of arrays (spectra) and numbers (derived).
"""

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from alfonsine.errors import InputError, nearest
from alfonsine.theory.observables import Observables
from alfonsine.theory.output import Output
from alfonsine.theory.theory import TheoryError, one_line
from alfonsine.theory.user_function import UserFunction


@dataclass(frozen=True)
class PythonTheory:
    """A user's function as a theory.

    inputs    names of its parameters; where empty, any name is passed on
    known     what some of its arrays are: unit and axes; a surface may then have its shape or be flat
    quick     a function of the same parameters that costs little and returns numbers in which the outputs may be simple
    """

    function: UserFunction
    inputs: tuple[str, ...] = ()
    known: tuple[Output, ...] = ()
    quick: UserFunction | None = None

    @classmethod
    def of(
        cls,
        function: str | Callable[..., Any],
        folder: str | Path | None = None,
        inputs: Collection[str] = (),
        known: Collection[Output] = (),
        quick: str | Callable[..., Any] | None = None,
    ) -> "PythonTheory":
        """Find functions: themselves, or "module:function" with a module in `folder` or Python's own path."""
        cheap = None if quick is None else UserFunction.of(quick, folder)
        return cls(UserFunction.of(function, folder), tuple(inputs), tuple(known), cheap)

    @property
    def cheap(self) -> "PythonTheory | None":
        """The function that costs little, as a theory of its own."""
        return None if self.quick is None else PythonTheory(self.quick, self.inputs)

    def identity(self) -> dict[str, Any]:
        """Module, function and the digest of its source; the place of the file does not matter."""
        return {
            "code": "python",
            "version": self.function.digest,
            "settings": {},
            "outputs": [self.function.label, *({output.name: output.record()} for output in self.known)],
        }

    def outputs(self) -> dict[str, Output]:
        """What is known; the rest once it has been called, see `output.described`."""
        return {output.name: output for output in self.known}

    def check(self, parameters: Collection[str]) -> None:
        """Know `inputs` (anything where it is empty), and import the function in a process of its own."""
        for name in parameters:
            if self.inputs and name not in self.inputs:
                label, hint = self.function.label, nearest(name, self.inputs)
                raise InputError(f"expected an input of {label}, got '{name}'; {hint}")
        self.function.check()
        if self.quick is not None:
            self.quick.check()

    def compute(self, inputs: Mapping[str, float]) -> Observables:
        """Call the function; its exceptions pass through, a result of the wrong type is a TheoryError."""
        result, label = self.function(dict(inputs)), self.function.label
        if isinstance(result, Observables):
            return result
        if not isinstance(result, Mapping):
            raise TheoryError(f"expected a dict of arrays and numbers from {label}, got {type(result).__name__}")
        return observables_of({**result, **self._flat(result)}, label)

    def _flat(self, result: Mapping[Any, object]) -> dict[str, np.ndarray]:
        """What is known, as it was described; TheoryError where that is not what came."""
        found, label = {}, self.function.label
        for output in self.known:
            axes = " x ".join(axis.name for axis in output.axes)
            if output.name not in result:
                came = ", ".join(map(str, result)) or "nothing"
                raise TheoryError(f"expected '{output.name}' ({axes}) from {label}, got {came}")
            shape = np.shape(result[output.name])  # type: ignore[arg-type]  # anything has one
            if shape not in (output.shape, (output.size,)):
                raise TheoryError(f"expected '{output.name}' of {label} of shape {output.shape} ({axes}), got {shape}")
            found[output.name] = np.asarray(result[output.name]).reshape(-1)
        return found


def observables_of(result: Mapping[Any, object], label: str) -> Observables:
    """Sort a user's arrays and numbers; TheoryError for anything else."""
    spectra, derived = {}, {}
    for name, value in result.items():
        try:
            array = np.asarray(value, dtype=np.float64)
        except (TypeError, ValueError):
            raise TheoryError(f"expected numbers in '{name}' of {label}, got {type(value).__name__}") from None
        if array.ndim == 0:
            derived[str(name)] = float(array)
        else:
            spectra[str(name)] = array
    try:
        return Observables(spectra, derived)
    except InputError as error:
        raise TheoryError(one_line(error)) from None


def custom_outputs(functions: Mapping[str, UserFunction], computed: Any) -> Observables:
    """What a user's functions make of a computed code: each a number, or a vector."""
    spectra, derived = {}, {}
    for name, function in functions.items():
        own = observables_of({name: function(computed)}, function.label)
        spectra |= own.spectra
        derived |= own.derived
    return Observables(spectra, derived)
