"""One task for a worker process: points computed one after another, each stored before the next is begun.

A task is begun and its end is settled by the process that owns the worker, on this machine or on a host of a cluster.
Whatever ends a worker during a point, the point then has an entry with the reason, or is known to have none.
"""

import os
import pickle
import signal
from collections.abc import Mapping
from concurrent.futures.process import BrokenProcessPool
from dataclasses import dataclass
from functools import lru_cache
from time import perf_counter
from typing import Any, Protocol, runtime_checkable

from pebble import ProcessExpired, ProcessFuture, ProcessPool

from alfonsine.errors import DiskFull, InputError
from alfonsine.theory.call import Call
from alfonsine.theory.observables import Observables
from alfonsine.theory.theory import Theory, TheoryError, one_line
from alfonsine.theory.workers import memory_limit

GRACE = 5.0  # seconds; the time limit of each call acts first
STOPPED_FROM_OUTSIDE = {signal.SIGTERM, signal.SIGINT, signal.SIGHUP}
OUT_OF_MEMORY = 113  # exit code of a worker that may not have more


@runtime_checkable
class Store(Protocol):
    """Where finished calls are durable: an archive, or the folder of those that are on their way to it."""

    def get(self, key: str) -> Call | None:
        """The finished call of this key, or None."""
        ...

    def put(self, call: Call, identity: Mapping[str, Any] | None = None) -> bool:
        """Store a finished call durably; False (and no change) if its key is there already."""
        ...

    def make_room(self) -> None:
        """Give up the room that is held for calls that finish when the disk is full."""
        ...


class StoppedFromOutside(RuntimeError):
    """A worker was asked to end: no point is to blame."""


@dataclass(frozen=True, eq=False)
class Task:
    """Points for one worker.

    theory    pickled by the program that asks for them, for its own workers
    identity  of the theory
    batch     key and inputs of each point
    limit     wall-clock seconds of each point
    alone     in a process of its own that has done nothing before
    """

    theory: bytes
    identity: dict[str, Any]
    batch: tuple[tuple[str, dict[str, float]], ...]
    limit: float
    alone: bool = False


@dataclass(frozen=True)
class Outcome:
    """What became of a task.

    fresh    for each point that has an entry now, the first of the batch, whether this task made it
    solves   expensive solutions that they took
    killed   how the process was killed at the next point, where that may be another's fault; it has no entry
    """

    fresh: tuple[bool, ...]
    solves: int = 0
    killed: str = ""


def begin(pool: ProcessPool, task: Task, store: Store) -> ProcessFuture[tuple[list[bool], int]]:
    """Have a worker carry out a task; BrokenProcessPool where a worker has died while it had nothing to do."""
    count = len(task.batch)
    limit = task.limit if count == 1 else task.limit * count + GRACE
    try:
        return pool.schedule(evaluate, (task, store), timeout=limit)
    except RuntimeError as error:
        raise BrokenProcessPool(one_line(error)) from None


def settle(task: Task, store: Store, future: ProcessFuture[tuple[list[bool], int]], memory: float | None) -> Outcome:
    """Turn the fate of a worker with `memory` GiB into entries: of all points, or those up to the one that ended it."""
    too_slow = f"no answer within {task.limit:g} s: stopped", task.limit
    try:
        fresh, solves = future.result()
        return Outcome(tuple(fresh), solves)
    except TimeoutError:
        failure = too_slow
    except ProcessExpired as error:
        number = abs(error.exitcode)
        if number in STOPPED_FROM_OUTSIDE:
            raise StoppedFromOutside(f"a worker was stopped from outside ({signal.Signals(number).name})") from None
        by_clock = len(task.batch) > 1 and error.exitcode == -signal.SIGALRM
        failure = too_slow if by_clock else (_fate(error.exitcode, memory), 0.0)
        if not task.alone and (number == signal.SIGKILL or (error.exitcode == OUT_OF_MEMORY and memory)):
            return ended(task, failure[0], store)
    first = entries(task, store)
    if len(first) < len(task.batch):
        key, inputs = task.batch[len(first)]
        # no effect where the worker had just finished: its own entry stands
        store.put(Call(key, inputs, "failed", *failure, None), task.identity)
        first = (*first, True)
    return Outcome(first)


