"""A study on disk with a witness of its calls, and what a run of it left: for benchmarks/faults.py."""

import json
import os
import socket
import subprocess
import sys
import tempfile
import time
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import yaml

from alfonsine.theory.archive import Archive

ROOT = Path(__file__).parents[1]
WORKERS = 4
CODE = """
import json, os, time

import numpy as np


def bent(p):
    time.sleep({seconds})
    x = np.exp(p["x"]) - 0.5
    result = {{"data": np.array([x, p["y"] + 0.5 * (x**2 - 1)])}}
    descriptor = os.open(os.environ["WITNESS"], os.O_WRONLY | os.O_APPEND | os.O_CREAT)
    os.write(descriptor, (json.dumps(p) + "\\n").encode())
    os.close(descriptor)
    return result
"""
STUDY = {
    "theory": {"python": {"function": "slow:bent", "inputs": ["x", "y"]}},
    "likelihood": {"gaussian": {"observable": "data", "value": [0.6, 0.1], "covariance": [[0.04, 0.01], [0.01, 0.05]]}},
    "params": {
        name: {"prior": {"min": -5.0, "max": 5.0}, "ref": 0.4, "proposal": 0.2, "drop": False} for name in ("x", "y")
    },
    "accuracy": {"kl": 0.001, "judging": 40},
    "sampler": {"nuts": {"chains": 4, "effective_samples": 2000}},
}


@dataclass
class Found:
    """What one scenario left."""

    scenario: str
    calls: int = 0
    failed: int = 0
    struck: int = 0
    lost: int = 0
    repeated: int = 0
    same_rounds: bool = False
    certificate_difference: float = 0.0
    shift_sigma: float = 0.0
    exit_codes: list[int] = field(default_factory=list)
    message: str = ""


class Place:
    """A study on disk, its witness, and whatever makes its calls."""

    def __init__(self, folder: Path, compute: dict, seconds: float, run: Path | None = None) -> None:
        folder.mkdir(parents=True)
        self.folder, self.run, self.witness = folder, run or folder / "run", folder / "witness"
        (folder / "slow.py").write_text(CODE.format(seconds=seconds))
        (folder / "study.yaml").write_text(yaml.safe_dump(STUDY | {"compute": compute}, sort_keys=False))
        path = os.pathsep.join([str(ROOT), os.environ.get("PYTHONPATH", "")])  # this tree, wherever it is run from
        self.environment = os.environ | {"WITNESS": str(self.witness), "PYTHONPATH": path}
        self.log = folder / "log-0"
        self.apart: list[subprocess.Popen] = []

    def start(self) -> subprocess.Popen:
        """Begin the run, or go on with it."""
        command = [sys.executable, "-m", "alfonsine.cli", "run", "study.yaml", "--quiet", "--output", str(self.run)]
        self.log = self.folder / f"log-{len(list(self.folder.glob('log-*')))}"
        with open(self.log, "wb") as log:
            return subprocess.Popen(command, cwd=self.folder, env=self.environment, stdout=log, stderr=log)

    def cluster(self) -> None:
        """A scheduler and its workers, in processes that do not belong to the run."""
        address = f"tcp://127.0.0.1:{free_port()}"
        study = yaml.safe_load((self.folder / "study.yaml").read_text()) | {"compute": {"dask": address}}
        (self.folder / "study.yaml").write_text(yaml.safe_dump(study, sort_keys=False))
        self._apart("dask_scheduler", "--host", "127.0.0.1", "--port", address.rsplit(":", 1)[1], "--no-dashboard")
        for _ in range(WORKERS):
            self._apart("dask_worker", address, "--nthreads", "1", "--no-dashboard", "--local-directory", self.folder)

    def _apart(self, program: str, *arguments: object) -> None:
        command = [sys.executable, "-m", f"distributed.cli.{program}", *map(str, arguments)]
        with open(self.folder / "cluster-log", "ab") as log:
            self.apart.append(subprocess.Popen(command, env=self.environment, stdout=log, stderr=log))

    def finished(self) -> Counter:
        """How often the call of each point finished, by the witness."""
        lines = self.witness.read_text().splitlines() if self.witness.exists() else []
        return Counter(frozenset(json.loads(line).items()) for line in lines)

    def wait(self, process: subprocess.Popen, count: int) -> None:
        """Until so many calls have finished."""
        while sum(self.finished().values()) < count:
            if process.poll() is not None:
                raise SystemExit(f"the run ended before {count} calls: {self.log.read_text()}")
            time.sleep(0.01)

    def close(self) -> None:
        """End what was started apart."""
        for process in self.apart:
            process.terminate()
        for process in self.apart:
            try:
                process.wait(20)
            except subprocess.TimeoutExpired:
                process.kill()

    def left(self, scenario: str, truth: "Place", codes: list[int], struck: int = 0) -> Found:
        """Compare what is there with the witness, and with an undisturbed run."""
        with Archive(self.run / "archive.sqlite") as archive:
            calls = {frozenset(call.inputs.items()): call for call in archive}
        seen = self.finished()
        return Found(
            scenario,
            calls=len(calls),
            failed=sum(not call.done for call in calls.values()),
            struck=struck,
            lost=len(set(seen) - {point for point, call in calls.items() if call.done}),
            repeated=sum(number > 1 for number in seen.values()),
            same_rounds=rounds(self.run) == rounds(truth.run),
            certificate_difference=difference(certificate(self.run), certificate(truth.run)),
            shift_sigma=shift(self.run, truth.run),
            exit_codes=codes,
        )


