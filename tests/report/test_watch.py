"""Watching a run: what is read of its folder, whether it is alive, how long it takes yet; and nothing is touched."""

import json
import os
import socket
import subprocess
import sys
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
import synthetic_run
import watched_run

from alfonsine.errors import InputError
from alfonsine.report import watched_words as words
from alfonsine.report.pulse import DEAD, DEAD_ELSEWHERE, GONE, SILENT, Life, Pulse, life
from alfonsine.report.remaining import Remaining, calls_left
from alfonsine.report.watch import Watcher

HERE = socket.gethostname()


def look(folder):
    return Watcher(folder).look()


def test_a_run_that_goes_on(tmp_path):
    view = look(watched_run.write(tmp_path, watched_run.status()))
    assert view.life is Life.RUNNING and view.round == (2, "learn")
    assert words.stage(view) == "exact calls of round 2, to learn: 3 of 8"
    assert words.calls(view) == "18 done, 1 failed, 2 running"
    assert words.budget(view) == "19 of 80 exact calls are spent"
    assert [(f.calls, f.error, f.kl) for f in view.forecasts] == [(8, 0.8, None), (16, 0.11, 0.05)]
    assert [each.kl for each in view.history] == [1.9, 0.061]
    assert any("CLASS: shooting failed" in line for line in words.wrong(view))
    assert words.worker(view).endswith("just now")


@pytest.mark.parametrize("make", [lambda f: watched_run.write(f, watched_run.status()), synthetic_run.write])
def test_watching_touches_nothing(tmp_path, make):
    folder = make(tmp_path)
    (folder / "archive.sqlite").write_bytes(b"not opened")
    before, names = watched_run.digest(folder), {path.stat().st_mtime_ns for path in folder.rglob("*")}
    watcher = Watcher(folder)
    for _ in range(3):
        watcher.look()
    assert watched_run.digest(folder) == before
    assert {path.stat().st_mtime_ns for path in folder.rglob("*")} == names  # folders too


def test_a_finished_run_shows_outcome_and_advice(tmp_path):
    folder = synthetic_run.write(tmp_path)
    watched_run.write_status(folder / "status.json", watched_run.status(ago=9000, stage="", ended="finished"))
    view = look(folder)
    assert view.life is Life.FINISHED and view.over and view.running == 0 and view.remaining is None
    assert words.state(view).word == "Pass"
    assert "Nothing to do." in " ".join(words.outcome(view)) and "95 % sure below 0.0013" in words.outcome(view)[0]


def test_the_certificate_of_an_earlier_run_is_not_that_of_one_that_goes_on(tmp_path):
    folder = synthetic_run.write(tmp_path)
    watched_run.write_status(folder / "status.json", watched_run.status())
    view = look(folder)
    assert words.state(view).word == "Running" and words.outcome(view) == []


def test_an_older_version_without_status(tmp_path):
    view = look(watched_run.write(tmp_path / "going", None))
    assert view.life is Life.UNKNOWN and view.remaining is None and not view.over
    assert (view.done, view.failed, view.budget, view.limit) == (24, 0, 80, 0.002)
    assert words.stage(view) == "exact calls of round 2, to learn"
    view = look(synthetic_run.write(tmp_path / "finished"))
    assert words.state(view).word == "Pass" and (view.done, view.failed) == (51, 3)
    assert view.total == 246.0 and dict(words.seconds(view))["solver"] == 201.4


def test_a_run_that_has_not_begun(tmp_path):
    assert look(tmp_path).life is Life.NOT_BEGUN
    (tmp_path / "study.yaml").write_text(synthetic_run.STUDY)
    assert words.state(look(tmp_path)).word == "Not begun"


@pytest.mark.parametrize("name", ["status.json", "history.json", "failures.json", "study.yaml", "certificate.json"])
@pytest.mark.parametrize(
    "content", [b"", b"\xff\x00{", b'{"a": ', b"[1, 2", b'"words"', b"null", b"[[[[", b'{"beat": "x"}']
)
def test_a_damaged_file_is_told_and_the_rest_is_shown(tmp_path, name, content):
    folder = watched_run.write(tmp_path, watched_run.status(stage="", ended="finished"))
    (folder / "rounds" / "0123456789ab" / "0001.json").write_bytes(content)
    (folder / "log").write_bytes(b"\xff\xfe" + content)
    (folder / name).write_bytes(content)
    view = look(folder)
    words.state(view), words.wrong(view), words.accuracy(view)
    if name == "status.json":
        assert any("status.json is there but cannot be read" in note for note in words.wrong(view))


