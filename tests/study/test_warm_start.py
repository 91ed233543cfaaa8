"""Warm starts: what is taken over, what is checked, what is not, and that the answer does not depend on it."""

import json
import shutil
from pathlib import Path

import jax
import numpy as np
import pytest
from toy_studies import archived, curved, linear, prepared, record, rounds, run_here

from alfonsine.certificate.outcome import Outcome
from alfonsine.errors import InputError
from alfonsine.study.earlier import read_earlier
from alfonsine.study.loop import Run
from alfonsine.study.plan import plan
from alfonsine.study.reuse import plain_identity
from alfonsine.study.rounds import JUDGE, WARM_START, Rounds
from alfonsine.study.warm_start import own_key, planned_warm_start
from alfonsine.theory.archive import Archive

OTHER = {"gaussian": {"observable": "data", "value": [0.75, 0.2], "covariance": [[0.03, 0.0], [0.0, 0.06]]}}
WAVES = Path(__file__).with_name("waves.py")
SIGNAL = (np.exp(-0.7 * np.linspace(0, 1, 12)) * (1 + 0.05 * np.sin(4 * np.linspace(0, 1, 12)))).tolist()
A, B, C = (
    {"prior": {"min": 0, "max": 3}, "ref": 1.1, "proposal": 0.02},
    {"prior": {"min": 0, "max": 3}, "ref": 0.8, "proposal": 0.05},
    {"prior": {"min": -1, "max": 1}, "ref": 0.0, "proposal": 0.04},
)


def waves(folder: Path, function: str, params: dict, **blocks) -> dict:
    """A study of one of the theories in `waves.py`, a copy of which is put beside it."""
    folder.mkdir(parents=True, exist_ok=True)
    shutil.copy(WAVES, folder)
    return linear(
        theory={"python": {"function": f"waves:{function}", "inputs": list(params)}},
        likelihood={"gaussian": {"observable": "signal", "value": SIGNAL, "error": 0.02}},
        params=params,
        **blocks,
    )


def calls(result) -> dict[str, int]:
    return record(result.folder)["solver_calls"]


def log(result) -> str:
    return (result.folder / "log").read_text()


def assert_same_posterior(one, other):
    """Means within 5 Monte-Carlo errors and what the certificates leave open; widths within 6 errors.

    A posterior of divergence KL from the exact one is shifted by at most sqrt(2 KL) standard deviations. With two or
    three normal errors at 5 sigma a false alarm is raised once in 5e5 seeds; since effective sizes are themselves
    uncertain by a tenth, once in 1e4 at most.
    """
    spread = np.sqrt(0.5 * (one.posterior.std() ** 2 + other.posterior.std() ** 2))
    sampling = np.sqrt(1 / one.posterior.ess + 1 / other.posterior.ess)
    allowed = sum(np.sqrt(2 * result.certificate.kl.upper95) for result in (one, other))
    assert sampling < 0.07 and allowed < 0.2  # else nothing is tested
    assert np.all(np.abs(one.posterior.mean() - other.posterior.mean()) < (5 * sampling + allowed) * spread)
    ratio = np.log(one.posterior.std() / other.posterior.std())
    assert np.all(np.abs(ratio) < 6 * sampling + allowed)  # a heavy-tailed width varies by more than 1/sqrt(2 n)


@pytest.fixture(scope="module")
def old(tmp_path_factory):
    return run_here(curved(), tmp_path_factory.mktemp("old"))


@pytest.fixture(scope="module")
def cold(tmp_path_factory):
    """Other data, from nothing."""
    return run_here(curved(likelihood=OTHER), tmp_path_factory.mktemp("cold"))


@pytest.fixture(scope="module")
def warm_study(old, tmp_path_factory):
    return prepared(curved(likelihood=OTHER, warm_start=str(old.folder)), tmp_path_factory.mktemp("warm"))


@pytest.fixture(scope="module")
def warm(warm_study):
    """The same, from the calls made for the old data."""
    return run_here(
        curved(likelihood=OTHER, warm_start=warm_study.settings.warm_start[0].run), warm_study.folder.parent
    )


