"""One case after another in a process that may hang or crash, and what became of each.

The commands are called as a user's shell does, by `alfonsine.cli.main` with `sys.argv`, in a worker that is warm: a
start of Python for each of a thousand would take hours. A worker that gives no answer in time is killed, one that dies
is noticed, and either is replaced.
"""

import importlib
import json
import os
import re
import resource
import select
import signal
import subprocess
import sys
import tempfile
import time
import traceback
import warnings
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import IO

VALID, REFUSED, TRACEBACK, HANG, UNCLEAR = "valid", "refused", "traceback", "hang", "unclear"
START = 600.0  # seconds in which a worker must have begun
MEMORY = 12 * 2**30  # bytes of address space more than at the start: beyond that a command dies, and is told of
ENTRY = "alfonsine.cli:main"
MANY = re.compile(r"(\d+) chains: (.+) \.\.\. (.+?)(?:, with (.+))?")
ENDING = re.compile(r"(.*?)(\d+)(\.txt)?")
ONE_LINE = re.compile(r"alfonsine: [^\n\r\x00-\x08\x0b-\x1f\x7f\x85\u2028\u2029]+\n")
LONGEST = 700  # characters of a message that somebody reads


@dataclass(frozen=True)
class Answer:
    """What a command did: exit code (None: it hung, or its process died), what it wrote on stdout and stderr."""

    code: int | None
    out: str
    err: str
    hung: bool = False
    seconds: float = 0.0


@dataclass(frozen=True)
class Verdict:
    """What became of a case; `half` where it left files that it should not have, `why` in words."""

    kind: str
    half: bool
    why: str


class Worker:
    """A process that runs commands; started when first needed, and again after a hang or a crash."""

    def __init__(self, limit: float, entry: str = ENTRY, path: str = "") -> None:
        self.limit, self.entry, self.path = limit, entry, path
        self.process: subprocess.Popen[bytes] | None = None

    def __call__(self, command: Sequence[str], cwd: Path, environment: Mapping[str, str]) -> Answer:
        """Run one command in a folder, with more in its environment."""
        process = self.process = self.process or self._start()
        assert process.stdin is not None and process.stdout is not None
        begun = time.monotonic()
        order = {"command": list(command), "cwd": str(cwd), "environment": dict(environment)}
        with suppress(BrokenPipeError):
            process.stdin.write(json.dumps(order).encode() + b"\n")
            process.stdin.flush()
        line = self._line(process.stdout, self.limit)
        seconds = time.monotonic() - begun
        if line:
            return Answer(**json.loads(line), seconds=seconds)
        self.close()
        if line is None:
            return Answer(None, "", f"no answer within {self.limit:g} s", hung=True, seconds=seconds)
        return Answer(None, "", f"the process died with exit code {process.returncode}", seconds=seconds)

    def close(self) -> None:
        """End the process and all that it started."""
        if self.process is not None:
            with suppress(ProcessLookupError, PermissionError):
                os.killpg(self.process.pid, signal.SIGKILL)
            self.process.wait()
            for stream in (self.process.stdin, self.process.stdout):
                with suppress(OSError):
                    stream.close()  # type: ignore[union-attr]
        self.process = None

    def _start(self) -> subprocess.Popen[bytes]:
        command = [sys.executable, str(Path(__file__)), self.entry, self.path]
        process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, start_new_session=True)
        assert process.stdout is not None
        if not self._line(process.stdout, START):
            raise RuntimeError(f"no worker could be started for {self.entry}")
        return process

    @staticmethod
    def _line(stream: IO[bytes], limit: float) -> bytes | None:
        """The next line; empty where the stream has ended, None where nothing comes in time."""
        end, found = time.monotonic() + limit, b""
        while (left := end - time.monotonic()) > 0:
            if select.select([stream], [], [], left)[0]:
                piece = os.read(stream.fileno(), 1 << 20)
                found += piece
                if not piece or found.endswith(b"\n"):
                    return found if piece else b""
        return None


def contents(folder: Path) -> dict[str, tuple[int, bytes]]:
    """All files below a folder, by path: their kind, and what they hold.

    The two files by which SQLite lets several processes read at once are left out: they come with any reader.
    """
    found = {}
    for path in sorted(folder.rglob("*")):
        if path.name.endswith((".sqlite-wal", ".sqlite-shm")):
            continue
        mode = path.lstat().st_mode
        regular = path.is_file() and not path.is_symlink() and os.access(path, os.R_OK)
        found[str(path.relative_to(folder))] = (mode, path.read_bytes() if regular else b"")
    return found


