"""Any likelihood of Cobaya, under its own name and with its own options.

Cobaya's model resolver says what the likelihood requires; these become outputs that are read of the theory, as for any
other data set, and are handed on to the likelihood in Cobaya's words. It is evaluated as it is, in processes of its
own (`likelihood/cobaya_processes.py`), and need not be differentiable (`likelihood/opaque.py`).

Cobaya: J. Torrado & A. Lewis, JCAP 05 (2021) 057, arXiv:2005.05290; optional, pip install alfonsine[cobaya].
"""

from collections.abc import Mapping
from typing import Any

import jax.numpy as jnp
import numpy as np

from alfonsine.errors import InputError
from alfonsine.hosts import cobaya_words as words
from alfonsine.hosts.missing import MissingQuantity
from alfonsine.likelihood.band_likelihood import BandLikelihood
from alfonsine.likelihood.binning import Binning, Windows
from alfonsine.likelihood.cobaya_processes import Described, Question, describe
from alfonsine.likelihood.opaque import opaque
from alfonsine.likelihood.sampled import Sampled, Whole
from alfonsine.theory.class_spectra import NEEDS, UNLENSED
from alfonsine.theory.output import Axis, Output, multipoles

K_FROM, K_NUMBER = 1e-4, 200  # wavenumbers of a power spectrum, where the likelihood only says the last


def cobaya_likelihood(name: str, options: Mapping[str, Any]) -> BandLikelihood:
    """A likelihood of Cobaya by its name or import path, with its options; beside them `packages_path`.

    InputError for what Cobaya refuses, for a requirement that no theory here can give, and for text that would have to
    be executed.
    """
    for option, value in options.items():
        if option == "external" and isinstance(value, str):
            raise InputError(
                f"{name}: expected a likelihood by its import path, got text in external, which would be executed; "
                "put it into a module and name 'module.Class'"
            )
    question = Question(name, dict(options))
    described = describe(question)
    return BandLikelihood(name=name, windows=windows(described), form=opaque(question, described), points={})


def windows(described: Described) -> Windows:
    """What is read of the theory, as it is."""
    binnings: dict[str, Binning | Sampled | Whole] = {}
    for name, output in described.outputs.items():
        axes = tuple(axis.name for axis in output.axes)
        if axes == ("z",):
            binnings[name] = Sampled.of(output.axes[0].array)
        elif axes == ("z", "k"):
            binnings[name] = Whole(output.axes[0].values, output.axes[1].values)
        else:
            binnings[name] = Binning(jnp.arange(output.size), jnp.ones(output.size), output.size)
    return Windows(tuple(binnings), tuple(binnings.values()))


def outputs_of(required: Mapping[Any, Any]) -> dict[str, Output]:
    """Outputs of a theory that answer Cobaya's requirements; MissingQuantity for those that none does."""
    spectra: dict[str, int] = {}
    functions: dict[str, set[float]] = {}
    numbers: list[str] = []
    for key, options in required.items():
        if key in words.SPECTRA:
            l_max = max(options.values(), default=2)
            spectra |= {words.spectrum(key, n): max(l_max, spectra.get(words.spectrum(key, n), 2)) for n in options}
        elif key in words.FUNCTIONS:
            functions.setdefault(words.FUNCTIONS[key], set()).update(np.atleast_1d(options["z"]).astype(float).tolist())
        elif key == "angular_diameter_distance_2":
            functions.setdefault("D_A", set()).update(np.ravel(options["z_pairs"]).astype(float).tolist())
            numbers += ["Omega_k", "H0"]
        elif isinstance(key, tuple) and key[0] == "Pk_grid":
            continue
        elif isinstance(key, str) and options is None:
            numbers.append(words.number(key))
        else:
            word = key[0] if isinstance(key, tuple) else key
            raise MissingQuantity(
                f"what a theory here can give, for Cobaya's requirement {word}",
                "Cl, unlensed_Cl, Pk_grid, Pk_interpolator, functions of redshift and derived parameters",
                "use another likelihood",
            )
    # Cobaya keeps what is required in sets: sorted, so that every process has one order
    found = {name: multipoles(name, l_max - 1, "") for name, l_max in sorted(spectra.items(), key=_place)}
    for name, z in sorted(functions.items()):
        found[name] = Output(name, "", (Axis("z", "", tuple(sorted(z))),))
    for name in sorted(set(numbers)):
        found[name] = Output(name, "", (Axis("index", "", (0.0,)),))
    return found | _surfaces(words.asked_power(required))


def _place(item: tuple[str, int]) -> tuple[int, str]:
    """Spectra in the order in which they are named everywhere."""
    kinds = list(NEEDS)
    short = item[0].removeprefix(UNLENSED)
    return (kinds.index(short) if short in kinds else len(kinds), item[0])


def _surfaces(asked: Mapping[str, Mapping[str, Any]]) -> dict[str, Output]:
    """Power spectra on one grid that holds what all of them ask for."""
    if not asked:
        return {}
    z = sorted({float(value) for options in asked.values() for value in np.atleast_1d(options["z"])})
    k = np.geomspace(K_FROM, max(float(options["k_max"]) for options in asked.values()), K_NUMBER)
    axes = Axis("z", "", tuple(z)), Axis("k", "1/Mpc", tuple(k.tolist()))
    return {name: Output(name, "Mpc^3", axes) for name in sorted(asked)}
