"""Finished calls on their way to the archive: one file for each, beside it, written where the call was made.

sqlite is not safe over a network file system with writers on several hosts; one file that appears whole by renaming is.
So a worker of a cluster writes its finished call here, and the program that asked for it, the only writer of the
archive, takes it in: when it hears of it, and again whenever an engine is opened. A file of a call:

    alfonsine-call-1 <sha256 of all that follows>
    <JSON: key, identity of the theory, inputs exact to the last bit, status, reason, seconds, finished>
    <observables as a safetensors file in memory; nothing where the call failed>

Nothing in it is ever executed. It counts only if digest and key agree with its contents.
"""

import hashlib
import json
import os
import secrets
import time
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from alfonsine.errors import InputError, disk_trouble
from alfonsine.theory.archive import Archive
from alfonsine.theory.call import Call
from alfonsine.theory.durable import write_durably
from alfonsine.theory.observables import Observables

FORMAT = b"alfonsine-call-1 "
ENDING = ".call"
SIGN = "folder-of-finished-calls"
PATIENCE = 60.0  # seconds in which a network file system shows what another host has written
STALE = 86400.0  # seconds after which a temporary file is a dead writer's


@dataclass(frozen=True)
class Incoming:
    """The folder of finished calls.

    path  the folder
    sign  what its own file says, by which a worker on another host knows that it sees the same folder; "" for not asked
    """

    path: Path
    sign: str = ""

    @classmethod
    def beside(cls, archive: Archive) -> "Incoming":
        """That of an archive, as it is."""
        return cls(archive.path.with_name(f"{archive.path.name}.incoming"))

    def made(self) -> "Incoming":
        """The folder, made where there is none, with a sign by which workers know it."""
        try:
            sign = self._sign()
            if not sign:
                write_durably(self.path / SIGN, secrets.token_hex(16).encode())
                sign = self._sign()
        except OSError as error:
            raise disk_trouble(error) from None
        return replace(self, sign=sign)

    def check(self) -> None:
        """InputError where this host does not see the folder that the program sees, or may not write to it."""
        if self._sign() != self.sign:
            raise InputError(
                f"expected to see '{self.path}' on the worker's host {os.uname().nodename} as well, got another folder "
                "or none; put the run folder on a file system that all hosts share"
            )

    def get(self, key: str) -> Call | None:
        """The call of this key; None where there is none, or none that is whole."""
        found = self._read(self._file(key))
        return None if isinstance(found, str) or found[0].key != key else found[0]

    def put(self, call: Call, identity: Mapping[str, Any] | None = None) -> bool:
        """Write a finished call durably; False (and no change) where it is there already."""
        if self.get(call.key) is not None:
            return False
        header = {
            "key": call.key,
            "identity": identity,
            "inputs": {name: float(value).hex() for name, value in call.inputs.items()},
            "status": call.status,
            "reason": call.reason,
            "seconds": call.seconds,
            "finished": call.finished or datetime.now(UTC).isoformat(timespec="milliseconds"),
        }
        data = b"" if call.observables is None else call.observables.to_bytes()
        content = json.dumps(header).encode() + b"\n" + data
        try:
            write_durably(self._file(call.key), FORMAT + hashlib.sha256(content).hexdigest().encode() + b"\n" + content)
        except OSError as error:
            raise disk_trouble(error) from None
        return True

    def take(self, key: str, archive: Archive, patience: float = 0.0) -> Call | None:
        """Put one call into the archive; None where there is none after `patience` seconds.

        The file stays until it is discarded: a worker that is asked for the call once more, as Dask asks where another
        died before it was heard, must find it.
        """
        path, end = self._file(key), time.monotonic() + patience
        while isinstance(found := self._read(path), str):
            if time.monotonic() >= end:
                return None
            time.sleep(0.1)
            self._names()  # listing a folder makes a network file system look again
        archive.put(*found)  # durable when it returns; where the archive has the call already, that one stands
        return found[0]

    def discard(self, keys: Iterable[str]) -> None:
        """Remove files of calls that are in the archive."""
        for key in keys:
            self._file(key).unlink(missing_ok=True)

    def take_all(self, archive: Archive) -> list[str]:
        """Move all whole calls to the archive; what was not taken and why, a line for each."""
        refused = []
        for name in self._names():
            path = self.path / name
            if name.startswith("."):
                _discard_stale(path)
            elif name != SIGN:
                found = self._read(path) if name.endswith(ENDING) else "not a call"
                if not isinstance(found, str) and self._file(found[0].key) != path:
                    found = "the call of another name"
                if isinstance(found, str):
                    refused.append(f"left alone: {path} ({found})")
                else:
                    archive.put(*found)
                    path.unlink(missing_ok=True)
        return refused

    def _read(self, path: Path) -> tuple[Call, Mapping[str, Any]] | str:
        """The call and its theory; or what is wrong with the file."""
        try:
            content = path.read_bytes()
        except FileNotFoundError:
            return "gone"
        except OSError as error:
            return str(error.strerror)
        head, _, rest = content.partition(b"\n")
        if not content.startswith(FORMAT):
            return "not a call of this version"
        if head != FORMAT + hashlib.sha256(rest).hexdigest().encode():
            return "torn: not what its digest says"
        line, _, data = rest.partition(b"\n")
        try:
            header = json.loads(line)
            inputs = {str(name): float.fromhex(value) for name, value in header["inputs"].items()}
            if Archive.key(header["identity"], inputs) != header["key"]:
                return "inputs and theory are not those of its key"
            call = Call(
                header["key"],
                inputs,
                {"done": "done", "failed": "failed"}[header["status"]],
                str(header["reason"]),
                float(header["seconds"]),
                Observables.from_bytes(data) if header["status"] == "done" else None,
                finished=str(header["finished"]),
            )
        except (InputError, ValueError, KeyError, TypeError, AttributeError):
            return "no call can be read from it"
        return call, header["identity"]

    def _file(self, key: str) -> Path:
        return self.path / f"{key}{ENDING}"

    def _sign(self) -> str:
        try:
            return (self.path / SIGN).read_text(encoding="ascii")
        except (FileNotFoundError, NotADirectoryError, UnicodeDecodeError):
            return ""

    def _names(self) -> Iterator[str]:
        try:
            yield from sorted(os.listdir(self.path))
        except (FileNotFoundError, NotADirectoryError):
            return


def _discard_stale(path: Path) -> None:
    """Remove what a dead writer left; a living one needs seconds."""
    try:
        if time.time() - path.stat().st_mtime > STALE:
            path.unlink()
    except OSError:
        return
