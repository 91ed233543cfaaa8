"""Finished calls as files: bit for bit into the archive, and nothing that is torn, foreign or under a wrong name."""

import errno
import hashlib
import json
import os
import pickle
import subprocess
import sys
import time
from dataclasses import replace

import numpy as np
import pytest

from alfonsine.errors import InputError
from alfonsine.theory.archive import Archive
from alfonsine.theory.call import Call
from alfonsine.theory.incoming import STALE, Incoming
from alfonsine.theory.observables import Observables

IDENTITY = {"code": "toy", "version": "1", "settings": {"tol": 1e-5}, "outputs": ["d"]}
RNG = np.random.default_rng(4)


def finished(x: float, status: str = "done") -> Call:
    point = {"x": x, "y": 0.1}
    found = Observables({"d": RNG.normal(size=50)}, {"total": np.pi * x}) if status == "done" else None
    reason = "" if status == "done" else "no answer"
    return Call(Archive.key(IDENTITY, point), point, status, reason, 1.25, found, finished="2026-01-02T03:04:05.678")


@pytest.fixture
def archive(tmp_path):
    with Archive(tmp_path / "a.db") as found:
        yield found


@pytest.fixture
def incoming(archive):
    return Incoming.beside(archive).made()


def assert_same(found: Call, truth: Call) -> None:
    for name in ("key", "inputs", "status", "reason", "seconds", "finished"):
        assert getattr(found, name) == getattr(truth, name)
    assert (found.observables is None) == (truth.observables is None)
    if truth.observables is not None and found.observables is not None:
        assert found.observables.spectra["d"].tobytes() == truth.observables.spectra["d"].tobytes()
        assert found.observables.derived == truth.observables.derived


def test_a_call_goes_through_a_file_into_the_archive_bit_for_bit(archive, incoming):
    calls = [finished(0.1), finished(np.nextafter(0.1, 1)), finished(-3.0, "failed")]
    for call in calls:
        assert incoming.put(call, IDENTITY)
        assert not incoming.put(replace(call, seconds=9.0), IDENTITY)  # the first entry stands
        assert_same(incoming.get(call.key), call)
    assert incoming.take(calls[0].key, archive).key == calls[0].key
    assert incoming.get(calls[0].key) is not None  # until it is discarded
    incoming.discard([calls[0].key])
    assert incoming.get(calls[0].key) is None
    assert incoming.take_all(archive) == []
    assert len(archive) == 3 and archive.theories() == [IDENTITY]
    for call in calls:
        assert_same(archive.get(call.key), call)
        assert incoming.get(call.key) is None  # its file is gone
    assert [path.name for path in incoming.path.iterdir()] == ["folder-of-finished-calls"]


def test_taking_twice_changes_nothing(archive, incoming):
    """As when the program died between archiving and removing the file."""
    call = finished(0.3)
    archive.put(replace(call, seconds=7.0), IDENTITY)
    incoming.put(call, IDENTITY)
    assert incoming.take_all(archive) == []
    assert archive.get(call.key).seconds == 7.0 and len(archive) == 1
    assert incoming.take(call.key, archive) is None


@pytest.mark.parametrize("keep", [0, 10, 100, 400, -1])
def test_a_torn_file_counts_for_nothing_and_is_written_again(archive, incoming, keep):
    call = finished(0.2)
    incoming.put(call, IDENTITY)
    (file,) = incoming.path.glob("*.call")
    file.write_bytes(file.read_bytes()[:keep])
    assert incoming.get(call.key) is None and incoming.take(call.key, archive) is None
    (line,) = incoming.take_all(archive)
    assert str(file) in line and len(archive) == 0
    assert incoming.put(call, IDENTITY)
    assert incoming.take_all(archive) == [] and len(archive) == 1


def test_every_flipped_bit_is_noticed(archive, incoming):
    call = finished(0.2)
    incoming.put(call, IDENTITY)
    (file,) = incoming.path.glob("*.call")
    whole = file.read_bytes()
    for place in RNG.choice(len(whole), 60, replace=False):
        file.write_bytes(whole[:place] + bytes([whole[place] ^ 1 << int(RNG.integers(8))]) + whole[place + 1 :])
        assert incoming.get(call.key) is None
    assert len(incoming.take_all(archive)) == 1 and len(archive) == 0


class Bomb:
    def __reduce__(self):
        return os.mkdir, ("exploded",)