def judge(answer: Answer, before: Mapping[str, object], after: Mapping[str, object], writes: bool) -> Verdict:
    """What became of a case.

    before, after   contents of its folder
    writes          whether the command writes files, whose paths it prints, when all is well
    """
    half = left_behind(answer, before, after, writes)
    if answer.hung:
        return Verdict(HANG, bool(half), answer.err)
    if answer.code is None or "Traceback (most recent call last)" in answer.err:
        last = (answer.err.strip().splitlines() or [""])[-1]
        return Verdict(TRACEBACK, bool(half), last)
    if answer.code == 0 and not answer.err:
        return Verdict(VALID, bool(half), half)
    if answer.code == 2 and not answer.out and len(answer.err) <= LONGEST and ONE_LINE.fullmatch(answer.err):
        return Verdict(REFUSED, bool(half), half or answer.err.strip())
    return Verdict(UNCLEAR, bool(half), f"exit code {answer.code}: {answer.err[:1000]!r}")


def left_behind(answer: Answer, before: Mapping[str, object], after: Mapping[str, object], writes: bool) -> str:
    """Files that a command changed or left and should not have, in words; empty where there are none."""
    changed = sorted(name for name in before if after.get(name) != before[name])
    new = set(after) - set(before)
    if writes and answer.code == 0:
        printed = told(answer.out)
        folders = {str(parent) for name in printed for parent in Path(name).parents}
        new -= printed | folders
    wrong = [*(f"{name} changed" for name in changed), *(f"{name} left" for name in sorted(new))]
    return ", ".join(wrong[:5])


def told(out: str) -> set[str]:
    """Files that a command says it has written: one a line, or of many chains the first and the last."""
    found = set()
    for line in out.split("\n"):
        many = MANY.fullmatch(line)
        if many is None:
            found.add(line)
            continue
        number, first, last, rest = many.groups()
        start, end = ENDING.fullmatch(first), ENDING.fullmatch(last)
        if start and end and start[1] == end[1] and int(end[2]) - int(start[2]) + 1 == int(number):
            found |= {f"{start[1]}{i}{start[3]}" for i in range(int(start[2]), int(end[2]) + 1)}
        found |= {str(Path(first).parent / name) for name in (rest or "").split(", ") if name}
    return found


def serve(entry: str, path: str) -> None:
    """Read orders from stdin, one a line, and answer each with one line."""
    answers = os.fdopen(os.dup(1), "wb", buffering=0)
    orders = os.fdopen(os.dup(0), "rb")
    os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
    if path:
        sys.path.insert(0, path)
    module, _, name = entry.partition(":")
    main = getattr(importlib.import_module(module), name)
    _, hard = resource.getrlimit(resource.RLIMIT_AS)
    resource.setrlimit(resource.RLIMIT_AS, (_address_space() + MEMORY, hard))
    os.dup2(2, 1)  # what is not part of an answer is for people
    answers.write(b"ready\n")
    saved = [os.dup(1), os.dup(2)]
    for line in orders:
        order = json.loads(line)
        os.chdir(order["cwd"])
        os.environ.update(order["environment"])
        sys.argv = ["alfonsine", *order["command"]]
        with tempfile.TemporaryFile() as out, tempfile.TemporaryFile() as err:
            os.dup2(out.fileno(), 1)
            os.dup2(err.fileno(), 2)
            try:
                with warnings.catch_warnings():  # each case is warned anew, as each call of a user's is
                    warnings.simplefilter("default")
                    warnings.filterwarnings("ignore", category=DeprecationWarning)
                    code = _called(main)
            finally:
                sys.stdout.flush()
                sys.stderr.flush()
                for number, descriptor in enumerate(saved, 1):
                    os.dup2(descriptor, number)
            texts = []
            for stream in (out, err):
                stream.seek(0)
                texts.append(stream.read().decode("utf-8", "replace"))
        answers.write(json.dumps({"code": code, "out": texts[0], "err": texts[1]}).encode() + b"\n")


def _called(main) -> int:
    """The exit code with which Python would end."""
    try:
        main()
    except SystemExit as left:
        if left.code is None or isinstance(left.code, int):
            return left.code or 0
        print(left.code, file=sys.stderr)
        return 1
    except BaseException:
        traceback.print_exc()
        return 1
    return 0


def _address_space() -> int:
    try:
        return int(Path("/proc/self/statm").read_text().split()[0]) * os.sysconf("SC_PAGE_SIZE")
    except OSError:
        return 64 * 2**30


if __name__ == "__main__":
    serve(*sys.argv[1:])
