"""The theory code that a study asks for."""

from collections.abc import Mapping
from typing import Any

import numpy as np

from alfonsine.errors import InputError
from alfonsine.study.parameters import Parameters
from alfonsine.study.settings import ClassySettings, PythonSettings, Settings, ToySettings
from alfonsine.theory.classy import ClassTheory
from alfonsine.theory.python import PythonTheory
from alfonsine.theory.theory import Theory
from alfonsine.theory.toy import BananaToy, DiaryToy, HostileToy, LinearToy


def build_theory(settings: Settings, roles: Parameters, spectra: Mapping[str, int]) -> Theory:
    """The exact code, set to compute `spectra` (name -> l_max) and the derived parameters asked for."""
    block = settings.theory.settings
    if isinstance(block, ClassySettings):
        return _classy(block, roles, spectra)
    if isinstance(block, PythonSettings):
        return PythonTheory.of(block.function, settings.source.folder, block.inputs)
    return _toy(block, roles, spectra)


def _classy(block: ClassySettings, roles: Parameters, spectra: Mapping[str, int]) -> ClassTheory:
    needed = max(spectra.values(), default=2)
    if block.l_max is not None and block.l_max < needed:
        raise InputError(f"expected l_max of at least {needed} for these likelihoods, got {block.l_max}; remove it")
    return ClassTheory(
        settings={name: _plain(name, value) for name, value in block.extra_args.items()},
        spectra=tuple(dict.fromkeys((*spectra, *block.spectra))),
        l_max=block.l_max or needed,
        derived=roles.asked,
    )


def _plain(name: str, value: Any) -> float | int | str | bool:
    """CLASS reads numbers, words, and lists with commas."""
    if isinstance(value, bool | int | float | str):
        return value
    if isinstance(value, list) and all(isinstance(v, int | float | str) for v in value):
        return ",".join(map(str, value))
    raise InputError(f"expected a number, text or list in extra_args, got '{name}: {value}'")


def _toy(block: ToySettings, roles: Parameters, spectra: Mapping[str, int]) -> Theory:
    if len(spectra) > 1:
        raise InputError(f"expected one observable of a toy, got {', '.join(spectra)}")
    names, output = roles.inputs, next(iter(spectra), "data")
    needed = spectra.get(output, 2) - 1
    theory: Theory
    if block.name == "banana":
        if len(names) < 2:
            raise InputError(f"expected at least two parameters of a banana, got {len(names)}")
        if len(names) < needed:
            raise InputError(f"expected {needed} parameters of a banana, one for each number, got {len(names)}")
        theory = BananaToy(names, bend=block.bend, output=output)
    else:
        rows = block.matrix or tuple(map(tuple, np.eye(len(names)).tolist()))
        if any(len(row) != len(names) for row in rows):
            raise InputError(f"expected rows of {len(names)} numbers, one for each parameter, in matrix")
        if len(rows) < needed:
            raise InputError(f"expected {needed} rows of matrix, one for each number observed, got {len(rows)}")
        offset = block.offset or (0.0,) * len(rows)
        if len(offset) != len(rows):
            raise InputError(f"expected an offset of {len(rows)} numbers, got {len(offset)}")
        theory = LinearToy(names, np.array(rows, dtype=float), np.array(offset, dtype=float), output=output)
    if block.misdeed:
        if block.misdeed.parameter not in names:
            raise InputError(f"expected one of the parameters {', '.join(names)}, got '{block.misdeed.parameter}'")
        theory = HostileToy(theory, block.misdeed.deed, block.misdeed.parameter, block.misdeed.above)
    return DiaryToy(theory, block.diary, block.seconds) if block.diary else theory