@pytest.fixture(scope="module")
def decay(tmp_path_factory):
    folder = tmp_path_factory.mktemp("decay")
    return run_here(waves(folder, "two", {"a": A, "b": B}), folder)


def test_other_data_need_no_exact_call_but_to_judge(old, cold, warm):
    """All earlier calls are taken over: 24 are made, all of them to judge."""
    assert warm.certificate.outcome is Outcome.PASS
    found = calls(warm)
    assert found["reused"] == calls(old)["total"]
    assert found["total"] == found["judging"] == 24 and found["training"] == 0
    assert calls(cold)["total"] > found["total"] and calls(cold)["reused"] == 0
    assert f"{found['reused']} exact calls are of this theory: learned from" in log(warm)
    assert "where to begin: the earlier posterior of x, y" in log(warm)


def test_a_warm_start_and_a_cold_one_agree(cold, warm):
    assert_same_posterior(cold, warm)


def test_what_is_taken_over_judges_nothing(old, warm, warm_study):
    """Judging points are new, and not next to those that were learned."""
    earlier = np.vstack([entry.theta for entry in rounds(prepared(curved(), old.folder.parent))])
    judging = np.vstack([entry.theta for entry in rounds(warm_study) if entry.purpose == JUDGE])
    assert len(earlier) == calls(warm)["reused"] and len(judging) == calls(warm)["judging"]
    distance = np.linalg.norm((judging[:, None] - earlier[None]) / warm.posterior.std(), axis=2).min(axis=1)
    assert np.median(distance) > 0.01  # two-dimensional clouds of 47 and 24 independent points: about 0.2
    assert archived(old.folder / "archive.sqlite") < archived(warm.folder / "archive.sqlite")


def test_draws_have_a_key_of_their_own(old, warm, tmp_path):
    """Seed and number of a round may be those of the run before: what it begins from makes the key another."""
    key = jax.random.key(1)
    begun = [planned_warm_start(prepared(curved(warm_start=str(run.folder)), tmp_path)) for run in (old, warm, old)]
    numbers = [jax.random.key_data(own_key(key, each)).tolist() for each in (None, *begun)]
    assert numbers[0] == jax.random.key_data(key).tolist() and numbers[1] == numbers[3]
    assert len({tuple(number) for number in numbers}) == 3


def test_resumed_without_the_earlier_run(old, warm, tmp_path, monkeypatch):
    """Stopped before the verdict, and the earlier run deleted: the same calls, the same posterior."""
    shutil.copytree(old.folder, tmp_path / "earlier")
    study = curved(likelihood=OTHER, warm_start=str(tmp_path / "earlier"))

    def stop(self, lesson):
        raise KeyboardInterrupt

    with monkeypatch.context() as patched:
        patched.setattr(Run, "judge", stop)
        with pytest.raises(KeyboardInterrupt):
            run_here(study, tmp_path)
    shutil.rmtree(tmp_path / "earlier")
    result = run_here(study, tmp_path)
    assert calls(result) == calls(warm)
    np.testing.assert_allclose(result.posterior.samples, warm.posterior.samples, rtol=1e-6)
    assert archived(result.folder / "archive.sqlite") == archived(warm.folder / "archive.sqlite")
    told = str(plan(prepared(study, tmp_path)))  # plan reads the record, too
    assert f"{calls(old)['total']} exact calls are of this theory" in told


def test_a_damaged_record_is_refused(old, tmp_path):
    study = prepared(curved(warm_start=str(old.folder)), tmp_path)
    path = Rounds(study.folder, study.settings.digest).folder / WARM_START
    path.parent.mkdir(parents=True)
    path.write_text('{"names": ["x", "y"], "seeds": {}}')
    with pytest.raises(InputError, match=r"expected a record of the warm start in .*damaged"):
        run_here(curved(warm_start=str(old.folder)), tmp_path)


