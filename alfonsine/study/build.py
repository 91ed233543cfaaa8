"""The theory code that a study asks for."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from alfonsine.emulator.metric import multipoles
from alfonsine.errors import InputError, nearest
from alfonsine.study.asked import Read
from alfonsine.study.parameters import Parameters
from alfonsine.study.settings import Settings
from alfonsine.study.theory_settings import (
    ClassySettings,
    CodeSettings,
    FunctionsSettings,
    GridSettings,
    MatterPowerSettings,
    PythonSettings,
    ToySettings,
)
from alfonsine.theory.camb import CambTheory
from alfonsine.theory.class_spectra import NEEDS, UNLENSED
from alfonsine.theory.classy import ClassTheory
from alfonsine.theory.grids import Background, MatterPower, Thermodynamics, spaced
from alfonsine.theory.output import Axis, Output
from alfonsine.theory.python import PythonTheory
from alfonsine.theory.theory import Theory
from alfonsine.theory.toy import BananaToy, DiaryToy, HostileToy, LinearToy
from alfonsine.theory.twisted_toy import TwistedToy
from alfonsine.theory.user_function import UserFunction

UNITS = {"k": "1/Mpc"}  # of axes, whatever the code


def build_theory(settings: Settings, roles: Parameters, read: Read) -> Theory:
    """The exact code, set to compute what likelihoods read and the derived parameters asked for."""
    block = settings.theory.settings
    if isinstance(block, CodeSettings):
        return _code(block, roles, read, settings.source.folder)
    if isinstance(block, PythonSettings):
        return PythonTheory.of(block.function, settings.source.folder, block.inputs, _described(block), block.cheap)
    return _toy(block, roles, read)


def _code(block: CodeSettings, roles: Parameters, read: Read, folder: Path | None) -> Theory:
    """CLASS or CAMB."""
    cmb = {name: l_max for name, l_max in read.lengths.items() if name.removeprefix(UNLENSED) in NEEDS}
    own = {*block.custom, *(() if block.background is None else block.background.outputs)}
    code = ClassTheory if isinstance(block, ClassySettings) else CambTheory
    asked = (*cmb, *block.spectra, *(UNLENSED + name for name in block.unlensed))
    common = {
        "spectra": tuple(dict.fromkeys(name for name in asked if not name.startswith(UNLENSED))),
        "unlensed": tuple(dict.fromkeys(n.removeprefix(UNLENSED) for n in asked if n.startswith(UNLENSED))),
        "l_max": _l_max(block, cmb, bool(asked)),
        "multipoles": block.multipoles,
        "derived": tuple(name for name in roles.asked if name not in block.custom),
        "matter_power": _power(block.matter_power, read),
        "background": _functions(block.background, Background),
        "thermodynamics": _functions(block.thermodynamics, Thermodynamics),
        "at_data": tuple(Background((name,), z) for name, z in read.redshifts.items() if name not in own),
        "numbers": tuple(name for name in read.lengths if name not in own and name in code.known_derived()),
        "custom": {name: UserFunction.of(function, folder) for name, function in block.custom.items()},
        "inputs": None if block.inputs is None else UserFunction.of(block.inputs, folder),
    }
    theory: ClassTheory | CambTheory
    if isinstance(block, ClassySettings):
        settings = {name: _plain(name, value) for name, value in block.extra_args.items()}
        theory = ClassTheory(settings=settings, **common)
    else:
        theory = CambTheory(settings=block.extra_args, **common)
    _check_read(theory, read.lengths)
    return theory


def _l_max(block: CodeSettings, read: Mapping[str, int], any_spectra: bool) -> int:
    """As given, or as the likelihoods need it, or the last of the multipoles given."""
    needed = max(read.values(), default=2)
    if block.l_max is not None:
        if block.l_max < needed:
            raise InputError(f"expected l_max of at least {needed} for these likelihoods, got {block.l_max}; remove it")
        return block.l_max
    if isinstance(block.multipoles, tuple):
        return max(needed, *block.multipoles)
    if any_spectra and not read:
        raise InputError("expected l_max for spectra that no likelihood reads, got none; try l_max: 2508")
    return needed


def _check_read(theory: ClassTheory | CambTheory, read: Mapping[str, int]) -> None:
    """Likelihoods read what the code gives, and no more of it.

    Whether the multipoles of a spectrum reach far enough is for `Likelihood.at` to say.
    """
    outputs = theory.outputs()
    spectra = multipoles(outputs)
    for name, length in read.items():
        if name in theory.custom:
            continue  # its length is known after a call
        if name not in outputs:
            raise InputError(f"expected the output '{name}' for a likelihood, got none; {nearest(name, outputs)}")
        if name not in spectra and outputs[name].size < length - 1:
            raise InputError(f"expected {length - 1} numbers '{name}' for a likelihood, got {outputs[name].size}")


def _power(block: MatterPowerSettings | None, read: Read) -> MatterPower | None:
    if read.surfaces and block is not None:
        raise InputError(
            f"expected no matter_power, as a likelihood asks for {', '.join(read.surfaces)} on a grid of its own, "
            "got one; remove it"
        )
    if read.surfaces:
        z, k = next(iter(read.surfaces.values()))
        return MatterPower(tuple(read.surfaces), k.values, z.values)
    return None if block is None else MatterPower(block.outputs, _grid("k", block.k), _grid("z", block.z))


def _functions(block: FunctionsSettings | None, kind: type[Background] | type[Thermodynamics]) -> Any:
    return None if block is None else kind(block.outputs, _grid("z", block.z))


def _described(block: PythonSettings) -> list[Output]:
    """What the study says of the arrays that a function returns."""
    found = []
    for name, each in block.outputs.items():
        axes = tuple(Axis(axis, UNITS.get(axis, ""), _grid(axis, grid)) for axis, grid in each.axes.items())
        found.append(Output(name, each.unit, axes))
    return found


def _grid(name: str, block: GridSettings) -> tuple[float, ...]:
    if block.segments is None:
        return block.values or spaced(name, block.min, block.max, block.number, block.spacing)
    values, edge = [block.min], block.min
    for segment in block.segments:
        values += spaced(name, edge, segment.max, segment.number + 1, block.spacing)[1:]
        edge = segment.max
    return tuple(values)


def _plain(name: str, value: Any) -> float | int | str | bool:
    """CLASS reads numbers, words, and lists with commas."""
    if isinstance(value, bool | int | float | str):
        return value
    if isinstance(value, list) and all(isinstance(v, int | float | str) for v in value):
        return ",".join(map(str, value))
    raise InputError(f"expected a number, text or list in extra_args, got '{name}: {value}'")


def _toy(block: ToySettings, roles: Parameters, read: Read) -> Theory:
    spectra = read.lengths
    if len(spectra) + len(read.redshifts) > 1:
        raise InputError(f"expected one observable of a toy, got {', '.join((*spectra, *read.redshifts))}")
    if read.redshifts:
        raise InputError(f"expected classy or camb for {', '.join(read.redshifts)}, got a toy; change theory")
    names, output = roles.inputs, next(iter(spectra), "data")
    needed = spectra.get(output, 2) - 1
    theory: Theory
    if block.name == "banana":
        if len(names) < 2:
            raise InputError(f"expected at least two parameters of a banana, got {len(names)}")
        if len(names) < needed:
            raise InputError(f"expected {needed} parameters of a banana, one for each number, got {len(names)}")
        theory = BananaToy(names, bend=block.bend, output=output)
    elif block.name == "twisted":
        if block.bands < needed:
            raise InputError(f"expected at least {needed} bands, one for each number observed, got {block.bands}")
        theory = TwistedToy(names, bands=block.bands, bend=block.bend, output=output)
    else:
        rows = block.matrix or tuple(map(tuple, np.eye(len(names)).tolist()))
        if any(len(row) != len(names) for row in rows):
            raise InputError(f"expected rows of {len(names)} numbers, one for each parameter, in matrix")
        if block.multipoles is not None and len(block.multipoles) != len(rows):
            raise InputError(f"expected {len(rows)} multipoles, one for each row, got {len(block.multipoles)}")
        if block.multipoles is None and len(rows) < needed:
            raise InputError(f"expected {needed} rows of matrix, one for each number observed, got {len(rows)}")
        offset = block.offset or (0.0,) * len(rows)
        if len(offset) != len(rows):
            raise InputError(f"expected an offset of {len(rows)} numbers, got {len(offset)}")
        matrix, constant = np.array(rows, dtype=float), np.array(offset, dtype=float)
        theory = LinearToy(names, matrix, constant, output, block.multipoles or ())
    if block.misdeed:
        if block.misdeed.parameter not in names:
            raise InputError(f"expected one of the parameters {', '.join(names)}, got '{block.misdeed.parameter}'")
        theory = HostileToy(theory, block.misdeed.deed, block.misdeed.parameter, block.misdeed.above)
    return DiaryToy(theory, block.diary, block.seconds) if block.diary else theory
