"""Which groups of outputs share their terms: evaluated once for all of them, that is most of an emulator's time.

Outputs that bend alike, as the spectra of one experiment do, lose nothing by one set of decays. Each family gathers
around the group that is hardest to learn: whoever is nearly as well off with its decays as with its own.
"""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from jaxtyping import Float

from alfonsine.emulator.box.coordinates import best_cube
from alfonsine.emulator.box.cube import Cube
from alfonsine.emulator.box.series import Series, fit_series, groups, size, solve

LOSES = 1.25  # in leave-one-out error, beyond which a group does not join a family
TINY = 1e-4  # of the units in which errors are counted: an error that is no reason to stay apart


class Family(NamedTuple):
    """Groups that share their terms: which they are, the cube of the inputs, and the series of each."""

    members: tuple[int, ...]
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
    alone = [best_cube(lower, upper, theta, each, terms) for each in components]
    pending = sorted(range(len(components)), key=lambda i: -size(alone[i][1].residuals))
    found = []
    while pending:
        cube, series = alone[pending[0]]
        members = pending[:1]
        for i in pending[1:]:
            shared = solve(cube.at(theta), components[i], series.decay, len(series.table), together)
            if size(shared.residuals) <= max(LOSES * size(alone[i][1].residuals), TINY * np.sqrt(rows[i])):
                members.append(i)
        if len(members) > 1:
            every = np.hstack([components[i] for i in members])
            series = fit_series(cube.at(theta), every, terms, series.decay, together)
        found.append(Family(tuple(members), cube, split(series, [components[i].shape[1] for i in members])))
        pending = [i for i in pending if i not in members]
    return found


def split(series: Series, widths: Sequence[int]) -> tuple[Series, ...]:
    """The series of each member, of those of all side by side."""
    ends = np.cumsum(widths)[:-1]
    parts = zip(*(np.split(of, ends, axis=1) for of in (series.coefficients, series.residuals)), strict=True)
    return tuple(Series(series.table, coefficients, residuals, series.decay) for coefficients, residuals in parts)
