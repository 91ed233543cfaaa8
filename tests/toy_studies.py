"""Small studies with closed-form theories, and ways to run them: in this process, or in one that can be killed."""

import json
import os
import subprocess
import sys
from collections import Counter
from pathlib import Path
from typing import Any

import numpy as np
import yaml

from alfonsine.study.prepare import Study, prepare
from alfonsine.study.read import read_yaml
from alfonsine.study.records import Result
from alfonsine.study.rounds import Rounds
from alfonsine.study.run import run
from alfonsine.study.settings import settings_from
from alfonsine.theory.archive import Archive

MATRIX = np.array([[1.0, 0.5], [0.2, 1.0]])
OFFSET = np.array([0.1, -0.2])
VALUE = np.array([0.6, 0.1])
COVARIANCE = np.array([[0.04, 0.01], [0.01, 0.05]])
EDGE = 5.0  # flat priors reach from -EDGE to EDGE
BEND = 0.5
FLAT = {"prior": {"min": -EDGE, "max": EDGE}, "ref": 0.5, "proposal": 0.2}
RECORDS = (
    "study.yaml", "log", "archive.sqlite", "history.json", "failures.json", "emulator.safetensors", "chain.paramnames",
    "chain.ranges", "chain.covmat", "posterior.npz", "emulator_error.npz", "bestfit.npz", "bestfit.json",
    "certificate.json",
)  # fmt: skip


def linear(misdeed: dict[str, Any] | None = None, **blocks: Any) -> dict[str, Any]:
    """Two correlated Gaussian data linear in x and y, as plain values; `blocks` replace or add blocks of the study."""
    toy = {"name": "linear", "matrix": MATRIX.tolist(), "offset": OFFSET.tolist()}
    return {
        "theory": {"toy": toy if misdeed is None else toy | {"misdeed": misdeed}},
        "likelihood": {"gaussian": {"observable": "data", "value": VALUE.tolist(), "covariance": COVARIANCE.tolist()}},
        "params": {"x": dict(FLAT), "y": dict(FLAT)},
        "sampler": {"nuts": {"chains": 4, "effective_samples": 1000}},
        "compute": {"workers": 1},
    } | blocks


def banana(bend: float = BEND, **blocks: Any) -> dict[str, Any]:
    """The same data, of x and y + bend (x^2 - 1): a curved posterior whose moments are closed-form."""
    return linear(theory={"toy": {"name": "banana", "bend": bend}}, **blocks)


def curved(toy: dict[str, Any] | None = None, **blocks: Any) -> dict[str, Any]:
    """The banana of a = exp(x) - 1/2 and b = y, sampled in x and y: no polynomial is exact, an error is left."""
    params = {
        "x": {"prior": {"min": -EDGE, "max": EDGE}, "ref": 0.3, "proposal": 0.2, "drop": True},
        "y": FLAT | {"drop": True},
        "a": {"value": "lambda x: np.exp(x) - 0.5"},
        "b": {"value": "lambda y: y"},
    }
    theory = {"toy": {"name": "banana", "bend": BEND, **(toy or {})}}
    return linear(theory=theory, params=params, **blocks)


def write(study: dict[str, Any], path: Path) -> Path:
    """Write a study file."""
    path.write_text(yaml.safe_dump(study, sort_keys=False))
    return path


def prepared(study: dict[str, Any], folder: Path) -> Study:
    """The study as the command line prepares it, with its run folder in `folder`."""
    folder.mkdir(parents=True, exist_ok=True)
    return prepare(settings_from(*read_yaml(write(study, folder / "study.yaml"))), folder / "run")


def run_here(study: dict[str, Any], folder: Path) -> Result:
    """Run in this process, so that what one test compiled serves the next."""
    return run(prepared(study, folder))


def command(study: Path, folder: Path) -> list[str]:
    """The command line of a run, for a process of its own."""
    return [sys.executable, "-m", "alfonsine.cli", "run", str(study), "--quiet", "--output", str(folder)]


def start(study: Path, folder: Path, cache: Path) -> subprocess.Popen:
    """Start a run; what it compiles is kept in `cache`, since the next one compiles the same."""
    environment = os.environ | {
        "JAX_COMPILATION_CACHE_DIR": str(cache),
        "JAX_PERSISTENT_CACHE_MIN_COMPILE_TIME_SECS": "0",
        "JAX_PERSISTENT_CACHE_MIN_ENTRY_SIZE_BYTES": "-1",
    }
    with open(study.with_suffix(".out"), "ab") as log:
        return subprocess.Popen(command(study, folder), stdout=log, stderr=log, env=environment)


def record(folder: Path, name: str = "certificate") -> Any:
    """A JSON record of a run folder."""
    return json.loads((folder / f"{name}.json").read_text())


def missing_records(folder: Path) -> list[str]:
    """Which of the RECORDS a run folder lacks, or has empty."""
    return [name for name in RECORDS if not (folder / name).exists() or not (folder / name).stat().st_size]


Point = frozenset[tuple[str, float]]


def diary(path: Path) -> Counter[Point]:
    """How often each point was begun to be computed, by the toy's own account."""
    lines = path.read_text().splitlines() if path.exists() else []
    return Counter(frozenset(json.loads(line)["inputs"].items()) for line in lines)


def archived(path: Path) -> set[Point]:
    """The points of an archive."""
    with Archive(path) as archive:
        return {frozenset(call.inputs.items()) for call in archive}


def rounds(study) -> list:
    """Every round of a finished run."""
    found, kept = [], Rounds(study.folder, study.settings.digest)
    while (entry := kept.get(len(found))) is not None:
        found.append(entry)
    return found
