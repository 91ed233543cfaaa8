"""Processes that evaluate a likelihood of Cobaya for many points at once; each holds the data itself.

The program that asks never imports the likelihood: its code may be anything, and may hold the interpreter for long.
"""

import atexit
import json
import logging
import os
from collections.abc import Mapping
from concurrent.futures import BrokenExecutor, ProcessPoolExecutor
from dataclasses import dataclass
from functools import lru_cache
from itertools import pairwise
from multiprocessing import get_context
from typing import Any

import numpy as np
from jaxtyping import Float

from alfonsine.errors import InputError
from alfonsine.hosts.quantities import Quantities
from alfonsine.theory.output import Output
from alfonsine.theory.theory import one_line

LOADED = "expected a likelihood that Cobaya can load, got"
NO_DATA = "The data for this likelihood has not been correctly installed"  # Cobaya's words for many reasons


@dataclass(frozen=True)
class Question:
    """Which likelihood: its name and options, as in a Cobaya input."""

    name: str
    options: Mapping[str, Any]

    @property
    def text(self) -> str:
        """The same as text: what processes are told, and what makes two of them one."""
        return json.dumps([self.name, self.options], sort_keys=True, default=str)


@dataclass(frozen=True)
class Described:
    """What a likelihood asks for: outputs of the theory, and parameters of its own, with typical values."""

    outputs: dict[str, Output]
    parameters: tuple[str, ...]
    typical: tuple[float, ...]


def describe(question: Question) -> Described:
    """Ask a process what the likelihood requires; InputError with Cobaya's own reason where it refuses."""
    return _described(question.text)


@lru_cache(maxsize=32)
def _described(text: str) -> Described:
    try:
        told = pool(text).submit(_describe).result()
    except BrokenExecutor:
        told = f"{LOADED}: its process ended while it was loaded"
    if isinstance(told, str):
        raise InputError(f"{json.loads(text)[0]}: {told}")
    return told


def evaluate(text: str, bands: np.ndarray, own: np.ndarray) -> Float[np.ndarray, " n"]:
    """Ln L of rows of bands and of its own parameters, spread over the processes."""
    edges = np.linspace(0, len(bands), min(len(bands), count()) + 1).astype(int)
    jobs = [pool(text).submit(_evaluate, bands[a:b], own[a:b]) for a, b in pairwise(edges)]
    return np.concatenate([job.result() for job in jobs])


def count() -> int:
    """How many processes: one for each core that this program may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


@lru_cache(maxsize=8)
def pool(text: str) -> ProcessPoolExecutor:
    """The processes of one likelihood, kept until the program ends."""
    found = ProcessPoolExecutor(count(), get_context("spawn"), initializer=_load, initargs=(text,))
    atexit.register(found.shutdown, wait=False, cancel_futures=True)
    return found


_LOADED: dict[str, Any] = {}


def _load(text: str) -> None:
    """In a process: one thread, and the likelihood with a theory that is fed."""
    from threadpoolctl import threadpool_limits

    os.environ["COBAYA_NOMPI"] = "True"  # these processes are none of MPI's
    _LOADED["limits"] = threadpool_limits(1)
    logging.disable(logging.ERROR)  # what a likelihood says of itself when it is loaded, once for each process
    name, options = json.loads(text)
    try:
        _LOADED["model"] = _model(name, options)
        _LOADED["described"] = _described_here()
    except Exception as error:  # whatever a likelihood of anybody's own raises
        _LOADED["reason"] = _no_data(name, options) if NO_DATA in str(error) else f"{LOADED}: {one_line(error)}"
    logging.disable(logging.WARNING)


def _no_data(name: str, options: dict[str, Any]) -> str:
    """What to do where Cobaya finds no data, of which it says only that they are to be installed."""
    from cobaya.tools import resolve_packages_path

    folder = _packages(options) or resolve_packages_path()
    looked = f"none in '{folder}'" if folder else "neither"
    return (
        f"expected its data in the folder of Cobaya's packages, COBAYA_PACKAGES_PATH or the option packages_path, "
        f"got {looked}; set one of them to the folder that cobaya-install filled, or fill it: "
        f"cobaya-install {name} --packages-path FOLDER"
    )


def _packages(options: Mapping[str, Any]) -> str | None:
    return options.get("packages_path") or os.environ.get("COBAYA_PACKAGES_PATH")


def _model(name: str, options: dict[str, Any]) -> tuple[Any, Any]:
    from cobaya.model import get_model

    from alfonsine.likelihood.cobaya_fed import PARAMETER, Fed

    info = {
        "likelihood": {name: {key: value for key, value in options.items() if key != "packages_path"}},
        "theory": {"fed": {"external": Fed}},
        "params": {PARAMETER: {"prior": {"min": 0, "max": 1}}},
        "packages_path": _packages(options),
        "stop_at_error": True,
    }
    model = get_model({key: value for key, value in info.items() if value is not None})
    return model, model.theory["fed"]


def _described_here() -> Described:
    from alfonsine.likelihood.cobaya import outputs_of

    model, fed = _LOADED["model"]
    parameters = tuple(next(iter(model.likelihood.values())).input_params)
    typical = tuple(_typical(model.info()["params"].get(name)) for name in parameters)
    return Described(outputs_of(fed.requested()), parameters, typical)


def _typical(entry: Any) -> float:
    """A value of a parameter as Cobaya describes it: fixed, its reference, or the middle of its prior; else one."""
    for given in (entry, *((entry.get(key) for key in ("value", "ref", "prior")) if isinstance(entry, dict) else ())):
        if isinstance(given, int | float) and not isinstance(given, bool):
            return float(given)
        if isinstance(given, dict) and "loc" in given:
            return float(given["loc"])
        if isinstance(given, dict) and {"min", "max"} <= set(given):
            return 0.5 * (given["min"] + given["max"])
        if isinstance(given, list | tuple) and len(given) == 2:
            return 0.5 * (given[0] + given[1])
    return 1.0


def _describe() -> Described | str:
    return _LOADED["reason"] if "reason" in _LOADED else _LOADED["described"]


def _evaluate(bands: np.ndarray, own: np.ndarray) -> np.ndarray:
    """Rows of bands: the outputs one after the other; -inf where the likelihood has no answer."""
    (model, fed), told_to = _LOADED["model"], _LOADED["described"]
    outputs, parameters = told_to.outputs, told_to.parameters
    likelihood = next(iter(model.likelihood.values()))
    found = np.empty(len(bands))
    described = {n: output for n, output in outputs.items() if output.size > 1 or output.axes[0].name != "index"}
    for i, (row, values) in enumerate(zip(bands, own, strict=True)):
        held, numbers, first = {}, {}, 0
        for name, output in outputs.items():
            piece = row[first : first + output.size]
            first += output.size
            if name in described:
                held[name] = piece
            else:
                numbers[name] = float(piece[0])
        told = dict(zip(parameters, map(float, values), strict=True))
        fed.feed(Quantities(described, held, {**numbers, **told}, "the study's theory"))
        model.provider.set_current_input_params(told)
        try:
            value = float(np.squeeze(likelihood.logp(**told, _derived={})))
        except Exception:  # as Cobaya does: a point at which a likelihood fails has none
            value = -np.inf
        found[i] = value if np.isfinite(value) else -np.inf
    return found
