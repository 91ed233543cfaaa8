"""Jobs of SLURM: a `sbatch` that starts the job here stands for SLURM; everything else is real."""

import gc
import os
import subprocess
import sys
from pathlib import Path

import pytest
from test_engine import LINEAR, diary, line_of_points

from alfonsine.errors import InputError
from alfonsine.theory.archive import Archive
from alfonsine.theory.dask_workers import DaskWorkers
from alfonsine.theory.engine import Engine
from alfonsine.theory.toy import DiaryToy

pytest.importorskip("dask_jobqueue")
pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="needs setsid")

SBATCH = """#!/bin/sh
cp "$1" "{folder}/job"
setsid sh "{folder}/job" > "{folder}/out" 2>&1 &
echo "Submitted batch job $!"
"""
SCANCEL = """#!/bin/sh
echo "$1" >> "{folder}/cancelled"
kill -- -"$1"
"""
OPTIONS = {
    "cores": 2,
    "memory": "2GB",
    "queue": "short",
    "walltime": "00:10:00",
    "job_extra_directives": ["--exclusive"],
}


@pytest.fixture
def slurm(tmp_path, monkeypatch):
    for name, text in (("sbatch", SBATCH), ("scancel", SCANCEL)):
        (tmp_path / name).write_text(text.format(folder=tmp_path))
        (tmp_path / name).chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}{os.pathsep}{os.environ['PATH']}")
    return tmp_path


def test_a_job_does_the_calls_and_is_cancelled_at_the_end(slurm):
    workers = DaskWorkers.slurm(1, OPTIONS)
    try:
        assert workers.count == 2
        theory = DiaryToy(LINEAR, str(slurm / "diary"), 0.2)
        with Archive(slurm / "a.db") as archive:
            calls = Engine(theory, archive, workers=workers, timeout=60).compute(line_of_points(6))
    finally:
        workers.close()
    assert all(c.done and c.fresh for c in calls)
    assert len({e["pid"] for e in diary(slurm / "diary")}) == 2  # one process for each core
    job = (slurm / "job").read_text()
    for directive in ("-p short", "-t 00:10:00", "--cpus-per-task=2", "--mem=2G", "--exclusive"):
        assert f"#SBATCH {directive}\n" in job
    assert Path(slurm / "cancelled").exists()


def test_where_jobs_cannot_be_submitted_is_told_in_one_line(monkeypatch, tmp_path):
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(InputError, match="expected SLURM's sbatch on this machine, got none"):
        DaskWorkers.slurm(1, OPTIONS)


def test_an_interrupt_does_what_it_did_before():
    """In a process of its own, as importing dask_jobqueue, which every test here does, changes it for good."""
    code = (
        "import signal\n"
        "from alfonsine.errors import InputError\n"
        "from alfonsine.theory.dask_workers import DaskWorkers\n"
        "signal.signal(signal.SIGINT, signal.default_int_handler)\n"
        "try: DaskWorkers.slurm(1, {})\n"
        "except InputError: pass\n"
        "import dask_jobqueue\n"
        "assert signal.getsignal(signal.SIGINT) is signal.default_int_handler, signal.getsignal(signal.SIGINT)\n"
    )
    done = subprocess.run([sys.executable, "-c", code], env=os.environ | {"PATH": ""}, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr


@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")  # Dask's half-built cluster complains
def test_options_that_the_cluster_refuses_are_told_in_one_line(slurm):
    with pytest.raises(InputError, match="expected options that start jobs of SLURM, got") as error:
        DaskWorkers.slurm(1, OPTIONS | {"nonsense": 3})
    told = str(error.value)
    del error  # it holds the half-built cluster, which is to complain here and not in whichever test comes later
    gc.collect()
    assert "\n" not in told and not (slurm / "job").exists()
