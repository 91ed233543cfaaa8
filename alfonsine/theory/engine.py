"""Many exact calls at once, each in a process that can be killed, each archived before anything else happens.

The worker itself writes its finished call to the archive; the parent only hears that it is there. So
nothing that befalls the parent, `kill -9` included, can lose a finished call. Failures (an exception, NaN,
a crash, the wall-clock limit) are entries like any other, with their reason, and are not tried again.
"""

import pickle
import signal
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import as_completed
from concurrent.futures.process import BrokenProcessPool
from dataclasses import replace
from functools import lru_cache
from math import ceil
from pathlib import Path
from time import perf_counter
from typing import Any

from pebble import ProcessExpired, ProcessFuture, ProcessPool

from alfonsine.errors import InputError
from alfonsine.theory.archive import Archive
from alfonsine.theory.call import Call
from alfonsine.theory.observables import Observables
from alfonsine.theory.theory import Theory, TheoryError, one_line
from alfonsine.theory.workers import is_worker, worker_pool

Progress = Callable[[Call], None]
Batch = list[tuple[str, dict[str, float]]]
GRACE = 5.0  # seconds; the time limit of each call acts first
STOPPED_FROM_OUTSIDE = {signal.SIGTERM, signal.SIGINT, signal.SIGHUP}
BROKEN_POOLS_ALLOWED = 3


class Engine:
    """A theory, its archive, and workers kept from one batch to the next.

    with Engine(theory, archive, workers=2, timeout=120) as engine:
        calls = engine.compute(points)

    workers     processes, one thread each
    timeout     hard limit of one call, wall-clock seconds
    max_tasks   tasks after which a worker is replaced, for codes that leak memory

    A theory may have a method `shares(inputs)`: points for which it says the same text are cheaper one after another
    in one worker. They then are one task; the limit of time remains that of each call. `solves` sums what the
    theory's attribute of that name counts in the workers: the expensive part of calls, where calls share it.
    """

    def __init__(
        self,
        theory: Theory,
        archive: Archive,
        *,
        workers: int = 1,
        timeout: float = 600.0,
        max_tasks: int = 100,
    ) -> None:
        if workers < 1:
            raise InputError(f"expected at least one worker, got {workers}; try 1")
        if not timeout > 0:
            raise InputError(f"expected a positive time limit in seconds, got {timeout:g}; try 600")
        if is_worker():
            raise InputError("expected to start workers from the main program, got a start inside a worker process")
        self.theory, self.archive = theory, archive
        self.workers, self.timeout, self.max_tasks = workers, timeout, max_tasks
        self.identity = theory.identity()
        self.solves = 0
        self._theory = _pickled(theory)
        self._pool: ProcessPool | None = None

    def __enter__(self) -> "Engine":
        return self

    def __exit__(self, *_: object) -> None:
        self._stop()

    def compute(self, points: Sequence[Mapping[str, float]], progress: Progress | None = None) -> list[Call]:
        """Compute the points that the archive does not hold; return all calls in the order of `points`.

        A point that occurs twice is computed once, and only its first call is `fresh`. `progress` hears of
        every point as soon as its call is finished.
        """
        keys = [Archive.key(self.identity, point) for point in points]
        inputs = {key: {n: float(v) for n, v in point.items()} for key, point in zip(keys, points, strict=True)}
        report = progress or (lambda call: None)
        finished: dict[str, Call] = {}
        for key in inputs:
            if (call := self.archive.get(key)) is not None:
                finished[key] = call
                report(call)
        missing = {key: point for key, point in inputs.items() if key not in finished}
        repeated: set[str] = set()
        broken = 0
        while missing:
            try:
                for call in self._run(missing):
                    finished[call.key] = call
                    del missing[call.key]
                    report(call)
            except BrokenProcessPool as error:  # a worker died between calls: no point is to blame
                self._stop()
                broken += 1
                if broken > BROKEN_POOLS_ALLOWED:
                    raise RuntimeError(f"the worker processes do not stay alive ({one_line(error)})") from error
        calls: list[Call] = []
        for key in keys:
            calls.append(finished[key])
            if key in repeated:
                calls[-1] = replace(calls[-1], fresh=False)
                report(calls[-1])
            repeated.add(key)
        return calls

    def _run(self, missing: Mapping[str, dict[str, float]]) -> Iterator[Call]:
        if self._pool is None:
            self._pool = worker_pool(self.workers, self.max_tasks)
        arguments = (self._theory, str(self.archive.path), self.identity)
        futures = {}
        for batch in self._batches(missing):
            limit = self.timeout if len(batch) == 1 else self.timeout * len(batch) + GRACE
            task = (*arguments, batch, self.timeout if len(batch) > 1 else 0.0)
            futures[self._pool.schedule(_work, task, timeout=limit)] = batch
        try:
            for future in as_completed(futures):
                yield from self._settle(future, futures[future])
        finally:
            for future in futures:
                future.cancel()

    def _batches(self, missing: Mapping[str, dict[str, float]]) -> list[Batch]:
        """The points, together where the theory says so, but never so that a worker has nothing to do."""
        shares = getattr(self.theory, "shares", None)
        if shares is None:
            return [[(key, point)] for key, point in missing.items()]
        groups: dict[str, Batch] = {}
        for key, point in missing.items():
            groups.setdefault(shares(point) or key, []).append((key, point))
        most = ceil(len(missing) / self.workers)
        return [group[i : i + most] for group in groups.values() for i in range(0, len(group), most)]

    def _settle(self, future: ProcessFuture[tuple[list[bool], int]], batch: Batch) -> Iterator[Call]:
        """Turn the fate of a worker into archived calls: all of its batch, or those up to the one that ended it."""
        fresh, failure = [True] * len(batch), None
        try:
            fresh, solves = future.result()
            self.solves += solves
        except TimeoutError:
            failure = self._too_slow
        except ProcessExpired as error:
            number = abs(error.exitcode)
            if number in STOPPED_FROM_OUTSIDE:
                raise RuntimeError(f"a worker was stopped from outside ({signal.Signals(number).name})") from error
            by_clock = len(batch) > 1 and error.exitcode == -signal.SIGALRM
            failure = self._too_slow if by_clock else (f"the process crashed ({_fate(error.exitcode)})", 0.0)
        for (key, inputs), is_fresh in zip(batch, fresh, strict=True):
            call = self.archive.get(key)
            ended_here = call is None and failure is not None
            if ended_here:
                self._fail(key, inputs, *failure)
                call = self.archive.get(key)
            if call is None:
                raise RuntimeError(f"the archive {self.archive.path} has lost a call that was just written")
            yield replace(call, fresh=is_fresh)
            if ended_here:
                return  # what the worker had not begun is scheduled again

    @property
    def _too_slow(self) -> tuple[str, float]:
        return f"no answer within {self.timeout:g} s: stopped", self.timeout

    def _fail(self, key: str, inputs: dict[str, float], reason: str, seconds: float) -> None:
        # no effect where the worker had just finished: its own entry stands
        self.archive.put(Call(key, inputs, "failed", reason, seconds, None), self.identity)

    def _stop(self) -> None:
        if self._pool is not None:
            self._pool.stop()
            self._pool.join()
            self._pool = None


