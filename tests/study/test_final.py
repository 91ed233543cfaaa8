"""The final posterior, drawn beside the calls that judge it or after them."""

import os
import signal
import threading
import time

import numpy as np
import pytest
from toy_studies import banana, curved, run_here

from alfonsine.posterior.until import Draws, until_effective
from alfonsine.posterior.wanted import GivenUpError, check_wanted, while_wanted
from alfonsine.study import final, loop
from alfonsine.study.compute_settings import ComputeSettings, cores
from alfonsine.study.final import FinalPosterior, final_posterior


def begun_by(monkeypatch, beside):
    """What the loop begins, and whether it has a core for that."""
    begun = []

    def begin(study, lesson, leaves_a_core):
        begun.append(FinalPosterior(study, lesson, leaves_a_core))
        return begun[-1]

    monkeypatch.setattr(loop, "FinalPosterior", begin)
    monkeypatch.setattr(ComputeSettings, "leaves_a_core", property(lambda self: beside))
    return begun


def test_draws_made_beside_the_judging_calls_are_those_made_after_them(tmp_path, monkeypatch):
    """Truth: the same run without."""
    results = []
    for beside in (True, False):
        with monkeypatch.context() as patch:
            begun = begun_by(patch, beside)
            results.append(run_here(banana(), tmp_path / str(beside)))
            assert [entry._begun is not None for entry in begun] == [beside]
    one, other = results
    assert np.array_equal(one.posterior.samples, other.posterior.samples)
    assert np.array_equal(one.log_weights, other.log_weights)


@pytest.mark.slow
def test_draws_of_a_posterior_that_does_not_pass_are_given_up(tmp_path, monkeypatch):
    """On a toy whose first verdict is no pass, where the draws of the first posterior would take for ever."""
    begun = begun_by(monkeypatch, beside=True)

    def endless_at_first(study, lesson):
        deadline = time.monotonic() + 300
        while len(begun) < 2 and time.monotonic() < deadline:
            check_wanted()
            time.sleep(0.01)
        return final_posterior(study, lesson)

    monkeypatch.setattr(final, "final_posterior", endless_at_first)
    result = run_here(curved(accuracy={"kl": 0.02, "calls": 200}), tmp_path)
    assert len(begun) > 1
    for entry in begun[:-1]:
        with pytest.raises(GivenUpError):
            entry.draws()
    assert np.array_equal(result.posterior.samples, begun[-1].draws().samples)
    assert not [thread.name for thread in threading.enumerate() if thread.name.startswith("final posterior")]


def test_draws_that_take_longer_than_the_judging_calls_are_waited_for(tmp_path, monkeypatch):
    """They are still wanted when the workers are gone."""
    begun_by(monkeypatch, beside=True)

    def slow(study, lesson):
        time.sleep(3)
        check_wanted()
        return final_posterior(study, lesson)

    monkeypatch.setattr(final, "final_posterior", slow)
    assert len(run_here(banana(), tmp_path).posterior) > 0


def test_who_is_interrupted_while_waiting_does_not_wait_for_the_rest(tmp_path, monkeypatch):
    """Of draws that would take for ever."""
    entries = begun_by(monkeypatch, beside=False)
    run_here(banana(), tmp_path)

    def endless(study, lesson):
        deadline = time.monotonic() + 30
        while time.monotonic() < deadline:
            check_wanted()
            time.sleep(0.01)

    monkeypatch.setattr(final, "final_posterior", endless)
    begun = FinalPosterior(entries[0]._study, entries[0]._lesson, beside=True)
    # not SIGINT itself: who runs the tests may have it ignored
    before = signal.signal(signal.SIGUSR1, signal.default_int_handler)
    threading.Timer(0.5, os.kill, (os.getpid(), signal.SIGUSR1)).start()
    try:
        with pytest.raises(KeyboardInterrupt):
            begun.draws()
    finally:
        signal.signal(signal.SIGUSR1, before)
    assert isinstance(begun._begun.exception(), GivenUpError)


def test_a_loop_that_dies_while_it_judges_leaves_no_thread(tmp_path, monkeypatch):
    """An error in the verdict is told as such."""

    def broken(*_):
        raise RuntimeError("no verdict")

    begun = begun_by(monkeypatch, beside=True)
    monkeypatch.setattr(loop, "certificate_of", broken)
    with pytest.raises(RuntimeError, match="no verdict"):
        run_here(banana(), tmp_path)
    assert begun[0]._begun.done()


def test_a_sampler_ends_at_the_block_from_which_on_nobody_wants_its_draws():
    """In the thread that said so, and while it says so."""
    blocks = []

    def next_block(number):
        blocks.append(number)
        theta = np.random.default_rng(number).normal(size=(4, 10, 1))
        return Draws(theta, theta[..., 0], theta[..., 0], {})

    with pytest.raises(GivenUpError), while_wanted(lambda: len(blocks) < 3):
        until_effective(next_block, np.inf, 100)
    assert blocks == [0, 1, 2]
    until_effective(next_block, np.inf, 5)
    assert blocks == [0, 1, 2, 0, 1, 2, 3, 4]


@pytest.mark.parametrize(
    ("given", "leaves"),
    [
        ({"workers": "auto"}, False),
        ({"workers": cores() + 1}, False),
        ({"dask": {"local": cores()}}, False),
        ({"dask": "tcp://host:8786"}, True),
        ({"dask": {"slurm": {"jobs": 1, "cores": 1024, "memory": "16GB"}}}, True),
    ],
)
def test_a_core_is_left_by_workers_elsewhere_or_by_fewer_of_them(given, leaves):
    """By the settings alone."""
    assert ComputeSettings(**given).leaves_a_core is leaves


def test_fewer_workers_than_cores_leave_one(monkeypatch):
    """By the cores of this process."""
    monkeypatch.setattr("alfonsine.study.compute_settings.cores", lambda: 3)
    assert [ComputeSettings(workers=n).leaves_a_core for n in (2, 3)] == [True, False]
