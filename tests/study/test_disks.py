"""A disk that is full and a folder that cannot be written, real ones: one line, nothing half-written or lost."""

import contextlib
import shutil
import subprocess
import sys
from dataclasses import replace

import pytest
from toy_studies import archived, curved, diary, missing_records, prepared

from alfonsine.errors import InputError
from alfonsine.study.progress import Silent
from alfonsine.study.run import run


def mount(*arguments):
    """Whether it could be done."""
    return subprocess.run(["mount", *map(str, arguments)], capture_output=True, check=False).returncode == 0


@pytest.fixture
def disk(tmp_path):
    """A disk of ten megabytes, in memory."""
    path = tmp_path / "disk"
    path.mkdir()
    if sys.platform != "linux" or not mount("-t", "tmpfs", "-o", "size=10m", "tmpfs", path):
        pytest.skip("to mount a disk takes a right that this user has not")
    yield path
    subprocess.run(["umount", "--lazy", path], check=False)


def fill(ballast):
    for size in (65536, 512):
        with open(f"{ballast}{size}", "wb", buffering=0) as file, contextlib.suppress(OSError):
            while True:
                file.write(bytes(size))


class FillingUp(Silent):
    """Leaves no room on the disk once so many calls are done."""

    def __init__(self, calls, ballast):
        self.calls, self.ballast = calls, ballast

    def advance(self, note=""):
        self.calls -= 1
        if self.calls == 0:
            fill(self.ballast)


def contents(folder):
    return {path: path.read_bytes() for path in sorted(folder.rglob("*")) if path.is_file()}


def kept(folder, tmp_path):
    """Points of the archive, read from a copy, since there is no room beside it."""
    shutil.rmtree(tmp_path / "copy", ignore_errors=True)
    (tmp_path / "copy").mkdir()
    for file in folder.glob("archive.sqlite*"):
        if file.is_file():
            shutil.copy(file, tmp_path / "copy")
    return archived(tmp_path / "copy" / "archive.sqlite")


@pytest.mark.slow
def test_a_full_disk_and_then_a_read_only_folder(tmp_path, disk):
    study = curved({"diary": str(tmp_path / "diary"), "seconds": 0.05})
    study = replace(prepared(study, tmp_path / "study"), folder=disk / "run")
    with pytest.raises(InputError, match=r"expected .* (full|No space left).* finished calls are kept") as full:
        run(study, FillingUp(5, disk / "ballast"))
    points = kept(study.folder, tmp_path)
    assert "\n" not in str(full.value) and len(points) >= 6  # the one for which there was no room is there as well
    assert set(diary(tmp_path / "diary")) >= points

    assert mount("-o", "remount,ro", disk)
    before = contents(disk)
    with pytest.raises(InputError, match=r"expected .* 'Read-only file system'") as read_only:
        run(study)
    assert "\n" not in str(read_only.value) and contents(disk) == before

    assert mount("-o", "remount,rw", disk)
    for ballast in disk.glob("ballast*"):
        ballast.unlink()
    run(study)
    begun = diary(tmp_path / "diary")
    assert missing_records(study.folder) == [] and not list(study.folder.glob(".*"))
    assert {begun[point] for point in points} == {1}, "a finished call was repeated"
    assert sum(begun.values()) <= len(begun) + 1  # the one that was in flight when the run stopped
    assert not list(study.folder.glob("*.reserve"))
