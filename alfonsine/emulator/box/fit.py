"""Training set all over a box in, emulator out."""

import json
from collections.abc import Mapping, Sequence
from typing import NamedTuple

import jax.numpy as jnp
import numpy as np
from jaxtyping import Float

from alfonsine.emulator.around.blocks import POLARISED, REIONISATION
from alfonsine.emulator.box.cube import Cube, box_domain
from alfonsine.emulator.box.physics import Known, known
from alfonsine.emulator.box.series import Series, fit_series, solve
from alfonsine.emulator.box.surrogate import ChebyshevBlock, ChebyshevSurrogate
from alfonsine.emulator.emulator import Emulator, Shown
from alfonsine.emulator.metric import fallback_errors
from alfonsine.emulator.scaling import Scaling
from alfonsine.emulator.transform import INVERSE
from alfonsine.errors import InputError
from alfonsine.theory.output import Output

RELATIVE = 1e-3  # unit in which errors of a logarithm are counted
WIDE = 1.5  # an input whose edges differ by a larger factor may be taken by its logarithm
WORTH = 0.9  # and is where that lowers the error to this fraction


class BoxShape(NamedTuple):
    """Sizes of the emulator.

    components   principal components kept per output, at most
    terms        terms of the series; half as many as points where it is not given
    learned      share of its variance that must be predicted for a component to be kept
    precision    of the basis: "float32" halves file and time, and rounds at 1e-7 of an output
    """

    components: int = 64
    terms: int | None = None
    learned: float = 0.1
    precision: str = "float32"


class BoxFit(NamedTuple):
    """A fitted emulator; per output, root mean square of the leave-one-out error in the units of its metric."""

    emulator: Emulator
    left_out: dict[str, float]


class FittedBlock(NamedTuple):
    """Rows of one output: their block, their basis (m, k), and their leave-one-out error."""

    block: ChebyshevBlock
    basis: Float[np.ndarray, "m k"]
    left_out: float


def fit_box(
    names: Sequence[str],
    lower: Float[np.ndarray, " d"],
    upper: Float[np.ndarray, " d"],
    theta: Float[np.ndarray, "n d"],
    outputs: Mapping[str, Float[np.ndarray, "n _"]],
    described: Mapping[str, Output],
    *,
    errors: Mapping[str, Float[np.ndarray, " _"]] | None = None,
    shape: BoxShape = BoxShape(),
    card: Mapping | None = None,
) -> BoxFit:
    """Fit every output, name -> (n, m), over the box; `errors` are the units in which an output's error is counted.

    Without them: cosmic variance for CMB spectra, relative error for what is learned as a logarithm, and the spread
    over the training set for anything else.
    """
    if len(theta) < 2 * len(names) + 2:
        raise InputError(f"expected at least {2 * len(names) + 2} models to learn from, got {len(theta)}")
    units = {**fallback_errors(outputs), **(errors or {})}
    blocks, basis, shown, left_out, first = [], {}, [], {}, 0
    for name in sorted(outputs):
        values, output = outputs[name], described[name]
        parts = groups(output)
        found = [
            fit_output(names, lower, upper, theta, values[:, rows], output, units[name][rows], shape) for rows in parts
        ]
        widths = [part.block.size for part in found]
        matrix = np.zeros((values.shape[1], sum(widths)))
        for rows, part, start in zip(parts, found, np.cumsum([0, *widths]), strict=False):
            matrix[rows, start : start + part.block.size] = part.basis
        blocks += [part.block for part in found]
        basis[name] = jnp.asarray(matrix, dtype=shape.precision)
        transform = known(output, names, values).transform
        shown.append((name, Shown(first, first + sum(widths), transform)))
        left_out[name] = float(np.sqrt(sum(p.left_out**2 * len(p.basis) for p in found) / len(matrix)))
        first += sum(widths)
    emulator = Emulator(
        tuple(names),
        ChebyshevSurrogate(tuple(blocks)),
        basis,
        box_domain(lower, upper),
        json.dumps(dict(card or {}), sort_keys=True),
        tuple(shown),
        json.dumps({name: described[name].record() for name in sorted(outputs)}, sort_keys=True),
    )
    return BoxFit(emulator, left_out)


def groups(output: Output) -> list[np.ndarray]:
    """Rows of an output that bend alike: the reionisation bump of polarisation bends with the optical depth alone."""
    if output.name.removeprefix("unlensed_") in POLARISED and [axis.name for axis in output.axes] == ["l"]:
        low = output.axis("l").array < REIONISATION
        return [np.flatnonzero(part) for part in (low, ~low) if part.any()]
    return [np.arange(output.size)]


