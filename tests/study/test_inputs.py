"""Inputs in which a user's own code is simple, found by a study from calls of its cheap part."""

import json
from contextlib import contextmanager

import numpy as np
import pytest
import toy_studies
import yaml

from alfonsine.emulator.around.features import Features
from alfonsine.emulator.around.focus import Focus
from alfonsine.emulator.card import card_text
from alfonsine.emulator.stored.file import load_emulator
from alfonsine.points.training_set import TrainingSet
from alfonsine.study import learn
from alfonsine.study.inputs import LARGEST, MOST_CALLS, TESTS, Inputs, within
from alfonsine.study.learn import REFITS, fewest_to_forecast
from alfonsine.study.loop import EXTRA
from alfonsine.study.prepare import prepare
from alfonsine.study.progress import Silent
from alfonsine.study.read import read_yaml
from alfonsine.study.run import open_engine, run
from alfonsine.study.settings import settings_from

CODE = """
import numpy as np


def angle(inputs):
    return {"angle": np.exp(0.6 * inputs["a"]) / (1 + inputs["b"] ** 2), "half_a": inputs["a"] / 2}


def spectrum(inputs):
    q, b = angle(inputs)["angle"], inputs["b"]
    return {"wave": np.array([q, 2 * q + b, q - b, q + 0.1 * q**2])}
"""
ERROR = np.array([0.02, 0.05, 0.05, 0.03])
TRUTH = (0.3, 0.5)


def wave(a, b):
    q = np.exp(0.6 * a) / (1 + b**2)
    return np.stack([q, 2 * q + b, q - b, q + 0.1 * q**2], axis=-1)


def write(folder, cheap):
    (folder / "my_code.py").write_text(CODE)
    value = wave(*TRUTH).tolist()
    study = {
        "theory": {"python": {"function": "my_code:spectrum"} | ({"cheap": "my_code:angle"} if cheap else {})},
        "likelihood": {"gaussian": {"observable": "wave", "value": value, "covariance": np.diag(ERROR**2).tolist()}},
        "params": {
            "a": {"prior": {"min": -3, "max": 3}, "ref": 0.6, "proposal": 0.1},
            "b": {"prior": {"min": -2, "max": 2}, "ref": 0.3, "proposal": 0.1},
        },
        "sampler": {"nuts": {"chains": 4, "effective_samples": 1000}},
        "points": {"batch": 4},
        "compute": {"workers": 1},
    }
    (folder / "study.yaml").write_text(yaml.safe_dump(study))
    return folder / "study.yaml"


@pytest.fixture(scope="module")
def watched_run(tmp_path_factory):
    """Result and folder of a run, and in order: how many points were near each focus, and when inputs were tested."""
    folder, told = tmp_path_factory.mktemp("watched"), []
    within_reach, hold = learn.within_reach, Inputs.hold

    def counted(focus, theta):
        near = within_reach(focus, theta)
        told.append(int(near.sum()))
        return near

    def tested(self, draws):
        told.append("tested")
        return hold(self, draws)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(learn, "within_reach", counted)
        patch.setattr(Inputs, "hold", tested)
        result = run(prepare(settings_from(*read_yaml(write(folder, cheap=True))), folder / "run"))
    return result, folder / "run", told


def test_inputs_are_tested_only_where_enough_points_are_near_for_a_forecast(watched_run):
    """On the way to the posterior they need not hold all over it; truth: the points near each focus, counted."""
    told = watched_run[2]
    before = [told[i - 1] for i, entry in enumerate(told) if entry == "tested"]
    assert before and min(before) >= fewest_to_forecast(2)
    assert min(entry for entry in told if entry != "tested") < fewest_to_forecast(2)


def test_a_cheap_quantity_becomes_an_input_and_the_posterior_is_right(watched_run):
    """Against a fine grid; 1,000 effective draws know a mean to 0.03 standard deviations: five of these."""
    result, folder, _ = watched_run
    record = json.loads((folder / "certificate.json").read_text())
    assert record["outcome"] == "pass" and "angle" in record["inputs"]
    calls = record["solver_calls"]
    assert 100 <= calls["cheap"] <= 1000 and calls["total"] == calls["training"] + calls["judging"] <= 80
    stored = load_emulator(folder / "emulator.safetensors")
    assert stored.card["features"] == record["inputs"]
    assert f"learned as a function of {', '.join(record['inputs'])}" in card_text(stored)
    theta = result.posterior.samples[:50]
    np.testing.assert_allclose(stored(theta)["wave"], wave(*theta.T), atol=0.1 * ERROR.min())
    a, b = np.meshgrid(np.linspace(-0.3, 0.9, 600), np.linspace(0.2, 0.8, 600), indexing="ij")
    log = -0.5 * np.sum(((wave(a, b) - wave(*TRUTH)) / ERROR) ** 2, axis=-1)
    weight = np.exp(log) / np.exp(log).sum()
    for i, axis in enumerate((a, b)):
        mean = np.sum(weight * axis)
        std = np.sqrt(np.sum(weight * (axis - mean) ** 2))
        assert abs(result.posterior.mean()[i] - mean) < 0.16 * std
        assert abs(result.posterior.std()[i] / std - 1) < 0.12


def test_without_a_cheap_part_there_are_no_cheap_calls(tmp_path):
    run(toy_studies.prepared(toy_studies.linear(), tmp_path))
    record = json.loads((tmp_path / "run" / "certificate.json").read_text())
    assert record["solver_calls"]["cheap"] == 0 and record["inputs"] == ["x", "y"]


def angle_for_a(training, focus, whole, draws):
    """Stand for the search: b and the angle, which come after 2 parameters, 2 logarithms and 4 products."""
    return Features.of((1, 8), np.asarray(whole.positive), whole.cheap)


