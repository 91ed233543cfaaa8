"""Workers of a Dask cluster: the same answers and the same containment as on one machine, and nothing lost."""

import os
import signal
import subprocess
import sys
import time
from collections import Counter
from pathlib import Path

import numpy as np
import pytest
from test_engine import LINEAR, MATRIX, OFFSET, alive, diary, line_of_points

from alfonsine.errors import InputError
from alfonsine.theory.archive import Archive
from alfonsine.theory.dask_workers import DaskWorkers, need
from alfonsine.theory.engine import Engine, Workers
from alfonsine.theory.incoming import Incoming
from alfonsine.theory.local_workers import LocalWorkers
from alfonsine.theory.python import PythonTheory
from alfonsine.theory.toy import DiaryToy, HostileToy, SharingToy

pytest.importorskip("distributed")
pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="looks into /proc")


@pytest.fixture(scope="module")
def workers():
    found = DaskWorkers.local(2)
    yield found
    found.close()


@pytest.fixture
def archive(tmp_path):
    with Archive(tmp_path / "a.db") as found:
        yield found


def left_over(archive: Archive) -> list[Path]:
    return list(Incoming.beside(archive).path.glob("*.call"))


def children(parent: int) -> list[int]:
    found = []
    for path in Path("/proc").glob("[0-9]*/stat"):
        try:
            if int(path.read_text().rsplit(")", 1)[1].split()[1]) == parent:
                found.append(int(path.parent.name))
        except OSError:
            continue
    return found


def wait_until(true, what: str, seconds: float = 120.0) -> None:
    deadline = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < deadline, f"{what}: not within {seconds:g} s"
        time.sleep(0.02)


def test_both_kinds_of_workers_are_what_the_engine_asks_for(workers):
    assert isinstance(workers, Workers) and isinstance(LocalWorkers(1), Workers)
    assert workers.count == 2


def test_the_same_answers_in_order_without_duplicates_and_then_from_the_archive(tmp_path, archive, workers):
    theory = DiaryToy(LINEAR, str(tmp_path / "diary"))
    points = line_of_points(9)
    asked = [points[3], *points, points[3]]
    heard = []
    engine = Engine(theory, archive, workers=workers, timeout=60)
    calls = engine.compute(asked, heard.append)
    again = engine.compute(points[:2], heard.append)
    assert [c.inputs for c in calls] == asked
    for call in calls:
        truth = MATRIX @ [call.inputs["x"], call.inputs["y"]] + OFFSET
        np.testing.assert_allclose(call.observables.spectra["data"], truth, rtol=1e-15, atol=1e-15)
    assert [c.fresh for c in calls] == [True, *(i != 3 for i in range(9)), False]
    assert [c.fresh for c in again] == [False, False]
    assert len(heard) == len(asked) + 2 and len(archive) == 9 == len(diary(tmp_path / "diary"))
    assert left_over(archive) == []


@pytest.mark.parametrize(
    ("deed", "reason"),
    [
        ("fail", "outside the region where the code works"),
        ("nan", "NaN or infinity in data"),
        ("crash", "the process crashed (SIGSEGV)"),
        ("exit", "the process crashed (exit code 3)"),
        ("hang", "no answer within 6 s: stopped"),
    ],
)
def test_hostile_codes_are_contained_and_do_not_end_a_worker(tmp_path, archive, workers, deed, reason):
    hostile = DiaryToy(HostileToy(LINEAR, deed, "x", 0.5), str(tmp_path / "diary"))
    before = set(workers.client.nthreads())
    limit = 6 if deed == "hang" else 60
    calls = Engine(hostile, archive, workers=workers, timeout=limit).compute(line_of_points(6))
    assert [c.status for c in calls] == ["done"] * 4 + ["failed"] * 2
    assert {c.reason for c in calls[4:]} == {reason}
    assert set(workers.client.nthreads()) == before
    assert set(Counter(e["inputs"]["x"] for e in diary(tmp_path / "diary")).values()) == {1}
    assert left_over(archive) == []


def test_one_thread_64_bits_and_bounded_memory(tmp_path, archive, workers, monkeypatch):
    (tmp_path / "limits.py").write_text(
        "import os, resource\n"
        "def see(inputs):\n"
        "    gib = resource.getrlimit(resource.RLIMIT_DATA)[0] / 2**30\n"
        "    return {'threads': float(os.environ['OMP_NUM_THREADS']), 'x64': float(os.environ['JAX_ENABLE_X64']),"
        " 'gib': gib}\n"
    )
    monkeypatch.setattr(workers, "memory", 1.5)
    (call,) = Engine(PythonTheory.of("limits:see", tmp_path), archive, workers=workers).compute([{"x": 1.0}])
    assert call.observables.derived == {"threads": 1.0, "x64": 1.0, "gib": 1.5}


def test_points_that_share_stay_together(tmp_path, archive, workers):
    theory = SharingToy(DiaryToy(LINEAR, str(tmp_path / "diary")), "x")
    engine = Engine(theory, archive, workers=workers, timeout=60)
    calls = engine.compute([{"x": float(i % 3), "y": float(i)} for i in range(12)])
    assert engine.solves == 3 and all(c.done for c in calls)


