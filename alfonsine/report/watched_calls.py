"""What was asked of a run, how many exact calls it has made, and how many are left."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from alfonsine.report.parse import number, written_number
from alfonsine.report.pulse import Life
from alfonsine.report.records import Failure, Round
from alfonsine.report.remaining import JUDGE, Remaining, calls_left
from alfonsine.report.watched_files import Planned
from alfonsine.study.settings import AccuracySettings
from alfonsine.study.status import Status

FINAL = "final posterior"
LEARNING = {"inputs", "fit", "sample", "choose"}  # stages of the clock that come after a verdict only if it failed
ROUND = re.compile(r"^round (?P<number>\d+): exact calls to (?P<purpose>.+)$")


@dataclass(frozen=True)
class Counts:
    """Exact calls with and without a result; None where that is not known."""

    done: int | None
    failed: int | None

    @classmethod
    def of(
        cls,
        status: Status | None,
        rounds: tuple[Planned, ...],
        history: tuple[Round, ...],
        failures: tuple[Failure, ...],
        certificate: Mapping[str, Any],
    ) -> "Counts":
        """From the status, else from the certificate, else what the finished rounds add up to."""
        if status is not None:
            return cls(status.done, status.failed)
        calls = certificate.get("solver_calls")
        calls = calls if isinstance(calls, dict) else {}
        total, failed = number(calls.get("total")), number(calls.get("failed"))
        if total is not None and failed is not None:
            return cls(int(total - failed), int(failed))
        begun = sum(each.points for each in rounds[:-1])
        spent = max(begun, history[-1].calls if history else 0)
        return cls(max(0, spent - len(failures)), len(failures)) if rounds or history else cls(None, None)


@dataclass(frozen=True)
class Asked:
    """KL [nats], exact calls allowed, and those that a verdict needs; None where there is none."""

    limit: float | None
    budget: int | None
    judging: int | None

    @classmethod
    def of(cls, status: Status | None, settings: Mapping[str, Any]) -> "Asked":
        """As the run says or, of an older version, as its study does."""
        if status is not None:
            return cls(status.limit, status.budget, status.judging)
        if not settings or settings.get("design") is not None:
            return cls(None, None, None)
        accuracy, known = settings.get("accuracy"), AccuracySettings()
        accuracy = accuracy if isinstance(accuracy, dict) else {}
        kl, calls, judging = (written_number(accuracy.get(name)) for name in ("kl", "calls", "judging"))
        return cls(
            known.kl if kl is None else kl,
            known.calls if calls is None else int(calls),
            known.judging if judging is None else int(judging),
        )


def remaining(
    status: Status | None, state: Life, rounds: tuple[Planned, ...], history: tuple[Round, ...], asked: Asked
) -> Remaining | None:
    """What is left to compute; None where that is not known, or nothing is."""
    if status is None or status.stage == FINAL or state in (Life.FINISHED, Life.NOT_BEGUN):
        return None
    announced = ROUND.match(status.stage)
    purpose = announced["purpose"] if announced else rounds[-1].purpose if rounds else ""
    if not announced and status.doing in LEARNING:
        purpose = ""
    in_round = max(0, (status.total or 0) - status.step) if status.exact else 0
    judged = 0
    if purpose == JUDGE:
        judged = (history[-1].judged or 0) if history and history[-1].kl_upper95 is not None else 0
        judged += status.step if announced else 0
    least, most = calls_left(
        spent=status.done + status.failed,
        in_round=in_round,
        purpose=purpose,
        judged=judged,
        budget=asked.budget,
        judging=asked.judging,
    )
    mean = status.call_seconds / status.timed if status.timed else None
    return Remaining(least, most, mean, max(1, status.workers))