def compute(
    theory: Theory,
    points: Sequence[Mapping[str, float]],
    archive: Archive,
    *,
    workers: int = 1,
    timeout: float = 600.0,
    progress: Progress | None = None,
) -> list[Call]:
    """Compute one batch with workers that live only as long as it; see `Engine` for several batches."""
    with Engine(theory, archive, workers=workers, timeout=timeout) as engine:
        return engine.compute(points, progress)


def _work(theory: bytes, path: str, identity: dict[str, Any], batch: Batch, limit: float) -> tuple[list[bool], int]:
    """Evaluate points and archive them, in a worker: which are fresh, and how many solutions they took.

    After `limit` seconds of one point the kernel ends this process, which no handler in Python could do during a C
    call; 0 is for no limit.
    """
    before, fresh = _solves(theory), []
    for key, inputs in batch:
        signal.setitimer(signal.ITIMER_REAL, limit)
        fresh.append(_compute(theory, path, identity, key, inputs))
    signal.setitimer(signal.ITIMER_REAL, 0.0)
    return fresh, _solves(theory) - before


def _solves(theory: bytes) -> int:
    try:
        return int(getattr(_unpickled(theory), "solves", 0))
    except Exception:  # a theory that does not load fails at its points, with a reason
        return 0


def _compute(theory: bytes, path: str, identity: dict[str, Any], key: str, inputs: dict[str, float]) -> bool:
    """Evaluate one point and archive it; False if another process has done it meanwhile."""
    archive = _archive(path)
    if archive.get(key) is not None:
        return False
    start = perf_counter()
    observables, reason = None, ""
    try:
        observables = _unpickled(theory).compute(inputs)
        if isinstance(observables, Observables):
            reason = observables.defect()
        else:
            reason = f"expected Observables from the theory, got {type(observables).__name__}"
    except TheoryError as error:
        reason = one_line(error) or "no reason given"
    except BaseException as error:  # SystemExit of a user's function as well: the point has failed, not the worker
        reason = one_line(f"{type(error).__name__}: {error}")
    seconds = perf_counter() - start
    if reason:
        call = Call(key, inputs, "failed", reason, seconds, None)
    else:
        call = Call(key, inputs, "done", "", seconds, observables)
    return archive.put(call, identity)


@lru_cache(maxsize=1)
def _archive(path: str) -> Archive:
    return Archive(Path(path))


@lru_cache(maxsize=1)
def _unpickled(theory: bytes) -> Theory:
    return pickle.loads(theory)  # from our own parent, through our own pipe; never from a file


def _pickled(theory: Theory) -> bytes:
    if type(theory).__module__ == "__main__":
        raise InputError(
            f"expected a theory from an importable module, got {type(theory).__name__} from the main script; "
            "move it to a file of its own and import it"
        )
    try:
        return pickle.dumps(theory)
    except (pickle.PicklingError, AttributeError, TypeError) as error:
        raise InputError(
            f"expected a theory that can be sent to worker processes, got '{one_line(error)}'; "
            "use functions and classes defined at the top level of a module"
        ) from None


def _fate(code: int) -> str:
    if code < 0:
        name = signal.Signals(-code).name
        return f"{name}, perhaps out of memory" if -code == signal.SIGKILL else name
    return f"exit code {code}"
