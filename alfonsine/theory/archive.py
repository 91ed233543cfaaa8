"""Everything ever computed: one durable entry per finished call.

A sqlite file in write-ahead mode with full synchronisation: once `put` returns, the entry survives `kill
-9` and a power cut. Several processes may write. The first entry of a key stands: an exact call is never
repeated.
"""

import hashlib
import json
import math
import sqlite3
import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, datetime
from functools import lru_cache
from pathlib import Path
from typing import Any

from alfonsine.errors import DiskFull, InputError
from alfonsine.theory.call import Call
from alfonsine.theory.observables import Observables
from alfonsine.theory.reserve import give_up, reserve_beside

APPLICATION_ID = 0x416C6653  # "AlfS": tells our files from other people's
SCHEMA = (
    "CREATE TABLE theories (digest TEXT PRIMARY KEY, identity TEXT NOT NULL)",
    "CREATE TABLE calls (key TEXT PRIMARY KEY, theory TEXT, inputs TEXT NOT NULL, status TEXT NOT NULL, "
    "reason TEXT NOT NULL, seconds REAL NOT NULL, finished TEXT NOT NULL, observables BLOB, "
    "digest TEXT)",
    f"PRAGMA application_id = {APPLICATION_ID}",
)
COLUMNS = "key, inputs, status, reason, seconds, observables, digest, finished"
FULL_CHECK_BELOW = 100e6  # bytes; larger files are checked page by page as they are read
PATIENCE = 60.0  # seconds to wait for another writer


class Archive:
    """The archive in the file `path`, which is created where there is none.

    InputError if the file is damaged, belongs to another program, or cannot be written.
    """

    def __init__(self, path: str | Path) -> None:
        self.path = Path(path).absolute()
        self._lock = threading.Lock()
        self._connection = self._open()

    @staticmethod
    def key(identity: Mapping[str, Any], inputs: Mapping[str, float]) -> str:
        """Digest of all that decides a result: sha256 of canonical JSON, inputs exact to the last bit."""
        exact = {name: _exact(name, value).hex() for name, value in inputs.items()}
        return _digest({"theory": identity, "inputs": exact})

    def get(self, key: str) -> Call | None:
        """The finished call of this key, or None."""
        with self._access() as connection:
            row = connection.execute(f"SELECT {COLUMNS} FROM calls WHERE key = ?", (key,)).fetchone()
        return None if row is None else self._call(row)

    def put(self, call: Call, identity: Mapping[str, Any] | None = None) -> bool:
        """Store a finished call durably; False (and no change) if its key is there already.

        `identity` of the theory makes the file tell on its own what was computed.
        """
        theory = None if identity is None else _digest(identity)
        inputs = json.dumps({name: _exact(name, value).hex() for name, value in call.inputs.items()})
        data = None if call.observables is None else call.observables.to_bytes()
        finished = call.finished or datetime.now(UTC).isoformat(timespec="milliseconds")
        digest = None if data is None else hashlib.sha256(data).hexdigest()
        row = (call.key, theory, inputs, call.status, call.reason, call.seconds, finished, data, digest)
        with self._access() as connection, _transaction(connection):
            if identity is not None:
                entry = (theory, json.dumps(identity, sort_keys=True))
                connection.execute("INSERT OR IGNORE INTO theories VALUES (?, ?)", entry)
            return connection.execute("INSERT OR IGNORE INTO calls VALUES (?,?,?,?,?,?,?,?,?)", row).rowcount == 1

    def make_room(self) -> None:
        """Give up the room that is held beside it, where it is."""
        give_up(reserve_beside(self.path))

    def counts(self) -> dict[str, int]:
        """How many calls are done and how many failed."""
        with self._access() as connection:
            found = dict(connection.execute("SELECT status, COUNT(*) FROM calls GROUP BY status").fetchall())
        return {"done": found.get("done", 0), "failed": found.get("failed", 0)}

    def __len__(self) -> int:
        """Number of finished calls, failed ones included."""
        return sum(self.counts().values())

    def __iter__(self) -> Iterator[Call]:
        """All calls in the order in which they finished."""
        return self._select("", ())

    def of(self, identity: Mapping[str, Any]) -> Iterator[Call]:
        """The calls of one theory, in the order in which they finished."""
        return self._select("WHERE theory = ?", (_digest(identity),))

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
        with self._access() as connection:
            keys = connection.execute(f"SELECT key FROM calls {condition} ORDER BY rowid", values).fetchall()
        for (key,) in keys:  # one at a time: spectra of a large archive do not fit in memory together
            call = self.get(key)
            if call is not None:
                yield call

    def _call(self, row: tuple[Any, ...]) -> Call:
        key, inputs, status, reason, seconds, data, digest, finished = row
        try:
            # sqlite fills a page that was cut off with zeros and says nothing
            if data is not None and hashlib.sha256(data).hexdigest() != digest:
                raise ValueError
            values = {name: float.fromhex(value) for name, value in json.loads(inputs).items()}
            observables = None if data is None else Observables.from_bytes(data)
        except (InputError, ValueError, AttributeError, TypeError):
            raise self._damaged("an entry that cannot be read") from None
        return Call(key, values, status, reason, seconds, observables, False, finished)

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
        connection = sqlite3.connect(self.path, PATIENCE, isolation_level=None, check_same_thread=False)
        try:
            (application,) = connection.execute("PRAGMA application_id").fetchone()
            (tables,) = connection.execute("SELECT COUNT(*) FROM sqlite_master").fetchone()
            if tables and application != APPLICATION_ID:
                raise self._damaged("a database of another program")
            size = self.path.stat().st_size
            (expected,) = connection.execute(
                "SELECT page_count * page_size FROM pragma_page_count, pragma_page_size"
            ).fetchone()
            if size < expected and not self._written_ahead():
                raise self._damaged(f"{size} bytes of {expected}")
            if tables and size < FULL_CHECK_BELOW:
                (verdict,) = connection.execute("PRAGMA quick_check(1)").fetchone()
                if verdict != "ok":
                    raise self._damaged(f"'{' '.join(verdict.split())}'")
            connection.execute("PRAGMA journal_mode = WAL")
            connection.execute("PRAGMA synchronous = FULL")
            with _transaction(connection):
                if not connection.execute("SELECT COUNT(*) FROM sqlite_master").fetchone()[0]:
                    for statement in SCHEMA:
                        connection.execute(statement)
        except BaseException:
            connection.close()
            raise
        return connection

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
        full = "full" in str(error)
        remedy = "make room" if full else "make room, mend its permissions or choose another folder"
        return (DiskFull if full else InputError)(
            f"expected an archive that can be written at {self.path}, got '{error}'; {remedy}, then give the same "
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


def _busy(error: sqlite3.OperationalError) -> bool:
    return "locked" in str(error) or "busy" in str(error)


def _digest(content: Mapping[str, Any]) -> str:
    canonical = json.dumps(content, sort_keys=True, separators=(",", ":"), allow_nan=False)
    return hashlib.sha256(canonical.encode()).hexdigest()


def _exact(name: str, value: float) -> float:
    number = float(value) + 0.0  # -0.0 and 0.0 are the same point
    if not math.isfinite(number):
        raise InputError(f"input '{name}': expected a finite number, got {number}; correct the point")
    return number
