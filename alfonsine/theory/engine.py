"""Many exact calls at once, each in a process that can be killed, each durable before anything else happens.

Where the processes are is a matter of the workers: on this machine (`local_workers`) or on a cluster (`dask_workers`).
In either case the worker itself stores its finished call, in the archive or in a folder beside it; this program only
hears that it is there. So nothing that befalls it, `kill -9` included, can lose a finished call. Failures (an
exception, NaN, a crash, the wall-clock limit) are entries like any other, with their reason, and are not tried again.
A process that was killed may have been the victim of another: its point is tried once more, by itself.
"""

import pickle
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from math import ceil
from typing import Protocol, runtime_checkable

from alfonsine.errors import InputError
from alfonsine.theory.archive import Archive
from alfonsine.theory.call import Call
from alfonsine.theory.incoming import PATIENCE, Incoming
from alfonsine.theory.local_workers import LocalWorkers
from alfonsine.theory.task import Outcome, Task
from alfonsine.theory.theory import Theory, one_line

Progress = Callable[[Call], None]
Points = Mapping[str, dict[str, float]]


@runtime_checkable
class Workers(Protocol):
    """Processes that carry out tasks, here or elsewhere; `count` of them at once."""

    @property
    def count(self) -> int:
        """How many tasks are carried out at once."""
        ...

    def carry_out(self, tasks: Sequence[Task], archive: Archive) -> Iterator[tuple[Task, Outcome]]:
        """Say what became of each task as soon as it is known; its entries are in the archive or on their way."""
        ...

    def close(self) -> None:
        """Stop them, whatever they do."""
        ...


class Engine:
    """A theory, its archive, and workers kept from one batch to the next.

    with Engine(theory, archive, workers=2, timeout=120) as engine:
        calls = engine.compute(points)

    workers     a number of processes on this machine, or workers of another kind, which remain open at the end
    timeout     hard limit of one call, wall-clock seconds
    max_tasks   tasks after which a process on this machine is replaced, for codes that leak memory

    A theory may have a method `shares(inputs)`: points for which it says the same text are cheaper one after another
    in one worker. They then are one task; the limit of time remains that of each call. `solves` sums what the
    theory's attribute of that name counts in the workers: the expensive part of calls, where calls share it.

    What a cluster's workers finished for a program that is no more is taken into the archive first of all; `refused`
    says which files among it were not whole.
    """

    def __init__(
        self,
        theory: Theory,
        archive: Archive,
        *,
        workers: "int | Workers" = 1,
        timeout: float = 600.0,
        max_tasks: int = 100,
    ) -> None:
        if not timeout > 0:
            raise InputError(f"expected a positive time limit in seconds, got {timeout:g}; try 600")
        self.own = isinstance(workers, int)
        self.workers: Workers = LocalWorkers(workers, max_tasks) if isinstance(workers, int) else workers
        self.theory, self.archive, self.timeout = theory, archive, timeout
        self.identity = theory.identity()
        self.solves = 0
        self._theory = _pickled(theory)
        self._incoming = Incoming.beside(archive)
        self.refused = self._incoming.take_all(archive)

    def __enter__(self) -> "Engine":
        return self

    def __exit__(self, *_: object) -> None:
        if self.own:
            self.workers.close()

    def of(self, theory: Theory) -> "Engine":
        """An engine for another theory with the same workers, behind the same archive."""
        return Engine(theory, self.archive, workers=self.workers, timeout=self.timeout)

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
        for call in self._make({key: point for key, point in inputs.items() if key not in finished}):
            finished[call.key] = call
            report(call)
        calls: list[Call] = []
        repeated: set[str] = set()
        for key in keys:
            calls.append(finished[key])
            if key in repeated:
                calls[-1] = replace(calls[-1], fresh=False)
                report(calls[-1])
            repeated.add(key)
        return calls

    def _make(self, missing: Points) -> Iterator[Call]:
        """Calls as they are finished, until none is missing."""
        left = dict(missing)
        killed: set[str] = set()
        taken: list[str] = []
        while left:
            tasks = self._tasks({key: point for key, point in left.items() if key not in killed})
            tasks = tasks or [self._task([next(iter(left.items()))], alone=True)]
            for task, outcome in self.workers.carry_out(tasks, self.archive):
                self.solves += outcome.solves
                for (key, _), fresh in zip(task.batch, outcome.fresh, strict=False):
                    del left[key]
                    yield replace(self._stored(key, taken), fresh=fresh)
                if outcome.killed:
                    key, inputs = task.batch[len(outcome.fresh)]
                    if task.alone:
                        self.archive.put(Call(key, inputs, "failed", outcome.killed, 0.0, None), self.identity)
                        del left[key]
                        yield replace(self._stored(key, taken), fresh=True)
                    killed.add(key)
            self._incoming.discard(taken)

    def _tasks(self, points: Points) -> list[Task]:
        """The points, together where the theory says so, but never so that a worker has nothing to do."""
        shares = getattr(self.theory, "shares", None)
        if shares is None:
            return [self._task([item]) for item in points.items()]
        groups: dict[str, list[tuple[str, dict[str, float]]]] = {}
        for key, point in points.items():
            groups.setdefault(shares(point) or key, []).append((key, point))
        most = ceil(len(points) / self.workers.count)
        return [self._task(group[i : i + most]) for group in groups.values() for i in range(0, len(group), most)]

    def _task(self, batch: Sequence[tuple[str, dict[str, float]]], alone: bool = False) -> Task:
        return Task(self._theory, self.identity, tuple(batch), self.timeout, alone)

    def _stored(self, key: str, taken: list[str]) -> Call:
        """The finished call that a worker has reported; `taken` notes those that came by way of a file."""
        call = self.archive.get(key)
        if call is None and self._incoming.take(key, self.archive, PATIENCE) is not None:
            taken.append(key)
            call = self.archive.get(key)
        if call is None:
            raise RuntimeError(f"the archive {self.archive.path} has lost a call that was just written")
        return call


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