def fit_output(
    names: Sequence[str],
    lower: Float[np.ndarray, " d"],
    upper: Float[np.ndarray, " d"],
    theta: Float[np.ndarray, "n d"],
    values: Float[np.ndarray, "n m"],
    output: Output,
    unit: Float[np.ndarray, " m"],
    shape: BoxShape,
) -> FittedBlock:
    """Take out what is known, compress in units of the error, fit the rest."""
    facts = known(output, names, values)
    centre = (lower + upper) / 2
    scaling = Scaling.of(output.name, names, centre)
    if facts.transform == "exp":
        scaling, unit = Scaling.of("", names, centre), np.full(values.shape[1], RELATIVE)
    learned = INVERSE[facts.transform](values) / scaling.at(theta)[:, None]
    learned -= slope_lengths(facts, theta, centre) @ slope_changes(facts, values.shape[1])
    mean = learned.mean(axis=0)
    directions, components = compress(learned, mean, unit, shape.components)
    inputs = [i for i in range(len(names)) if i not in facts.exact]
    cube, series = best_cube(lower[inputs], upper[inputs], theta[:, inputs], components, shape.terms)
    kept = np.mean(series.residuals**2, axis=0) < (1.0 - shape.learned) * np.mean(components**2, axis=0)
    kept[0] = True
    lost = np.mean(np.sum(np.where(kept, series.residuals, components) ** 2, axis=1)) / len(mean)
    block = ChebyshevBlock(
        inputs,
        [(slope.position, slope.logarithmic) for slope in facts.slopes],
        scaling,
        cube,
        jnp.asarray(series.table),
        jnp.asarray(series.coefficients[:, kept]),
    )
    rows = np.vstack([mean[None, :], slope_changes(facts, len(mean)), directions[kept]])
    return FittedBlock(block, rows.T, float(np.sqrt(lost)))


def compress(
    learned: Float[np.ndarray, "n m"], mean: Float[np.ndarray, " m"], unit: Float[np.ndarray, " m"], count: int
) -> tuple[Float[np.ndarray, "k m"], Float[np.ndarray, "n k"]]:
    """Directions in the outputs and components along them, ordered by how much the data would notice."""
    n, m = learned.shape
    white = (learned - mean) / unit
    gram = white @ white.T if n <= m else white.T @ white
    size, vectors = np.linalg.eigh(gram)
    strongest = np.argsort(size)[::-1][: min(count, n - 1, m)]
    strongest = strongest[size[strongest] > 1e-20 * size[strongest[0]]]
    right = vectors[:, strongest]
    if n <= m:
        right = (white.T @ right) / np.sqrt(size[strongest])
    return (right * unit[:, None]).T, white @ right


def best_cube(
    lower: Float[np.ndarray, " d"],
    upper: Float[np.ndarray, " d"],
    theta: Float[np.ndarray, "n d"],
    components: Float[np.ndarray, "n k"],
    terms: int | None,
) -> tuple[Cube, Series]:
    """Fit, with the logarithm of an input where that lowers the leave-one-out error."""
    cube = Cube.of(lower, upper, (False,) * len(lower))
    series = fit_series(cube.at(theta), components, terms)
    for i in range(len(lower)):
        if lower[i] > 0 and upper[i] > WIDE * lower[i]:
            choice = [bool(x) for x in cube.logarithmic]
            choice[i] = True
            trial = Cube.of(lower, upper, choice)
            tried = solve(trial.at(theta), components, series.decay, len(series.table))
            if np.sum(tried.residuals**2) < WORTH * np.sum(series.residuals**2):
                cube, series = trial, fit_series(trial.at(theta), components, terms, start=series.decay)
    return cube, series


def slope_lengths(
    facts: Known, theta: Float[np.ndarray, "n d"], origin: Float[np.ndarray, " d"]
) -> Float[np.ndarray, "n e"]:
    """How far along each known line every point is."""
    lengths = np.zeros((len(theta), len(facts.slopes)))
    for j, (i, logarithmic, _) in enumerate(facts.slopes):
        lengths[:, j] = np.log(theta[:, i] / origin[i]) if logarithmic else theta[:, i] - origin[i]
    return lengths


def slope_changes(facts: Known, m: int) -> Float[np.ndarray, "e m"]:
    """The known lines themselves."""
    return np.array([slope.change for slope in facts.slopes]).reshape(-1, m)
