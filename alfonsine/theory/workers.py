"""Worker processes that can always be stopped: one thread each, bounded memory, gone when their parent goes.

Workers are spawned, never forked: JAX in the parent has threads, and a fork would copy their locks half-held.
"""

import contextlib
import ctypes
import multiprocessing
import os
import resource
import signal
import sys
import threading
import time
from collections.abc import Callable, Iterator
from multiprocessing.context import SpawnContext, SpawnProcess
from types import ModuleType
from typing import Any

from pebble import ProcessPool

GIB = 2**30
PR_SET_PDEATHSIG = 1  # <linux/prctl.h>
ENVIRONMENT = {
    **dict.fromkeys(
        (
            "OMP_NUM_THREADS",
            "OPENBLAS_NUM_THREADS",
            "MKL_NUM_THREADS",
            "NUMEXPR_NUM_THREADS",
            "VECLIB_MAXIMUM_THREADS",
        ),
        "1",
    ),
    "JAX_ENABLE_X64": "1",  # for a user's function in JAX: the same 64 bits as in the parent
}
_starting = threading.Lock()


class _WorkerProcess(SpawnProcess):
    """A spawned process with its own environment that does not run the user's main script a second time.

    Libraries read the number of threads when they are loaded, so it must be in the environment before
    Python starts. Without the second part every worker would import what the command line imports
    (seconds each), and a script without `if __name__ == "__main__"` would start workers without end.
    """

    def start(self) -> None:
        with _starting, _environment(ENVIRONMENT), no_main_script(), _allowed_children(self):
            super().start()


class _WorkerContext(SpawnContext):
    Process = _WorkerProcess


def worker_pool(workers: int, max_tasks: int = 0, memory: float | None = None) -> ProcessPool:
    """Open a pool whose tasks can be stopped; workers are replaced after `max_tasks` tasks (0: never).

    Each may have `memory` GiB, where the system is Linux.
    """
    return ProcessPool(workers, max_tasks, _begin, (os.getpid(), memory), _WorkerContext())


def run_apart(function: Callable[..., Any], *arguments: Any, timeout: float) -> Any:
    """Call a function in a process of its own; TimeoutError or pebble.ProcessExpired if it never returns."""
    with worker_pool(1) as pool:
        try:
            return pool.schedule(function, arguments, timeout=timeout).result()
        finally:
            pool.stop()


def _begin(parent: int, memory: float | None) -> None:
    """First acts of a worker: be easy to stop, tie its life to that of its parent, and bound its memory."""
    signal.signal(signal.SIGTERM, signal.SIG_DFL)  # a handler in Python would never run during a hung C call
    if sys.platform == "linux":
        # The kernel's signal also reaches a process that hangs inside a C call and never returns to Python.
        ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)
    else:
        threading.Thread(target=_watch, args=(parent,), daemon=True).start()
    if os.getppid() != parent:  # it died before we were listening
        os._exit(1)
    if memory is not None and sys.platform == "linux":
        # Memory that is written, not address space, of which JAX and others reserve what they never use.
        resource.setrlimit(resource.RLIMIT_DATA, (int(memory * GIB),) * 2)


def memory_limit() -> float | None:
    """GiB that this process may use; None where there is no limit."""
    soft, _ = resource.getrlimit(resource.RLIMIT_DATA)
    return None if soft == resource.RLIM_INFINITY else soft / GIB


def _watch(parent: int) -> None:
    while os.getppid() == parent:
        time.sleep(0.5)
    os._exit(1)


@contextlib.contextmanager
def _environment(values: dict[str, str]) -> Iterator[None]:
    before = {name: os.environ.get(name) for name in values}
    os.environ.update(values)
    try:
        yield
    finally:
        for name, value in before.items():
            if value is None:
                del os.environ[name]
            else:
                os.environ[name] = value


@contextlib.contextmanager
def no_main_script() -> Iterator[None]:
    """Keep processes that are spawned meanwhile from running the user's main script a second time."""
    main = sys.modules["__main__"]
    sys.modules["__main__"] = ModuleType("__main__")
    try:
        yield
    finally:
        sys.modules["__main__"] = main


@contextlib.contextmanager
def _allowed_children(child: SpawnProcess) -> Iterator[None]:
    """Let a daemonic process, as Dask's workers are, have children: daemonic ones, stopped when it ends.

    multiprocessing refuses this lest they be left behind; ours never are.
    """
    settings = multiprocessing.current_process()._config  # type: ignore[attr-defined]
    if not settings.get("daemon"):
        yield
        return
    child.daemon = True
    settings["daemon"] = False
    try:
        yield
    finally:
        settings["daemon"] = True


def is_worker() -> bool:
    """Whether this process was started by multiprocessing."""
    return multiprocessing.parent_process() is not None
