"""Everything ever computed: one durable entry per finished call.

A sqlite file in write-ahead mode with full synchronisation: once `put` returns, the entry survives `kill
-9` and a power cut. Several processes may write. The first entry of a key stands: an exact call is never
repeated.

What is counted or listed is read from an index of a tenth of a kilobyte per entry, never from the entries, whose
spectra are what makes an archive large. A file from before there was that index is given one when it is opened.
"""

import json
import sqlite3
import threading
import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import lru_cache
from pathlib import Path
from typing import Any, NamedTuple

from alfonsine.errors import InputError
from alfonsine.theory.call import Call
from alfonsine.theory.entry import COLUMNS, INSERT, Row, call_of, digest_of, exact, inputs_of, row_of

APPLICATION_ID = 0x416C6653  # "AlfS": tells our files from other people's
INDEX = "CREATE INDEX IF NOT EXISTS calls_of_theory ON calls (theory, status, seconds)"
SCHEMA = (
    "CREATE TABLE theories (digest TEXT PRIMARY KEY, identity TEXT NOT NULL)",
    "CREATE TABLE calls (key TEXT PRIMARY KEY, theory TEXT, inputs TEXT NOT NULL, status TEXT NOT NULL, "
    "reason TEXT NOT NULL, seconds REAL NOT NULL, finished TEXT NOT NULL, observables BLOB, "
    "digest TEXT)",
    INDEX,
    f"PRAGMA application_id = {APPLICATION_ID}",
)
FULL_CHECK_BELOW = 100e6  # bytes; larger files are checked page by page as they are read
PATIENCE = 60.0  # seconds to wait for another writer
TOGETHER = 64  # entries read in one statement: spectra of a large archive do not fit in memory together
KEYS = 500  # looked up in one


class Summary(NamedTuple):
    """Of the calls of one theory: how many are done, how many failed, and the mean seconds of one that is done."""

    done: int
    failed: int
    seconds: float | None

    @property
    def total(self) -> int:
        """All finished calls."""
        return self.done + self.failed


