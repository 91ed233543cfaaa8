"""What a run writes down for those who watch it: true, whole, and never in the way of the run."""

import json
import os
import socket
from dataclasses import replace
from time import monotonic

import pytest
import toy_studies

from alfonsine.errors import InputError
from alfonsine.report.watched_files import forecasts, log_lines, status_of
from alfonsine.study import status as status_file
from alfonsine.study.progress import Silent
from alfonsine.study.status import FINISHED, INTERRUPTED, STATUS, Status, StatusFile, write_status
from alfonsine.study.watched import Watched, clock_of, heard_by, watched
from alfonsine.theory.call import Call


def toy_study(folder, workers=2, kl=0.01, calls=40, judging=12):
    """A study whose run folder is `folder`."""
    study = toy_studies.linear(accuracy={"kl": kl, "calls": calls, "judging": judging}, compute={"workers": workers})
    return replace(toy_studies.prepared(study, folder.parent / f"{folder.name}_study"), folder=folder)


def call(done=True, seconds=2.0, reason="too dense"):
    return Call("key", {"x": 1.0}, "done" if done else "failed", "" if done else reason, seconds, None)


class Recorder(Silent):
    """Notes what it is told."""

    def __init__(self):
        self.notes = []

    def advance(self, note=""):
        self.notes.append(note)

    def doing(self, what):
        self.notes.append(what)


def test_a_status_is_read_as_it_was_written(tmp_path):
    written = Status(
        command="run", process=7, host="there", started="2026-01-01T00:00:00+00:00", alive="2026-01-01T00:00:09+00:00",
        beat=3, stage="round 1: exact calls to learn", since="2026-01-01T00:00:05+00:00", step=2, total=8, exact=True,
        doing="solver", running=2, workers=4, done=9, failed=1, timed=10, call_seconds=20.5,
        failures=({"reason": "too dense", "seconds": 1.5, "inputs": {"x": 1.0}},), seconds={"fit": 1.25, "total": 9.0},
        limit=0.01, budget=80, judging=16, ended="",
    )  # fmt: skip
    assert write_status(tmp_path / STATUS, written)
    assert status_of(tmp_path / STATUS) == written
    assert [path.name for path in tmp_path.iterdir()] == [STATUS]


def test_calls_are_counted_with_their_seconds_and_failures(tmp_path):
    recorder = Recorder()
    progress = Watched(recorder, toy_study(tmp_path), "run")
    progress.start("round 0: exact calls to start", 5)
    hear = heard_by(progress)
    for one in (call(seconds=2.0), call(done=False, seconds=7.0), call(seconds=3.0)):
        hear(one)
    status = progress.status()
    assert (status.done, status.failed, status.timed, status.call_seconds) == (2, 1, 3, 12.0)
    assert (status.step, status.total, status.running, status.workers) == (3, 5, 2, 2)
    assert [each["reason"] for each in status.failures] == ["too dense"]
    assert recorder.notes == ["", "failed: too dense", ""]
    hear(call())
    assert progress.status().running == 1  # no more than are left
    progress.start("cheap calls", 9)
    progress.advance()
    assert (progress.status().done, progress.status().running) == (3, 0)  # these are no exact calls
    progress.end(FINISHED)


def test_steps_of_an_engine_that_says_nothing_else_are_calls_too(tmp_path):
    progress = Watched(Silent(), toy_study(tmp_path), "train")
    progress.start("exact calls (training)", 3)
    progress.advance()
    progress.advance("failed: no")
    assert (progress.status().done, progress.status().failed, progress.status().timed) == (1, 1, 0)
    progress.end(FINISHED)


def test_a_stage_of_the_clock_is_told_while_it_goes_on(tmp_path):
    progress = Watched(Silent(), toy_study(tmp_path), "run")
    clock = clock_of(progress)
    assert progress.status().doing == ""
    with clock.stage("inputs"), clock.stage("fit"):
        status = progress.status()
        assert status.doing == "fit" and set(status.seconds) == {"inputs", "fit", "total"}
    assert progress.status().doing == ""
    progress.end(FINISHED)


def test_a_terminal_hears_of_the_clock_and_the_log_does_not(tmp_path):
    @watched("run")
    def work(study, progress=None):
        clock = clock_of(progress)
        progress.say("a line")
        with clock.stage("fit"), clock.stage("sample"):
            pass

    recorder, study = Recorder(), toy_study(tmp_path)
    work(study, recorder)
    assert recorder.notes == ["fitting the emulator", "sampling", "fitting the emulator", ""]
    assert [line.split(" ", 1)[1] for line in (tmp_path / "log").read_text().splitlines()] == ["a line"]


