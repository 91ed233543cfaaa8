"""The engine: right answers in the right order, every misfortune contained, nothing computed twice."""

import json
import signal
import subprocess
import sys
import time
from collections import Counter
from pathlib import Path

import numpy as np
import pytest

from alfonsine.errors import InputError
from alfonsine.theory.archive import Archive
from alfonsine.theory.engine import Engine, compute
from alfonsine.theory.python import PythonTheory
from alfonsine.theory.toy import DiaryToy, HostileToy, LinearToy, SharingToy

MATRIX = np.array([[1.0, 2.0], [3.0, -1.0], [0.5, 0.25]])
OFFSET = np.array([1.0, 2.0, 3.0])
LINEAR = LinearToy(("x", "y"), MATRIX, OFFSET)


def line_of_points(n: int) -> list[dict[str, float]]:
    return [{"x": i / n, "y": -i / 3} for i in range(n)]


def diary(path: Path) -> list[dict]:
    return [json.loads(line) for line in path.read_text().splitlines()] if path.exists() else []


def test_a_batch_in_order_without_duplicates_and_then_from_the_archive(tmp_path):
    theory = DiaryToy(LINEAR, str(tmp_path / "diary"))
    points = line_of_points(9)
    asked = [points[3], *points, points[3], {"y": points[3]["y"], "x": points[3]["x"]}]
    heard = []
    with Archive(tmp_path / "a.db") as archive, Engine(theory, archive, workers=2, timeout=60) as engine:
        calls = engine.compute(asked, heard.append)
        again = engine.compute(points[:2], heard.append)
        assert len(archive) == 9
    assert [c.inputs for c in calls] == [dict(sorted(p.items())) for p in asked]
    for call in calls:
        truth = MATRIX @ [call.inputs["x"], call.inputs["y"]] + OFFSET
        np.testing.assert_allclose(call.observables.spectra["data"], truth, rtol=1e-15, atol=1e-15)
    assert [c.fresh for c in calls] == [True, *(i != 3 for i in range(9)), False, False]
    assert [c.fresh for c in again] == [False, False]
    assert len(heard) == len(asked) + 2
    entries = diary(tmp_path / "diary")
    assert len(entries) == 9 and len({e["pid"] for e in entries}) <= 2


@pytest.mark.parametrize(
    ("deed", "reason"),
    [
        ("fail", "outside the region where the code works"),
        ("nan", "NaN or infinity in data"),
        ("raise", "ZeroDivisionError: a bug in the code"),
        ("exit", "the process crashed (exit code 3)"),
        ("abort", "the process crashed (SIGABRT)"),
        ("crash", "the process crashed (SIGSEGV)"),
        ("hang", "no answer within 5 s: stopped"),
    ],
)
def test_hostile_codes_are_contained_on_a_third_of_the_box(tmp_path, deed, reason):
    hostile = DiaryToy(HostileToy(LINEAR, deed, "x", 0.5), str(tmp_path / "diary"))
    points = line_of_points(6)  # x = 0, 1/6, ..., 5/6: two of them exceed 0.5
    with Archive(tmp_path / "a.db") as archive, Engine(hostile, archive, workers=2, timeout=5) as engine:
        calls = engine.compute(points)
        assert [c.status for c in calls] == ["done"] * 4 + ["failed"] * 2
        assert {c.reason for c in calls[4:]} == {reason}
        assert all(c.observables is None for c in calls[4:])
        assert archive.counts() == {"done": 4, "failed": 2}
        again = engine.compute(points)  # a failed point is not tried again
        assert [c.reason for c in again] == [c.reason for c in calls]
    assert set(Counter(e["inputs"]["x"] for e in diary(tmp_path / "diary")).values()) == {1}


def test_one_worker_survives_a_crash_as_well_and_is_recycled(tmp_path):
    theory = DiaryToy(HostileToy(LINEAR, "crash", "x", 0.8), str(tmp_path / "diary"))
    with Archive(tmp_path / "a.db") as archive:
        with Engine(theory, archive, workers=1, timeout=60, max_tasks=3) as engine:
            calls = engine.compute(list(reversed(line_of_points(6))))
    assert [c.status for c in calls] == ["failed"] + ["done"] * 5
    pids = [e["pid"] for e in diary(tmp_path / "diary")]
    assert max(Counter(pids).values()) <= 3 and len(set(pids)) >= 3