def ended(task: Task, killed: str, *stores: Store) -> Outcome:
    """What became of a task whose process was killed: perhaps all of it was done, and only not told any more."""
    first = entries(task, *stores)
    return Outcome(first, killed=killed if len(first) < len(task.batch) else "")


def entries(task: Task, *stores: Store) -> tuple[bool, ...]:
    """True for each point, from the first on, that has an entry in one of the stores."""
    count = 0
    while count < len(task.batch) and any(store.get(task.batch[count][0]) is not None for store in stores):
        count += 1
    return (True,) * count


def evaluate(task: Task, store: Store) -> tuple[list[bool], int]:
    """Compute points and store them, in a worker: which are fresh, and how many solutions they took.

    After `limit` seconds of one point among several the kernel ends this process, which no handler in Python could do
    during a C call; the time of a single one is watched by the pool.
    """
    before, fresh = _solves(task.theory), []
    for key, inputs in task.batch:
        signal.setitimer(signal.ITIMER_REAL, task.limit if len(task.batch) > 1 else 0.0)
        fresh.append(_compute(task, store, key, inputs))
    signal.setitimer(signal.ITIMER_REAL, 0.0)
    return fresh, _solves(task.theory) - before


def _solves(theory: bytes) -> int:
    try:
        return int(getattr(_unpickled(theory), "solves", 0))
    except Exception:  # a theory that does not load fails at its points, with a reason
        return 0


def _compute(task: Task, store: Store, key: str, inputs: dict[str, float]) -> bool:
    """Compute one point and store it; False if another process has done it meanwhile."""
    if store.get(key) is not None:
        return False
    start = perf_counter()
    observables, reason = None, ""
    try:
        observables = _same(task).compute(inputs)
        if isinstance(observables, Observables):
            reason = observables.defect()
        else:
            reason = f"expected Observables from the theory, got {type(observables).__name__}"
    except _AnotherTheory:
        raise
    except TheoryError as error:
        reason = one_line(error) or "no reason given"
    except MemoryError as error:
        if memory_limit() is not None:
            os._exit(OUT_OF_MEMORY)  # what earlier points have left here may be to blame, so this process must go
        reason = one_line(f"MemoryError: {error}")
    except BaseException as error:  # SystemExit of a user's function as well: the point has failed, not the worker
        reason = one_line(f"{type(error).__name__}: {error}")
    seconds = perf_counter() - start
    if reason:
        call = Call(key, inputs, "failed", reason, seconds, None)
    else:
        call = Call(key, inputs, "done", "", seconds, observables)
    try:
        return store.put(call, task.identity)
    except DiskFull:
        store.make_room()
        store.put(call, task.identity)
        raise  # what is held is for calls that were begun before anybody knew


class _AnotherTheory(InputError):
    """What is installed here is not what was asked for."""


def _same(task: Task) -> Theory:
    """The theory; InputError where this host has another version of it than the program that asks."""
    theory = _unpickled(task.theory)
    if (found := theory.identity()) != task.identity:
        differing = [name for name in task.identity if found.get(name) != task.identity[name]]
        raise _AnotherTheory(
            f"expected the same exact code on the host {os.uname().nodename} as where the run was started, got another "
            f"{', '.join(differing)}; install the same versions on both"
        )
    return theory


@lru_cache(maxsize=2)  # a code, and its inexpensive part
def _unpickled(theory: bytes) -> Theory:
    return pickle.loads(theory)  # from the program that asks, by its own pipe or cluster; never from a file


def _fate(code: int, memory: float | None) -> str:
    """Say how a process ended that did not do so by itself."""
    if code == OUT_OF_MEMORY and memory:
        return f"more than {memory:g} GiB of memory needed"
    fate = signal.Signals(-code).name if code < 0 else f"exit code {code}"
    if code == -signal.SIGKILL:
        fate += ", perhaps out of memory"
    elif memory:
        fate += f", perhaps out of its {memory:g} GiB of memory"
    return f"the process crashed ({fate})"
