"""Closed-form theories for tests, hostile ones included: their misdeeds are real, no pretence."""

import ctypes
import json
import os
import time
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

import numpy as np
from jaxtyping import Float

from alfonsine.errors import InputError, nearest
from alfonsine.theory.observables import Observables
from alfonsine.theory.output import Axis, Output, numbers
from alfonsine.theory.theory import Theory, TheoryError

VERSION = "1"


@dataclass(frozen=True, eq=False)
class LinearToy:
    r"""A data vector linear in the parameters: with Gaussian data the posterior is closed-form.

    .. math:: d = M\theta + m

    names       the d parameters
    matrix      M, (n, d)
    offset      m, (n,)
    multipoles  the n multipoles, where the vector is a spectrum

    The derived number "total" is the sum of the vector.
    """

    names: tuple[str, ...]
    matrix: Float[np.ndarray, "n d"]
    offset: Float[np.ndarray, " n"]
    output: str = "data"
    multipoles: tuple[int, ...] = ()

    def identity(self) -> dict[str, Any]:
        """Name, version and every coefficient."""
        settings: dict[str, Any] = {"matrix": self.matrix.tolist(), "offset": self.offset.tolist()}
        if self.multipoles:
            settings["multipoles"] = list(self.multipoles)
        return toy_identity("linear", self.names, self.output, settings)

    def outputs(self) -> dict[str, Output]:
        """The vector, and its sum."""
        found = toy_outputs(self.output, len(self.offset), "total")
        if self.multipoles:
            found[self.output] = Output(self.output, "", (Axis("l", "", tuple(float(ell) for ell in self.multipoles)),))
        return found

    def check(self, parameters: Collection[str]) -> None:
        """Know `names` and nothing else."""
        check_names(parameters, self.names)

    def compute(self, inputs: Mapping[str, float]) -> Observables:
        """Evaluate M theta + m."""
        vector = self.matrix @ values_of(inputs, self.names) + self.offset
        return Observables({self.output: vector}, {"total": float(vector.sum())})


@dataclass(frozen=True, eq=False)
class BananaToy:
    r"""The parameters themselves, the second bent by the first: a Gaussian likelihood makes it a banana.

    .. math:: d = (\theta_1,\; \theta_2 + b(\theta_1^2 - 1),\; \theta_3, \dots)

    The map keeps volume, so that the evidence under a wide flat prior is that of the straight problem.
    """

    names: tuple[str, ...] = ("x", "y")
    bend: float = 0.5
    output: str = "data"

    def identity(self) -> dict[str, Any]:
        """Name, version and the bend."""
        return toy_identity("banana", self.names, self.output, {"bend": self.bend})

    def outputs(self) -> dict[str, Output]:
        """The vector, and the length of its first two entries."""
        return toy_outputs(self.output, len(self.names), "radius")

    def check(self, parameters: Collection[str]) -> None:
        """Know `names` and nothing else."""
        check_names(parameters, self.names)

    def compute(self, inputs: Mapping[str, float]) -> Observables:
        """Evaluate the bent vector."""
        vector = values_of(inputs, self.names)
        vector[1] += self.bend * (vector[0] ** 2 - 1)
        return Observables({self.output: vector}, {"radius": float(np.hypot(vector[0], vector[1]))})


Deed = Literal["hang", "crash", "abort", "exit", "nan", "raise", "fail"]


@dataclass(frozen=True, eq=False)
class HostileToy:
    """Another theory that misbehaves where `parameter` exceeds `above`.

    hang    never returns from a C call and holds the interpreter: handlers in Python never run
    crash   reads address 0 (segmentation fault)
    abort   SIGABRT, as failed assertions in C do
    exit    leaves the process at once with a non-zero code, as a Fortran STOP may
    nan     returns NaN
    raise   an exception that is not a TheoryError
    fail    a TheoryError
    """

    theory: Theory
    deed: Deed
    parameter: str
    above: float

    def identity(self) -> dict[str, Any]:
        """Identity of the theory within, and the deed."""
        return {**self.theory.identity(), "deed": [self.deed, self.parameter, self.above]}

    def outputs(self) -> dict[str, Output]:
        """Outputs of the theory within."""
        return self.theory.outputs()

    def check(self, parameters: Collection[str]) -> None:
        """Know what the theory within knows."""
        self.theory.check(parameters)

    def compute(self, inputs: Mapping[str, float]) -> Observables:
        """Evaluate the theory within, or misbehave."""
        observables = self.theory.compute(inputs)
        return _DEEDS[self.deed](observables) if inputs[self.parameter] > self.above else observables


