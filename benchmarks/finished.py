"""What the record of a finished run says, as the benchmarks print it."""

import json
from pathlib import Path
from typing import Any


def finished(folder: Path) -> dict[str, Any]:
    """Outcome, exact calls, divergence [nats], largest shift [sigma] and seconds of the run in `folder`."""
    record = json.loads((folder / "certificate.json").read_text())
    calls, seconds = record["solver_calls"], record["seconds"]
    return {
        "outcome": record["outcome"],
        "solver_calls": calls["total"],
        "training": calls["training"],
        "judging": calls["judging"],
        "failed": calls["failed"],
        "cheap_calls": calls["cheap"],
        "kl_estimate": record["kl"]["estimate"],
        "kl_upper95": record["kl"]["upper95"],
        "cut_off": record.get("cut_off"),
        "largest_shift": max(abs(entry["estimate"]) for entry in record["shift_sigma"].values()),
        "seconds_solver": seconds["solver"],
        "seconds_not_solver": round(seconds["total"] - seconds["solver"], 1),
        "inputs": record["inputs"],
    }
