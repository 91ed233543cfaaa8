"""Coordinates of a box in which what is to be learned is simple: those that lower the leave-one-out error.

An input or its logarithm; and, in the place of an input along which much bends, a sum of it and of shares of others. Of
logarithms that is a product of powers, as the amplitude of today's structure is one of all that makes structure grow.
They are looked for with some of the points and few terms, and only where more points would help: what half of them
teach as well is limited by the roughness of the exact code, in whatever coordinates.
"""

from collections.abc import Callable, Sequence
from itertools import product

import numpy as np
from jaxtyping import Float

from alfonsine.emulator.box.cube import Cube
from alfonsine.emulator.box.division import fewer, still_learning
from alfonsine.emulator.box.series import Series, fit_series, groups, size, solve

POINTS = 1200  # with which coordinates are compared
TERMS = 500  # with which coordinates are compared
WIDE = 1.5  # an input whose edges differ by a larger factor may be taken by its logarithm,
NO_WORSE = 1.05  # and is where that raises the error by no more than this: products of powers are found only so
STEPS = ((0.5, 0.25), (0.25, 0.1), (0.1, 0.05))  # by which shares change, sweep by sweep, up and down
STEP_WORTH = 0.99  # and do where that lowers the error to this fraction
SWEEP_WORTH = 0.97  # a sweep that lowers it less is the last
WORTH = 0.95  # all of this together must lower it to this fraction, with all points and terms
MIXED = 3  # inputs that others may be mixed into: those along which most bends
RELIEF = 1.5  # on -ln(decay) of an input that is mixed into another: alone it then bends less

Decay = Float[np.ndarray, " d"]
Shares = Float[np.ndarray, "d d"]


def best_cube(
    lower: Float[np.ndarray, " d"],
    upper: Float[np.ndarray, " d"],
    theta: Float[np.ndarray, "n d"],
    components: Float[np.ndarray, "n k"],
    terms: int | None,
) -> tuple[Cube, Series]:
    """The coordinates, and the fit in them."""
    plain = Cube.of(lower, upper, [False] * len(lower))
    series = fit_series(plain.at(theta), components, terms, None, groups(theta))
    if not still_learning(theta, plain.at(theta), components, series):
        return plain, series
    cube, decay = simplest(lower, upper, theta, components, terms, series.decay)
    simple = fit_series(cube.at(theta), components, terms, decay, groups(theta))
    return (cube, simple) if size(simple.residuals) < WORTH * size(series.residuals) else (plain, series)


def simplest(
    lower: Float[np.ndarray, " d"],
    upper: Float[np.ndarray, " d"],
    theta: Float[np.ndarray, "n d"],
    components: Float[np.ndarray, "n k"],
    terms: int | None,
    decay: Decay,
) -> tuple[Cube, Decay]:
    """The coordinates of the lowest error with some of the points, and the decays there."""
    some = fewer(theta, POINTS)
    points, target, together = theta[some], components[some], groups(theta[some])
    count = min(max(len(some) // 2, len(lower) + 1), TERMS, terms or TERMS)

    def error(cube: Cube, decay: Decay) -> float:
        return size(solve(cube.at(points), target, decay, count, together).residuals)

    def refined(cube: Cube, decay: Decay) -> Decay:
        return fit_series(cube.at(points), target, count, decay, together).decay

    plain = Cube.of(lower, upper, [False] * len(lower))
    start = refined(plain, decay)
    cube, decay = with_logarithms(lower, upper, start, error, refined)
    shares, relieved = mixture(cube, decay, error, refined)
    return min([(plain, start), (cube, decay), (cube.mixed(shares), relieved)], key=lambda each: error(*each))


def with_logarithms(
    lower: Float[np.ndarray, " d"],
    upper: Float[np.ndarray, " d"],
    decay: Decay,
    error: Callable[[Cube, Decay], float],
    refined: Callable[[Cube, Decay], Decay],
) -> tuple[Cube, Decay]:
    """The logarithm of every input that is positive, wide, and no worse for it; together first, then one by one."""

    def cube(choice: Sequence[bool]) -> Cube:
        return Cube.of(lower, upper, choice)

    wide = (lower > 0) & (upper > WIDE * np.maximum(lower, 0.0))
    choice = [False] * len(lower)
    lowest = error(cube(choice), decay)
    if wide.sum() > 1:
        there = refined(cube(wide.tolist()), decay)
        if error(cube(wide.tolist()), there) < NO_WORSE * lowest:
            return cube(wide.tolist()), there
    for i in np.flatnonzero(wide):
        trial = [each or j == int(i) for j, each in enumerate(choice)]
        if (found := error(cube(trial), decay)) < NO_WORSE * lowest:
            choice, lowest = trial, min(found, lowest)
    return cube(choice), refined(cube(choice), decay)


def mixture(
    cube: Cube,
    decay: Decay,
    error: Callable[[Cube, Decay], float],
    refined: Callable[[Cube, Decay], Decay],
) -> tuple[Shares, Decay]:
    """Shares of every input in every coordinate, and decays there: coordinate descent, the hardest inputs first."""
    d = len(decay)
    best, lowest = np.eye(d), error(cube, decay)
    for steps in STEPS:
        before = lowest
        for i in np.argsort(-decay)[:MIXED]:
            for j, step, sign in product(range(d), steps, (1, -1)):
                while i != j:
                    trial = best.copy()
                    trial[i, j] += sign * step
                    relieved = np.where(np.arange(d) == j, decay**RELIEF, decay)
                    found, there = min((error(cube.mixed(trial), each), tuple(each)) for each in (decay, relieved))
                    if found >= STEP_WORTH * lowest:
                        break
                    best, lowest, decay = trial, found, np.array(there)
        if lowest > SWEEP_WORTH * before:
            break
        decay = refined(cube.mixed(best), decay)
        lowest = error(cube.mixed(best), decay)
    return best, decay
