"""Everything ever computed: one durable entry per finished call.

A sqlite file in write-ahead mode with full synchronisation: once `put` returns, the entry survives `kill
-9` and a power cut. Several processes may write. The first entry of a key stands: an exact call is never
repeated.

What is counted or listed is read from an index of a tenth of a kilobyte per entry, never from the entries, whose
spectra are what makes an archive large. A file from before there was that index is given one when it is opened.
"""

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import lru_cache
from pathlib import Path
from typing import Any, NamedTuple

from alfonsine.theory.archive_file import ArchiveFile, transaction
from alfonsine.theory.call import Call
from alfonsine.theory.entry import COLUMNS, INSERT, Row, call_of, digest_of, exact, inputs_of, row_of
from alfonsine.theory.reserve import give_up, reserve_beside

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
        self.path = Path(path).absolute()
        self._file = ArchiveFile(self.path, read_only)

    @staticmethod
    def key(identity: Mapping[str, Any], inputs: Mapping[str, float]) -> str:
        """Digest of all that decides a result: sha256 of canonical JSON, inputs exact to the last bit."""
        values = {name: exact(name, value).hex() for name, value in inputs.items()}
        return digest_of({"theory": identity, "inputs": values})

    def get(self, key: str) -> Call | None:
        """The finished call of this key, or None."""
        with self._file.access() as connection:
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
        with self._file.access() as connection, transaction(connection):
            if identity is not None:
                entry = (theory, json.dumps(identity, sort_keys=True))
                connection.execute("INSERT OR IGNORE INTO theories VALUES (?, ?)", entry)
            return connection.executemany(INSERT, rows).rowcount

    def known(self, keys: Iterable[str]) -> set[str]:
        """Which of these keys have an entry; no entry is read."""
        keys, found = list(keys), set()
        for first in range(0, len(keys), KEYS):
            some = keys[first : first + KEYS]
            with self._file.access() as connection:
                rows = connection.execute(f"SELECT key FROM calls WHERE key IN ({_marks(some)})", some).fetchall()
            found.update(key for (key,) in rows)
        return found

    def make_room(self) -> None:
        """Give up the room that is held beside it, where it is."""
        give_up(reserve_beside(self.path))

    def counts(self) -> dict[str, int]:
        """How many calls are done and how many failed."""
        found = {"done": 0, "failed": 0}
        with self._file.access() as connection:
            # in the order of the index, which is then read once and not sorted
            rows = connection.execute("SELECT theory, status, COUNT(*) FROM calls GROUP BY theory, status").fetchall()
        for _, status, number in rows:
            found[status] = found.get(status, 0) + number
        return found

    def summary(self, identity: Mapping[str, Any]) -> Summary:
        """Number and mean duration of the calls of one theory; no entry is read."""
        with self._file.access() as connection:
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
            with self._file.access() as connection:
                found = connection.execute(
                    f"SELECT key, inputs FROM calls WHERE rowid IN ({_marks(rows)}) ORDER BY rowid", rows
                ).fetchall()
            for key, inputs in found:
                yield key, inputs_of(inputs)

    def theories(self) -> list[dict[str, Any]]:
        """The identities of all theories that have an entry."""
        with self._file.access() as connection:
            rows = connection.execute("SELECT identity FROM theories ORDER BY rowid").fetchall()
        return [json.loads(identity) for (identity,) in rows]

    def __reduce__(self) -> tuple[Any, ...]:
        """An archive travels to another process as its path, and is opened there once."""
        return _opened, (str(self.path),)

    def close(self) -> None:
        """Close the file; entries are safe with or without it."""
        self._file.close()

    def __enter__(self) -> "Archive":
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _select(self, condition: str, values: tuple[str, ...]) -> Iterator[Call]:
        for rows in self._rows(condition, values):
            with self._file.access() as connection:
                found = connection.execute(
                    f"SELECT {COLUMNS} FROM calls WHERE rowid IN ({_marks(rows)}) ORDER BY rowid", rows
                ).fetchall()
            yield from map(self._call, found)

    def _rows(self, condition: str, values: tuple[str, ...]) -> Iterator[list[int]]:
        """Numbers of entries, some at a time, in the order in which they were made."""
        with self._file.access() as connection:
            # sorted here: asked for in their order, sqlite would rather read the entries than the index
            rows = sorted(connection.execute(f"SELECT rowid FROM calls {condition}", values))
        for first in range(0, len(rows), TOGETHER):
            yield [row for (row,) in rows[first : first + TOGETHER]]

    def _call(self, row: Row) -> Call:
        try:
            return call_of(row)
        except ValueError:  # an InputError of the observables, too
            raise self._file.damaged("an entry that cannot be read") from None


@lru_cache(maxsize=1)
def _opened(path: str) -> Archive:
    return Archive(path)


def _marks(values: Sequence[Any]) -> str:
    return ",".join("?" * len(values))
