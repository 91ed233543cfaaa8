"""Where calls are made, as a study says it: every form, and one line for whatever does not fit."""

import inspect
import sys

import pytest

from alfonsine.errors import InputError
from alfonsine.study.compute_settings import SlurmSettings
from alfonsine.study.settings import settings_from
from alfonsine.study.workers import open_workers
from alfonsine.theory.local_workers import LocalWorkers

STUDY = {"theory": {"toy": None}, "likelihood": {"mock_cmb": None}, "params": {"x": {"prior": [0, 1]}}}
SLURM = {"jobs": 10, "cores": 8, "memory": "16GB", "queue": "long", "walltime": "12:00:00"}


def compute(**block):
    return settings_from(STUDY | {"compute": block}).compute


def test_every_form():
    assert compute(dask="tcp://head:8786").dask.scheduler == "tcp://head:8786"
    assert compute(dask={"scheduler": "tls://[::1]:8786"}).dask.scheduler == "tls://[::1]:8786"
    assert compute(dask={"scheduler_file": "scheduler.json"}).dask.scheduler_file == "scheduler.json"
    assert compute(dask={"local": 4}).count == 4
    slurm = compute(dask={"slurm": SLURM}, memory=2, timeout=60)
    assert slurm.count == 80 and slurm.place == "10 jobs of SLURM, 80 workers in all"
    assert slurm.dask.slurm.options == {name: value for name, value in SLURM.items() if name != "jobs"}
    assert compute(workers=3).place == "3 workers" and compute().memory is None


@pytest.mark.parametrize(
    ("block", "message"),
    [
        ({"dask": 3}, r"compute\.dask: expected a mapping .*, got 3; try tcp://host:8786"),
        ({"dask": "head:8786"}, r'compute\.dask\.scheduler: .* got "head:8786"; try tcp://host:8786'),
        ({"dask": {}}, r"compute\.dask: expected one of scheduler, .* got none"),
        ({"dask": {"local": 2, "scheduler": "tcp://a:1"}}, r"compute\.dask: .* got local, scheduler"),
        ({"dask": {"local": 0}}, r"compute\.dask\.local: expected a whole number from 1 to 4096, got 0; try 4"),
        ({"dask": {"loca": 2}}, r"compute\.dask: unknown key 'loca'; did you mean 'local'\?"),
        ({"dask": {"local": 2}, "workers": 2}, r"compute: expected workers .* got both; remove workers"),
        ({"memory": 0.1}, r"compute\.memory: expected a number from 0\.5 .* got 0\.1; try 4"),
        ({"dask": {"slurm": {"jobs": 2}}}, r"compute\.dask\.slurm: expected 'cores', got none; try 8"),
        ({"dask": {"slurm": SLURM | {"memory": 16}}}, r"slurm\.memory: .* got 16; try 16GB"),
        ({"dask": {"slurm": SLURM | {"walltime": 43200}}}, r"slurm\.walltime: .* got 43200; try '12:00:00', in quotes"),
        ({"dask": {"slurm": SLURM | {"quue": "a"}}}, r"slurm: unknown key 'quue'; did you mean 'queue'\?"),
        ({"dask": {"slurm": SLURM | {"processes": 3}}}, r"slurm: expected processes that divide 8 cores, got 3"),
    ],
)
def test_one_line_for_what_does_not_fit(block, message):
    with pytest.raises(InputError, match=message) as error:
        compute(**block)
    assert "\n" not in str(error.value)


def test_every_option_of_slurm_is_one_that_dask_jobqueue_has():
    jobqueue = pytest.importorskip("dask_jobqueue")
    from dask_jobqueue.core import Job, JobQueueCluster
    from dask_jobqueue.slurm import SLURMJob

    known = {
        name
        for part in (jobqueue.SLURMCluster, JobQueueCluster, SLURMJob, Job)
        for name in inspect.signature(part.__init__).parameters
    }
    assert SlurmSettings.model_fields.keys() - {"jobs"} <= known


def test_nothing_of_it_decides_which_points_are_computed():
    digests = {settings_from(STUDY | {"compute": c}).digest for c in ({}, {"workers": 3}, {"dask": {"local": 2}})}
    assert len(digests) == 1


def test_local_workers_are_opened_with_what_the_study_says_and_dask_is_not_needed(monkeypatch):
    monkeypatch.setitem(sys.modules, "distributed", None)
    with open_workers(settings_from(STUDY | {"compute": {"workers": 3, "memory": 2}})) as workers:
        assert isinstance(workers, LocalWorkers) and (workers.count, workers.memory) == (3, 2.0)


def test_a_file_of_a_scheduler_is_looked_for_beside_the_study():
    with pytest.raises(InputError, match=r"compute\.dask: expected a file of a Dask scheduler at 'nowhere\.json'"):
        with open_workers(settings_from(STUDY | {"compute": {"dask": {"scheduler_file": "nowhere.json"}}})):
            pass
