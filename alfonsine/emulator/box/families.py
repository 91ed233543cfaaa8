"""Which components share their terms: evaluated once for all of them, that is most of an emulator's time.

Outputs that bend alike, as the spectra of one experiment do, lose nothing by one set of decays. Each family gathers
around those that are hardest to learn: whoever is nearly as well off with their decays as with its own.
"""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from jaxtyping import Float, Int

from alfonsine.emulator.box.coordinates import best_cube
from alfonsine.emulator.box.cube import Cube
from alfonsine.emulator.box.division import divided
from alfonsine.emulator.box.series import Series, fit_series, groups, size, solve

LOSES = 1.25  # in leave-one-out error, beyond which a group does not join a family;
LITTLE = 1.02  # beyond which a part of a group that was divided does not:
WORTH = 0.95  # it is where that lowers its error to this fraction
TINY = 1e-4  # of the units in which errors are counted: an error that is no reason to stay apart


class Member(NamedTuple):
    """Some components of one group of outputs, alone: in their coordinates, with their own decays."""

    group: int
    columns: Int[np.ndarray, " _"]
    cube: Cube
    series: Series
    tolerance: float


class Family(NamedTuple):
    """What shares its terms: group and columns of each member, the cube of the inputs, and the series of each."""

    members: tuple[tuple[int, Int[np.ndarray, " _"]], ...]
    cube: Cube
    series: tuple[Series, ...]


def families(
    lower: Float[np.ndarray, " d"],
    upper: Float[np.ndarray, " d"],
    theta: Float[np.ndarray, "n d"],
    components: Sequence[Float[np.ndarray, "n _"]],
    rows: Sequence[int],
    terms: int | None = None,
) -> list[Family]:
    """Fit several groups of outputs of the same inputs, with as few different terms as lose little.

    `components` of each group have the unit of its errors, summed over its `rows`.
    """
    together = groups(theta)
    pending = [each for i in range(len(components)) for each in alone(lower, upper, theta, i, components[i], terms)]
    pending.sort(key=lambda each: -size(each.series.residuals))
    found = []
    while pending:
        seed, *others = pending
        members, pending = [seed], []
        for each in others:
            own = components[each.group][:, each.columns]
            shared = solve(seed.cube.at(theta), own, seed.series.decay, len(seed.series.table), together)
            limit = max(each.tolerance * size(each.series.residuals), TINY * np.sqrt(rows[each.group]))
            (members if size(shared.residuals) <= limit else pending).append(each)
        series, united = seed.series, unite(members)
        if len(members) > 1:
            every = np.hstack([components[group][:, columns] for group, columns in united])
            series = fit_series(seed.cube.at(theta), every, terms, series.decay, together)
        found.append(Family(united, seed.cube, split(series, [len(columns) for _, columns in united])))
    return found


def alone(
    lower: Float[np.ndarray, " d"],
    upper: Float[np.ndarray, " d"],
    theta: Float[np.ndarray, "n d"],
    group: int,
    components: Float[np.ndarray, "n k"],
    terms: int | None,
) -> list[Member]:
    """One group of outputs without regard to others; divided, where that may help."""
    cube, series = best_cube(lower, upper, theta, components, terms)
    parts = divided(theta, cube.at(theta), components, series, terms)
    if np.hypot.reduce([size(part.residuals) for _, part in parts]) > WORTH * size(series.residuals):
        return [Member(group, np.arange(components.shape[1]), cube, series, LOSES)]
    return [Member(group, columns, cube, part, LITTLE) for columns, part in parts]


def unite(members: Sequence[Member]) -> tuple[tuple[int, Int[np.ndarray, " _"]], ...]:
    """Group and columns, those of one group together."""
    columns: dict[int, list[np.ndarray]] = {}
    for each in members:
        columns.setdefault(each.group, []).append(each.columns)
    return tuple((group, np.sort(np.concatenate(parts))) for group, parts in columns.items())


def split(series: Series, widths: Sequence[int]) -> tuple[Series, ...]:
    """The series of each member, of those of all side by side."""
    ends = np.cumsum(widths)[:-1]
    parts = zip(*(np.split(of, ends, axis=1) for of in (series.coefficients, series.residuals)), strict=True)
    return tuple(Series(series.table, coefficients, residuals, series.decay) for coefficients, residuals in parts)