def test_a_killed_worker_costs_what_it_was_at_and_no_more(tmp_path, archive, workers):
    """`kill -9` of a process of Dask: its finished calls stay, the one in flight is made elsewhere; none is failed."""
    theory = DiaryToy(LINEAR, str(tmp_path / "diary"), 0.2)
    victim = next(iter(workers.client.run(os.getpid).values()))
    finished = []

    def blow(call):
        finished.append(call)
        if len(finished) == 4:
            os.kill(victim, signal.SIGKILL)

    calls = Engine(theory, archive, workers=workers, timeout=60).compute(line_of_points(20), blow)
    assert all(c.done for c in calls) and len(archive) == 20 and left_over(archive) == []
    begun = Counter(e["inputs"]["x"] for e in diary(tmp_path / "diary"))
    assert sum(begun.values()) <= 20 + 1
    assert not any(alive(pid) for pid in children(victim))
    wait_until(lambda: len(workers.client.nthreads()) == 2, "another worker in the place of the killed one")


def test_a_killed_call_is_tried_again(tmp_path, archive, workers):
    """`kill -9` of the process in which a call is made."""
    theory = DiaryToy(LINEAR, str(tmp_path / "diary"), 0.3)
    struck = []

    def blow(call):
        if not struck:
            struck.append(diary(tmp_path / "diary")[-1]["pid"])
            os.kill(struck[0], signal.SIGKILL)

    calls = Engine(theory, archive, workers=workers, timeout=60).compute(line_of_points(8), blow)
    assert struck and all(c.done for c in calls)
    assert len(diary(tmp_path / "diary")) <= 8 + 1


PROGRAM = """
import sys
import numpy as np
from alfonsine.theory.archive import Archive
from alfonsine.theory.dask_workers import DaskWorkers
from alfonsine.theory.engine import Engine
from alfonsine.theory.toy import DiaryToy, LinearToy
theory = DiaryToy(LinearToy(("x", "y"), np.array({matrix}), np.array({offset})), "{folder}/diary", {seconds})
engine = Engine(theory, Archive("{folder}/a.db"), workers=DaskWorkers.at("{address}"), timeout=3600)
engine.compute([{{"x": i / {n}, "y": -i / 3}} for i in range({n})], lambda c: print(c.key, flush=True))
"""


def start(folder: Path, workers: DaskWorkers, n: int, seconds: float) -> subprocess.Popen:
    address = workers.client.scheduler.address
    script = PROGRAM.format(
        matrix=MATRIX.tolist(), offset=OFFSET.tolist(), folder=folder, address=address, n=n, seconds=seconds
    )
    return subprocess.Popen([sys.executable, "-c", script], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)


def files(folder: Path) -> set[str]:
    return {path.stem for path in (folder / "a.db.incoming").glob("*.call")}


def test_a_killed_program_loses_nothing_that_a_cluster_finished_and_repeats_nothing(tmp_path, workers):
    process = start(tmp_path, workers, 16, 0.3)
    wait_until(lambda: len(diary(tmp_path / "diary")) >= 7, "seven calls")
    process.send_signal(signal.SIGSTOP)  # deaf for a while: what is finished now nobody hears of
    before = len(files(tmp_path))
    wait_until(lambda: len(files(tmp_path)) >= before + 2, "calls that nobody has taken in")
    process.kill()
    told = set(process.communicate(timeout=60)[0].split())
    time.sleep(1.0)  # in which the calls in flight are stopped
    begun = len(diary(tmp_path / "diary"))
    waiting = files(tmp_path)
    assert waiting - told
    with Archive(tmp_path / "a.db") as archive:
        theory = DiaryToy(LINEAR, str(tmp_path / "diary"))
        Engine(theory, archive)
        kept = {call.key for call in archive}
        assert told | waiting <= kept and left_over(archive) == []
        calls = Engine(theory, archive, workers=workers, timeout=60).compute(line_of_points(16))
        assert {c.key for c in calls if not c.fresh} == kept
        assert all(c.done for c in calls)
    later = {(e["inputs"]["x"]) for e in diary(tmp_path / "diary")[begun:]}
    assert later == {c.inputs["x"] for c in calls if c.key not in kept}, "a finished call was repeated"


def test_calls_that_nobody_waits_for_any_more_are_stopped(tmp_path, workers):
    process = start(tmp_path, workers, 4, 600.0)
    wait_until(lambda: len(diary(tmp_path / "diary")) >= 2, "two calls")
    pids = {e["pid"] for e in diary(tmp_path / "diary")}
    process.kill()
    process.communicate(timeout=60)
    wait_until(lambda: not any(alive(pid) for pid in pids), "calls stopped", 30)


def test_a_folder_that_workers_do_not_share_is_told_before_any_call(tmp_path, archive, workers, monkeypatch):
    theory = DiaryToy(LINEAR, str(tmp_path / "diary"))
    made = Incoming.made
    monkeypatch.setattr(Incoming, "made", lambda self: Incoming(self.path, made(self).sign[::-1]))
    with pytest.raises(InputError, match=r"expected to see .* on the worker's host .* all hosts share"):
        Engine(theory, archive, workers=workers, timeout=60).compute(line_of_points(3))
    assert diary(tmp_path / "diary") == []


def test_a_scheduler_that_is_gone_is_told_in_one_line(tmp_path):
    for where, match in (
        ("tcp://127.0.0.1:9", "expected a Dask scheduler at tcp://127.0.0.1:9"),
        (str(tmp_path / "scheduler.json"), "expected a file of a Dask scheduler"),
    ):
        with pytest.MonkeyPatch.context() as patch, pytest.raises(InputError, match=match) as error:
            patch.setattr("alfonsine.theory.dask_workers.PATIENCE", 1.0)
            DaskWorkers.at(where)
        assert "\n" not in str(error.value)


def test_a_package_that_is_missing_is_named():
    with pytest.raises(InputError, match=r"expected the package no-such-thing .* pip install 'alfonsine\[cluster\]'"):
        need("distributed", "no_such_thing")
