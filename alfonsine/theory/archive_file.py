"""The sqlite file of an archive: opened, checked, completed, and its troubles told in one line."""

import sqlite3
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from alfonsine.errors import DiskFull, InputError

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


class ArchiveFile:
    """An open file, for one thread at a time; see `Archive` for what is in it and what may be wrong with it."""

    def __init__(self, path: Path, read_only: bool) -> None:
        self.path, self.read_only = path, read_only
        self._lock = threading.Lock()
        self._connection = self._open()

    def close(self) -> None:
        """Close it; what was written is safe with or without that."""
        with self._lock:
            self._connection.close()

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
                raise self.damaged(f"'{error}'") from None

    def _connect(self) -> sqlite3.Connection:
        connection = self._file()
        try:
            (application,) = connection.execute("PRAGMA application_id").fetchone()
            entries = {name for (name,) in connection.execute("SELECT name FROM sqlite_master")}
            if entries and application != APPLICATION_ID:
                raise self.damaged("a database of another program")
            size = self.path.stat().st_size
            (expected,) = connection.execute(
                "SELECT page_count * page_size FROM pragma_page_count, pragma_page_size"
            ).fetchone()
            if size < expected and not self._written_ahead():
                raise self.damaged(f"{size} bytes of {expected}")
            if entries and size < FULL_CHECK_BELOW:
                (verdict,) = connection.execute("PRAGMA quick_check(1)").fetchone()
                if verdict != "ok":
                    raise self.damaged(f"'{' '.join(verdict.split())}'")
            if not self.read_only:
                self._complete(connection)
            elif not entries:
                raise self.damaged("an empty file")
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
        with transaction(connection):
            new = not connection.execute("SELECT COUNT(*) FROM sqlite_master").fetchone()[0]
            for statement in SCHEMA if new else (INDEX,):
                connection.execute(statement)

    def _written_ahead(self) -> bool:
        """Whether pages wait beside the file; it may then be shorter than it says."""
        beside = Path(f"{self.path}-wal")
        return beside.is_file() and beside.stat().st_size > 0

    @contextmanager
    def access(self) -> Iterator[sqlite3.Connection]:
        """The connection, for one thread; InputError in one line for what is wrong with file or disk."""
        with self._lock:
            try:
                yield self._connection
            except sqlite3.OperationalError as error:  # a full disk, say, is not the fault of the file
                raise self._unwritable(error) from None
            except sqlite3.DatabaseError as error:
                if type(error) is not sqlite3.DatabaseError:
                    raise  # nor is a closed archive
                raise self.damaged(f"'{error}'") from None

    def _unwritable(self, error: sqlite3.OperationalError) -> InputError:
        full = "full" in str(error)
        remedy = "make room" if full else "make room, mend its permissions or choose another folder"
        how = "read" if self.read_only else "written"
        return (DiskFull if full else InputError)(
            f"expected an archive that can be {how} at {self.path}, got '{error}'; {remedy}, then give the same "
            "command again: finished calls are kept"
        )

    def damaged(self, found: str) -> InputError:
        """What to say where the file is not what it should be."""
        return InputError(
            f"expected an alfonsine archive at {self.path}, got {found}; "
            "restore a copy, or move the file away to start anew"
        )


@contextmanager
def transaction(connection: sqlite3.Connection) -> Iterator[None]:
    """All of the block, or nothing of it."""
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
