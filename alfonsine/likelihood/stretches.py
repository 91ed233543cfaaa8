r"""In which units the bands of a likelihood count, when all that is known of it are values.

Neighbouring entries of an output are one stretch: single multipoles at first, then steps of a twelfth, as wide as a
band power. A stretch is raised by a common template t, the smoothed size of the output there; the curvature of ln L in
that is the squared weight of the stretch. A difference d then counts as

.. math:: w_s = \sqrt{-\partial_s^2 \ln L} \; \sum_{i \in s} t_i d_i / \sum_{i \in s} t_i^2

Roughness from one multipole to the next averages out, as it does in the data. Correlations are left out: it is units
that are sought, in which an emulator may round.
"""

from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from jaxtyping import Float, Int
from scipy.ndimage import uniform_filter1d

from alfonsine.theory.output import Output

Outputs = tuple[tuple[str, Output], ...]
Values = Callable[[np.ndarray, np.ndarray], np.ndarray]
SINGLE = 40  # up to here every multipole is a stretch of its own
WIDENING, WIDEST = 12, 33
PIECES = 20  # of a long vector that is no spectrum
SMOOTH = 61  # entries over which the size of a spectrum is smoothed
RAISED = 1e-2  # first trial, relative; then so that ln L changes by about `CHANGE`
CHANGE = 0.5
TRIALS = 3
SEEN = 1e-6  # a smaller change of ln L is rounding
MOST = 0.5  # relative; nothing is raised by more


@dataclass(frozen=True)
class Units:
    """Stretches that begin at `first`, the template of each entry, and the weight of each stretch."""

    first: Int[np.ndarray, " stretch"]
    template: Float[np.ndarray, " band"]
    weight: Float[np.ndarray, " stretch"]

    def of(self, differences: Float[np.ndarray, "n band"]) -> Float[np.ndarray, "n stretch"]:
        """Rows of differences in these units."""
        norm = np.add.reduceat(self.template**2, self.first)
        return np.add.reduceat(differences * self.template, self.first, axis=1) / norm * self.weight


@lru_cache(maxsize=16)
def starts(outputs: Outputs) -> tuple[int, ...]:
    """Where the stretches begin, in the bands of all outputs one after the other."""
    found, first = [], 0
    for _, output in outputs:
        found += [first + start for start in _within(output)]
        first += output.size
    return tuple(found)


def count(outputs: Outputs) -> int:
    """How many stretches there are."""
    return len(starts(outputs))


def _within(output: Output) -> list[int]:
    axes = [axis.name for axis in output.axes]
    if axes == ["z"]:
        return list(range(output.size))
    if axes == ["z", "k"]:
        per, length = len(output.axes[0].values), len(output.axes[1].values)
        return [row * length + start for row in range(per) for start in _even(length)]
    if axes == ["l"]:
        found, at = [], 0
        while at < output.size:
            found.append(at)
            ell = output.axes[0].values[at]
            at += 1 if ell < SINGLE else min(WIDEST, max(1, int(ell / WIDENING)))
        return found
    return _even(output.size)


def _even(size: int) -> list[int]:
    return sorted({int(start) for start in np.linspace(0, size, min(size, PIECES) + 1)[:-1]})


def template(outputs: Outputs, reference: Float[np.ndarray, " band"]) -> Float[np.ndarray, " band"]:
    """The size of each entry: of a spectrum smoothed, since it may change sign."""
    found, first = [], 0
    for _, output in outputs:
        piece = np.abs(reference[first : first + output.size])
        if [axis.name for axis in output.axes] == ["l"] and output.size > SMOOTH:
            piece = np.maximum(piece, np.sqrt(uniform_filter1d(piece**2, SMOOTH, mode="nearest")) / 10)
        found.append(np.where(piece > 0, piece, 1e-300))
        first += output.size
    return np.concatenate(found)


def find_units(
    outputs: Outputs, values: Values, reference: Float[np.ndarray, " band"], own: Float[np.ndarray, " m"]
) -> Units:
    """Ask for the weight of every stretch at a reference; zero for what the likelihood does not see.

    values   ln L of rows of bands and of the data set's own parameters; these are `own` throughout
    """
    first, size = np.array(starts(outputs)), template(outputs, reference)
    last = np.append(first[1:], reference.size)
    here = values(reference[None], own[None])[0]
    step, second = np.full(len(first), RAISED), np.zeros(len(first))
    for _ in range(TRIALS):
        up, down = (_raised(values, reference, own, size, first, last, sign * step) for sign in (1.0, -1.0))
        bend = 2 * here - up - down  # step^2 times the curvature
        sound = np.isfinite(bend)
        second = np.where(sound & (np.abs(bend) > SEEN), bend / step**2, np.where(sound, 0.0, second))
        wanted = np.sqrt(CHANGE / np.maximum(np.abs(np.where(sound, bend, 1.0)), 1e-8))
        step = np.minimum(np.where(sound, step * np.clip(wanted, 0.01, 30.0), step / 10), MOST)
    return Units(first, size, np.sqrt(np.maximum(second, 0.0)))


def _raised(
    values: Values,
    reference: np.ndarray,
    own: np.ndarray,
    size: np.ndarray,
    first: np.ndarray,
    last: np.ndarray,
    step: np.ndarray,
) -> np.ndarray:
    """Ln L with one stretch after the other raised."""
    rows = np.tile(reference, (len(step), 1))
    for row, (start, stop, by) in enumerate(zip(first, last, step, strict=True)):
        rows[row, start:stop] += by * size[start:stop]
    return values(rows, np.tile(own, (len(step), 1)))
