"""Where exact calls are made: processes on this machine, or a cluster by way of Dask."""

import os
from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, Field, model_validator

from alfonsine.errors import InputError
from alfonsine.study.settings_block import Block, Options, Texts

Address = Annotated[str, Field(pattern=r"^(tcp|tls|ws|wss)://[^\s/]+:\d+$")]


class SlurmSettings(Block):
    """Jobs of SLURM, started by dask_jobqueue.SLURMCluster, whose options these are but for `jobs`.

    jobs    how many
    cores   calls at once in each
    memory  of each job
    """

    jobs: int = Field(ge=1, le=10_000, examples=[10])
    cores: int = Field(ge=1, le=1024, examples=[8])
    memory: str = Field(pattern=r"^\d+(\.\d+)?\s*[kKMGT]i?B$", examples=["16GB"])
    queue: str | None = Field(default=None, examples=["long"])
    account: str | None = Field(default=None, examples=["my_project"])
    walltime: str | None = Field(default=None, pattern=r"^(\d+-)?\d+(:\d\d){0,2}$", examples=["'12:00:00', in quotes"])
    processes: int | None = Field(default=None, ge=1, le=1024, examples=[1])
    job_cpu: int | None = Field(default=None, ge=1, examples=[8])
    job_mem: str | None = Field(default=None, examples=["16GB"])
    job_name: str | None = Field(default=None, examples=["alfonsine"])
    job_extra_directives: Texts | None = Field(default=None, examples=["['--exclusive']"])
    job_directives_skip: Texts | None = Field(default=None, examples=["['--mem']"])
    job_script_prologue: Texts | None = Field(default=None, examples=["['module load gcc']"])
    worker_extra_args: Texts | None = Field(default=None, examples=["['--lifetime', '11h']"])
    interface: str | None = Field(default=None, examples=["ib0"])
    local_directory: str | None = Field(default=None, examples=["/scratch"])
    log_directory: str | None = Field(default=None, examples=["logs"])
    shared_temp_directory: str | None = Field(default=None, examples=["/scratch/shared"])
    death_timeout: float | None = Field(default=None, gt=0, examples=[60])
    python: str | None = Field(default=None, examples=["/path/to/python"])
    shebang: str | None = Field(default=None, examples=["'#!/usr/bin/env bash'"])
    config_name: str | None = Field(default=None, examples=["slurm"])
    scheduler_options: Options | None = Field(default=None, examples=["{interface: eth0}"])

    @model_validator(mode="after")
    def _divides(self) -> "SlurmSettings":
        if self.processes is not None and self.cores % self.processes:
            raise InputError(f"expected processes that divide {self.cores} cores, got {self.processes}; try 1")
        return self

    @property
    def options(self) -> dict[str, Any]:
        """What is passed to dask_jobqueue.SLURMCluster."""
        given = self.model_dump(exclude={"jobs"}, exclude_none=True)
        return {name: list(value) if isinstance(value, tuple) else value for name, value in given.items()}


class DaskSettings(Block):
    """A cluster: address or file of a scheduler that runs already, workers on this machine, or jobs of SLURM."""

    scheduler: Address | None = Field(default=None, examples=["tcp://host:8786"])
    scheduler_file: str | None = Field(default=None, min_length=1, examples=["scheduler.json"])
    local: Annotated[int, Field(ge=1, le=4096)] | None = Field(default=None, examples=[4])
    slurm: SlurmSettings | None = Field(default=None, examples=["{jobs: 10, cores: 8, memory: 16GB}"])

    @model_validator(mode="after")
    def _one(self) -> "DaskSettings":
        if len(self.model_fields_set) != 1:
            given = ", ".join(sorted(self.model_fields_set)) or "none"
            raise InputError(f"expected one of scheduler, scheduler_file, local, slurm, got {given}; try local: 4")
        return self


def _address(value: Any) -> Any:
    """`dask: tcp://host:8786` means `dask: {scheduler: tcp://host:8786}`."""
    return {"scheduler": value} if isinstance(value, str) else value


class ComputeSettings(Block):
    """Workers, and what each may take.

    workers  processes on this machine (`auto`: one for each core)
    timeout  seconds after which a hung call is stopped
    memory   GiB that each worker may use (on Linux); no limit without it
    dask     a cluster in the place of this machine
    """

    workers: Annotated[int, Field(ge=1, le=4096)] | Literal["auto"] = Field(default="auto", examples=["auto"])
    timeout: float = Field(default=300.0, gt=0, le=1_000_000)
    memory: float | None = Field(default=None, ge=0.5, le=100_000, examples=[4])
    dask: Annotated[DaskSettings | None, BeforeValidator(_address)] = Field(default=None, examples=["tcp://host:8786"])

    @model_validator(mode="after")
    def _one_place(self) -> "ComputeSettings":
        if self.dask is not None and "workers" in self.model_fields_set:
            raise InputError("expected workers of this machine or of dask, got both; remove workers")
        return self

    @property
    def count(self) -> int:
        """Number of calls at once: as given, or the cores of this process; 1 for a scheduler not asked yet."""
        if self.dask is not None:
            slurm = self.dask.slurm
            return self.dask.local or (slurm.jobs * slurm.cores if slurm is not None else 1)
        if self.workers != "auto":
            return self.workers
        return cores()

    @property
    def leaves_a_core(self) -> bool:
        """Whether the program itself can work while calls are made and take no core from them."""
        elsewhere = self.dask is not None and self.dask.local is None
        return elsewhere or self.count < cores()

    @property
    def place(self) -> str:
        """Where calls are made, for people."""
        if self.dask is None:
            return f"{self.count} workers"
        if self.dask.local is not None:
            return f"{self.count} workers of Dask"
        if self.dask.slurm is not None:
            return f"{self.dask.slurm.jobs} jobs of SLURM, {self.count} workers in all"
        return f"the workers of {self.dask.scheduler or self.dask.scheduler_file}, each of which makes it shorter"


def cores() -> int:
    """Cores that this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
