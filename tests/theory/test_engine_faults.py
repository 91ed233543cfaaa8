"""Misfortunes that are nobody's fault: workers killed from outside, memory used up by others, disks that are full."""

import os
import pickle
import signal
import sys
import time
from collections import Counter

import numpy as np
import pytest
from pebble import ProcessExpired, ProcessFuture
from test_engine import LINEAR, MATRIX, OFFSET, diary, line_of_points

from alfonsine.errors import DiskFull, InputError
from alfonsine.theory.archive import Archive
from alfonsine.theory.call import Call
from alfonsine.theory.engine import Engine
from alfonsine.theory.local_workers import LocalWorkers
from alfonsine.theory.observables import Observables
from alfonsine.theory.python import PythonTheory
from alfonsine.theory.reserve import SIZE, reserve_beside, room_held
from alfonsine.theory.task import Outcome, Task, evaluate, settle
from alfonsine.theory.toy import DiaryToy, LinearToy

KILLED = """
import os, signal
from pathlib import Path
folder = Path(__file__).parent
def die(p):
    with open(folder / "deaths", "a") as file:
        file.write(f"{p['x']} {os.getpid()}\\n")
    times = (folder / "deaths").read_text().split().count(str(p["x"]))
    if p["x"] == 0.5 and times <= int((folder / "limit").read_text()):
        os.kill(os.getpid(), signal.SIGKILL)
    return {"data": [2 * p["x"]]}
"""


@pytest.mark.parametrize(("limit", "status"), [(1, "done"), (99, "failed")])
def test_a_killed_process_may_be_a_victim_so_its_point_is_tried_once_more_by_itself(tmp_path, limit, status):
    (tmp_path / "mortal.py").write_text(KILLED)
    (tmp_path / "limit").write_text(str(limit))
    points = [{"x": x} for x in (0.1, 0.5, 0.2, 0.3)]
    with (
        Archive(tmp_path / "a.db") as archive,
        Engine(PythonTheory.of("mortal:die", tmp_path), archive, workers=2, timeout=60) as engine,
    ):
        calls = engine.compute(points)
        again = engine.compute(points)
    assert [c.status for c in calls] == ["done", status, "done", "done"]
    assert [c.status for c in again] == [c.status for c in calls]
    if status == "failed":
        assert calls[1].reason == "the process crashed (SIGKILL, perhaps out of memory)"
    begun = [line.split() for line in (tmp_path / "deaths").read_text().splitlines()]
    assert Counter(x for x, _ in begun) == {"0.1": 1, "0.2": 1, "0.3": 1, "0.5": 2}
    last = next(pid for x, pid in reversed(begun) if x == "0.5")
    assert [pid for _, pid in begun].count(last) == 1, "the second attempt was not in a process of its own"


@pytest.mark.parametrize("deed", ["crash", "hang"])
def test_a_process_that_is_killed_when_all_is_stored_is_no_failure(tmp_path, deed):
    """It dies between its entry and its word of it."""
    (tmp_path / "last.py").write_text("def act(p):\n    return {'data': [p['x']]}\n")
    theory = PythonTheory.of("last:act", tmp_path)
    key = Archive.key(theory.identity(), {"x": 1.0})
    task = Task(pickle.dumps(theory), theory.identity(), ((key, {"x": 1.0}),), 60.0)
    future = ProcessFuture()
    future.set_exception(ProcessExpired("", code=-signal.SIGKILL) if deed == "crash" else TimeoutError())
    with Archive(tmp_path / "a.db") as archive:
        evaluate(task, archive)
        assert settle(task, archive, future, None) == Outcome((True,))
        assert archive.get(key).done


GREED = """
import numpy as np
kept = []
def grow(p):
    if p["leak"]:
        kept.append(np.ones(int(p["leak"] * 2**30 / 8)))
    return {"data": [np.ones(int(p["need"] * 2**30 / 8)).sum()]}
"""


