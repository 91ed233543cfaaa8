"""Workers of a Dask cluster: a scheduler that runs already, processes on this machine, or jobs of SLURM.

A task goes to whichever worker is free. Its finished calls come back as files (`incoming`), not through Dask, so they
outlive worker, scheduler and this program. Dask runs the tasks of a worker that dies elsewhere; one that has ended
several workers is given back as killed, and the engine says what that means for its points.
"""

import logging
import secrets
import shutil
import signal
import threading
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any

from alfonsine.errors import InputError
from alfonsine.theory.archive import Archive
from alfonsine.theory.incoming import Incoming
from alfonsine.theory.task import Outcome, Task, ended
from alfonsine.theory.theory import one_line
from alfonsine.theory.workers import is_worker, no_main_script

if TYPE_CHECKING:
    from distributed import Client
    from distributed.deploy.cluster import Cluster

PATIENCE = 20.0  # seconds for a scheduler to answer


class DaskWorkers:
    """The workers of a cluster, one task for each of their threads at a time.

    client     connected to the scheduler
    cluster    what to close with it, where it is ours
    expected   tasks at once, where workers may still be on their way
    max_tasks  tasks after which a process is replaced
    memory     GiB that each process may use; None for no limit
    """

    def __init__(
        self,
        client: "Client",
        cluster: "Cluster | None" = None,
        expected: int = 1,
        max_tasks: int = 100,
        memory: float | None = None,
    ) -> None:
        self.client, self.cluster, self.expected = client, cluster, expected
        self.max_tasks, self.memory = max_tasks, memory

    @classmethod
    def at(cls, scheduler: str, memory: float | None = None) -> "DaskWorkers":
        """Those of the scheduler at an address such as tcp://host:8786, or of the one in a scheduler file."""
        need("distributed")
        if "://" not in scheduler and not Path(scheduler).is_file():
            raise InputError(f"expected a file of a Dask scheduler at '{scheduler}', got none; start it first")
        where = {"address": scheduler} if "://" in scheduler else {"scheduler_file": scheduler}
        return cls(_connected(f"at {scheduler}", where), memory=memory)

    @classmethod
    def local(cls, count: int, memory: float | None = None) -> "DaskWorkers":
        """So many processes on this machine, which end with this program."""
        need("distributed")
        from distributed import LocalCluster

        with no_main_script():
            cluster = LocalCluster(
                n_workers=count,
                threads_per_worker=1,
                memory_limit=0,  # Dask's own processes do nothing but wait
                dashboard_address=":0",  # any free port: that of Dask may be taken
                silence_logs=logging.CRITICAL,
                host="127.0.0.1",
            )
        return cls(_of_ours(cluster), cluster, count, memory=memory)

    @classmethod
    def slurm(cls, jobs: int, options: Mapping[str, Any], memory: float | None = None) -> "DaskWorkers":
        """So many jobs of SLURM, each with `cores` calls at once; options are those of dask_jobqueue.SLURMCluster."""
        need("distributed", "dask_jobqueue")
        with _interrupts_kept():
            from dask_jobqueue import SLURMCluster

        if shutil.which(SLURMCluster.job_cls.submit_command) is None:
            raise InputError("expected SLURM's sbatch on this machine, got none; start where jobs are submitted")
        options = {"processes": 1, "scheduler_options": {"dashboard_address": None}, **options}
        try:
            cluster = SLURMCluster(**options)
            cluster.scale(jobs=jobs)
        except (ValueError, TypeError, OSError, RuntimeError) as error:
            raise InputError(f"expected options that start jobs of SLURM, got '{one_line(error)}'") from None
        return cls(_of_ours(cluster), cluster, jobs * int(options["cores"]), memory=memory)

    @property
    def count(self) -> int:
        """Tasks carried out at once, when all workers have come."""
        return max(self.expected, sum(self.client.nthreads().values()))

    def carry_out(self, tasks: Sequence[Task], archive: Archive) -> Iterator[tuple[Task, Outcome]]:
        """Carry out tasks, and say what became of each as soon as it is known."""
        from distributed import as_completed

        from alfonsine.theory.dask_worker import work

        incoming = Incoming.beside(archive).made()
        names = [f"exact-call-{secrets.token_hex(16)}" for _ in tasks]
        futures = self.client.map(
            work, tasks, incoming=incoming, max_tasks=self.max_tasks, memory=self.memory, key=names, pure=False
        )
        known = {future.key: task for future, task in zip(futures, tasks, strict=True)}
        try:
            for future in as_completed(futures, loop=self.client.loop):
                task = known[future.key]
                outcome = self._outcome(future, task, archive, incoming)
                future.release()  # or Dask would make the call again if the worker that holds its outcome dies
                yield task, outcome
        finally:
            self.client.cancel(futures)

    def close(self) -> None:
        """Leave the cluster; end it where it is ours."""
        self.client.close()
        if self.cluster is not None:
            self.cluster.close()

    def _outcome(self, future: Any, task: Task, archive: Archive, incoming: Incoming) -> Outcome:
        from concurrent.futures import CancelledError

        from distributed.scheduler import KilledWorker

        try:
            return future.result()
        except KilledWorker as error:
            reason = f"{error.allowed_failures + 1} workers of the cluster died at it"
            return ended(task, reason, archive, incoming)
        except (CancelledError, TimeoutError, OSError) as error:
            raise InputError(
                f"expected the Dask scheduler to stay, got '{one_line(error) or type(error).__name__}'; start it again "
                "and give the same command again: finished calls are kept"
            ) from None
        except ImportError as error:
            raise InputError(
                f"expected alfonsine and the study's own files on scheduler and workers, got '{one_line(error)}'; "
                "start both in the environment of this program"
            ) from None


@contextmanager
def _interrupts_kept() -> Iterator[None]:
    """Leave what an interrupt does as it was: imported, dask_jobqueue has it end any program as if all were well."""
    before = signal.getsignal(signal.SIGINT)
    try:
        yield
    finally:
        if threading.current_thread() is threading.main_thread() and before is not None:
            signal.signal(signal.SIGINT, before)


def need(*packages: str) -> None:
    """InputError where a package is not installed."""
    missing = [package for package in packages if find_spec(package) is None]
    if missing:
        raise InputError(
            f"expected the package {missing[0].replace('_', '-')} for compute.dask, got none; "
            "install it with: pip install 'alfonsine[cluster]'"
        )
    if is_worker():
        raise InputError("expected to start workers from the main program, got a start inside a worker process")


def _of_ours(cluster: "Cluster") -> "Client":
    try:
        return _connected("of its own", {"address": cluster})
    except BaseException:
        cluster.close()
        raise


def _connected(name: str, where: dict[str, Any]) -> "Client":
    from distributed import Client

    try:
        return Client(**where, timeout=PATIENCE, set_as_default=False)
    except (OSError, TimeoutError, ValueError) as error:
        raise InputError(
            f"expected a Dask scheduler {name}, got '{one_line(error) or type(error).__name__}'; "
            "start one with: dask scheduler"
        ) from None
