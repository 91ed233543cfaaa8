"""Workers on this machine: processes that write their finished calls to the archive themselves."""

from collections.abc import Iterator, Sequence
from concurrent.futures import as_completed
from concurrent.futures.process import BrokenProcessPool

from pebble import ProcessPool

from alfonsine.errors import InputError
from alfonsine.theory.archive import Archive
from alfonsine.theory.task import Outcome, Task, begin, settle
from alfonsine.theory.theory import one_line
from alfonsine.theory.workers import is_worker, worker_pool

BROKEN_POOLS_ALLOWED = 3


class LocalWorkers:
    """Processes of one thread each, kept from one batch of tasks to the next.

    count       how many
    max_tasks   tasks after which one is replaced, for codes that leak memory
    memory      GiB that each may use; None for no limit
    """

    def __init__(self, count: int = 1, max_tasks: int = 100, memory: float | None = None) -> None:
        if count < 1:
            raise InputError(f"expected at least one worker, got {count}; try 1")
        if is_worker():
            raise InputError("expected to start workers from the main program, got a start inside a worker process")
        self.count, self.max_tasks, self.memory = count, max_tasks, memory
        self._pool: ProcessPool | None = None

    def carry_out(self, tasks: Sequence[Task], archive: Archive) -> Iterator[tuple[Task, Outcome]]:
        """Carry out tasks, and say what became of each as soon as it is known."""
        left = dict(enumerate(tasks))
        broken = 0
        while left:
            try:
                for number, outcome in self._attempt(left, archive):
                    yield left.pop(number), outcome
            except BrokenProcessPool as error:  # a worker died while it had nothing to do: no point is to blame
                self.close()
                broken += 1
                if broken > BROKEN_POOLS_ALLOWED:
                    raise RuntimeError(f"the worker processes do not stay alive ({one_line(error)})") from error

    def close(self) -> None:
        """Stop the processes, whatever they do."""
        if self._pool is not None:
            self._pool.stop()
            self._pool.join()
            self._pool = None

    def _attempt(self, tasks: dict[int, Task], archive: Archive) -> Iterator[tuple[int, Outcome]]:
        if any(task.alone for task in tasks.values()):
            self.close()  # none of the processes that are there would do
        if self._pool is None:
            self._pool = worker_pool(self.count, self.max_tasks, self.memory)
        futures = {begin(self._pool, task, archive): number for number, task in tasks.items()}
        try:
            for future in as_completed(futures):
                number = futures[future]
                yield number, settle(tasks[number], archive, future, self.memory)
        finally:
            for future in futures:
                future.cancel()
