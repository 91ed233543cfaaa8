"""Emulators of a whole box, from a study file to a card, against a closed form in a file of the user's own."""

import json
import shutil

import numpy as np
import pytest
import yaml
from box_studies import LOWER, UPPER, calls, command, exact, fresh, prepared, write

from alfonsine.emulator.stored.file import load_emulator
from alfonsine.errors import InputError
from alfonsine.study.collect import collect
from alfonsine.study.progress import Silent
from alfonsine.study.run import open_engine
from alfonsine.study.settings import read_study
from alfonsine.study.stages import sample
from alfonsine.study.wide import box, design, fit, plan_box, train_box


@pytest.fixture(scope="module")
def finished(tmp_path_factory):
    folder = tmp_path_factory.mktemp("wide")
    study = prepared(write(folder))
    return folder, study, train_box(study)


def test_the_closed_form_is_found_and_the_card_says_how_well(finished):
    folder, _, emulator = finished
    theta = fresh()
    found = emulator(theta)
    for name, values in exact(theta).items():
        assert np.abs(np.asarray(found[name]) - values).max() < 1e-5, name
    card = load_emulator(folder / "run" / "emulator.safetensors").card
    assert card["training_points"] == 40 and card["failed"] == 0
    assert card["held_out"]["shape"]["models"] == 10
    assert card["held_out"]["shape"]["percent"]["100 %"] < 1e-3
    assert card["held_out"]["wave"]["percent"] is None  # it changes sign
    assert set(card["speed"]) == {"one_point", "one_of_1000"}


def test_the_error_on_the_card_is_that_of_the_held_out_models(finished):
    """Counted again by hand."""
    _, study, emulator = finished
    theta = design(study)[1]
    error = np.abs(np.asarray(emulator(theta)["shape"], float) / exact(theta)["shape"] - 1).max(axis=1)
    assert emulator.card["held_out"]["shape"]["percent"]["50 %"] == pytest.approx(100 * np.median(error), rel=1e-6)


def test_held_out_models_are_others_than_those_learned_from(finished):
    learned, held_out = design(finished[1])
    assert len(learned) == 40 and len(held_out) == 10
    assert not any((point == learned).all(axis=1).any() for point in held_out)
    for points in (learned, held_out):
        assert (points >= LOWER).all() and (points <= UPPER).all()


def test_the_same_command_again_computes_nothing_twice(finished):
    folder, study, one = finished
    before = calls(folder)
    two = train_box(study)
    assert calls(folder) == before
    np.testing.assert_array_equal(one(fresh())["shape"], two(fresh())["shape"])


def test_failures_are_counted_and_left_out(tmp_path):
    emulator = train_box(prepared(write(tmp_path, fails_above=1.85)))
    failed = emulator.card["failed"]
    assert 2 <= failed <= 6 and emulator.card["training_points"] == 40 - failed  # a tenth of the box, in 40 slices


def test_where_nothing_succeeds_the_reason_is_told(tmp_path):
    with pytest.raises(InputError, match="no answer there"):
        train_box(prepared(write(tmp_path, fails_above=0.0)))
    assert not (tmp_path / "run" / "emulator.safetensors").exists()


@pytest.mark.parametrize(
    ("blocks", "words"),
    [
        ({"params": {"a": {"prior": {"dist": "norm", "loc": 1, "scale": 1}}}}, "expected a prior with two edges"),
        ({"emulator": {"preset": "connect", "options": {"epoch": 3}}}, "did you mean 'epochs'"),
    ],
)
def test_what_does_not_fit_is_told_before_the_first_call(tmp_path, blocks, words):
    with pytest.raises(InputError) as caught:
        train_box(prepared(write(tmp_path, **blocks)))
    assert words in str(caught.value) and not (tmp_path / "diary").exists()


@pytest.mark.parametrize(
    ("blocks", "words"),
    [
        ({"design": None}, "expected a likelihood, or a design"),
        ({"design": {"number": 3}}, "number"),
        ({"design": {"number": 40, "kind": "grid"}}, "latin_hypercube"),
        ({"emulator": {"preset": "camb"}}, "connect"),
        ({"design": {"number": 40, "solves": 50}}, "at most 40 solves, one for each model, got 50"),
        ({"design": {"number": 40, "kind": "hypersphere", "density": "edges"}}, "density: even in a hypersphere"),
    ],
)
def test_settings_that_make_no_sense(tmp_path, blocks, words):
    with pytest.raises(InputError, match=words):
        read_study(write(tmp_path, **blocks))


HALO_MODEL = {
    "camb": {
        "extra_args": {"halofit_version": "mead2015", "AccuracyBoost": 0.5, "H0": 68, "mnu": 0},
        "matter_power": {"outputs": ["pk_nl"], "k": {"min": 0.01, "max": 0.5, "number": 5}, "z": [0, 1]},
    }
}
BARYONS = {
    "omega_cdm": {"prior": {"min": 0.11, "max": 0.13}},
    "ln10^{10}A_s": {"prior": {"min": 2.9, "max": 3.2}},
    "c_min": {"prior": {"min": 2, "max": 4}},
}


def test_models_share_the_solutions_that_the_study_allows(tmp_path):
    pytest.importorskip("camb")
    path = write(tmp_path, theory=HALO_MODEL, params=BARYONS, design={"number": 8, "held_out": 10, "solves": 2})
    study = prepared(path)
    learned, held_out = design(study)
    values = dict(zip(box(study)[0], (len(np.unique(column)) for column in learned.T), strict=True))
    assert values == {"omega_cdm": 2, "ln10^{10}A_s": 8, "c_min": 8}
    assert [len(np.unique(column)) for column in held_out.T] == [10, 10, 10]  # those stay a test of everything
    assert "2 solutions shared by what differs in c_min, ln10^{10}A_s" in plan_box(study)
    study.folder.mkdir()
    with open_engine(study) as engine:
        found = collect(study, engine, learned, "learned", Silent())
        assert engine.solves == 2 and found.failed == 0
    assert "of 8 from 2 solutions, seed" in fit(study, found, Silent()).card["design"]