@pytest.mark.slow
def test_an_extension_learns_from_what_agrees(decay, tmp_path):
    """35 calls at c = 0; two are made again and agree: 10 exact calls before the verdict, 8 of them off the plane."""
    params = {"a": A, "b": B, "c": C}
    study = waves(tmp_path, "three", params, warm_start={"run": str(decay.folder), "at": {"c": 0}})
    told = str(plan(prepared(study, tmp_path)))
    assert "35 exact calls of another theory (other outputs): learned from if exact calls agree" in told
    assert "first points      10" in told and "34 if all goes well" in told
    assert not (tmp_path / "run").exists()
    result = run_here(study, tmp_path)
    found = calls(result)
    assert result.certificate.outcome is Outcome.PASS and found["reused"] == 35 - 2
    assert "35 calls learned from: 2 of them differ by 0 errors of the data at most" in log(result)
    first = rounds(prepared(study, tmp_path))[0].theta
    assert np.all(first[:2, 2] == 0) and np.all(first[2:, 2] != 0) and len(first) == 10
    cold = run_here(waves(tmp_path / "cold", "three", params), tmp_path / "cold")
    assert found["total"] <= calls(cold)["total"]
    assert_same_posterior(cold, result)


@pytest.mark.slow
def test_an_extension_that_disagrees_only_says_where(decay, tmp_path):
    params = {"a": A, "b": B, "c": C}
    study = waves(tmp_path, "offset", params, warm_start={"run": str(decay.folder), "at": {"c": 0}})
    result = run_here(study, tmp_path)
    assert calls(result)["reused"] == 0 and result.certificate.outcome is Outcome.PASS
    assert "not learned from, only where they lie: 'signal' differs by " in log(result)


@pytest.mark.parametrize(("moved", "agrees"), [(1e-3, True), (0.3, False)])
def test_other_settings_are_checked_by_two_calls(tmp_path, moved, agrees):
    """An offset of 0.3 is 1.5 errors of the data; one of 0.001 is 0.005, of which 0.1 are allowed.

    Instead of 35 exact calls, 26 or 30.
    """
    earlier = run_here(linear(), tmp_path / "old")
    study = linear(warm_start=[{"run": str(earlier.folder)}])
    study["theory"]["toy"]["offset"] = [0.1 + moved, -0.2]
    result = run_here(study, tmp_path)
    found = calls(result)
    assert result.certificate.outcome is Outcome.PASS
    assert found["reused"] == (33 if agrees else 0) and found["total"] == (26 if agrees else 30)
    text = "35 calls learned from: 2 of them differ by 0.0051" if agrees else "'data' differs by 1.5 errors of the data"
    assert text in log(result)
    mean = result.posterior.mean()
    shift = np.linalg.solve([[1.0, 0.5], [0.2, 1.0]], [-moved, 0.0])
    assert np.all(np.abs(mean - earlier.posterior.mean() - shift) < 5 * result.posterior.std() * np.sqrt(2 / 1000))


def test_another_output_is_not_in_old_calls(decay, tmp_path):
    study = waves(tmp_path, "more", {"a": A, "b": B}, warm_start=str(decay.folder))
    study["theory"]["python"]["outputs"] = {"slope": {"axes": {"x": {"values": np.linspace(0, 1, 12).tolist()}}}}
    told = str(plan(prepared(study, tmp_path)))
    assert "35 exact calls are not learned from, since they lack 'slope'; only where they lie" in told
    assert "first points      6" in told


def test_an_archive_or_an_emulator_alone(decay, tmp_path):
    params = {"a": A, "b": B}
    study = waves(tmp_path / "archive", "two", params, warm_start=str(decay.folder / "archive.sqlite"))
    told = str(plan(prepared(study, tmp_path / "archive")))
    assert "35 exact calls are of this theory" in told and "about the likeliest of the earlier calls" in told
    assert "first points      0" in told
    study = waves(tmp_path / "emulator", "two", params, warm_start=str(decay.folder / "emulator.safetensors"))
    told = str(plan(prepared(study, tmp_path / "emulator")))
    assert "no exact calls" in told and "the earlier posterior of a, b" in told and "first points      6" in told
    found = read_earlier(str(decay.folder / "emulator.safetensors"), None, {}, 1)
    spread = decay.posterior.std()
    for name, mean, std in zip(("a", "b"), decay.posterior.mean(), spread, strict=True):
        assert abs(found.draws[name].mean() - mean) < 0.3 * std and 0.7 < found.draws[name].std() / std < 1.4


