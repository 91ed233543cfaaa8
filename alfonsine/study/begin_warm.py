"""The exact calls with which a warm start begins: those that check earlier ones, and those that complete them."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from jaxtyping import Bool, Float, Int

from alfonsine.errors import InputError
from alfonsine.points.learn import choose
from alfonsine.study.emulate import emulator_inputs
from alfonsine.study.exact import Computed, check_observables
from alfonsine.study.learn import fewest_to_forecast
from alfonsine.study.prepare import Study
from alfonsine.study.reuse import adapted, verdict
from alfonsine.study.warm_start import WarmStart

CHECKS = 2  # exact calls that compare two theories
FAR = 3.0  # standard deviations of the posterior: the second of them is as far as possible, but not further
GOAL = 300  # draws that stand for the posterior when designs are compared
Make = Callable[[Callable[[], np.ndarray]], Computed]


@dataclass(frozen=True)
class FirstCalls:
    """Exact calls before the first lesson; more follow if the checks disagree.

    checks  rows of the earlier calls that are made again
    new     how many points in directions in which no earlier call lies, or of which nothing is known
    reused  earlier calls that are learned from if all checks agree
    seconds mean time of the earlier calls; None where there are none
    """

    checks: Int[np.ndarray, " c"]
    new: int
    reused: int
    seconds: float | None

    @property
    def number(self) -> int:
        """All of them."""
        return len(self.checks) + self.new


def first_calls(study: Study, warm: WarmStart, left: int) -> FirstCalls:
    """Which calls come first, `left` at most if that suffices for the checks."""
    checks = [row for source in np.unique(warm.source[~warm.same]).tolist() for row in _checks(study, warm, source)]
    columns = list(study.space.index(emulator_inputs(study)))
    flat = int(np.sum(np.ptp(warm.theta[:, columns], axis=0) == 0)) if len(warm.theta) else 0
    new = max(study.settings.points.batch, 2 * (flat + 1)) if flat else 0
    if not len(checks):
        new = max(new, fewest_to_forecast(len(columns)) - int(warm.of(warm.same).done.sum()))
    seconds = [call.seconds for call in warm.calls if call.done]
    new, mean = max(0, min(new, left - len(checks))), float(np.mean(seconds)) if seconds else None
    return FirstCalls(np.array(checks, dtype=int), new, len(seconds) - len(checks), mean)


def begin_warm(study: Study, warm: WarmStart, make: Make, left: int, say: Callable[[str], None]) -> Computed:
    """What is known before the first lesson; `make` makes the exact calls of a round, about `left` of them at most."""
    for line in warm.words:
        say(f"  warm start: {line}")
    first, known, places = first_calls(study, warm, left), warm.of(warm.same), warm.places
    if first.number:
        rows = first.checks
        points = np.vstack([warm.theta[rows], _placed(study, warm, warm.theta, places, first.new)])
        new = make(lambda: points)
        check_observables(study, new.calls)
        for source in np.unique(warm.source[rows]).tolist():
            valid = _checked(study, warm, source, rows, new, say)
            places = places if valid is not None else np.vstack([places, warm.theta[_unchecked(warm, source)]])
            known = known if valid is None else known + valid
        known = known + new
    short = min(fewest_to_forecast(len(emulator_inputs(study))) - int(known.done.sum()), left - first.number)
    if short > 0:
        more = _placed(study, warm, known.theta, places, short)
        known = known + make(lambda: more)
    check_observables(study, known.calls)
    if known.done.sum() < 2:
        reason = f"; the last failure: {known.failures[-1].reason}" if known.failures else ""
        found = f"{int(known.done.sum())} of {len(known.done)}"
        raise InputError(f"expected at least two exact models to begin with, got {found}{reason}")
    return known


def _unchecked(warm: WarmStart, source: int) -> Bool[np.ndarray, " n"]:
    """Calls of one work that are of another theory."""
    return (warm.source == source) & ~warm.same


def _checked(
    study: Study,
    warm: WarmStart,
    source: int,
    rows: Int[np.ndarray, " c"],
    new: Computed,
    say: Callable[[str], None],
) -> Computed | None:
    """The earlier calls of one work if the new ones at `rows`, the first of `new`, agree with them; else None."""
    here = np.flatnonzero(warm.source[rows] == source)
    ours, theirs = [new.calls[i] for i in here], warm.of(_unchecked(warm, source))
    found = verdict(study, ours, [warm.calls[rows[i]] for i in here], theirs.calls)
    name, number = study.settings.warm_start[source].run, len(theirs.calls)
    if not found.agrees:
        say(f"  warm start: {name}: {number} calls not learned from, only where they lie: {found.words}")
        return None
    say(f"  warm start: {name}: {number} calls learned from: {found.words}")
    rest = warm.of(_unchecked(warm, source) & ~np.isin(np.arange(len(warm.calls)), rows))
    like = next(call.observables for call in ours if call.observables is not None)
    return Computed(rest.theta, tuple(adapted(study, call, like) for call in rest.calls))


def _checks(study: Study, warm: WarmStart, source: int) -> list[int]:
    """The call next to the middle of the posterior, and one far from it."""
    rows = np.flatnonzero(_unchecked(warm, source))
    columns = list(study.space.index(emulator_inputs(study)))
    distance = np.linalg.norm(_white(warm, warm.theta[rows][:, columns]), axis=1)
    nearest = int(np.argmin(distance))
    far = int(np.argmax(np.where(distance <= max(FAR, distance[nearest]), distance, -1.0)))
    return [int(row) for row in rows[list(dict.fromkeys([nearest, far]))[:CHECKS]]]


def _white(warm: WarmStart, theta: Float[np.ndarray, "n inputs"]) -> Float[np.ndarray, "n inputs"]:
    """Points in units of the posterior that is expected."""
    root = np.linalg.cholesky(np.cov(warm.draws.T).reshape(theta.shape[1], -1))
    return np.linalg.solve(root, (theta - warm.draws.mean(axis=0)).T).T


def _placed(
    study: Study,
    warm: WarmStart,
    known: Float[np.ndarray, "n d"],
    places: Float[np.ndarray, "k d"],
    count: int,
) -> Float[np.ndarray, "c d"]:
    """Points that teach most beside the known ones; nuisance parameters at their reference.

    Candidates are the places of earlier calls near the expected posterior, where there are twice as many as wanted, in
    directions that they do not explore moved as draws are; else tempered draws.
    """
    if count < 1:
        return known[:0]
    columns = list(study.space.index(emulator_inputs(study)))
    lower, upper = (np.asarray(x)[columns] for x in (study.space.lower, study.space.upper))
    middle = warm.draws.mean(axis=0)
    wide = middle + np.sqrt(study.settings.points.temperature) * (warm.draws - middle)
    wide = wide[np.all((wide >= lower) & (wide <= upper), axis=1)]
    wide = wide if len(wide) >= count else warm.draws
    old = places[:, columns]
    if len(old) >= 2 * count:
        flat = np.ptp(old, axis=0) == 0
        old = np.where(flat, wide[np.arange(len(old)) % len(wide)], old)
        old = old[np.linalg.norm(_white(warm, old), axis=1) <= FAR * np.sqrt(len(columns))]
    candidates = old if len(old) >= max(1, 2 * count) else wide
    white = _white(warm, known[:, columns])
    near = white[np.linalg.norm(white, axis=1) <= 2.0 * FAR]
    chosen = choose(_white(warm, candidates), near, _white(warm, warm.draws[:GOAL]), count)
    points = np.tile(np.asarray(study.space.reference), (count, 1))
    points[:, columns] = candidates[chosen]
    return points