def update(inputs, middle):
    """Give the inputs a posterior about `middle`; draws of it."""
    theta, draws = (np.random.default_rng(i).normal(middle, 0.1, (n, 2)) for i, n in enumerate((40, 500)))
    training = TrainingSet(("a", "b"), theta, {"wave": wave(*theta.T)}, ())
    inputs.update(training, Focus.of_samples(draws, inputs.features), draws, angle_for_a)
    return draws


@contextmanager
def opened(folder, code=CODE):
    """The inputs of a study of this code."""
    study = write(folder, cheap=True)
    (folder / "my_code.py").write_text(code)
    study = prepare(settings_from(*read_yaml(study)), folder)
    with open_engine(study) as engine:
        yield Inputs(study, ("a", "b"), engine.of, Silent())


def test_a_region_is_learned_once_and_to_its_edges(tmp_path):
    """Again the same posterior: no cheap call. One that has moved: calls, and the quantity is right there as well."""
    calls = []
    with opened(tmp_path) as inputs:
        for middle in ((0.3, 0.5), (0.3, 0.5), (1.5, 0.5)):
            draws = update(inputs, middle)
            calls.append(inputs.calls)
            assert inputs.words == ("b", "angle") and inputs.learned.covers(draws).all()
            exact = np.exp(0.6 * draws[:, 0]) / (1 + draws[:, 1] ** 2)
            assert np.abs(inputs.features.at(draws)[:, 1] - exact).max() < 0.1 * exact.std()
    assert 0 < calls[0] == calls[1] < calls[2]


def test_a_series_that_is_wrong_off_its_ridge_is_found_out_and_mended(tmp_path):
    """Calls along a thin ridge say nothing of draws beside it, though these lie in the box of the calls.

    Against the code itself: before, the angle errs there by more than is allowed; after, nowhere.
    """
    rng = np.random.default_rng(1)
    along = rng.normal(0.0, 0.5, (400, 1))
    ridge = np.clip(np.hstack([along, 0.5 + along]) + 0.002 * rng.normal(size=(400, 2)), -1.4, 1.4)
    beside = rng.uniform([-0.8, -0.3], [0.8, 1.3], (2000, 2))
    exact = np.exp(0.6 * beside[:, 0]) / (1 + beside[:, 1] ** 2)
    with opened(tmp_path) as inputs:
        training = TrainingSet(("a", "b"), ridge[:40], {"wave": wave(*ridge[:40].T)}, ())
        inputs.update(training, Focus.of_samples(ridge, inputs.features), ridge, angle_for_a)
        inputs.hold(ridge)  # at its ends there may be something to mend
        assert inputs.hold(ridge) and within(inputs.box, beside, [0, 1]).mean() > 0.9
        inside = within(inputs.box, beside, [0, 1])

        def error():
            at = inputs.learned.at(beside[inside])[:, list(inputs.used)][:, 0]
            return np.abs(at - exact[inside]).max() / exact[inside].std()

        assert error() > LARGEST
        assert not inputs.hold(beside)
        assert error() <= LARGEST
        assert inputs.hold(beside)


def test_a_posterior_that_has_outgrown_the_box_is_not_held(tmp_path):
    """Whatever the series says there, the box of the cheap calls would cut the posterior off; no call is made."""
    with opened(tmp_path) as inputs:
        draws = update(inputs, (0.3, 0.5))
        calls = inputs.calls
        assert not inputs.hold(draws.mean(axis=0) + 2.0 * (draws - draws.mean(axis=0))) and inputs.calls == calls
        assert inputs.hold(draws) and inputs.calls == calls + TESTS


@pytest.mark.slow
def test_a_posterior_is_fitted_again_until_its_inputs_hold_and_not_judged_before(tmp_path, monkeypatch):
    """Where they never hold, all refits are made, and only after the extra lessons is there a verdict."""
    asked = []

    def never(inputs, draws):
        asked.append(len(draws))
        return False

    monkeypatch.setattr(Inputs, "hold", never)
    run(prepare(settings_from(*read_yaml(write(tmp_path, cheap=True))), tmp_path / "run"))
    rounds = [json.loads(path.read_text()) for path in sorted((tmp_path / "run").glob("rounds/*/[0-9]*.json"))]
    learned = [entry["purpose"] for entry in rounds].index("judge") - 1
    assert learned > EXTRA and len(asked) >= REFITS * EXTRA


@pytest.mark.slow
def test_a_quantity_that_no_series_describes_costs_a_limited_number_of_calls(tmp_path):
    rough = CODE.replace('(1 + inputs["b"] ** 2)', '(1 + inputs["b"] ** 2) + np.sin(1e4 * inputs["a"])')
    assert rough != CODE
    with opened(tmp_path, rough) as inputs:
        for _ in range(2):
            update(inputs, (0.3, 0.5))
            assert MOST_CALLS <= inputs.calls <= MOST_CALLS + 3  # and one step along each parameter


@pytest.mark.slow
def test_a_region_where_the_cheap_part_has_no_answer_is_survived(tmp_path):
    """What was learned before stays; the calls that failed are counted."""
    fails = CODE.replace("def angle(inputs):", "def angle(inputs):\n    assert inputs['a'] < 1.0")
    assert fails != CODE
    with opened(tmp_path, fails) as inputs:
        update(inputs, (0.0, 0.5))
        before = inputs.calls
        draws = update(inputs, (2.6, 0.5))
        assert before < inputs.calls <= before + 2 * MOST_CALLS
        assert np.isfinite(inputs.features.at(draws)).all()