def test_models_to_learn_from_are_denser_towards_the_edges_and_those_held_out_are_not(tmp_path):
    even, edges = (
        prepared(write(tmp_path, design={"number": 400, "held_out": 200, "density": density}))
        for density in ("even", "edges")
    )
    lower, upper = box(even)[1:]
    (learned, held_out), (plain, same) = design(edges), design(even)
    np.testing.assert_array_equal(held_out, same)
    # shares beyond 0.8 of the half-width; a Latin hypercube has them to one point in 400
    outer = [np.mean(np.abs(2 * (x - lower) / (upper - lower) - 1) > 0.8, axis=0) for x in (learned, plain)]
    np.testing.assert_allclose(outer[0], 2 / np.pi * np.arccos(0.8), atol=0.01)
    np.testing.assert_allclose(outer[1], 0.2, atol=0.01)
    assert "denser towards the edges" in plan_box(edges) and "denser" not in plan_box(even)


@pytest.mark.parametrize("params", [None, {"c_min": {"prior": {"min": 2, "max": 4}}}])
def test_a_code_that_shares_nothing_is_not_asked_to(tmp_path, params):
    """Nor one that would share a single solution."""
    blocks = {"design": {"number": 8, "held_out": 10, "solves": 2}}
    if params is not None:
        pytest.importorskip("camb")
        blocks |= {"theory": HALO_MODEL, "params": params}
    study = prepared(write(tmp_path, **blocks))
    with pytest.raises(InputError, match=r"design.solves.*expected a code one of whose solutions serves many models"):
        design(study)


def test_commands(tmp_path, monkeypatch, capsys):
    path = write(tmp_path)
    code, out, _ = command(monkeypatch, capsys, "plan", path)
    assert code == 0 and "40 to learn from" in out and not (tmp_path / "run").exists()
    code, out, _ = command(monkeypatch, capsys, "train", path, "--quiet")
    assert code == 0 and "Errors on held-out models" in out
    code, again, _ = command(monkeypatch, capsys, "card", tmp_path / "run" / "emulator.safetensors")
    assert code == 0 and again.strip() in out
    for words in ("a  0.5 to 2", "index 0 to 24 (25)", "python", "latin_hypercube of 40", "microseconds"):
        assert words in again
    for name in ("run", "sample", "certify", "evidence"):
        code, _, err = command(monkeypatch, capsys, name, path)
        assert code == 2 and "expected a likelihood" in err and err.count("\n") == 1
    code, _, err = command(monkeypatch, capsys, "card", path)
    assert code == 2 and "expected an emulator file, got the YAML file" in err


def test_the_loop_refuses_a_design(tmp_path, monkeypatch, capsys):
    likelihood = {"gaussian": {"observable": "shape", "value": [1.0], "covariance": [[1.0]]}}
    code, _, err = command(monkeypatch, capsys, "run", write(tmp_path, likelihood=likelihood))
    assert code == 2 and "expected no design" in err


def test_the_archive_alone_is_enough(finished, tmp_path):
    """What was interrupted before the fit goes on from the calls that were finished."""
    path = write(tmp_path)
    shutil.copytree(finished[0] / "run", tmp_path / "run")
    shutil.copy(finished[0] / "my_theory.py", tmp_path)  # with the diary of the other folder
    before = calls(finished[0])
    (tmp_path / "run" / "emulator.safetensors").unlink()
    wider = yaml.safe_load(path.read_text())
    wider["design"]["held_out"] = 12
    path.write_text(yaml.safe_dump(wider))
    emulator = train_box(prepared(path))
    assert emulator.card["held_out"]["derived"]["models"] == 12
    assert before in (50, 62) and calls(finished[0]) <= before + 12
    assert json.loads(json.dumps(emulator.card)) == emulator.card


@pytest.mark.slow
@pytest.mark.parametrize("observable", ["shape", "wave"])
def test_a_posterior_from_an_emulator_of_a_box(tmp_path, observable):
    """One output is emulated as its logarithm and cannot be folded, the other is linear; both against a fine grid.

    10,000 effective draws know a mean to a hundredth of a standard deviation: five of these.
    """
    truth, error = exact(np.array([[1.2, 0.1]]))[observable][0], 0.1
    likelihood = {"gaussian": {"observable": observable, "value": truth.tolist(), "error": error}}
    path = write(tmp_path, likelihood=likelihood, design={"number": 40, "held_out": 10})
    emulator = train_box(prepared(path))
    assert emulator.is_linear(observable) == (observable == "wave")
    assert set(emulator.card["data_errors"]["gaussian"]) == {"50 %", "68 %", "95 %", "99 %", "100 %"}
    posterior = sample(prepared(path), 10_000)
    a, b = (np.linspace(lower, upper, 400) for lower, upper in zip(LOWER, UPPER, strict=True))
    grid = np.column_stack([axis.ravel() for axis in np.meshgrid(a, b, indexing="ij")])
    log = -0.5 * np.sum((exact(grid)[observable] - truth) ** 2, axis=1) / error**2
    weight = np.exp(log - log.max()) / np.exp(log - log.max()).sum()
    mean = weight @ grid
    std = np.sqrt(weight @ (grid - mean) ** 2)
    assert np.abs((posterior.mean() - mean) / std).max() < 0.06
    assert np.abs(posterior.std() / std - 1).max() < 0.06
