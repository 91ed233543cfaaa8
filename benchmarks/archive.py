"""Seconds to open and to query an archive, against its number of entries.

Entries are as small as real ones are at the least: six inputs and 4 to 200 numbers, of five theories, of which one has
1,000 entries whatever the size; one in a hundred has failed. They are written by `Archive.put_all`. Each query is timed
in a process of its own, of a file that the system has just been told to drop from its memory (where it allows that), so
that nothing is served from an earlier query:

open         the archive, with all checks
count        calls done and failed, of all theories
get          1,000 entries by their keys, in random order
known        which of 1,000 keys have an entry
summary      number and mean duration of the calls of the largest theory, which is what `alfonsine plan` asks
theories     the identities of all theories
of           all 1,000 entries of the smallest theory, read and decoded
together     all of these in one process: what has to be below two seconds for a million entries

    python benchmarks/archive.py [--entries 10000 100000 1000000] [--folder FOLDER] [--old FILE]

A million entries take 1.5 GB in FOLDER (a temporary one unless named). `--old` names an archive from before there was
an index; it is copied, and the seconds of the first opening, which makes the index, are reported beside. Last line:
JSON, one object per size with `entries`, `bytes`, `index_bytes`, `write_seconds` and the seconds above, each the median
of three.
"""

import argparse
import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np

SIZES = (10_000, 100_000, 1_000_000)
THEORIES, SMALL, ASKED, CHUNK, REPEATS = 5, 1000, 1000, 10_000, 3
QUERIES = ("open", "count", "get", "known", "summary", "theories", "of", "together")


def identity(theory: int) -> dict:
    """Of one of the theories; the first is the small one."""
    return {"code": "benchmark", "version": str(theory), "settings": {"tolerance": 1e-5}}


def point(number: int) -> dict[str, float]:
    """Inputs that belong to an entry."""
    return {f"p{i}": float(x) for i, x in enumerate(np.random.default_rng(number).random(6))}


