r"""The same emulator on other multipoles, wavenumbers or redshifts.

A cubic spline is linear in the values that it passes through, so it becomes part of the basis and costs nothing when
the emulator is asked. Along l it is CLASS's own spline, which a likelihood uses too; along k and z the coordinates are
:math:`\ln k` and :math:`\ln(1+z)`.
"""

import json
from collections.abc import Callable, Sequence
from dataclasses import replace

import jax.numpy as jnp
import numpy as np
from jaxtyping import Float
from scipy.interpolate import CubicSpline

from alfonsine.emulator.emulator import Emulator
from alfonsine.errors import InputError
from alfonsine.theory import class_spline
from alfonsine.theory.output import Axis

COORDINATE: dict[str, Callable[[np.ndarray], np.ndarray]] = {"k": np.log, "z": np.log1p}


def resample(emulator: Emulator, name: str, **axes: Sequence[float] | np.ndarray) -> Emulator:
    """An emulator whose output `name` is given at other values of some of its axes.

    InputError for values beyond the axis: what was not learned is not extrapolated. InputError, too, for an output
    with a normalisation of the user's own, of which it is not known how it varies along the axis.
    """
    described = emulator.outputs
    if name not in described:
        raise InputError(f"expected an output with axes ({', '.join(described) or 'none'}), got '{name}'")
    if name in emulator.undone:
        raise InputError(f"expected an output of a known normalisation, got '{name}' of '{emulator.made_of(name)[2]}'")
    output = described[name]
    for axis in axes:
        output.axis(axis)
    matrix = np.asarray(emulator.basis[name], dtype=float)
    width = matrix.shape[1]
    if name in emulator.offsets:  # they vary along the axes as what they are added to does
        matrix = np.hstack([matrix, np.asarray(emulator.offsets[name]).T])
    matrix = matrix.reshape(*output.shape, -1)
    found = []
    for position, axis in enumerate(output.axes):
        wanted = np.asarray(axes.get(axis.name, axis.values), dtype=float)
        found.append(Axis(axis.name, axis.unit, tuple(wanted.tolist())))
        if axis.name in axes:
            matrix = np.moveaxis(
                np.tensordot(spline(output.name, axis, wanted), matrix, axes=(1, position)), 0, position
            )
    described[name] = replace(output, axes=tuple(found))
    matrix = matrix.reshape(-1, matrix.shape[-1])
    basis = {**emulator.basis, name: jnp.asarray(matrix[:, :width], dtype=emulator.basis[name].dtype)}
    offsets = dict(emulator.offsets)
    if name in offsets:
        offsets[name] = jnp.asarray(matrix[:, width:].T)
    text = json.dumps({n: o.record() for n, o in described.items()}, sort_keys=True)
    return replace(emulator, basis=basis, outputs_text=text, offsets=offsets)


def spline(name: str, axis: Axis, wanted: Float[np.ndarray, " w"]) -> Float[np.ndarray, "w n"]:
    """Matrix from values on the axis to values at `wanted`."""
    low, high = axis.values[0], axis.values[-1]
    slack = 1e-9 * (abs(high) + abs(low))
    if wanted.min() < low - slack or wanted.max() > high + slack:
        raise InputError(
            f"output '{name}': expected {axis.name} between {low:g} and {high:g}, got {wanted.min():g} to "
            f"{wanted.max():g}; train with a longer axis"
        )
    wanted = np.clip(wanted, low, high)
    if len(axis.values) < 4:
        if np.isin(wanted, axis.array).all():
            return (wanted[:, None] == axis.array[None, :]).astype(float)
        raise InputError(f"output '{name}': expected at least 4 values of {axis.name} to interpolate, got fewer")
    if axis.name == "l":
        return class_spline.spline(axis.array, wanted)
    coordinate = COORDINATE.get(axis.name, lambda x: x)
    return CubicSpline(coordinate(axis.array), np.eye(len(axis.values)))(coordinate(wanted))
