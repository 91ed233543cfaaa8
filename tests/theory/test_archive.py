"""The archive: what is put is there, the first entry stands, and foreign files are refused in one line."""

import multiprocessing
import shutil
import sqlite3
from pathlib import Path

import numpy as np
import pytest

from alfonsine.errors import InputError
from alfonsine.theory.archive import TOGETHER, Archive
from alfonsine.theory.call import Call
from alfonsine.theory.observables import Observables

IDENTITY = {"code": "test", "version": "1", "settings": {"tol": 1e-5}}
POINT = {"x": 0.1, "y": -2.0}
OLD = Path(__file__).parent / "golden" / "archive_without_index.sqlite"  # as alfonsine 0.1 wrote it


def done(key: str, x: float = 1.0) -> Call:
    return Call(key, {"x": x}, "done", "", 0.25, Observables({"data": np.array([x, 2 * x])}, {"sum": 3 * x}))


def test_what_is_put_comes_back(tmp_path):
    with Archive(tmp_path / "a.db") as archive:
        assert archive.put(done("k1", 1 / 3), IDENTITY)
        assert archive.put(Call("k2", {"x": 2.0}, "failed", "no", 1.5, None), IDENTITY)
        assert archive.get("k3") is None
    with Archive(tmp_path / "a.db") as archive:
        call = archive.get("k1")
        assert call is not None and call.done and not call.fresh and call.inputs == {"x": 1 / 3}
        assert call.seconds == 0.25 and call.finished.startswith("20")
        np.testing.assert_array_equal(call.observables.spectra["data"], [1 / 3, 2 / 3])
        failed = archive.get("k2")
        assert (failed.status, failed.reason, failed.observables) == ("failed", "no", None)
        assert [c.key for c in archive] == ["k1", "k2"] == [c.key for c in archive.of(IDENTITY)]
        assert list(archive.of({"code": "other"})) == []
        assert len(archive) == 2 and archive.counts() == {"done": 1, "failed": 1}
        assert archive.theories() == [IDENTITY]


def test_the_first_entry_stands(tmp_path):
    with Archive(tmp_path / "a.db") as archive:
        assert archive.put(done("k", 1.0))
        assert not archive.put(Call("k", {"x": 1.0}, "failed", "late", 9.0, None))
        assert archive.get("k").done and len(archive) == 1


@pytest.mark.parametrize(
    ("identity", "point"),
    [
        ({**IDENTITY, "version": "1.0"}, POINT),
        ({**IDENTITY, "settings": {"tol": np.nextafter(1e-5, 1)}}, POINT),
        ({**IDENTITY, "settings": {"tol": 1e-5, "l_max": 2508}}, POINT),
        (IDENTITY, {**POINT, "x": float(np.nextafter(0.1, 1))}),
        (IDENTITY, {**POINT, "z": 0.0}),
        (IDENTITY, {"x": -2.0, "y": 0.1}),
        (IDENTITY, {"x": 0.1}),
    ],
)
def test_key_feels_every_change(identity, point):
    assert Archive.key(identity, point) != Archive.key(IDENTITY, POINT)


def test_key_ignores_order_and_the_type_of_number():
    other = {"y": -2, "x": np.float64(0.1)}
    assert Archive.key(dict(reversed(IDENTITY.items())), other) == Archive.key(IDENTITY, POINT)
    assert Archive.key(IDENTITY, {"x": -0.0}) == Archive.key(IDENTITY, {"x": 0.0})


def test_key_refuses_nan():
    with pytest.raises(InputError, match="input 'x': expected a finite number, got nan"):
        Archive.key(IDENTITY, {"x": float("nan")})


def filled(path, size: int) -> list[str]:
    """An archive of `size` calls of one theory and, between them, as many of another; the keys of the first."""
    with Archive(path) as archive:
        for i in range(size):
            archive.put(done(f"a{i}", float(i)), IDENTITY)
            archive.put(Call(f"b{i}", {"x": i}, "failed", "no", 3.0, None), {"code": "other"})
    return [f"a{i}" for i in range(size)]


def test_calls_come_in_their_order_however_many(tmp_path):
    keys = filled(tmp_path / "a.db", 2 * TOGETHER + 3)
    with Archive(tmp_path / "a.db") as archive:
        assert [call.key for call in archive.of(IDENTITY)] == keys
        assert [call.key for call in archive][::2] == keys and len(list(archive)) == 2 * len(keys)


