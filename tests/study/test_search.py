"""A posterior found from the box of the prior alone, without a reference: closed-form codes, counted calls."""

import json
import shutil

import acoustic
import numpy as np
import pytest
import yaml
from toy_studies import COVARIANCE, VALUE, banana, linear, record, run_here

from alfonsine.study.exact import Computed
from alfonsine.study.feasible import Feasible
from alfonsine.study.plan import plan
from alfonsine.study.prepare import prepare
from alfonsine.study.read import read_yaml
from alfonsine.study.run import run
from alfonsine.study.scaled import best_scaled
from alfonsine.study.search import FAR, Search
from alfonsine.study.settings import settings_from
from alfonsine.theory.call import Call
from alfonsine.theory.observables import Observables

TRUTH = {"logA": 3.1, "tilt": 0.96, "scale": 0.9, "contrast": 0.35}
BOX = {"logA": (1, 5), "tilt": (0.5, 1.5), "scale": (0.6, 1.8), "contrast": (0.0, 0.8)}


def peaks(folder, cheap=True, **blocks):
    """A study of it with data that are the truth, 2 % errors, and no reference anywhere."""
    shutil.copy(acoustic.__file__, folder)
    value = acoustic.spectrum(TRUTH)["tt"]
    np.savetxt(folder / "value.txt", value)
    np.savetxt(folder / "covariance.txt", np.diag((0.02 * value) ** 2))
    study = {
        "theory": {"python": {"function": "acoustic:spectrum"} | ({"cheap": "acoustic:cheap"} if cheap else {})},
        "likelihood": {"gaussian": {"observable": "tt", "value": "value.txt", "covariance": "covariance.txt"}},
        "params": {name: {"prior": {"min": low, "max": high}} for name, (low, high) in BOX.items()},
        "sampler": {"nuts": {"chains": 4, "effective_samples": 1000}},
        "compute": {"workers": 1},
    } | blocks
    (folder / "study.yaml").write_text(yaml.safe_dump(study, sort_keys=False))
    return prepare(settings_from(*read_yaml(folder / "study.yaml")), folder / "run")


def fisher_widths():
    """Posterior standard deviations to first order, by finite differences of the code itself."""
    value = acoustic.spectrum(TRUTH)["tt"]
    slopes = [
        (acoustic.spectrum(TRUTH | {n: TRUTH[n] + 1e-5})["tt"] - acoustic.spectrum(TRUTH | {n: TRUTH[n] - 1e-5})["tt"])
        / (2e-5 * 0.02 * value)
        for n in TRUTH
    ]
    return np.sqrt(np.diag(np.linalg.inv(np.array(slopes) @ np.array(slopes).T)))


@pytest.mark.slow
def test_an_acoustic_posterior_is_found_in_a_box_a_thousand_times_its_width(tmp_path):
    """Certified, and where the data are: means within 5 Monte-Carlo errors of 1,000 draws, widths within 15 %."""
    study = peaks(tmp_path)
    assert study.settings.start == "search"
    result = run(study)
    widths, truth = fisher_widths(), np.array(list(TRUTH.values()))
    assert np.all((np.ptp(list(BOX.values()), axis=1) / widths) > 100)
    assert record(tmp_path / "run")["outcome"] == "pass"
    assert np.all(np.abs(result.posterior.mean() - truth) < 0.16 * widths)
    assert np.all(np.abs(result.posterior.std() / widths - 1) < 0.15)
    calls = record(tmp_path / "run")["solver_calls"]
    assert calls["total"] <= 110  # judging included
    assert calls["failed"] <= 1  # a quarter of the box has no answer, as the cheap part says beforehand
    purposes = [json.loads(p.read_text())["purpose"] for p in sorted((tmp_path / "run" / "rounds").glob("*/*.json"))]
    assert purposes[0] == "search" and purposes[-1] == "judge" and "learn" in purposes


@pytest.mark.slow
def test_tempered_draws_are_learned_from_before_a_found_posterior_is_judged(tmp_path):
    """Even of a linear code in a box as wide as its posterior, known exactly from the first: a climb sees one slope."""
    flat = {"prior": {"min": -5.0, "max": 5.0}}
    wide = {"gaussian": {"observable": "data", "value": VALUE.tolist(), "error": 2.0}}
    run_here(linear(params={"x": flat, "y": flat}, likelihood=wide), tmp_path)
    rounds = [json.loads(path.read_text()) for path in sorted((tmp_path / "run").glob("rounds/*/[0-9]*.json"))]
    purposes = [entry["purpose"] for entry in rounds]
    assert purposes.index("search") < purposes.index("learn") < purposes.index("judge")
    known = np.vstack([entry["theta"] for entry in rounds[: purposes.index("learn")]])
    taught = np.array(rounds[purposes.index("learn")]["theta"])
    assert len(taught) >= 8 and not (taught[:, None] == known[None]).all(axis=2).any()


