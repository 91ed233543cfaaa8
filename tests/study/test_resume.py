"""`kill -9` at any moment, then the same command again: nothing lost, nothing repeated, the same verdict."""

import shutil
import time
from pathlib import Path

import numpy as np
import pytest
from toy_studies import archived, curved, diary, record, start, write

from alfonsine.study.prepare import prepare
from alfonsine.study.run import run
from alfonsine.study.settings import read_study

LIMIT = 300.0  # seconds for one run on a busy machine
WORKERS = 2


class Place:
    """A study on disk whose exact calls take a while and keep a diary; `cache` is for what JAX compiles."""

    def __init__(self, folder: Path, cache: Path, seconds: float) -> None:
        folder.mkdir()
        self.diary, self.folder, self.cache = folder / "diary", folder / "run", cache
        toy = {"diary": str(self.diary), "seconds": seconds}
        self.study = write(curved(toy, compute={"workers": WORKERS}), folder / "study.yaml")

    def start(self):
        """Begin, or go on."""
        return start(self.study, self.folder, self.cache)

    def finish(self) -> None:
        """Go on to the end, in this process, where most is compiled already."""
        assert run(prepare(read_study(self.study), self.folder)).certificate.passed

    def duration(self) -> float:
        """Seconds of a whole run in a process of its own."""
        begun = time.monotonic()
        assert self.start().wait(LIMIT) == 0, self.study.with_suffix(".out").read_text()
        return time.monotonic() - begun

    def archived(self) -> set:
        """Points in the archive, read from a copy: what a killed process left is for its successor alone."""
        copy = self.folder.with_name("copy")
        shutil.rmtree(copy, ignore_errors=True)
        copy.mkdir()
        for file in self.folder.glob("archive.sqlite*"):
            shutil.copy(file, copy)
        return archived(copy / "archive.sqlite")

    def kill(self, process) -> dict:
        """SIGKILL the process (its workers must die by themselves): how often each archived point was begun."""
        process.kill()
        process.wait()
        time.sleep(0.5)
        begun = diary(self.diary)
        return {point: begun[point] for point in self.archived()}


@pytest.fixture(scope="module")
def cache(tmp_path_factory):
    return tmp_path_factory.mktemp("compiled")


@pytest.fixture(scope="module")
def undisturbed(tmp_path_factory, cache):
    place = Place(tmp_path_factory.mktemp("undisturbed") / "place", cache, seconds=0.0)
    place.finish()
    return place


def assert_as_if_undisturbed(place, undisturbed, kills):
    """The calls, their number and the verdict; `kills` holds what each kill left in the archive."""
    begun, points = diary(place.diary), place.archived()
    for kept in kills:
        assert kept.keys() <= points  # none lost
        assert {point: begun[point] for point in kept} == kept  # none repeated
    assert points == undisturbed.archived() == set(begun)
    assert sum(begun.values()) <= len(points) + WORKERS * len(kills)  # begun twice: only what was in flight
    found, truth = record(place.folder), record(undisturbed.folder)
    for same in ("outcome", "solver_calls", "n_judged", "findings", "seed"):
        assert found[same] == truth[same]
    assert truth["kl"]["estimate"] > 1e-6  # not a comparison of rounding errors
    for limit in ("estimate", "upper95"):
        assert found["kl"][limit] == pytest.approx(truth["kl"][limit], rel=1e-6)
    assert len(record(place.folder, "history")) == len(record(undisturbed.folder, "history"))
    with np.load(place.folder / "posterior.npz") as ours, np.load(undisturbed.folder / "posterior.npz") as theirs:
        np.testing.assert_allclose(ours["samples"], theirs["samples"], rtol=1e-6)


@pytest.mark.parametrize("moments", [(6,), pytest.param((6, 20), marks=pytest.mark.slow)], ids=len)
def test_kills_among_the_exact_calls(tmp_path, cache, undisturbed, moments):
    """Once while the emulator learns, once more while it is judged, each with a call in flight."""
    place, kills = Place(tmp_path / "place", cache, seconds=0.2), []
    for lines in moments:
        process, deadline = place.start(), time.monotonic() + LIMIT
        while len(diary(place.diary)) < lines:
            assert process.poll() is None and time.monotonic() < deadline, place.study.with_suffix(".out").read_text()
            time.sleep(0.01)
        kills.append(place.kill(process))
        assert lines - WORKERS <= len(kills[-1]) < len(undisturbed.archived())
        assert not (place.folder / "certificate.json").exists()
    place.finish()
    assert_as_if_undisturbed(place, undisturbed, kills)


@pytest.mark.slow
def test_ten_kills_at_random_moments(tmp_path, cache, undisturbed):
    """Moments uniform over the duration of an undisturbed run, start-up and records included; seed fixed.

    Each attempt goes on from where the last one was killed; in rising order, so that not all come after the last call.
    """
    seconds = 0.6
    duration = Place(tmp_path / "timed", cache, seconds).duration()
    place, kills, alive = Place(tmp_path / "place", cache, seconds), [], 0
    for fraction in np.sort(np.random.default_rng(10).uniform(0.0, 1.0, 10)):
        process = place.start()
        time.sleep(fraction * duration)
        alive += process.poll() is None
        kills.append(place.kill(process))
        print(f"killed at {fraction:.2f} of {duration:.1f} s with {len(kills[-1])} calls in the archive")
    total = len(undisturbed.archived())
    assert alive >= 5 and sum(0 < len(kept) < total for kept in kills) >= 2
    place.finish()
    assert_as_if_undisturbed(place, undisturbed, kills)
