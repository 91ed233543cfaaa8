"""What runs on a worker of a Dask cluster: one task, in a process of its own that can be killed.

Dask's own worker cannot end a call that hangs, and would die with one that crashes. So each call is made in a process
beside it, with one thread, bounded memory and a hard limit of time, as on a single machine. A finished call, or the
reason of a failed one, is on disk in the folder of finished calls before the cluster hears of it.
"""

import threading
from collections.abc import Iterator
from concurrent.futures import wait
from concurrent.futures.process import BrokenProcessPool
from contextlib import contextmanager
from dataclasses import dataclass

from distributed import Reschedule, Worker, get_worker
from pebble import ProcessPool

from alfonsine.theory.incoming import Incoming
from alfonsine.theory.task import Outcome, StoppedFromOutside, Task, begin, settle
from alfonsine.theory.workers import worker_pool

LOOK = 0.2  # seconds between two looks at whether the task is still wanted
IDLE = 120.0  # seconds after which unused processes are given up
ENDING = {"closing", "closed", "failed"}


def work(task: Task, incoming: Incoming, max_tasks: int, memory: float | None) -> Outcome:
    """Carry out a task on the Dask worker that calls this; what it had finished before is not computed again.

    Where this worker is about to end, Dask is asked to run the task elsewhere; where nobody waits for it any more, the
    call is stopped.
    """
    worker = get_worker()
    name = worker.get_current_task()
    incoming.check()
    with _processes(worker.state.nthreads, max_tasks, memory, task.alone) as pool:
        try:
            future = begin(pool, task, incoming)
            while not wait([future], LOOK).done:
                if not _wanted(worker, name):
                    future.cancel()
                    raise Reschedule
            return settle(task, incoming, future, memory)
        except (StoppedFromOutside, BrokenProcessPool):
            raise Reschedule from None


def _wanted(worker: Worker, name: str) -> bool:
    """Whether this worker goes on, and somebody still waits for the task: not where the client is gone."""
    state = worker.state.tasks.get(name)
    return worker.status.name not in ENDING and state is not None and state.state != "cancelled"


@dataclass
class _Pool:
    """Processes, how many tasks use them, and what closes them if nobody does."""

    pool: ProcessPool
    users: int = 0
    closing: threading.Timer | None = None


_pools: dict[tuple[int, int, float | None], _Pool] = {}
_lock = threading.Lock()


@contextmanager
def _processes(count: int, max_tasks: int, memory: float | None, alone: bool) -> Iterator[ProcessPool]:
    """Processes for the tasks of this Dask worker, kept for the next ones; or a fresh one for this task alone."""
    if alone:
        pool = worker_pool(1, 1, memory)
        try:
            yield pool
        finally:
            _end(pool)
        return
    key = (count, max_tasks, memory)
    with _lock:
        if key in _pools and not _pools[key].pool.active:  # one of its processes died while it had nothing to do
            _end(_pools.pop(key).pool)
        if key not in _pools:
            _pools[key] = _Pool(worker_pool(count, max_tasks, memory))
        kept = _pools[key]
        kept.users += 1
        if kept.closing is not None:
            kept.closing.cancel()
            kept.closing = None
    try:
        yield kept.pool
    finally:
        with _lock:
            kept.users -= 1
            if not kept.users:
                kept.closing = threading.Timer(IDLE, _give_up, (key, kept))
                kept.closing.daemon = True
                kept.closing.start()


def _give_up(key: tuple[int, int, float | None], kept: _Pool) -> None:
    with _lock:
        if kept.users or _pools.get(key) is not kept:
            return
        del _pools[key]
    _end(kept.pool)


def _end(pool: ProcessPool) -> None:
    pool.stop()
    pool.join()
