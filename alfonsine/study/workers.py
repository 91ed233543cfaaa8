"""The workers that a study asks for."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from alfonsine.study.settings import Settings
from alfonsine.theory.dask_workers import DaskWorkers
from alfonsine.theory.engine import Workers
from alfonsine.theory.local_workers import LocalWorkers


@contextmanager
def open_workers(settings: Settings) -> Iterator[Workers]:
    """Workers on this machine or of a cluster, until the end of the block; InputError where they are not to be had."""
    workers = _workers(settings)
    try:
        yield workers
    finally:
        workers.close()


def _workers(settings: Settings) -> Workers:
    compute = settings.compute
    if compute.dask is None:
        return LocalWorkers(compute.count, memory=compute.memory)
    try:
        if compute.dask.local is not None:
            return DaskWorkers.local(compute.dask.local, compute.memory)
        if compute.dask.slurm is not None:
            return DaskWorkers.slurm(compute.dask.slurm.jobs, compute.dask.slurm.options, compute.memory)
        if compute.dask.scheduler is not None:
            return DaskWorkers.at(compute.dask.scheduler, compute.memory)
        file = (settings.source.folder or Path()) / str(compute.dask.scheduler_file)  # beside the study, as data are
        return DaskWorkers.at(str(file), compute.memory)
    except ValueError as error:  # an InputError; where it stands is known here
        raise settings.source.error(("compute", "dask"), str(error)) from None