def test_points_outside_the_new_prior_are_left_out(old, tmp_path):
    study = curved(warm_start=str(old.folder))
    study["params"]["x"]["prior"] = {"min": 0.0, "max": 5.0}
    points = np.vstack([entry.theta for entry in rounds(prepared(curved(), old.folder.parent))])
    outside = int(np.sum(points[:, 0] < 0))
    told = str(plan(prepared(study, tmp_path)))
    assert 0 < outside < len(points)
    assert f"{outside} of {len(points)} exact calls lie outside the prior: left out" in told
    assert f"{len(points) - outside} exact calls are of this theory" in told


def test_two_works_and_each_call_once(old, warm, tmp_path):
    """The second was itself begun from the first."""
    study = curved(warm_start=[str(old.folder), {"run": str(warm.folder)}])
    prepared_study = prepared(study, tmp_path)
    assert plan(prepared_study).reused == calls(old)["total"] + calls(warm)["total"]


REFUSED = {
    "nowhere": (
        "{nowhere}",
        {},
        "study.yaml:[0-9]+: warm_start.0: expected a run folder, an archive or an emulator at",
    ),
    "empty folder": ("{empty}", {}, "expected a run folder with study.yaml"),
    "no value": ("{decay}", {}, r"value of 'c' at the exact calls of .*, which has no such parameter; try at: \{c: "),
    "unknown": ("{decay}", {"d": 1}, "expected sampled parameters under at, got 'd'"),
    "has its own": ("{decay}", {"c": 0, "a": 1}, "expected no value of 'a' under at"),
    "text": ("{text}", {}, "expected an alfonsine archive"),
}


@pytest.mark.parametrize("case", REFUSED)
def test_what_cannot_be_used_is_told_in_one_line(decay, tmp_path, case):
    run, at, message = REFUSED[case]
    (tmp_path / "empty").mkdir()
    (tmp_path / "text").write_text("weight minuslogpost\n" * 100)
    places = {name: tmp_path / name for name in ("nowhere", "empty", "text")} | {"decay": decay.folder}
    study = waves(tmp_path, "three", {"a": A, "b": B, "c": C}, warm_start={"run": run.format(**places), "at": at})
    with pytest.raises(InputError, match=message) as error:
        plan(prepared(study, tmp_path))
    assert "\n" not in str(error.value)
    with pytest.raises(InputError, match=message):
        run_here(study, tmp_path)


def test_its_own_folder_is_no_earlier_run(decay, tmp_path):
    shutil.copytree(decay.folder, tmp_path / "run")
    study = waves(tmp_path, "two", {"a": A, "b": B}, warm_start=str(tmp_path / "run"))
    with pytest.raises(InputError, match="expected the run folder of an earlier study, got that of this one"):
        plan(prepared(study, tmp_path))


def test_only_the_calls_of_the_named_points_are_read(old, tmp_path):
    """Cheap calls, and those of another study in the same folder, are no lessons."""
    shutil.copytree(old.folder, tmp_path / "earlier")
    with Archive(tmp_path / "earlier" / "archive.sqlite") as archive:
        call = next(iter(archive))
        archive.put_all([type(call)("other", {"q": 1.0}, "done", "", 1.0, call.observables)], {"code": "other"})
    identity = plain_identity(prepared(curved(), tmp_path))
    assert len(read_earlier(str(tmp_path / "earlier"), None, identity, 1).keys) == calls(old)["total"]
    record_of = json.loads((next((tmp_path / "earlier" / "rounds").glob("*/0000.json"))).read_text())
    assert len(record_of["theta"]) == 3