class Archive:
    """The archive in the file `path`, which is created where there is none.

    `read_only`: of somebody else's, which must be there and is left as it is. InputError if the file is damaged,
    belongs to another program, or cannot be written (read).
    """

    def __init__(self, path: str | Path, *, read_only: bool = False) -> None:
        self.path, self.read_only = Path(path).absolute(), read_only
        self._lock = threading.Lock()
        self._connection = self._open()

    @staticmethod
    def key(identity: Mapping[str, Any], inputs: Mapping[str, float]) -> str:
        """Digest of all that decides a result: sha256 of canonical JSON, inputs exact to the last bit."""
        values = {name: exact(name, value).hex() for name, value in inputs.items()}
        return digest_of({"theory": identity, "inputs": values})

    def get(self, key: str) -> Call | None:
        """The finished call of this key, or None."""
        with self._access() as connection:
            row = connection.execute(f"SELECT {COLUMNS} FROM calls WHERE key = ?", (key,)).fetchone()
        return None if row is None else self._call(row)

    def put(self, call: Call, identity: Mapping[str, Any] | None = None) -> bool:
        """Store a finished call durably; False (and no change) if its key is there already.

        `identity` of the theory makes the file tell on its own what was computed.
        """
        return self.put_all([call], identity) == 1

    def put_all(self, calls: Iterable[Call], identity: Mapping[str, Any] | None = None) -> int:
        """Store finished calls of one theory, all of them or none; how many were not there before."""
        theory = None if identity is None else digest_of(identity)
        rows = [row_of(call, theory) for call in calls]
        with self._access() as connection, _transaction(connection):
            if identity is not None:
                entry = (theory, json.dumps(identity, sort_keys=True))
                connection.execute("INSERT OR IGNORE INTO theories VALUES (?, ?)", entry)
            return connection.executemany(INSERT, rows).rowcount

    def known(self, keys: Iterable[str]) -> set[str]:
        """Which of these keys have an entry; no entry is read."""
        keys, found = list(keys), set()
        for first in range(0, len(keys), KEYS):
            some = keys[first : first + KEYS]
            with self._access() as connection:
                rows = connection.execute(f"SELECT key FROM calls WHERE key IN ({_marks(some)})", some).fetchall()
            found.update(key for (key,) in rows)
        return found

    def counts(self) -> dict[str, int]:
        """How many calls are done and how many failed."""
        found = {"done": 0, "failed": 0}
        with self._access() as connection:
            # in the order of the index, which is then read once and not sorted
            rows = connection.execute("SELECT theory, status, COUNT(*) FROM calls GROUP BY theory, status").fetchall()
        for _, status, number in rows:
            found[status] = found.get(status, 0) + number
        return found

    def summary(self, identity: Mapping[str, Any]) -> Summary:
        """Number and mean duration of the calls of one theory; no entry is read."""
        with self._access() as connection:
            rows = connection.execute(
                "SELECT status, COUNT(*), SUM(seconds) FROM calls WHERE theory = ? GROUP BY status",
                (digest_of(identity),),
            ).fetchall()
        found = {status: (number, seconds) for status, number, seconds in rows}
        done, seconds = found.get("done", (0, 0.0))
        return Summary(done, found.get("failed", (0, 0.0))[0], seconds / done if done else None)

    def __len__(self) -> int:
        """Number of finished calls, failed ones included."""
        return sum(self.counts().values())

    def __iter__(self) -> Iterator[Call]:
        """All calls in the order in which they finished."""
        return self._select("", ())

    def of(self, identity: Mapping[str, Any]) -> Iterator[Call]:
        """The calls of one theory, in the order in which they finished."""
        return self._select("WHERE theory = ?", (digest_of(identity),))

    def inputs_of(self, identity: Mapping[str, Any]) -> Iterator[tuple[str, dict[str, float]]]:
        """Key and inputs of the calls of one theory, in the order in which they finished, without what came out."""
        for rows in self._rows("WHERE theory = ?", (digest_of(identity),)):
            with self._access() as connection:
                found = connection.execute(
                    f"SELECT key, inputs FROM calls WHERE rowid IN ({_marks(rows)}) ORDER BY rowid", rows
                ).fetchall()
            for key, inputs in found:
                yield key, inputs_of(inputs)

    def theories(self) -> list[dict[str, Any]]:
        """The identities of all theories that have an entry."""
        with self._access() as connection:
            rows = connection.execute("SELECT identity FROM theories ORDER BY rowid").fetchall()
        return [json.loads(identity) for (identity,) in rows]

    def __reduce__(self) -> tuple[Any, ...]:
        """An archive travels to another process as its path, and is opened there once."""
        return _opened, (str(self.path),)

    def close(self) -> None:
        """Close the file; entries are safe with or without it."""
        with self._lock:
            self._connection.close()

    def __enter__(self) -> "Archive":
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _select(self, condition: str, values: tuple[str, ...]) -> Iterator[Call]:
        for rows in self._rows(condition, values):
            with self._access() as connection:
                found = connection.execute(
                    f"SELECT {COLUMNS} FROM calls WHERE rowid IN ({_marks(rows)}) ORDER BY rowid", rows
                ).fetchall()
            yield from map(self._call, found)

    def _rows(self, condition: str, values: tuple[str, ...]) -> Iterator[list[int]]:
        """Numbers of entries, some at a time, in the order in which they were made."""
        with self._access() as connection:
            # sorted here: asked for in their order, sqlite would rather read the entries than the index
            rows = sorted(connection.execute(f"SELECT rowid FROM calls {condition}", values))
        for first in range(0, len(rows), TOGETHER):
            yield [row for (row,) in rows[first : first + TOGETHER]]

    def _call(self, row: Row) -> Call:
        try:
            return call_of(row)
        except ValueError:  # an InputError of the observables, too
            raise self._damaged("an entry that cannot be read") from None

    def _open(self) -> sqlite3.Connection:
        deadline = time.monotonic() + PATIENCE
        while True:
            try:
                return self._connect()
            except sqlite3.OperationalError as error:
                # the switch to write-ahead mode does not wait for another process that is creating the file
                if not _busy(error) or time.monotonic() > deadline:
                    raise self._unwritable(error) from None
                time.sleep(0.05)
            except sqlite3.DatabaseError as error:
                raise self._damaged(f"'{error}'") from None

    def _connect(self) -> sqlite3.Connection:
        connection = self._file()
        try:
            (application,) = connection.execute("PRAGMA application_id").fetchone()
            entries = {name for (name,) in connection.execute("SELECT name FROM sqlite_master")}
            if entries and application != APPLICATION_ID:
                raise self._damaged("a database of another program")
            size = self.path.stat().st_size
            (expected,) = connection.execute(
                "SELECT page_count * page_size FROM pragma_page_count, pragma_page_size"
            ).fetchone()
            if size < expected and not self._written_ahead():
                raise self._damaged(f"{size} bytes of {expected}")
            if entries and size < FULL_CHECK_BELOW:
                (verdict,) = connection.execute("PRAGMA quick_check(1)").fetchone()
                if verdict != "ok":
                    raise self._damaged(f"'{' '.join(verdict.split())}'")
            if not self.read_only:
                self._complete(connection)
            elif not entries:
                raise self._damaged("an empty file")
        except BaseException:
            connection.close()
            raise
        return connection

    def _file(self) -> sqlite3.Connection:
        """The open file; of a folder that cannot be written to, as one that nobody else is writing."""
        if not self.read_only:
            return sqlite3.connect(self.path, PATIENCE, isolation_level=None, check_same_thread=False)
        for options in ("mode=ro", "mode=ro&immutable=1"):
            connection = sqlite3.connect(
                f"{self.path.as_uri()}?{options}", PATIENCE, isolation_level=None, check_same_thread=False, uri=True
            )
            try:
                connection.execute("SELECT COUNT(*) FROM sqlite_master").fetchone()
                return connection
            except sqlite3.OperationalError as error:
                connection.close()
                if _busy(error) or self._written_ahead() or "immutable" in options:
                    raise
            except BaseException:
                connection.close()
                raise
        raise AssertionError

    def _complete(self, connection: sqlite3.Connection) -> None:
        """Set the modes; make tables in a new file, and the index in one from before there was any."""
        connection.execute("PRAGMA journal_mode = WAL")
        connection.execute("PRAGMA synchronous = FULL")
        if connection.execute("SELECT 1 FROM sqlite_master WHERE name = 'calls_of_theory'").fetchone():
            return
        with _transaction(connection):
            new = not connection.execute("SELECT COUNT(*) FROM sqlite_master").fetchone()[0]
            for statement in SCHEMA if new else (INDEX,):
                connection.execute(statement)

    def _written_ahead(self) -> bool:
        """Whether pages wait beside the file; it may then be shorter than it says."""
        beside = Path(f"{self.path}-wal")
        return beside.is_file() and beside.stat().st_size > 0

    @contextmanager
    def _access(self) -> Iterator[sqlite3.Connection]:
        with self._lock:
            try:
                yield self._connection
            except sqlite3.OperationalError as error:  # a full disk, say, is not the fault of the file
                raise self._unwritable(error) from None
            except sqlite3.DatabaseError as error:
                if type(error) is not sqlite3.DatabaseError:
                    raise  # nor is a closed archive
                raise self._damaged(f"'{error}'") from None

    def _unwritable(self, error: sqlite3.OperationalError) -> InputError:
        remedy = "make room" if "full" in str(error) else "make room, mend its permissions or choose another folder"
        how = "read" if self.read_only else "written"
        return InputError(
            f"expected an archive that can be {how} at {self.path}, got '{error}'; {remedy}, then give the same "
            "command again: finished calls are kept"
        )

    def _damaged(self, found: str) -> InputError:
        return InputError(
            f"expected an alfonsine archive at {self.path}, got {found}; "
            "restore a copy, or move the file away to start anew"
        )


@lru_cache(maxsize=1)
def _opened(path: str) -> Archive:
    return Archive(path)


@contextmanager
def _transaction(connection: sqlite3.Connection) -> Iterator[None]:
    connection.execute("BEGIN IMMEDIATE")
    try:
        yield
    except BaseException:
        if connection.in_transaction:
            connection.execute("ROLLBACK")
        raise
    connection.execute("COMMIT")


def _marks(values: Sequence[Any]) -> str:
    return ",".join("?" * len(values))


def _busy(error: sqlite3.OperationalError) -> bool:
    return "locked" in str(error) or "busy" in str(error)