def theory_of(number: int, total: int) -> int:
    """Which theory an entry belongs to."""
    return 0 if number % (total // SMALL) == 0 else 1 + number % (THEORIES - 1)


def entries(theory: int, total: int) -> Iterator:
    """The calls of one theory."""
    from alfonsine.theory.archive import Archive
    from alfonsine.theory.call import Call
    from alfonsine.theory.observables import Observables

    for number in range(total):
        if theory_of(number, total) != theory:
            continue
        inputs = point(number)
        key = Archive.key(identity(theory), inputs)
        rng = np.random.default_rng(number)
        if number % 100 == 7:
            yield Call(key, inputs, "failed", "no answer here", 1.0, None)
        else:
            found = Observables({"data": rng.random(int(rng.integers(4, 200)))}, {"total": 1.0})
            yield Call(key, inputs, "done", "", float(rng.uniform(0.5, 1.5)), found)


def write(path: Path, total: int) -> float:
    """Fill an archive; seconds that `put_all` took."""
    from alfonsine.theory.archive import Archive

    spent = 0.0
    with Archive(path) as archive:
        for theory in range(THEORIES):
            chunk = []
            for call in [*entries(theory, total), None]:
                if call is not None:
                    chunk.append(call)
                if chunk and (call is None or len(chunk) == CHUNK):
                    begun = time.perf_counter()
                    archive.put_all(chunk, identity(theory))
                    spent += time.perf_counter() - begun
                    chunk = []
    return spent


def forget(path: Path) -> None:
    """Ask the system to drop the file from its memory."""
    if hasattr(os, "posix_fadvise"):
        with open(path, "rb") as file:
            os.fsync(file.fileno())
            os.posix_fadvise(file.fileno(), 0, 0, os.POSIX_FADV_DONTNEED)


def query(path: Path, total: int, which: str) -> float:
    """Seconds of one query in this process; the archive is opened before, unless opening is part of it."""
    from alfonsine.theory.archive import Archive

    numbers = np.random.default_rng(1).choice(total, ASKED, replace=False).tolist()
    keys = [Archive.key(identity(theory_of(n, total)), point(n)) for n in numbers]
    queries: dict[str, Callable] = {
        "count": lambda archive: archive.counts(),
        "get": lambda archive: [archive.get(key) for key in keys],
        "known": lambda archive: archive.known(keys),
        "summary": lambda archive: archive.summary(identity(1)),
        "theories": lambda archive: archive.theories(),
        "of": lambda archive: list(archive.of(identity(0))),
    }
    forget(path)
    begun = time.perf_counter()
    with Archive(path) as archive:
        if which not in ("open", "together"):
            begun = time.perf_counter()
        found = {name: ask(archive) for name, ask in queries.items() if which in (name, "together")}
        spent = time.perf_counter() - begun
    if which == "together":  # a fast wrong answer is none
        assert sum(found["count"].values()) == total and all(found["get"])
        assert len(found["known"]) == ASKED and len(found["of"]) == SMALL and len(found["theories"]) == THEORIES
    return spent


def measured(path: Path, total: int, which: str) -> float:
    """The median of some processes."""
    spent = []
    for _ in range(REPEATS):
        command = [sys.executable, __file__, "--child", which, str(path), str(total)]
        spent.append(float(subprocess.run(command, check=True, capture_output=True, text=True).stdout))
    return round(float(np.median(spent)), 4)


def index_bytes(path: Path) -> int:
    """What the index takes: the file, less the same one without it."""
    import sqlite3

    connection = sqlite3.connect(path)
    try:
        size, pages = (connection.execute(f"PRAGMA {name}").fetchone()[0] for name in ("page_size", "freelist_count"))
        connection.execute("BEGIN")
        connection.execute("DROP INDEX calls_of_theory")
        freed = connection.execute("PRAGMA freelist_count").fetchone()[0] - pages
        connection.execute("ROLLBACK")
        return freed * size
    finally:
        connection.close()


def first_opening(old: Path, folder: Path) -> dict[str, float]:
    """Seconds in which an archive without an index is given one."""
    from alfonsine.theory.archive import Archive

    copy = folder / "old.sqlite"
    shutil.copy(old, copy)
    forget(copy)
    begun = time.perf_counter()
    with Archive(copy) as archive:
        opened = time.perf_counter() - begun
        total = len(archive)
    found = {"entries": total, "bytes": copy.stat().st_size, "first_opening": round(opened, 2)}
    copy.unlink()
    return found


def main() -> None:
    """Print a table, and JSON."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--entries", type=int, nargs="+", default=SIZES)
    parser.add_argument("--folder", type=Path)
    parser.add_argument("--old", type=Path)
    parser.add_argument("--child", nargs=3, help=argparse.SUPPRESS)
    asked = parser.parse_args()
    if asked.child:
        which, path, total = asked.child
        print(query(Path(path), int(total), which))
        return
    if min(asked.entries) < 2 * SMALL:
        parser.error(f"expected at least {2 * SMALL} entries, got {min(asked.entries)}")
    found = []
    with tempfile.TemporaryDirectory(dir=asked.folder) as folder:
        print(f"{'entries':>9} {'MB':>6} {'index':>6} {'write':>7} " + " ".join(f"{name:>8}" for name in QUERIES))
        for total in asked.entries:
            path = Path(folder) / f"{total}.sqlite"
            written = write(path, total)
            row = {
                "entries": total,
                "bytes": path.stat().st_size,
                "index_bytes": index_bytes(path),
                "write_seconds": round(written, 2),
            }
            row |= {name: measured(path, total, name) for name in QUERIES}
            path.unlink()
            found.append(row)
            print(
                f"{total:>9} {row['bytes'] / 1e6:>6.0f} {row['index_bytes'] / 1e6:>6.1f} {written:>7.1f} "
                + " ".join(f"{row[name]:>8.3f}" for name in QUERIES),
                flush=True,
            )
        result = {"sizes": found}
        if asked.old:
            result["old"] = first_opening(asked.old, Path(folder))
            print("first opening of an old archive of {entries} entries: {first_opening} s".format(**result["old"]))
    print(json.dumps(result))


if __name__ == "__main__":
    main()