def test_another_identity_is_another_call(tmp_path):
    with Archive(tmp_path / "a.db") as archive:
        for theory in (LINEAR, LinearToy(("x", "y"), MATRIX, np.nextafter(OFFSET, 9))):
            (call,) = compute(theory, [{"x": 1.0, "y": 1.0}], archive, workers=1, timeout=60, progress=None)
            assert call.fresh
        assert len(archive) == 2


def test_workers_have_one_thread_and_64_bits(tmp_path):
    (tmp_path / "threads.py").write_text(
        "from os import environ\n"
        "def see(inputs):\n"
        "    return {'threads': float(environ['OMP_NUM_THREADS']), 'x64': environ['JAX_ENABLE_X64'] == '1'}\n"
    )
    theory = PythonTheory.of("threads:see", tmp_path)
    with Archive(tmp_path / "a.db") as archive:
        (call,) = compute(theory, [{"x": 1.0}], archive, workers=1, timeout=60)
    assert call.observables.derived == {"threads": 1.0, "x64": 1.0}


@pytest.mark.parametrize(("bad", "match"), [({"workers": 0}, "at least one worker"), ({"timeout": 0.0}, "time limit")])
def test_bad_limits(tmp_path, bad, match):
    with Archive(tmp_path / "a.db") as archive, pytest.raises(InputError, match=match):
        Engine(LINEAR, archive, **bad)


def test_a_theory_that_cannot_travel_is_refused(tmp_path):
    class Local(LinearToy):
        pass

    with Archive(tmp_path / "a.db") as archive, pytest.raises(InputError, match="sent to worker processes"):
        Engine(Local(("x",), np.ones((1, 1)), np.ones(1)), archive)


def test_an_error_in_the_progress_report_leaves_a_sound_archive(tmp_path):
    def stop(call):
        raise KeyboardInterrupt

    theory = DiaryToy(LINEAR, str(tmp_path / "diary"), 0.05)
    with Archive(tmp_path / "a.db") as archive:
        with pytest.raises(KeyboardInterrupt):
            compute(theory, line_of_points(20), archive, workers=2, timeout=60, progress=stop)
        kept = len(archive)
        assert 1 <= kept < 20
        assert archive.counts()["failed"] == 0
        calls = compute(theory, line_of_points(20), archive, workers=2, timeout=60)
        assert sum(c.fresh for c in calls) == 20 - kept


def test_points_that_share_run_one_after_another_in_one_worker(tmp_path):
    theory = SharingToy(DiaryToy(LINEAR, str(tmp_path / "diary")), "x")
    points = [{"x": float(i % 3), "y": float(i)} for i in range(12)]
    with Archive(tmp_path / "a.db") as archive, Engine(theory, archive, workers=2, timeout=60) as engine:
        calls = engine.compute(points)
        assert engine.solves == 3
        engine.compute(points)
        assert engine.solves == 3
    assert [c.inputs for c in calls] == points and all(c.done and c.fresh for c in calls)
    entries = diary(tmp_path / "diary")
    assert len(entries) == 12
    for x in (0.0, 1.0, 2.0):
        mine = [e for e in entries if e["inputs"]["x"] == x]
        assert len({e["pid"] for e in mine}) == 1
    # one large family is split, so that no worker waits for it
    with Archive(tmp_path / "b.db") as archive, Engine(theory, archive, workers=2, timeout=60) as engine:
        family = {str(i): {"x": float(i > 6), "y": float(i)} for i in range(10)}
        assert [[key for key, _ in task.batch] for task in engine._tasks(family)] == [
            list("01234"),
            list("56"),
            list("789"),
        ]


@pytest.mark.parametrize(
    ("deed", "reason"),
    [
        pytest.param("hang", "no answer within 5 s: stopped", marks=pytest.mark.slow),
        ("crash", "the process crashed (SIGSEGV)"),
    ],
)
def test_one_hostile_point_does_not_take_its_family_along(tmp_path, deed, reason):
    theory = SharingToy(DiaryToy(HostileToy(LINEAR, deed, "y", 0.5), str(tmp_path / "diary")), "x")
    points = [{"x": 1.0, "y": y} for y in (0.0, 0.9, 0.1, 0.8, 0.2)]
    with Archive(tmp_path / "a.db") as archive, Engine(theory, archive, workers=1, timeout=5) as engine:
        calls = engine.compute(points)
    assert [c.status for c in calls] == ["done", "failed", "done", "failed", "done"]
    assert all(c.reason.startswith(reason) for c in calls if not c.done)
    assert len(diary(tmp_path / "diary")) == 5  # nothing twice


