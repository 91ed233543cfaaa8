"""How many exact calls are left, and how long they take."""

from dataclasses import dataclass

JUDGE = "judge"


@dataclass(frozen=True)
class Remaining:
    r"""Exact calls left, at least and at most, and the time that they take.

    .. math:: t = \bar s\, n / w

    with the mean seconds of a call :math:`\bar s`, n calls left and w at once. Fits and sampling come on top.
    """

    least: int
    most: int
    seconds_per_call: float | None
    workers: int

    @property
    def least_seconds(self) -> float | None:
        """If all goes well; None before the first call."""
        return self._time(self.least)

    @property
    def most_seconds(self) -> float | None:
        """If the whole budget is spent."""
        return self._time(self.most)

    def _time(self, calls: int) -> float | None:
        return None if self.seconds_per_call is None else self.seconds_per_call * calls / self.workers


def calls_left(
    *, spent: int, in_round: int, purpose: str, judged: int, budget: int | None, judging: int | None
) -> tuple[int, int]:
    """Exact calls that follow, at least and at most.

    At least: those of this round, and what one verdict still needs. At most: what is left of the budget. Both are the
    same where a fixed set is computed.

    spent      finished so far
    in_round   of the present round, not finished
    purpose    of this round or, between rounds, of the last
    judged     draws of the present posterior that are judged already
    budget     None where only this round is to be computed
    judging    that a verdict needs; None for a fixed set
    """
    most = in_round if budget is None else max(in_round, budget - spent)
    if judging is None:
        return most, most
    after = max(0, judging - (judged + in_round if purpose == JUDGE else 0))
    return min(in_round + after, most), most