@dataclass(frozen=True, eq=False)
class DiaryToy:
    """Another theory that writes a line to a file whenever it is called, and takes its time.

    The diary tells the truth about how often a point was computed, whatever an archive may say. Each line is
    a JSON object: "pid", "inputs". Neither diary nor duration is part of the identity.
    """

    theory: Theory
    diary: str
    seconds: float = 0.0

    def identity(self) -> dict[str, Any]:
        """Identity of the theory within."""
        return self.theory.identity()

    def outputs(self) -> dict[str, Output]:
        """Outputs of the theory within."""
        return self.theory.outputs()

    def check(self, parameters: Collection[str]) -> None:
        """Know what the theory within knows."""
        self.theory.check(parameters)

    def compute(self, inputs: Mapping[str, float]) -> Observables:
        """Write the line, wait, evaluate the theory within."""
        line = json.dumps({"pid": os.getpid(), "inputs": dict(inputs)}) + "\n"
        descriptor = os.open(self.diary, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o644)
        try:
            os.write(descriptor, line.encode())  # one write to an append-only file: lines of two processes never mix
        finally:
            os.close(descriptor)
        time.sleep(self.seconds)
        return self.theory.compute(inputs)


@dataclass(frozen=True, eq=False)
class SharingToy:
    """Another theory whose points of equal `parameter` share an expensive part, counted in `solves`."""

    theory: Theory
    parameter: str
    done: list[float] = field(default_factory=list)

    def identity(self) -> dict[str, Any]:
        """Identity of the theory within."""
        return self.theory.identity()

    def outputs(self) -> dict[str, Output]:
        """Outputs of the theory within."""
        return self.theory.outputs()

    def check(self, parameters: Collection[str]) -> None:
        """Know what the theory within knows."""
        self.theory.check(parameters)

    def compute(self, inputs: Mapping[str, float]) -> Observables:
        """Do the expensive part unless the last point had the same, and evaluate the theory within."""
        if not self.done or self.done[-1] != inputs[self.parameter]:
            self.done.append(inputs[self.parameter])
        return self.theory.compute(inputs)

    def shares(self, inputs: Mapping[str, float]) -> str:
        """The value of the parameter."""
        return float(inputs[self.parameter]).hex()

    @property
    def solves(self) -> int:
        """How often the expensive part was done in this process."""
        return len(self.done)


def _hang(observables: Observables) -> Observables:
    # Locking a plain mutex twice: unlike sleep() it does not return on a signal, and PyDLL keeps the
    # interpreter lock, so that no Python thread or signal handler ever runs again.
    library = ctypes.PyDLL(None)
    mutex = ctypes.create_string_buffer(256)
    library.pthread_mutex_init(mutex, None)
    library.pthread_mutex_lock(mutex)
    library.pthread_mutex_lock(mutex)
    return observables


def _crash(observables: Observables) -> Observables:
    ctypes.string_at(0)
    return observables


def _abort(observables: Observables) -> Observables:
    os.abort()


def _exit(observables: Observables) -> Observables:
    os._exit(3)


def _nan(observables: Observables) -> Observables:
    spectra = {name: values * np.nan for name, values in observables.spectra.items()}
    return Observables(spectra, observables.derived)


def _raise(observables: Observables) -> Observables:
    raise ZeroDivisionError("a bug in the code")


def _fail(observables: Observables) -> Observables:
    raise TheoryError("outside the region where the code works")


_DEEDS = {
    "hang": _hang,
    "crash": _crash,
    "abort": _abort,
    "exit": _exit,
    "nan": _nan,
    "raise": _raise,
    "fail": _fail,
}


def toy_identity(name: str, names: tuple[str, ...], output: str, settings: dict[str, Any]) -> dict[str, Any]:
    """All that says which toy it is."""
    return {
        "code": f"toy {name}",
        "version": VERSION,
        "settings": settings,
        "outputs": [output],
        "names": list(names),
    }


def toy_outputs(name: str, size: int, derived: str) -> dict[str, Output]:
    """A vector of `size` numbers, and one derived number."""
    axis = Axis("index", "", tuple(float(i) for i in range(size)))
    return {name: Output(name, "", (axis,)), "derived": numbers((derived,))}


def check_names(parameters: Collection[str], known: tuple[str, ...]) -> None:
    """InputError for a name that is not known."""
    for name in parameters:
        if name not in known:
            raise InputError(f"expected a parameter of this toy, got '{name}'; {nearest(name, known)}")


def values_of(inputs: Mapping[str, float], names: tuple[str, ...]) -> np.ndarray:
    """The parameters in order; TheoryError where one is missing."""
    missing = [name for name in names if name not in inputs]
    if missing:
        raise TheoryError(f"no value for {', '.join(missing)}")
    return np.array([inputs[name] for name in names], dtype=np.float64)