def test_foreign_files_are_left_alone_and_named(archive, incoming, monkeypatch, tmp_path):
    monkeypatch.chdir(tmp_path)
    (incoming.path / "notes.txt").write_text("mine")
    (incoming.path / f"{'0' * 64}.call").write_bytes(pickle.dumps(Bomb()))
    (incoming.path / "folder.call").mkdir()
    call = finished(0.2)
    incoming.put(call, IDENTITY)
    (file,) = [path for path in incoming.path.glob("*.call") if path.name.startswith(call.key)]
    file.rename(incoming.path / f"{'1' * 64}.call")
    lines = incoming.take_all(archive)
    assert len(lines) == 4 and len(archive) == 0 and not (tmp_path / "exploded").exists()
    assert all("\n" not in line for line in lines) and any("another name" in line for line in lines)
    assert (incoming.path / "notes.txt").read_text() == "mine"


def test_inputs_that_are_not_those_of_the_key_are_refused_even_with_a_right_digest(archive, incoming):
    call = finished(0.2)
    incoming.put(call, IDENTITY)
    (file,) = incoming.path.glob("*.call")
    _, header, data = file.read_bytes().split(b"\n", 2)
    content = json.dumps(json.loads(header) | {"inputs": {"x": (0.25).hex(), "y": (0.1).hex()}}).encode() + b"\n" + data
    file.write_bytes(b"alfonsine-call-1 " + hashlib.sha256(content).hexdigest().encode() + b"\n" + content)
    (line,) = incoming.take_all(archive)
    assert "not those of its key" in line and len(archive) == 0


def test_only_what_a_dead_writer_left_is_removed(archive, incoming):
    for name, age in ((".old.call.1", STALE + 60), (".new.call.2", 60)):
        (incoming.path / name).write_bytes(b"half a c")
        os.utime(incoming.path / name, (time.time() - age,) * 2)
    assert incoming.take_all(archive) == []
    assert [path.name for path in incoming.path.glob(".*")] == [".new.call.2"]


def test_a_host_that_sees_another_folder_says_so(incoming, tmp_path):
    incoming.check()
    for other in (replace(incoming, path=tmp_path / "elsewhere"), replace(incoming, sign="of another run")):
        with pytest.raises(InputError, match=r"expected to see .* file system that all hosts share"):
            other.check()
    assert not (tmp_path / "elsewhere").exists()
    assert incoming.made() == incoming  # the sign stays


def test_a_folder_that_was_never_made_has_nothing(archive):
    assert Incoming.beside(archive).take_all(archive) == []
    assert Incoming.beside(archive).take("0" * 64, archive) is None


@pytest.mark.parametrize("number", [errno.ENOSPC, errno.EDQUOT, errno.EROFS])
def test_a_disk_that_takes_nothing_is_told_in_one_line_and_nothing_is_left(incoming, monkeypatch, number):
    def refuse(descriptor):
        raise OSError(number, os.strerror(number))

    monkeypatch.setattr(os, "fsync", refuse)
    with pytest.raises(InputError, match=r"expected a folder that can be written.*finished calls are kept") as error:
        incoming.put(finished(0.2), IDENTITY)
    assert "\n" not in str(error.value)
    assert [path.name for path in incoming.path.iterdir()] == ["folder-of-finished-calls"]


FULL = """
import resource, sys
from pathlib import Path
from alfonsine.errors import InputError
from alfonsine.theory.call import Call
from alfonsine.theory.incoming import Incoming
from alfonsine.theory.observables import Observables
incoming = Incoming(Path(sys.argv[1])).made()
resource.setrlimit(resource.RLIMIT_FSIZE, (20_000, 20_000))
for number in (1000, 10_000):  # the second does not fit
    key = str(number)
    try:
        incoming.put(Call(key, {"x": 1.0}, "done", "", 1.0, Observables({"d": [1.0] * number})), {})
        print("written")
    except InputError as error:
        print(error)
"""


def test_a_write_that_the_system_cuts_short_leaves_nothing(tmp_path):
    """A real short write: the kernel refuses to let a file grow beyond a limit."""
    done = subprocess.run([sys.executable, "-c", FULL, str(tmp_path / "i")], capture_output=True, text=True, check=True)
    first, second = done.stdout.splitlines()
    assert first == "written" and "File too large" in second
    assert sorted(path.name for path in (tmp_path / "i").iterdir()) == ["1000.call", "folder-of-finished-calls"]
