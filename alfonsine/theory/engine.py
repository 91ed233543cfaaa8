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
STOPPED_FROM_OUTSIDE = {signal.SIGTERM, signal.SIGINT, signal.SIGHUP}
BROKEN_POOLS_ALLOWED = 3


class Engine:
    """A theory, its archive, and workers kept from one batch to the next.

    with Engine(theory, archive, workers=2, timeout=120) as engine:
        calls = engine.compute(points)

    workers     processes, one thread each
    timeout     hard limit of one call, wall-clock seconds
    max_tasks   calls after which a worker is replaced, for codes that leak memory
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
        futures = {
            self._pool.schedule(_work, (*arguments, key, point), timeout=self.timeout): (key, point)
            for key, point in dict(missing).items()
        }
        try:
            for future in as_completed(futures):
                yield self._settle(future, *futures[future])
        finally:
            for future in futures:
                future.cancel()

    def _settle(self, future: ProcessFuture[bool], key: str, inputs: dict[str, float]) -> Call:
        """Turn the fate of a worker into the archived call."""
        fresh = True
        try:
            fresh = future.result()
        except TimeoutError:
            self._fail(key, inputs, f"no answer within {self.timeout:g} s: stopped", self.timeout)
        except ProcessExpired as error:
            number = abs(error.exitcode)
            if number in STOPPED_FROM_OUTSIDE:
                raise RuntimeError(f"a worker was stopped from outside ({signal.Signals(number).name})") from error
            self._fail(key, inputs, f"the process crashed ({_fate(error.exitcode)})", 0.0)
        call = self.archive.get(key)
        if call is None:
            raise RuntimeError(f"the archive {self.archive.path} has lost a call that was just written")
        return replace(call, fresh=fresh)

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


def _work(theory: bytes, path: str, identity: dict[str, Any], key: str, inputs: dict[str, float]) -> bool:
    """Evaluate one point and archive it, in a worker; False if another process has done it meanwhile."""
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