PROGRAM = """
import signal
import numpy as np
from alfonsine.theory.archive import Archive
from alfonsine.theory.engine import Engine
from alfonsine.theory.toy import DiaryToy, HostileToy, LinearToy
signal.signal(signal.SIGINT, signal.default_int_handler)  # a shell's background job would inherit "ignore"
linear = LinearToy(("x", "y"), np.array({matrix}), np.array({offset}))
theory = DiaryToy(HostileToy(linear, "{deed}", "x", 0.9), "{folder}/diary", 0.1)
with Engine(theory, Archive("{folder}/a.db"), workers=2, timeout=3600) as engine:
    engine.compute([{{"x": i / 40, "y": -i / 3}} for i in range(40)], lambda c: print(c.key, flush=True))
"""  # on purpose without the `if __name__ == "__main__"` that multiprocessing usually demands


def start(folder: Path, deed: str) -> subprocess.Popen:
    script = folder / "run.py"
    script.write_text(PROGRAM.format(matrix=MATRIX.tolist(), offset=OFFSET.tolist(), folder=folder, deed=deed))
    return subprocess.Popen([sys.executable, str(script)], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)


def alive(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0] not in "ZX"
    except FileNotFoundError:
        return False


def wait_for_entries(process: subprocess.Popen, folder: Path, n: int) -> None:
    deadline = time.monotonic() + 300  # two interpreters start, on a machine that may have other work
    while len(diary(folder / "diary")) < n:
        assert time.monotonic() < deadline, "the program does not get on"
        assert process.poll() is None, f"the program has ended: {process.communicate()[1]}"
        time.sleep(0.01)


@pytest.mark.skipif(sys.platform != "linux", reason="looks into /proc")
@pytest.mark.parametrize(
    "blow",
    [
        signal.SIGKILL,
        pytest.param(signal.SIGINT, marks=pytest.mark.slow),
        pytest.param(signal.SIGTERM, marks=pytest.mark.slow),
    ],
)
def test_a_killed_parent_loses_no_finished_call_and_repeats_none(tmp_path, blow):
    rng = np.random.default_rng(int(blow))
    told: set[str] = set()
    begun_at_kill = 0
    for _ in range(2):
        process = start(tmp_path, "fail")
        begun = begun_at_kill + int(rng.integers(4, 14))
        wait_for_entries(process, tmp_path, begun)
        time.sleep(rng.uniform(0, 0.1))
        process.send_signal(blow)
        output, _ = process.communicate(timeout=60)
        told.update(output.split())
        time.sleep(0.3)
        entries = diary(tmp_path / "diary")
        assert not any(alive(e["pid"]) for e in entries), "workers outlive their parent"
        begun_at_kill = len(entries)
        with Archive(tmp_path / "a.db") as archive:
            kept = {call.key for call in archive}
            finished = Counter(json.dumps(call.inputs) for call in archive)
        assert told <= kept, "a call that was reported is not in the archive"
    process = start(tmp_path, "fail")
    output, errors = process.communicate(timeout=60)
    assert process.returncode == 0, errors
    after = Counter(json.dumps(e["inputs"]) for e in diary(tmp_path / "diary")[begun_at_kill:])
    assert not set(after) & set(finished), "a finished call was repeated"
    assert set(after.values()) == {1}
    with Archive(tmp_path / "a.db") as archive:
        assert archive.counts() == {"done": 37, "failed": 3}  # x = 37/40, 38/40, 39/40 exceed 0.9
        assert all("crashed" not in call.reason and "stopped" not in call.reason for call in archive)


@pytest.mark.skipif(sys.platform != "linux", reason="looks into /proc")
def test_even_hung_workers_die_with_a_killed_parent(tmp_path):
    process = start(tmp_path, "hang")
    wait_for_entries(process, tmp_path, 40 - 1)  # one of the last three points keeps each worker
    time.sleep(1)
    pids = {e["pid"] for e in diary(tmp_path / "diary")}
    assert all(alive(pid) for pid in pids)
    process.kill()
    process.communicate(timeout=60)
    time.sleep(0.3)
    assert not any(alive(pid) for pid in pids)