def sound(run: Path) -> str:
    """Whether sqlite finds anything wrong, asked of a copy elsewhere, since the disk is full."""
    with tempfile.TemporaryDirectory() as copy:
        for path in run.glob("archive.sqlite*"):
            if path.is_file():
                (Path(copy) / path.name).write_bytes(path.read_bytes())
        with Archive(Path(copy) / "archive.sqlite") as archive:
            return f"intact with {len(list(archive))} calls"


def last_line(place: Place) -> str:
    """What the run said in the end."""
    lines = place.log.read_text().strip().splitlines()
    return f"{len(lines)} line(s): {lines[-1]}" if lines else "nothing said"


def rounds(run: Path) -> list[list]:
    """Purpose and points of each round."""
    found = [json.loads(path.read_text()) for path in sorted((run / "rounds").rglob("*.json"))]
    return [[entry["purpose"], entry["theta"]] for entry in found]


def certificate(run: Path) -> dict:
    """The certificate without what depends on the clock."""
    path = run / "certificate.json"
    record = json.loads(path.read_text()) if path.exists() else {}
    return {name: value for name, value in record.items() if not name.startswith("seconds")}


def difference(ours: object, theirs: object) -> float:
    """Largest relative difference of numbers; infinity where anything else differs."""
    if isinstance(ours, dict) and isinstance(theirs, dict) and ours.keys() == theirs.keys():
        return max((difference(ours[name], theirs[name]) for name in ours), default=0.0)
    if isinstance(ours, list) and isinstance(theirs, list) and len(ours) == len(theirs):
        return max((difference(*pair) for pair in zip(ours, theirs, strict=True)), default=0.0)
    if isinstance(ours, float) and isinstance(theirs, float) and ours != theirs:
        return abs(ours - theirs) / max(abs(ours), abs(theirs))
    return 0.0 if ours == theirs else float("inf")


def shift(run: Path, truth: Path) -> float:
    """Largest difference of means, in standard deviations of the other run."""
    try:
        with np.load(run / "posterior.npz") as ours, np.load(truth / "posterior.npz") as theirs:
            means = [np.average(one["samples"], axis=0, weights=one["weights"]) for one in (ours, theirs)]
            return float(np.max(np.abs(means[0] - means[1]) / theirs["samples"].std(axis=0)))
    except FileNotFoundError:
        return float("inf")


def free_port() -> int:
    """A port of this machine that nobody listens to."""
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        return one.getsockname()[1]
