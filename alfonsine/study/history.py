"""What happened so far, kept on disk while it happens: one entry per round, and every failed call."""

import json
from pathlib import Path
from typing import Any

import numpy as np

from alfonsine.study.clock import Clock
from alfonsine.study.exact import Computed
from alfonsine.theory.durable import write_durably


class History:
    """The rounds as the report shows them."""

    def __init__(self, folder: Path, clock: Clock) -> None:
        self.folder, self.clock = folder, clock
        self.entries: list[dict[str, Any]] = []
        self._seconds: dict[str, float] = {}

    def add(self, number: int, **found: Any) -> None:
        """Add an entry; values that are not finite become null."""
        now = dict(self.clock.seconds)
        spent = {stage: round(now[stage] - self._seconds.get(stage, 0.0), 3) for stage in now}
        self._seconds = now
        self.entries.append({"round": number, **{k: finite(v) for k, v in found.items()}, "seconds": spent})
        write_durably(self.folder / "history.json", json.dumps(self.entries, indent=1).encode())

    def failures(self, calls: Computed) -> None:
        """Keep the list of failed calls, with where and why."""
        failed = [{"inputs": c.inputs, "reason": c.reason, "seconds": c.seconds} for c in calls.failures]
        write_durably(self.folder / "failures.json", json.dumps(failed, indent=1).encode())


def finite(value: Any) -> Any:
    """Plain JSON values."""
    if isinstance(value, float | np.floating):
        return float(value) if np.isfinite(value) else None
    return int(value) if isinstance(value, np.integer) else value
