"""What is kept of each iteration: which exact calls it learned from, its posterior, and what it cost."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from jaxtyping import Bool, Float

from alfonsine.posterior.posterior import Posterior
from alfonsine.study.exact import Computed
from alfonsine.study.iterative_settings import IterativeSettings
from alfonsine.study.learned import Learned
from alfonsine.study.records import write_arrays

FOLDER = "iterations"


@dataclass(frozen=True)
class Proposed:
    """Points that the tempered posterior proposes.

    kept          (n, d) from the ends of the chains
    thin          (n,) which of them the filter leaves
    between       R - 1 between the chains, the largest of any parameter
    change        R - 1 to the samples of the iteration before; infinite where there is none at this temperature
    temperature   of the posterior
    """

    kept: Float[np.ndarray, "n d"]
    thin: Bool[np.ndarray, " n"]
    between: float
    change: float
    temperature: float

    @property
    def share(self) -> float:
        """Part of the points that the filter leaves."""
        return float(self.thin.mean())

    def affordable(self, most: int) -> Float[np.ndarray, "k d"]:
        """The points to compute: those that the filter leaves, evenly thinned to `most` of them."""
        found = self.kept[self.thin]
        rows = np.unique(np.linspace(0, len(found) - 1, min(most, len(found))).round().astype(int))
        return found[rows] if len(found) else found


class Sets:
    """The exact calls of each iteration, the initial design being number 0, and which of them are learned from.

    least   finished calls with which an emulator can be fitted at all: discarding ends there
    say     told where it ends
    """

    def __init__(self, settings: IterativeSettings, least: int, say: Callable[[str], None]) -> None:
        self.settings, self.least, self.say = settings, least, say
        self.all: list[Computed] = []

    def add(self, computed: Computed) -> None:
        """Add the calls of the next iteration."""
        self.all.append(computed)

    def kept(self, number: int) -> list[int]:
        """Iterations before `number` whose calls are not discarded when its own come.

        The initial design is learned from until there is anything else, and the first iteration until there is a
        second, where they are not to be kept (sections 3.1 and 3.2 of the paper).
        """
        first = ([0] if self.settings.keep_initial else []) + ([1] if self.settings.keep_first_iteration else [])
        return [i for i in first if i < number] + list(range(2, number))

    def earlier(self, number: int) -> Float[np.ndarray, "n d"]:
        """Points beside which those of an iteration are filtered; one where the code had no answer was asked, too."""
        return together([self.all[i] for i in self.kept(number)], self.all[0]).theta

    def learned_from(self) -> Computed:
        """The exact calls from which the emulator of the last iteration learns."""
        number = len(self.all) - 1
        chosen, discarded = {*self.kept(number), number}, []
        for i in reversed(range(number)):  # too few are no emulator: the last that were discarded come back
            if sum(int(self.all[j].done.sum()) for j in chosen) >= self.least:
                break
            if i not in chosen:
                chosen.add(i)
                discarded.append(i)
        if discarded:
            self.say(f"  too few exact calls to discard those of iteration {', '.join(map(str, discarded))}")
        return together([self.all[i] for i in sorted(chosen)], self.all[0])


def together(sets: Sequence[Computed], like: Computed) -> Computed:
    """Several sets of calls as one."""
    found = Computed(like.theta[:0], ())
    for each in sets:
        found = found + each
    return found


def last_points(posterior: Posterior, n: int) -> Float[np.ndarray, "k d"]:
    """The last n different points of the chains, as many of each: the end of a chain has forgotten its start."""
    chains = by_chain(posterior)
    backwards = np.swapaxes(chains[:, ::-1], 0, 1).reshape(-1, chains.shape[2])
    _, first = np.unique(backwards, axis=0, return_index=True)
    return backwards[np.sort(first)[:n]]


def by_chain(posterior: Posterior) -> Float[np.ndarray, "chain draw d"]:
    """Samples of chains of equal length."""
    return posterior.samples.reshape(int(posterior.chain[-1]) + 1, -1, posterior.samples.shape[1])


def keep(folder: Path, number: int, learned: Learned, calls: Computed, proposed: Proposed | None, **told: Any) -> None:
    """Write `iterations/NNN.npz`: the posterior of the emulator of this iteration, what proposed its points, its cost.

    samples, weights, log_posterior   of the posterior at temperature one, under `names`
    proposed, thin                    points from the ends of the tempered chains that proposed this iteration's calls,
                                      and which of them the filter left
    temperature, between, change      of these chains, as in `Proposed`
    training                          exact calls learned from
    calls, failed, solver_seconds     of all exact calls up to here
    """
    posterior = learned.posterior
    empty = Proposed(posterior.samples[:0], np.zeros(0, dtype=bool), np.nan, np.nan, np.nan)
    found = proposed or empty
    write_arrays(
        path_of(folder, number),
        names=np.array(posterior.names),
        samples=posterior.samples,
        weights=posterior.weights,
        log_posterior=posterior.log_posterior,
        proposed=found.kept,
        thin=found.thin,
        temperature=np.array(found.temperature),
        between=np.array(found.between),
        change=np.array(found.change),
        training=np.array(len(learned.training)),
        calls=np.array(len(calls.theta)),
        failed=np.array(len(calls.failures)),
        solver_seconds=np.array(sum(call.seconds for call in calls.calls)),
        **{name: np.array(value) for name, value in told.items()},
    )


def forget_after(folder: Path, number: int) -> None:
    """Remove what an earlier run of another study left of iterations that this one has not."""
    for path in (folder / FOLDER).glob("*.npz"):
        if path.stem.isdigit() and int(path.stem) > number:
            path.unlink()


def path_of(folder: Path, number: int) -> Path:
    """Where an iteration is kept."""
    return folder / FOLDER / f"{number:03d}.npz"