def test_a_summary_is_of_one_theory(tmp_path):
    filled(tmp_path / "a.db", 5)
    with Archive(tmp_path / "a.db") as archive:
        archive.put(Call("c", {"x": 9.0}, "failed", "no", 100.0, None), IDENTITY)  # its time does not count
        archive.put(Call("d", {"x": 8.0}, "done", "", 1.25, done("d").observables), IDENTITY)
        found = archive.summary(IDENTITY)
        assert (found.done, found.failed, found.total) == (6, 1, 7)
        assert found.seconds == pytest.approx((5 * 0.25 + 1.25) / 6)
        assert archive.summary({"code": "other"}) == (0, 5, None)
        assert archive.summary({"code": "nobody's"}) == (0, 0, None)


def test_known_keys(tmp_path):
    keys = filled(tmp_path / "a.db", 3)
    with Archive(tmp_path / "a.db") as archive:
        asked = [*keys, *(f"none {i}" for i in range(1200)), "b1"]  # more than one statement takes
        assert archive.known(asked) == {*keys, "b1"}
        assert archive.known([]) == set()


def test_many_at_once_are_all_there_or_none(tmp_path):
    with Archive(tmp_path / "a.db") as archive:
        archive.put(done("1", 1.0), IDENTITY)
        assert archive.put_all([done("1", 7.0), done("2"), done("3")], IDENTITY) == 2
        assert archive.get("1").inputs == {"x": 1.0} and len(archive) == 3  # the first entry stands
        with pytest.raises(InputError, match="expected a finite number"):
            archive.put_all([done("4"), done("5", np.inf)], IDENTITY)
        assert len(archive) == 3


def assert_old_content(archive):
    calls = list(archive)
    assert [call.inputs["x"] for call in calls] == [i / 3 for i in range(6)]
    assert [call.status for call in calls] == ["done", "done", "failed", "done", "done", "done"]
    assert len(list(archive.of(IDENTITY))) == 5 and archive.counts() == {"done": 5, "failed": 1}
    assert archive.summary(IDENTITY).seconds == pytest.approx(0.25 * np.mean([1, 2, 4, 6]))
    call = archive.get(Archive.key(IDENTITY, {"x": 1 / 3, "y": -2.0}))
    np.testing.assert_array_equal(call.observables.spectra["data"], [1 / 3, 2 / 3])
    assert call.seconds == 0.5 and call.finished == "2025-11-28T12:00:00.000+00:00"


def has_index(path) -> bool:
    connection = sqlite3.connect(path)
    try:
        return bool(connection.execute("SELECT 1 FROM sqlite_master WHERE type = 'index' AND sql NOT NULL").fetchone())
    finally:
        connection.close()


def test_an_old_archive_is_given_its_index(tmp_path):
    shutil.copy(OLD, tmp_path / "a.db")
    assert not has_index(tmp_path / "a.db")
    for _ in range(2):
        with Archive(tmp_path / "a.db") as archive:
            assert_old_content(archive)
    assert has_index(tmp_path / "a.db")
    with Archive(tmp_path / "a.db") as archive:
        assert archive.put(done("new"), IDENTITY) and archive.summary(IDENTITY).total == 6


def test_an_archive_that_is_only_read_stays_as_it_is(tmp_path):
    shutil.copy(OLD, tmp_path / "a.db")
    with Archive(tmp_path / "a.db", read_only=True) as archive:
        assert_old_content(archive)
        with pytest.raises(InputError, match="readonly"):
            archive.put(done("new"), IDENTITY)
    assert (tmp_path / "a.db").read_bytes() == OLD.read_bytes()
    with pytest.raises(InputError, match=r"expected an archive that can be read at .*nowhere"):
        Archive(tmp_path / "nowhere.db", read_only=True)
    assert not (tmp_path / "nowhere.db").exists()


def test_what_another_process_is_writing_can_be_read(tmp_path):
    with Archive(tmp_path / "a.db") as writer:
        writer.put(done("k"), IDENTITY)
        assert (tmp_path / "a.db-wal").stat().st_size > 0
        with Archive(tmp_path / "a.db", read_only=True) as reader:
            assert reader.get("k").done


