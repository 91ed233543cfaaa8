"""Run folders in every state in which a watcher may find them."""

import json
import os
import socket
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import synthetic_run

from alfonsine.study.status import Status, write_status

NOW = datetime(2026, 5, 1, 12, 0, 0, tzinfo=UTC)
LOG = """\
2026-05-01T10:00:00+00:00 round 0: exact calls to start (8)
2026-05-01T10:01:00+00:00   8 exact calls: emulator from 8, leave-one-out error 4.2 in chi-square, no forecast yet
2026-05-01T10:10:00+00:00 round 0: exact calls to start (8)
2026-05-01T10:11:00+00:00   8 exact calls: emulator from 8, leave-one-out error 0.8 in chi-square, no forecast yet
2026-05-01T10:12:00+00:00 round 1: exact calls to learn (8)
2026-05-01T10:13:00+00:00   16 exact calls: emulator from 16, leave-one-out error 0.11 in chi-square, forecast KL 0.05
"""


def status(ago: float = 1.0, **changes: Any) -> Status:
    """The status of a run that gave a sign of life so many seconds before now."""
    stamp = (datetime.now(UTC) - timedelta(seconds=ago)).isoformat(timespec="milliseconds")
    known = {
        "command": "run", "process": os.getpid(), "host": socket.gethostname(), "started": stamp, "alive": stamp,
        "beat": 1, "stage": "round 2: exact calls to learn", "since": stamp, "step": 3, "total": 8, "exact": True,
        "doing": "solver", "running": 2, "workers": 2, "done": 18, "failed": 1, "timed": 19, "call_seconds": 190.0,
        "failures": ({"reason": "CLASS: shooting failed", "seconds": 4.0, "inputs": {"h": 0.5}},),
        "seconds": {"solver": 95.0, "fit": 3.0, "sample": 11.0, "total": 110.0},
        "limit": 0.002, "budget": 80, "judging": 24,
    }  # fmt: skip
    return Status(**{**known, **changes})


def write(folder: Path, found: Status | None, entries: int = 2) -> Path:
    """A run that is going on: study, log, history of some rounds; and its status, unless it is of an older version."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "study.yaml").write_text(synthetic_run.STUDY)
    (folder / "log").write_text(LOG)
    (folder / "history.json").write_text(json.dumps(synthetic_run.HISTORY[1 : 1 + entries]))
    (folder / "failures.json").write_text(json.dumps([]))
    rounds = folder / "rounds" / "0123456789ab"
    rounds.mkdir(parents=True, exist_ok=True)
    for number, purpose in enumerate(("start", "learn", "learn")):
        entry = {"number": number, "purpose": purpose, "theta": [[0.0]] * 8}
        (rounds / f"{number:04d}.json").write_text(json.dumps(entry))
    if found is not None:
        write_status(folder / "status.json", found)
    return folder


def digest(folder: Path) -> dict[str, tuple[int, bytes]]:
    """Everything in a folder, with times of change."""
    return {
        str(p.relative_to(folder)): (p.stat().st_mtime_ns, p.read_bytes()) for p in folder.rglob("*") if p.is_file()
    }