def decorated(body):
    @watched("run")
    def work(study, progress=None):
        progress.start("exact calls", 1)
        return body(study, progress)

    return work


@pytest.mark.parametrize(
    ("raised", "told"),
    [
        (None, FINISHED),
        (KeyboardInterrupt(), INTERRUPTED),
        (InputError("expected a, got b"), "expected a, got b"),
        (RuntimeError("no\nworkers"), "RuntimeError: no workers"),
    ],
)
def test_the_end_is_written_with_its_reason(tmp_path, raised, told):
    def body(study, progress):
        if raised is not None:
            raise raised

    if raised is None:
        decorated(body)(toy_study(tmp_path))
    else:
        with pytest.raises(type(raised)):
            decorated(body)(toy_study(tmp_path), Silent())
    status = status_of(tmp_path / STATUS)
    assert (status.ended, status.process, status.host) == (told, os.getpid(), socket.gethostname())
    assert "exact calls (1)" in (tmp_path / "log").read_text()


def test_what_ends_before_its_first_stage_leaves_no_trace(tmp_path):
    @watched("certify")
    def work(study, count, progress=None):
        raise InputError("expected an emulator")

    with pytest.raises(InputError):
        work(toy_study(tmp_path), 3)
    assert list(tmp_path.iterdir()) == []


def test_a_stage_within_a_stage_keeps_one_status(tmp_path):
    @watched("train")
    def inner(study, progress=None):
        return progress

    given = decorated(lambda study, progress: (progress, inner(study, progress)))(toy_study(tmp_path))
    assert given[0] is given[1]


@pytest.mark.parametrize("broken", ["replace", "compose"])
def test_a_full_disk_or_a_fault_of_its_own_does_not_end_the_run(tmp_path, monkeypatch, broken):
    def full(*_):
        raise OSError(28, "No space left on device")

    if broken == "replace":
        monkeypatch.setattr(status_file.os, "replace", full)
    else:
        monkeypatch.setattr(Watched, "status", full)
    assert decorated(lambda study, progress: "result")(toy_study(tmp_path)) == "result"
    assert [path.name for path in tmp_path.iterdir()] == ["log"]  # nothing half-written


def test_the_file_is_not_written_for_every_change(tmp_path, monkeypatch):
    written = []
    monkeypatch.setattr(status_file, "write_status", lambda path, status: written.append(status))
    monkeypatch.setattr(status_file, "SHORTEST", 3600.0)
    file = StatusFile(tmp_path / STATUS, lambda: "now")
    for _ in range(10_000):
        file.changed()
    file.close()
    assert 1 <= len(written) <= 2  # at most one at the first change, and the last word


def test_a_silent_run_still_gives_signs_of_life(tmp_path, monkeypatch):
    monkeypatch.setattr(status_file, "SHORTEST", 0.0)
    monkeypatch.setattr(status_file, "BEAT", 0.01)
    progress = Watched(Silent(), toy_study(tmp_path), "run")
    progress.start("final posterior")
    seen, deadline = set(), monotonic() + 30
    while len(seen) < 3 and monotonic() < deadline:
        seen |= {status_of(tmp_path / STATUS).beat} if (tmp_path / STATUS).exists() else set()
    assert len(seen) >= 3  # one, if it waited for a change
    progress.end(FINISHED)
    assert json.loads((tmp_path / STATUS).read_text())["ended"] == FINISHED


def test_a_run_leaves_a_status_and_a_log_that_a_watcher_understands(tmp_path):
    result = toy_studies.run_here(toy_studies.banana(), tmp_path)
    calls = toy_studies.record(result.folder)["solver_calls"]
    status = status_of(result.folder / STATUS)
    assert (status.done, status.failed, status.ended) == (calls["total"] - calls["failed"], calls["failed"], FINISHED)
    assert {"solver", "fit", "sample", "judge", "total"} <= set(status.seconds)
    assert (status.limit, status.budget, status.judging) == (0.01, 200, 24)
    found = forecasts(log_lines(result.folder / "log"))
    assert found and found[-1].kl is not None and found[-1].kl < 0.01  # else it would not have been judged
    assert [path for path in result.folder.iterdir() if path.name.startswith(".")] == []