@pytest.mark.parametrize(
    "change",
    [{"process": "x"}, {"host": 3}, {"alive": "yesterday"}, {"since": "?"}, {"step": -4}, {"total": "many"},
     {"workers": 0}, {"seconds": [1]}, {"failures": ["a", 3]}, {"timed": 0}, {"process": 10**30}, {"done": 1e300}],
)  # fmt: skip
def test_a_status_with_a_wrong_value_is_no_traceback(tmp_path, change):
    folder = watched_run.write(tmp_path, watched_run.status())
    values = json.loads((folder / "status.json").read_text())
    (folder / "status.json").write_text(json.dumps(values | change))
    view = look(folder)
    for tell in (words.state, words.stage, words.calls, words.budget, words.remaining, words.worker, words.wrong):
        tell(view)


def test_nothing_to_show_is_one_line(tmp_path):
    with pytest.raises(InputError, match="does not exist"):
        Watcher(tmp_path / "absent").look()
    (tmp_path / "file").write_text("x")
    with pytest.raises(InputError, match="got the file"):
        Watcher(tmp_path / "file").look()
    with pytest.raises(InputError, match="holds no record of a run"):
        Watcher(tmp_path).look()
    (tmp_path / "only").mkdir()
    (tmp_path / "only" / "status.json").write_text("{")
    with pytest.raises(InputError, match="got damaged files") as error:
        Watcher(tmp_path / "only").look()
    assert "\n" not in str(error.value)


def test_the_command_ends_with_code_2_and_one_line(tmp_path):
    command = [sys.executable, "-m", "alfonsine.cli", "watch", str(tmp_path / "absent"), "--once"]
    done = subprocess.run(command, capture_output=True, text=True, timeout=300, check=False)
    assert done.returncode == 2
    assert done.stderr.startswith("alfonsine: expected a run folder") and len(done.stderr.splitlines()) == 1


@pytest.mark.parametrize(
    ("silence", "host", "exists", "expected"),
    [
        (0.0, HERE, True, Life.RUNNING),
        (SILENT - 1, HERE, True, Life.RUNNING),
        (SILENT + 1, HERE, True, Life.SILENT),
        (DEAD + 1, HERE, True, Life.DEAD),  # another process has its number now
        (GONE - 1, HERE, False, Life.RUNNING),  # of another container on this machine, perhaps
        (GONE + 1, HERE, False, Life.DEAD),
        (DEAD + 1, "elsewhere", False, Life.SILENT),  # a shared file system may lag
        (DEAD_ELSEWHERE + 1, "elsewhere", True, Life.DEAD),
    ],
)
def test_life_is_judged_by_signs_and_by_the_process(silence, host, exists, expected):
    status = replace(watched_run.status(), host=host)
    assert life(status, silence, here=HERE, exists=lambda number: exists) is expected


@pytest.mark.parametrize(("ended", "expected"), [("finished", Life.FINISHED), ("interrupted", Life.STOPPED)])
def test_what_has_ended_is_not_dead_however_long_ago(ended, expected):
    assert life(replace(watched_run.status(), ended=ended), 1e9) is expected


def test_a_killed_process_is_found_dead(tmp_path):
    child = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(600)"])
    folder = watched_run.write(tmp_path, watched_run.status(ago=GONE + 5, process=child.pid))
    assert look(folder).life is Life.RUNNING
    child.kill()
    child.wait()
    view = look(folder)
    assert view.life is Life.DEAD and view.over and view.running == 0
    assert "same command goes on" in words.state(view).meaning and str(child.pid) in words.state(view).meaning