@pytest.mark.slow
def test_failures_cost_calls_where_nothing_says_so_beforehand(tmp_path):
    result = run(peaks(tmp_path, cheap=False, accuracy={"calls": 250}))
    assert result.certificate.passed
    failures = record(tmp_path / "run", "failures")
    assert 1 <= len(failures) == record(tmp_path / "run")["solver_calls"]["failed"] <= 12
    assert all(f["inputs"]["scale"] * f["inputs"]["tilt"] > 1.6 for f in failures)


@pytest.mark.slow
def test_a_banana_from_its_box(tmp_path):
    """The middle of the box is 0; the posterior is a few tenths wide in a box of 10, and bent."""
    study = banana()
    for name in ("x", "y"):
        study["params"][name] = {"prior": study["params"][name]["prior"]}
    result = run_here(study, tmp_path)
    assert result.certificate.passed
    assert record(result.folder)["solver_calls"]["total"] <= 80
    mean, variance = VALUE[0], COVARIANCE[0, 0]  # of x, which the second datum bends nothing of
    assert abs(result.posterior.mean()[0] - mean) < 0.16 * np.sqrt(variance)  # five errors of 1,000 draws


def test_a_climb_ends_only_where_its_slopes_were_taken(tmp_path, monkeypatch):
    """The first promise to be kept comes 22 steps away from them, in nats: 1.2 below the summit that is then found."""
    taken, ended = [], []
    slopes, draws = Search.slopes, Search.draws
    monkeypatch.setattr(Search, "slopes", lambda self, about: (taken.append(about), slopes(self, about)))
    monkeypatch.setattr(Search, "draws", lambda self, *given: (ended.append(self), draws(self, *given))[1])
    study = banana()
    for name in ("x", "y"):
        study["params"][name] = {"prior": study["params"][name]["prior"]}
    run_here(study, tmp_path)
    (search,) = ended
    assert len(search.known.theta) < search.budget  # else it ends for want of calls
    assert np.linalg.norm((search.best - taken[0]) / search.scale) > FAR
    assert np.linalg.norm((search.best - taken[-1]) / search.scale) <= FAR


def test_with_a_reference_for_everything_there_is_no_search(tmp_path):
    study = linear()
    (tmp_path / "study.yaml").write_text(yaml.safe_dump(study))
    prepared = prepare(settings_from(*read_yaml(tmp_path / "study.yaml")), tmp_path / "run")
    assert prepared.settings.start == "steps" and "search" not in str(plan(prepared))
    del study["params"]["x"]["ref"]
    (tmp_path / "study.yaml").write_text(yaml.safe_dump(study))
    prepared = prepare(settings_from(*read_yaml(tmp_path / "study.yaml")), tmp_path / "run")
    assert prepared.settings.start == "search" and "then a search" in str(plan(prepared))


def test_of_spread_points_that_with_the_right_shape_is_taken(tmp_path):
    """A point with the true shape and an amplitude e^1.5 too low beats one of the true amplitude and a wrong scale."""
    study = peaks(tmp_path)
    names = study.space.names
    wrong = TRUTH | {"scale": 1.05}
    shape = TRUTH | {"logA": TRUTH["logA"] - 1.5}
    calls = [
        Call(str(i), p, "done", "", 0.0, Observables({"tt": acoustic.spectrum(p)["tt"]}))
        for i, p in enumerate((wrong, shape))
    ]
    known = Computed(np.array([[p[n] for n in names] for p in (wrong, shape)]), tuple(calls))
    best = dict(zip(names, best_scaled(study, known), strict=True))
    assert all(best[n] == TRUTH[n] for n in names if n != "logA")
    assert abs(best["logA"] - TRUTH["logA"]) < 0.1  # of 64 values over a prior 4 wide


def test_points_are_screened_in_order_and_failures_remembered():
    asked = []

    def screen(theta):
        asked.append(len(theta))
        return theta[:, 0] < 0

    feasible = Feasible(screen, 1)
    theta = np.array([[1.0], [-1.0], [2.0], [-2.0], [-3.0], [-4.0]])
    assert feasible.first(theta, 2).ravel().tolist() == [-1.0, -2.0] and asked == [2, 2]
    assert feasible.bad.ravel().tolist() == [1.0, 2.0]
    assert Feasible(screen, 1).first(theta[[0, 2]], 2).ravel().tolist() == [
        1.0,
        2.0,
    ]  # none has an answer: all the same


def test_points_that_teach_are_drawn_back_to_where_there_is_an_answer():
    """Half of the line has none: what is chosen there is halved towards the known point, as failures close in."""
    known = Computed(np.array([[-1.0]]), (Call("k", {"x": -1.0}, "done", "", 0.0, Observables({})),))
    candidates = np.array([[1.0], [2.0], [-3.0]])

    def chosen(screen):
        return Feasible(screen, 1).chosen(candidates, known, lambda theta: theta, lambda theta: theta[:2])

    assert (chosen(lambda theta: theta[:, 0] < 0) < 0).all()
    assert chosen(lambda theta: theta[:, 0] < 3).ravel().tolist() == [1.0, 2.0]  # nothing to be avoided
    assert len(chosen(lambda theta: theta[:, 0] > 0.4)) == 2
    assert len(chosen(lambda theta: theta[:, 0] < -2)) == 2  # none has an answer: the whole code is to say so
