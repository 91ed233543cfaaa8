"""Whole iterative runs on toys in closed form: what they infer, compute, keep, and how they go on after a kill."""

import time

import numpy as np
import pytest
from test_loop import assert_moments, banana_truth, linear_truth
from toy_studies import (
    archived,
    banana,
    curved,
    diary,
    linear,
    missing_records,
    prepared,
    record,
    run_here,
    start,
    write,
)

from alfonsine.certificate.outcome import Outcome
from alfonsine.posterior.formats.chains import read_chains
from alfonsine.report.report import render
from alfonsine.study.stages import train

NETWORK = {
    "layers": 2, "units": 24, "epochs": 300, "rate": 1e-2, "batch": 16, "loss": "mean_square",
    "fractions": [0.8, 0.2, 0.0],
}  # fmt: skip


def iterative(study=linear, budget=150, **numbers):
    """A study with such iterations."""
    return study(points={"iterative": {"mcmc_tolerance": 0.02, **numbers}}, accuracy={"calls": budget})


def kept(folder):
    """What was kept of each iteration, in order."""
    found = []
    for path in sorted((folder / "iterations").glob("*.npz")):
        with np.load(path) as arrays:
            found.append({name: arrays[name] for name in arrays})
    return found


@pytest.fixture(scope="module")
def default_run(tmp_path_factory):
    folder = tmp_path_factory.mktemp("default")
    study = iterative(banana)
    study["theory"]["toy"]["diary"] = str(folder / "diary")
    return folder, run_here(study, folder)


def test_the_posterior_is_the_exact_one(default_run):
    _, result = default_run
    assert result.certificate.outcome is Outcome.PASS
    assert_moments(result.posterior, *banana_truth())


def test_all_records_are_written(default_run):
    _, result = default_run
    assert missing_records(result.folder) == []
    assert "taught earlier emulators only" in render(result.folder).read_text()


def test_the_design_and_the_first_iteration_are_discarded(default_run):
    """25 calls, 13 and 50 of the 126 that train: the last emulator learns from the 50 and what is new after them."""
    _, result = default_run
    found = kept(result.folder)
    assert [int(i["training"]) for i in found[:3]] == [25, 13, 50]
    assert [int(i["calls"]) for i in found[:3]] == [25, 38, 88]
    assert all(i["thin"].all() for i in found[1:3])  # nothing is left of the data that they could be dense beside
    solver = record(result.folder)["solver_calls"]
    assert solver["discarded"] == 38 and solver["training"] == int(found[-1]["training"])
    assert solver["total"] == solver["training"] + solver["judging"] + 38


def test_calls_are_those_that_are_counted(default_run):
    folder, result = default_run
    solver = record(result.folder)["solver_calls"]
    assert solver["total"] == sum(diary(folder / "diary").values()) == len(archived(result.folder / "archive.sqlite"))
    assert solver["total"] <= 150


def test_each_iteration_is_kept_with_its_posterior_and_its_cost(default_run):
    """Moments of the emulator of each iteration from the second are right: a quadratic is exact from 13 points."""
    _, result = default_run
    mean, covariance = banana_truth()
    for i in kept(result.folder)[1:]:
        assert list(i["names"]) == ["x", "y"] and len(i["samples"]) == len(i["weights"]) == len(i["log_posterior"])
        # about 1,000 effective draws: five standard errors
        assert np.all(np.abs(i["samples"].mean(axis=0) - mean) < 5 * np.sqrt(np.diag(covariance) / 500))
        assert i["between"] < 0.02 and i["temperature"] == 5 and i["failed"] == 0 and i["solver_seconds"] > 0


@pytest.mark.slow
def test_a_temperature_widens_by_its_square_root(tmp_path):
    """200 points at T = 5: standard deviations of 2.2 times the posterior's, and not of 5. Five errors of 5 %."""
    result = run_here(iterative(budget=300, first=200, most_iterations=1), tmp_path)
    points, (_, covariance, _) = kept(result.folder)[1]["proposed"], linear_truth()
    ratio = points.std(axis=0) / np.sqrt(np.diag(covariance))
    assert len(points) == 200
    np.testing.assert_allclose(ratio, np.sqrt(5), rtol=0.25)


def test_what_is_to_be_kept_is_kept(tmp_path):
    result = run_here(iterative(keep_initial=True, keep_first_iteration=True), tmp_path)
    found = kept(result.folder)
    assert [int(i["training"]) for i in found[:2]] == [25, 25 + int(found[1]["thin"].sum())]
    assert [int(i["training"]) for i in found] == [int(i["calls"]) for i in found]
    assert "discarded" not in record(result.folder)["solver_calls"]


def test_temperatures_follow_each_other(tmp_path):
    """Two samples at each temperature are compared, never two of different ones."""
    study = iterative(budget=250, temperature=[20, 4], initial=20, first=10, samples_from=40, iteration_tolerance=0.05)
    result = run_here(study, tmp_path)
    found = kept(result.folder)[1:]
    temperatures = [float(i["temperature"]) for i in found]
    assert sorted(temperatures, reverse=True) == temperatures and set(temperatures) == {20, 4}
    for before, after in zip([None, *found], found, strict=False):
        first_there = before is None or before["temperature"] != after["temperature"]
        assert np.isinf(after["change"]) == first_there
    last = [i for i in found if i["temperature"] == 20][-1]
    assert last["change"] < 0.05 or last["thin"].mean() < 0.1
    _, covariance, _ = linear_truth()
    for i in (found[0], found[-1]):  # of 10 to 40 points: within a factor of two
        ratio = i["proposed"].std(axis=0) / np.sqrt(i["temperature"] * np.diag(covariance))
        assert np.all((ratio > 0.5) & (ratio < 2))