def test_silence_is_counted_by_the_watchers_clock_once_it_has_seen_a_beat():
    status, at = watched_run.status(ago=1000.0), datetime.now(UTC)
    pulse = Pulse().after(status, now=50.0)
    assert pulse.silence(status, 51.0, at) == pytest.approx(1000.0, abs=5)  # only the clocks are known
    later = replace(status, beat=2)  # a machine whose clock is 1000 s behind
    pulse = pulse.after(later, now=60.0)
    assert pulse.silence(later, 67.0, at) == 7.0
    assert pulse.after(later, now=90.0).silence(later, 91.0, at) == 31.0


def test_a_clock_that_is_ahead_is_told(tmp_path):
    view = look(watched_run.write(tmp_path, watched_run.status(ago=-90.0)))
    assert view.life is Life.RUNNING and any("ahead of this machine's" in line for line in words.wrong(view))


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        # learning: the rest of the round and a whole verdict; the budget
        (dict(spent=19, in_round=5, purpose="learn", judged=0, budget=80, judging=24), (5 + 24, 61)),
        # judging: 8 judged, 4 in the round: 12 more make 24
        (dict(spent=60, in_round=4, purpose="judge", judged=8, budget=80, judging=24), (4 + 12, 20)),
        # a verdict that has all its calls
        (dict(spent=70, in_round=0, purpose="judge", judged=24, budget=80, judging=24), (0, 10)),
        # the budget is smaller than what would be wanted
        (dict(spent=75, in_round=2, purpose="learn", judged=0, budget=80, judging=24), (5, 5)),
        # a round that exceeds the budget is finished all the same
        (dict(spent=80, in_round=3, purpose="start", judged=0, budget=80, judging=24), (3, 3)),
        # a design: a fixed number; training without a verdict; judging again
        (dict(spent=30, in_round=70, purpose="", judged=0, budget=110, judging=None), (80, 80)),
        (dict(spent=30, in_round=5, purpose="learn", judged=0, budget=80, judging=0), (5, 50)),
        (dict(spent=30, in_round=70, purpose="", judged=0, budget=None, judging=None), (70, 70)),
    ],
)
def test_calls_left(given, expected):
    assert calls_left(**given) == expected


def test_remaining_time_is_seconds_times_calls_over_workers(tmp_path):
    left = Remaining(least=29, most=61, seconds_per_call=10.0, workers=2)
    assert (left.least_seconds, left.most_seconds) == (145.0, 305.0)
    assert Remaining(29, 61, None, 2).most_seconds is None
    view = look(watched_run.write(tmp_path, watched_run.status()))
    assert view.remaining == left  # 190 s for 19 calls; 3 of 8 done of a round, 24 to judge, 80 in all
    assert words.remaining(view).startswith("at least 29 calls, 2 min 25 s; at most 61 calls, 5 min 05 s (10 s a call")


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({"stage": "", "exact": False, "step": 0, "total": None, "doing": "fit"}, (24, 61)),
        ({"stage": "round 4: exact calls to judge", "step": 2, "total": 6}, (4 + 6, 61)),  # 12 judged before
        ({"stage": "", "exact": False, "step": 0, "total": None, "doing": "judge"}, (24, 61)),
        ({"stage": "final posterior", "exact": False, "doing": "sample"}, None),
    ],
)
def test_remaining_calls_by_stage(tmp_path, changes, expected):
    folder = watched_run.write(tmp_path, watched_run.status(**changes), entries=3)
    left = look(folder).remaining
    assert (left and (left.least, left.most)) == expected


def test_a_line_of_the_terminal_cannot_be_commanded(tmp_path):
    hostile = "\x1b]0;owned\x07\x1b[2J"
    folder = watched_run.write(tmp_path, watched_run.status(stage=hostile, host=hostile, ended=""))
    (folder / "log").write_text(f"t {hostile}\n")
    view = look(folder)
    told = [words.stage(view), words.worker(view), words.state(view).meaning, *words.wrong(view), *view.log]
    assert not any(c in line for line in told for c in "\x1b\x07")


def test_times_are_utc(tmp_path):
    stamp = (datetime.now(UTC) - timedelta(seconds=3)).replace(tzinfo=None).isoformat()
    view = look(watched_run.write(tmp_path, watched_run.status(alive=stamp)))
    assert 2.0 < view.silence < 60.0
    assert os.getpid() == view.status.process