@pytest.mark.skipif(sys.platform != "linux", reason="the limit is Linux's")
def test_memory_is_bounded_and_what_others_left_behind_is_not_held_against_a_point(tmp_path):
    (tmp_path / "greed.py").write_text(GREED)
    workers = LocalWorkers(1, memory=1.0)
    points = [{"leak": 0.0, "need": need} for need in (0.1, 2.0)]
    points += [{"leak": 0.3, "need": 0.2 + i / 100} for i in range(3)]  # together more than a process may have
    with Archive(tmp_path / "a.db") as archive:
        with Engine(PythonTheory.of("greed:grow", tmp_path), archive, workers=workers, timeout=60) as engine:
            calls = engine.compute(points)
        workers.close()
    assert [c.reason for c in calls] == ["", "more than 1 GiB of memory needed", "", "", ""]


def test_a_worker_that_dies_between_batches_is_replaced(tmp_path):
    theory = DiaryToy(LINEAR, str(tmp_path / "diary"))
    with Archive(tmp_path / "a.db") as archive, Engine(theory, archive, workers=1, timeout=60) as engine:
        engine.compute(line_of_points(2))
        (pid,) = {e["pid"] for e in diary(tmp_path / "diary")}
        os.kill(pid, signal.SIGKILL)
        time.sleep(0.5)
        assert all(c.done for c in engine.compute(line_of_points(5)))


def test_another_version_than_the_one_that_was_asked_for_is_refused(tmp_path):
    """On a cluster a worker may have another code installed; its answers would stand under a wrong name."""
    task = Task(pickle.dumps(LINEAR), LINEAR.identity() | {"version": "7"}, (("key", {"x": 1.0, "y": 1.0}),), 60.0)
    with Archive(tmp_path / "a.db") as archive:
        with pytest.raises(InputError, match=r"expected the same exact code .* got another version; install"):
            evaluate(task, archive)
        assert len(archive) == 0


def test_workers_are_shared_by_a_theory_and_its_cheap_part(tmp_path):
    theory, other = (DiaryToy(LinearToy(("x", "y"), MATRIX * f, OFFSET), str(tmp_path / "diary")) for f in (1.0, 2.0))
    with Archive(tmp_path / "a.db") as archive, Engine(theory, archive, workers=1, timeout=60) as engine:
        engine.compute(line_of_points(2))
        with engine.of(other) as cheap:
            assert [c.fresh for c in cheap.compute(line_of_points(2))] == [True, True]
        engine.compute(line_of_points(3))  # its workers are still there
        assert len(archive) == 6
    assert len({e["pid"] for e in diary(tmp_path / "diary")}) == 1


class FullArchive(Archive):
    """Has no room until the room that was held is given up."""

    room = False

    def put(self, call, identity=None):
        if not self.room:
            raise DiskFull("no room")
        return super().put(call, identity)

    def make_room(self):
        super().make_room()
        self.room = not reserve_beside(self.path).exists()


def test_a_call_that_finishes_when_the_disk_is_full_has_room_held_for_it(tmp_path):
    batch = ("a", {"x": 1.0, "y": 1.0}), ("b", {"x": 2.0, "y": 1.0})
    task = Task(pickle.dumps(LINEAR), LINEAR.identity(), batch, 60.0)
    with FullArchive(tmp_path / "a.db") as archive, room_held(archive.path):
        assert reserve_beside(archive.path).stat().st_size == SIZE
        with pytest.raises(DiskFull):  # it stops there: "b" is not begun
            evaluate(task, archive)
        assert [call.key for call in archive] == ["a"]
    assert not reserve_beside(archive.path).exists()


SIZES = (("s", 9), ("b", 9999))


def test_a_full_archive_is_told_in_one_line_and_keeps_what_it_has(tmp_path):
    small, big = (
        Call(name, {"x": 1.0}, "done", "", 1.0, Observables({"data": np.ones(n)}))
        for name, n in (("s", 9), ("b", 9999))
    )
    with Archive(tmp_path / "a.db") as archive:
        archive.put(small, LINEAR.identity())
        with archive._file.access() as connection:
            (pages,) = connection.execute("PRAGMA page_count").fetchone()
            connection.execute(f"PRAGMA max_page_count = {pages}")
        with pytest.raises(InputError, match=r"an archive that can be written .* is full'; make room") as error:
            archive.put(big, LINEAR.identity())
        assert "\n" not in str(error.value)
    with Archive(tmp_path / "a.db") as archive:
        assert [call.key for call in archive] == ["s"]
        assert archive.get("s").observables.spectra["data"].tolist() == [1.0] * 9
        assert archive.put(big, LINEAR.identity())