@pytest.mark.parametrize(
    ("numbers", "halted", "iterations"),
    [
        ({"iteration_tolerance": 10}, "R - 1 = ", 2),
        ({"iteration_tolerance": 1e-9, "most_iterations": 1}, "1 iterations, the most", 1),
        ({"iteration_tolerance": 1e-9, "fewest_new": 0.95, "keep_first_iteration": True, "first": 50}, "were new", 2),
        pytest.param(
            {"iteration_tolerance": 1e-9, "initial": 60, "first": 40},
            "no exact calls are left",
            2,
            marks=pytest.mark.slow,
        ),
        pytest.param(
            {"iteration_tolerance": 1e-9, "fewest_new": 0, "most_per_iteration": 44},
            "0 % of the points were new",
            None,
            marks=pytest.mark.slow,
        ),
    ],
)
def test_reasons_to_end(numbers, halted, iterations, tmp_path):
    result = run_here(iterative(**numbers), tmp_path)
    entries = [entry for entry in record(result.folder, "history") if "halted" in entry]
    assert halted in entries[-1]["halted"] and not any(entry["halted"] for entry in entries[:-1])
    assert iterations in (None, len(entries))
    assert record(result.folder)["solver_calls"]["total"] <= 150


def test_a_small_budget_is_kept(tmp_path):
    result = run_here(iterative(budget=24 + 6 + 6), tmp_path)
    solver = record(result.folder)["solver_calls"]
    assert solver["total"] <= 36 and solver["judging"] >= 12


def test_failed_calls_are_counted_and_not_learned(tmp_path):
    """The code fails in a tenth of the box, where there is no posterior: the design meets it."""
    study = iterative()
    study["theory"]["toy"]["misdeed"] = {"deed": "fail", "parameter": "x", "above": 4.0}
    result = run_here(study, tmp_path)
    solver, found = record(result.folder)["solver_calls"], kept(result.folder)
    assert solver["failed"] == int(found[-1]["failed"]) > 0
    assert int(found[0]["training"]) == 25 - int(found[0]["failed"])
    assert len(record(result.folder, "failures")) == solver["failed"]


def test_networks_learn_it_too(tmp_path):
    """Not exact as the polynomial is: the certificate says how far off, and the truth is no further."""
    study = iterative(banana, budget=120, initial=40, first=30)
    study["emulator"] = {"preset": "connect", "options": NETWORK}
    result = run_here(study, tmp_path)
    assert missing_records(result.folder) == [] and render(result.folder).exists()
    assert result.certificate.outcome is Outcome.PASS and 0 < result.certificate.kl.estimate < 0.01
    mean, covariance = banana_truth()
    # a KL below 0.01 is a shift below 0.14, and 1,000 draws have errors of 0.03
    assert np.all(np.abs(read_chains(result.folder / "chain").mean()[:2] - mean) < 0.3 * np.sqrt(np.diag(covariance)))
    assert result.emulator.card["preset"] == "connect"
    assert result.emulator.card["training_points"] == int(kept(result.folder)[-1]["training"])
    trained = train(prepared(study, tmp_path))  # from what is on disk: the same networks, without a call
    assert trained.card["training_digest"] == result.emulator.card["training_digest"]
    assert len(archived(result.folder / "archive.sqlite")) == record(result.folder)["solver_calls"]["total"]


@pytest.mark.slow
def test_a_killed_run_agrees_with_one_that_was_not(tmp_path):
    """Killed among the calls of the first iteration and again of the second; the same command then goes on."""
    cache, places = tmp_path / "cache", {}
    for name, seconds in (("undisturbed", 0.0), ("killed", 0.1)):
        place = tmp_path / name
        place.mkdir()
        study = iterative(
            lambda place=place, seconds=seconds, **blocks: curved(
                {"diary": str(place / "diary"), "seconds": seconds}, compute={"workers": 2}, **blocks
            ),
            budget=90,
        )
        places[name] = write(study, place / "study.yaml"), place / "run"
    assert start(*places["undisturbed"], cache).wait(300) in (0, 1)
    for lines in (20, 45):
        process, deadline = start(*places["killed"], cache), time.monotonic() + 300
        while len(diary(tmp_path / "killed" / "diary")) < lines:
            assert process.poll() is None and time.monotonic() < deadline
            time.sleep(0.01)
        process.kill()
        process.wait()
        time.sleep(0.5)
    assert start(*places["killed"], cache).wait(300) in (0, 1)
    ours, truth = (record(places[name][1]) for name in ("killed", "undisturbed"))
    for same in ("outcome", "solver_calls", "n_judged", "findings"):
        assert ours[same] == truth[same]
    assert truth["kl"]["estimate"] > 0
    # The smooth toy is learned to rounding on some processors: what is left there, 1e-8, is rounding itself.
    assert ours["kl"]["estimate"] == pytest.approx(truth["kl"]["estimate"], rel=1e-6, abs=1e-8)
    begun = diary(tmp_path / "killed" / "diary")
    assert set(begun) == archived(places["undisturbed"][1] / "archive.sqlite")
    assert sum(begun.values()) <= len(begun) + 4  # what was in flight
    for mine, theirs in zip(kept(places["killed"][1]), kept(places["undisturbed"][1]), strict=True):
        np.testing.assert_allclose(mine["samples"], theirs["samples"], rtol=1e-6)
        np.testing.assert_allclose(mine["proposed"], theirs["proposed"], rtol=1e-6)
