"""Where the exact code has an answer: what its failures teach, and what its cheap part says beforehand.

Failures are never passed over in the posterior: draws that judge it are not screened, and those without an answer
count. Only where points are proposed to *teach* is a place avoided where the code is likely to have none.
"""

from collections.abc import Callable

import numpy as np
from jaxtyping import Bool, Float
from scipy.spatial import cKDTree

from alfonsine.study.exact import Computed

HALVINGS = 10  # of the way from a candidate back to where the code had an answer
ROUNDS = 3  # of asking the cheap part of the code
Screen = Callable[[Float[np.ndarray, "n d"]], Bool[np.ndarray, " n"]]
White = Callable[[Float[np.ndarray, "n d"]], Float[np.ndarray, "n k"]]


class Feasible:
    """Where the cheap part of the code had no answer, remembered beside the failures of the whole.

    screen   asks the cheap part of the code at points of the sampled space
    """

    def __init__(self, screen: Screen, dimension: int) -> None:
        self.screen = screen
        self.bad = np.zeros((0, dimension))

    def answers(self, theta: Float[np.ndarray, "n d"]) -> Bool[np.ndarray, " n"]:
        """Whether the cheap part has an answer at each point; its failures are remembered."""
        if not len(theta):
            return np.ones(0, dtype=bool)
        ok = self.screen(theta)
        self.bad = np.vstack([self.bad, theta[~ok]])
        return ok

    def first(self, theta: Float[np.ndarray, "n d"], count: int) -> Float[np.ndarray, "count d"]:
        """The first `count` points of a sequence with an answer; filled up with others where too few have one."""
        chosen = theta[:0]
        for start in range(0, len(theta), count):
            block = theta[start : start + count]
            chosen = np.vstack([chosen, block[self.answers(block)]])
            if len(chosen) >= count:
                return chosen[:count]
        return np.vstack([chosen, theta])[:count]

    def chosen(
        self,
        candidates: Float[np.ndarray, "n d"],
        known: Computed,
        white: White,
        choose: Callable[[Float[np.ndarray, "n d"]], Float[np.ndarray, "k d"]],
    ) -> Float[np.ndarray, "k d"]:
        """Choose among candidates, again while the cheap part has no answer at some that were chosen.

        After `ROUNDS` only those with an answer are left; where there are none, the whole code is to say so.
        """
        for _ in range(ROUNDS):
            failed = np.vstack([known.theta[~known.done], self.bad])
            points = choose(drawn_back(candidates, known.theta[known.done], failed, white))
            ok = self.answers(points)
            if ok.all():
                break
        return points[ok] if ok.any() else points


def drawn_back(
    candidates: Float[np.ndarray, "n d"],
    done: Float[np.ndarray, "known d"],
    failed: Float[np.ndarray, "failed d"],
    white: White,
) -> Float[np.ndarray, "n d"]:
    """Candidates where the code is likely to have an answer: their nearest exact call had one.

    The others are halved towards the nearest call that had one until that is so: the exact calls then close in on
    the edge of what the code can compute, from the side where they teach something.
    """
    if not len(failed):
        return candidates
    good, bad = cKDTree(white(done)), cKDTree(white(failed))
    for _ in range(HALVINGS):
        distance, nearest = good.query(white(candidates))
        doomed = bad.query(white(candidates))[0] < distance
        candidates = np.where(doomed[:, None], 0.5 * (candidates + done[nearest]), candidates)
    return candidates
