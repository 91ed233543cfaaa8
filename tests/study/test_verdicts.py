"""When a verdict is asked for: not at the first forecast below what is allowed, nor again without a lesson."""

import json

import pytest
from toy_studies import curved, record, run_here

from alfonsine.report.watched_files import forecasts
from alfonsine.study.loop import EXTRA, SURE


@pytest.mark.parametrize("kl", [pytest.param(0.02, marks=pytest.mark.slow), 0.004])
def test_a_verdict_waits_for_a_forecast_well_below_the_limit_and_follows_a_lesson(tmp_path, kl):
    """On a toy whose first forecast is 0.0005: low enough for the one limit, not for the other."""
    run_here(curved(accuracy={"kl": kl, "calls": 200}), tmp_path)
    folder = tmp_path / "run"
    rounds = [json.loads(path.read_text()) for path in sorted(folder.glob("rounds/*/[0-9]*.json"))]
    told = {entry.calls: entry.kl for entry in forecasts((folder / "log").read_text().splitlines())}
    spent, judged, seen = 0, 0, []
    for before, entry in zip([None, *rounds], rounds, strict=False):
        if entry["purpose"] == "judge" and (before["purpose"] != "judge" or spent in told):
            assert before["purpose"] == "learn"
            recent = seen[-EXTRA - 1 :]
            assert recent[-1] <= SURE * kl or (len(recent) > EXTRA and max(recent) <= kl)
            judged += 1
        spent += len(entry["theta"])
        if told.get(spent) is not None:
            seen.append(told[spent])
    assert judged >= (2 if kl == 0.02 else 1)
    assert (seen[0] > SURE * kl) == (kl == 0.004)


def test_no_verdict_is_asked_for_while_the_posterior_is_cut_off(tmp_path):
    """On the same toy the second forecast is low enough, but the emulator ends where the posterior does not.

    Truth: the bent posterior has mass beyond the edge of an emulator of 11 points; the run learns on before it is
    judged, passes at the first verdict, and its last edge cuts off less than the divergence may be.
    """
    kl = 0.01
    run_here(curved(accuracy={"kl": kl, "calls": 200}), tmp_path)
    folder = tmp_path / "run"
    rounds = [json.loads(path.read_text())["purpose"] for path in sorted(folder.glob("rounds/*/[0-9]*.json"))]
    told = [entry.kl for entry in forecasts((folder / "log").read_text().splitlines())]
    learned = rounds[: rounds.index("judge")]
    assert [value for value in told[: len(learned) - 1] if value is not None and value <= SURE * kl]
    record = json.loads((folder / "certificate.json").read_text())
    assert record["outcome"] == "pass" and 0 < record["cut_off"] <= kl
    assert rounds[len(learned) :] == ["judge"] * 2


@pytest.mark.slow
def test_calls_are_not_spent_on_a_cubic_that_cannot_learn_more(tmp_path):
    """An exponential in two parameters, of which a cubic has learned all it can long before the budget is spent."""
    run_here(curved(accuracy={"kl": 0.001, "calls": 80}), tmp_path)
    assert record(tmp_path / "run")["outcome"] == "pass"
    fixed = curved(accuracy={"kl": 0.001, "calls": 80}, emulator={"max_order": 3})
    run_here(fixed, tmp_path / "cubic")
    assert record(tmp_path / "cubic" / "run")["outcome"] != "pass"
