"""The archive: what is put is there, the first entry stands, and foreign files are refused in one line."""

import multiprocessing
import sqlite3

import numpy as np
import pytest

from alfonsine.errors import InputError
from alfonsine.theory.archive import Archive
from alfonsine.theory.call import Call
from alfonsine.theory.observables import Observables

IDENTITY = {"code": "test", "version": "1", "settings": {"tol": 1e-5}}
POINT = {"x": 0.1, "y": -2.0}


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
    with Archive(tmp_path / "a.db") as archive, archive._access() as connection:
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
