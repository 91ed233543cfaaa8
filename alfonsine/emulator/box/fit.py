"""Training set all over a box in, emulator out."""

import json
from collections.abc import Iterator, Mapping
from typing import NamedTuple

import jax.numpy as jnp
import numpy as np
from jaxtyping import Float, Int

from alfonsine.emulator.around.blocks import POLARISED
from alfonsine.emulator.box.cube import Cube, box_domain
from alfonsine.emulator.box.physics import Known, known
from alfonsine.emulator.box.series import Series, fit_series, solve
from alfonsine.emulator.box.surrogate import ChebyshevBlock, ChebyshevSurrogate
from alfonsine.emulator.emulator import Emulator, Shown
from alfonsine.emulator.metric import UNLENSED, multipoles, typical_errors
from alfonsine.emulator.models import Models
from alfonsine.emulator.networks.streaming import Chunks, moments, principal_components
from alfonsine.emulator.scaling import Scaling
from alfonsine.emulator.transform import INVERSE
from alfonsine.errors import InputError
from alfonsine.theory.output import Output

RELATIVE = 1e-3  # unit in which errors of a logarithm are counted
WIDE = 1.5  # an input whose edges differ by a larger factor may be taken by its logarithm
BUMP = 90  # multipole below which polarisation bends as reionisation does: over a box that reaches beyond 30
IN_MEMORY = 1 << 30  # bytes of an output up to which all of it is read at once
WORTH = 0.9  # and is where that lowers the error to this fraction


class BoxShape(NamedTuple):
    """Sizes of the emulator.

    components   principal components kept per output, at most
    terms        terms of the series; half as many as points where it is not given
    learned      share of its variance that must be predicted for a component to be kept
    precision    of coefficients and basis: "float32" halves the file and saves most of the time, and rounds at 4e-7 of
                 an output's own spread
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
    models: Models,
    lower: Float[np.ndarray, " d"],
    upper: Float[np.ndarray, " d"],
    *,
    errors: Mapping[str, Float[np.ndarray, " _"]] | None = None,
    shape: BoxShape = BoxShape(),
    card: Mapping | None = None,
) -> BoxFit:
    """Fit every output over the box; `errors` are the units in which an output's error is counted, (m,).

    Without them: cosmic variance for CMB spectra, relative error for what is learned as a logarithm, and the spread
    over the training set for anything else. Outputs are read piece by piece and never held as a whole where there are
    more than `IN_MEMORY` bytes of one.
    """
    names = models.names
    if len(models) < 2 * len(names) + 2:
        raise InputError(f"expected at least {2 * len(names) + 2} models to learn from, got {len(models)}")
    statistics = {name: moments(lambda name=name: (x for _, x in models.pieces(name))) for name in models.outputs}
    units = typical_errors(
        {name: found.mean for name, found in statistics.items()},
        {name: found.std for name, found in statistics.items()},
        multipoles(models.outputs),
    ) | dict(errors or {})
    blocks, basis, shown, left_out, first = [], {}, [], {}, 0
    for name in sorted(models.outputs):
        output = models.outputs[name]
        facts = known(output, names, statistics[name].low, statistics[name].high)
        parts = groups(output)
        found = [fit_rows(models, lower, upper, output, facts, rows, units[name], shape) for rows in parts]
        widths = [part.block.size for part in found]
        matrix = np.zeros((output.size, sum(widths)))
        for rows, part, start in zip(parts, found, np.cumsum([0, *widths]), strict=False):
            matrix[rows, start : start + part.block.size] = part.basis
        blocks += [part.block for part in found]
        basis[name] = jnp.asarray(matrix, dtype=shape.precision)
        shown.append((name, Shown(first, first + sum(widths), facts.transform)))
        left_out[name] = float(np.sqrt(sum(p.left_out**2 * len(p.basis) for p in found) / len(matrix)))
        first += sum(widths)
    emulator = Emulator(
        names,
        ChebyshevSurrogate(tuple(blocks)),
        basis,
        box_domain(lower, upper),
        json.dumps(dict(card or {}), sort_keys=True),
        tuple(shown),
        json.dumps({name: output.record() for name, output in sorted(models.outputs.items())}, sort_keys=True),
    )
    return BoxFit(emulator, left_out)


def groups(output: Output) -> list[np.ndarray]:
    """Rows of an output that bend alike: the reionisation bump of polarisation bends with the optical depth alone."""
    if output.name.removeprefix(UNLENSED) in POLARISED and [axis.name for axis in output.axes] == ["l"]:
        low = output.axis("l").array < BUMP
        return [np.flatnonzero(part) for part in (low, ~low) if part.any()]
    return [np.arange(output.size)]


def fit_rows(
    models: Models,
    lower: Float[np.ndarray, " d"],
    upper: Float[np.ndarray, " d"],
    output: Output,
    facts: Known,
    rows: Int[np.ndarray, " m"],
    unit: Float[np.ndarray, " _"],
    shape: BoxShape,
) -> FittedBlock:
    """Take out what is known of some rows of an output, compress in units of the error, fit the rest."""
    names, theta, centre = models.names, models.theta, (lower + upper) / 2
    logarithm = facts.transform == "exp"
    scaling = Scaling.of("" if logarithm else output.name.removeprefix(UNLENSED), names, centre)
    unit = np.full(len(rows), RELATIVE) if logarithm else np.maximum(unit[rows], 1e-300)
    factor, lengths = scaling.at(theta), slope_lengths(facts, theta, centre)
    changes = slope_changes(facts, output.size)[:, rows]

    def white() -> Iterator[np.ndarray]:
        """What is left to learn, in units of the error."""
        for piece, values in models.pieces(output.name):
            left = INVERSE[facts.transform](values[:, rows]) / factor[piece, None]
            yield (left - lengths[piece] @ changes) / unit

    mean, directions, components = compress(white, len(models), len(rows), shape.components)
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
        jnp.asarray(series.coefficients[:, kept], dtype=shape.precision),
    )
    found = np.vstack([mean * unit, changes, directions[kept] * unit])
    return FittedBlock(block, found.T, float(np.sqrt(lost)))


def compress(
    white: Chunks, n: int, m: int, count: int
) -> tuple[Float[np.ndarray, " m"], Float[np.ndarray, "k m"], Float[np.ndarray, "n k"]]:
    """Mean, orthonormal directions, and components along them, of n rows of m numbers, the largest first."""
    count = min(count, n - 1, m)
    if 8 * n * m <= IN_MEMORY:
        rows = np.vstack(list(white()))
        mean = rows.mean(axis=0)
        rows -= mean
        size, vectors = np.linalg.eigh(rows @ rows.T if n <= m else rows.T @ rows)
        strongest = np.argsort(size)[::-1][:count]
        strongest = strongest[size[strongest] > 1e-20 * size[strongest[0]]]
        right = vectors[:, strongest] if n > m else (rows.T @ vectors[:, strongest]) / np.sqrt(size[strongest])
        return mean, right.T, rows @ right
    found = principal_components(white, count)
    return found.mean, found.vectors, np.vstack([(rows - found.mean) @ found.vectors.T for rows in white()])


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