@pytest.mark.parametrize(
    "query",
    [
        lambda archive: archive.counts(),
        lambda archive: archive.summary(IDENTITY),
        lambda archive: archive.known(["a1"]),
    ],
    ids=["counts", "summary", "known"],
)
def test_no_entry_is_read_to_count(tmp_path, query):
    """The account that sqlite gives: every query is answered by an index that covers it."""
    filled(tmp_path / "a.db", 3)
    with Archive(tmp_path / "a.db") as archive:
        asked: list[str] = []
        archive._file._connection.set_trace_callback(asked.append)
        query(archive)
        archive._file._connection.set_trace_callback(None)
        plans = [row[3] for sql in asked for row in archive._file._connection.execute(f"EXPLAIN QUERY PLAN {sql}")]
        assert plans and all("COVERING INDEX" in plan for plan in plans), plans


def refused(path, match):
    with pytest.raises(InputError, match=match) as error:
        with Archive(path) as archive:
            list(archive)
    assert "\n" not in str(error.value) and str(path) in str(error.value)


def full_archive(path) -> None:
    rng = np.random.default_rng(0)
    with Archive(path) as archive:
        for i in range(40):
            archive.put(Call(str(i), {"x": i}, "done", "", 0.1, Observables({"d": rng.normal(size=300)})), IDENTITY)


def test_foreign_files_are_refused(tmp_path):
    (tmp_path / "text").write_text("weight minuslogpost\n" * 100)
    refused(tmp_path / "text", "file is not a database")
    with sqlite3.connect(tmp_path / "other.db") as connection:
        connection.execute("CREATE TABLE t (x)")
    connection.close()
    refused(tmp_path / "other.db", "a database of another program")
    refused(tmp_path, "expected an archive that can be written")
    refused(tmp_path / "nowhere" / "a.db", "expected an archive that can be written")


@pytest.mark.parametrize("keep", [0.2, 0.5, 0.9, 0.99])
def test_a_truncated_file_is_refused(tmp_path, keep):
    full_archive(tmp_path / "a.db")
    data = (tmp_path / "a.db").read_bytes()
    (tmp_path / "a.db").write_bytes(data[: int(keep * len(data))])
    refused(tmp_path / "a.db", "expected an alfonsine archive")


def test_zeros_within_an_entry_are_noticed_on_reading(tmp_path):
    full_archive(tmp_path / "a.db")
    with sqlite3.connect(tmp_path / "a.db") as connection:
        (data,) = connection.execute("SELECT observables FROM calls WHERE key = '7'").fetchone()
        connection.execute("UPDATE calls SET observables = ? WHERE key = '7'", (data[:-8] + bytes(8),))
    connection.close()
    refused(tmp_path / "a.db", "an entry that cannot be read")


def test_an_overwritten_entry_is_refused(tmp_path):
    full_archive(tmp_path / "a.db")
    with sqlite3.connect(tmp_path / "a.db") as connection:
        connection.execute("UPDATE calls SET observables = x'800449' WHERE key = '7'")
    connection.close()
    refused(tmp_path / "a.db", "an entry that cannot be read")


def test_an_empty_file_left_by_a_kill_is_a_new_archive(tmp_path):
    (tmp_path / "a.db").touch()
    with Archive(tmp_path / "a.db") as archive:
        assert len(archive) == 0 and archive.put(done("k"))


def test_the_file_is_written_ahead_and_fully_synchronised(tmp_path):
    with Archive(tmp_path / "a.db") as archive, archive._file.access() as connection:
        assert connection.execute("PRAGMA journal_mode").fetchone() == ("wal",)
        assert connection.execute("PRAGMA synchronous").fetchone() == (2,)  # FULL


def write_some(path: str, writer: int) -> None:
    with Archive(path) as archive:
        for i in range(25):
            archive.put(done(f"{writer}-{i}", float(writer)), IDENTITY)
            archive.put(done(f"shared-{i}", float(writer)), IDENTITY)


def test_several_processes_write_at_once(tmp_path):
    # all of them create the file as well
    context = multiprocessing.get_context("spawn")
    writers = [context.Process(target=write_some, args=(str(tmp_path / "a.db"), w)) for w in range(3)]
    for process in writers:
        process.start()
    for process in writers:
        process.join()
    assert [p.exitcode for p in writers] == [0, 0, 0]
    with Archive(tmp_path / "a.db") as archive:
        assert len(archive) == 3 * 25 + 25
        assert all(call.observables.derived["sum"] == 3 * call.inputs["x"] for call in archive)
