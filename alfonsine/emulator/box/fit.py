"""Training set all over a box in, emulator out."""

import json
from collections.abc import Iterator, Mapping, Sequence
from typing import NamedTuple

import jax.numpy as jnp
import numpy as np
from jaxtyping import Bool, Float, Int

from alfonsine.emulator.around.blocks import POLARISED
from alfonsine.emulator.box.cube import box_domain
from alfonsine.emulator.box.families import families
from alfonsine.emulator.box.physics import Known, known
from alfonsine.emulator.box.series import Series
from alfonsine.emulator.box.surrogate import ChebyshevBlock, ChebyshevSurrogate, Terms
from alfonsine.emulator.emulator import Emulator, Shown
from alfonsine.emulator.metric import UNLENSED, multipoles, typical_errors
from alfonsine.emulator.models import Models
from alfonsine.emulator.networks.streaming import Chunks, moments, principal_components
from alfonsine.emulator.scaling import Scaling
from alfonsine.emulator.transform import INVERSE
from alfonsine.errors import InputError
from alfonsine.theory.output import Output

RELATIVE = 1e-3  # unit in which errors of a logarithm are counted
BUMP = 150  # polarisation below this multipole bends as reionisation does, over a box: beyond the 30 around a posterior
IN_MEMORY = 1 << 30  # bytes of an output up to which all of it is read at once
NEGLIGIBLE = 0.01  # share of the squared error that components may add by not being kept


class BoxShape(NamedTuple):
    """Sizes of the emulator.

    components   principal components kept per output, at most
    terms        terms of the series; where it is not given as many as points, or fewer where these do as well
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


class Compressed(NamedTuple):
    """Rows of one output, without what is known of them, in units of the error.

    inputs       positions in theta of what the rest depends on
    unit         (m,)
    mean         (m,)
    changes      (e, m) known lines
    directions   (k, m) orthonormal
    components   (n, k) along the directions
    """

    rows: Int[np.ndarray, " m"]
    inputs: tuple[int, ...]
    slopes: tuple[tuple[int, bool], ...]
    scaling: Scaling
    unit: Float[np.ndarray, " m"]
    mean: Float[np.ndarray, " m"]
    changes: Float[np.ndarray, "e m"]
    directions: Float[np.ndarray, "k m"]
    components: Float[np.ndarray, "n k"]


class FittedBlock(NamedTuple):
    """Rows of one output, or a share of their components: terms, block, basis (m, k), and leave-one-out error."""

    terms: Terms
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
    facts = {n: known(o, names, statistics[n].low, statistics[n].high) for n, o in models.outputs.items()}
    parts = [
        (name, compress_rows(models, (lower + upper) / 2, output, facts[name], rows, units[name], shape.components))
        for name, output in sorted(models.outputs.items())
        for rows in groups(output)
    ]
    fitted = fit_parts(models.theta, lower, upper, [part for _, part in parts], shape)
    basis, shown, left_out, first = {}, [], {}, 0
    for name, output in sorted(models.outputs.items()):
        mine = [(parts[i][1].rows, found) for i, found in fitted if parts[i][0] == name]
        widths = [found.block.size for _, found in mine]
        matrix = np.zeros((output.size, sum(widths)))
        for (rows, found), start in zip(mine, np.cumsum([0, *widths]), strict=False):
            matrix[rows, start : start + found.block.size] = found.basis
        basis[name] = jnp.asarray(matrix, dtype=shape.precision)
        shown.append((name, Shown(first, first + sum(widths), facts[name].transform)))
        left_out[name] = float(np.sqrt(sum(found.left_out**2 * len(rows) for rows, found in mine) / len(matrix)))
        first += sum(widths)
    emulator = Emulator(
        names,
        ChebyshevSurrogate.of([(found.terms, found.block) for _, found in fitted]),
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


def compress_rows(
    models: Models,
    centre: Float[np.ndarray, " d"],
    output: Output,
    facts: Known,
    rows: Int[np.ndarray, " m"],
    unit: Float[np.ndarray, " _"],
    count: int,
) -> Compressed:
    """Take out what is known of some rows of an output, and compress the rest in units of the error."""
    names, theta = models.names, models.theta
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

    inputs = tuple(i for i in range(len(names)) if i not in facts.exact)
    slopes = tuple((slope.position, bool(slope.logarithmic)) for slope in facts.slopes)
    mean, directions, components = compress(white, len(models), len(rows), count)
    return Compressed(rows, inputs, slopes, scaling, unit, mean, changes, directions, components)


def fit_parts(
    theta: Float[np.ndarray, "n d"],
    lower: Float[np.ndarray, " d"],
    upper: Float[np.ndarray, " d"],
    parts: Sequence[Compressed],
    shape: BoxShape,
) -> list[tuple[int, FittedBlock]]:
    """Fit the components of all parts, those of the same inputs together; which part, and one of its blocks."""
    found: dict[tuple[int, int], FittedBlock] = {}
    for inputs in dict.fromkeys(part.inputs for part in parts):
        alike = [i for i, part in enumerate(parts) if part.inputs == inputs]
        at = list(inputs)
        components, rows = [parts[i].components for i in alike], [len(parts[i].rows) for i in alike]
        for family in families(lower[at], upper[at], theta[:, at], components, rows, shape.terms):
            terms = Terms(inputs, family.cube, jnp.asarray(family.series[0].table), shape.precision)
            for (j, columns), series in zip(family.members, family.series, strict=True):
                part = share(parts[alike[j]], columns)
                found[alike[j], int(columns[0])] = fitted_block(part, terms, series, shape)
    return [(i, found[i, first]) for i, first in sorted(found)]


def share(part: Compressed, columns: Int[np.ndarray, " _"]) -> Compressed:
    """Some of the components; all shares sum to the whole, and the first has what is no component."""
    chosen = part._replace(directions=part.directions[columns], components=part.components[:, columns])
    if columns[0] == 0:
        return chosen
    return chosen._replace(slopes=(), mean=np.zeros_like(part.mean), changes=part.changes[:0])


def fitted_block(part: Compressed, terms: Terms, series: Series, shape: BoxShape) -> FittedBlock:
    """The block of a part, of as many of its components as matter."""
    residuals = series.residuals
    kept = worth_keeping(np.mean(part.components**2, axis=0), np.mean(residuals**2, axis=0), shape.learned)
    lost = np.mean(np.sum(np.where(kept, residuals, part.components) ** 2, axis=1)) / len(part.mean)
    block = ChebyshevBlock(part.slopes, part.scaling, jnp.asarray(series.coefficients[:, kept], dtype=shape.precision))
    rows = np.vstack([part.mean * part.unit, part.changes, part.directions[kept] * part.unit])
    return FittedBlock(terms, block, rows.T, float(np.sqrt(lost)))


def worth_keeping(
    variance: Float[np.ndarray, " k"], error: Float[np.ndarray, " k"], learned: float
) -> Bool[np.ndarray, " k"]:
    """Components of which something is predicted, but for the least of them, which add nothing to the error."""
    gain = np.where(error < (1.0 - learned) * variance, variance - error, 0.0)
    smallest = np.argsort(gain)
    missed = np.cumsum(gain[smallest])
    kept = np.ones(len(gain), dtype=bool)
    kept[smallest[missed <= NEGLIGIBLE * np.sum(variance - gain)]] = False
    kept[0] = True
    return kept


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
