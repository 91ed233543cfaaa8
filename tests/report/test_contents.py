"""Reading a run folder: whole, damaged, absent."""

import json
import pickle

import numpy as np
import pytest
import synthetic_run

from alfonsine.errors import InputError
from alfonsine.report.contents import ABSENT, Contents


@pytest.fixture
def run(tmp_path):
    return synthetic_run.write(tmp_path / "run", n=50)


def change(path, **entries):
    path.write_text(json.dumps(json.loads(path.read_text()) | entries))


def test_reads_what_was_written(run):
    contents = Contents.read(run)
    assert dict(contents.notes) == {}
    assert contents.title == "run"
    assert contents.limit == 2e-3  # which YAML takes for a word
    assert [r.kl for r in contents.rounds] == [r["kl"] for r in synthetic_run.HISTORY]
    assert contents.sample.names == (*synthetic_run.NAMES, "H0", "sigma8")
    assert contents.ranges["tau_reio"] == (0.01, 0.8)
    assert contents.published.parameters["tau_reio"] == (0.0544, 0.0070, 0.0081)
    assert contents.study == synthetic_run.STUDY


def test_corrected_weights_are_importance_weights(run):
    stored = dict(np.load(run / "posterior.npz"))
    stored["weights"] = np.arange(50.0)
    stored["corrected_log_weights"] = np.where(np.arange(50) == 7, np.nan, np.linspace(800, 801, 50))
    np.savez(run / "posterior.npz", **stored)
    expected = np.arange(50) * np.exp(np.linspace(0, 1, 50)) * (np.arange(50) != 7)
    found = Contents.read(run).sample.corrected_weights
    np.testing.assert_allclose(found / found.sum(), expected / expected.sum(), rtol=1e-12)


@pytest.mark.parametrize("name", ABSENT)
def test_every_file_may_be_absent(run, name):
    (run / name).unlink()
    assert dict(Contents.read(run).notes) == {name: ABSENT[name]}


@pytest.mark.parametrize("name", [n for n in ABSENT if n != "study.yaml"])
@pytest.mark.parametrize("written", [b"", b"{", b"[1, 2", b"\x80\x04garbage", b"PK\x03\x04", b"null"])
def test_every_file_may_be_damaged(run, name, written):
    (run / name).write_bytes(written)
    assert f"{name} is there but cannot be read" in Contents.read(run).notes[name]


class Poison:
    def __reduce__(self):
        return pytest.fail, ("something was unpickled",)


def test_nothing_is_unpickled(run):
    np.savez(run / "posterior.npz", names=np.array(["a"]), samples=np.array([[Poison()], [1.0]], dtype=object))
    (run / "bestfit.npz").write_bytes(pickle.dumps(Poison()))
    assert set(Contents.read(run).notes) == {"posterior.npz", "bestfit.npz"}


@pytest.mark.parametrize(
    ("name", "value", "words"),
    [
        ("samples", np.full((50, 7), np.nan), "not finite"),
        ("names", np.array(["only"]), "7 columns of samples and 1 names"),
        ("weights", np.ones(49), "same length"),
        ("weights", np.zeros(50), "not finite"),
    ],
)
def test_impossible_posteriors_are_named(run, name, value, words):
    np.savez(run / "posterior.npz", **{**np.load(run / "posterior.npz"), name: value})
    assert words in Contents.read(run).notes["posterior.npz"]


def test_values_of_a_wrong_type_count_as_absent(run):
    change(run / "certificate.json", kl="many", seconds=[1], solver_calls=None, shift_sigma={"n_s": "x"})
    (run / "failures.json").write_text('["it broke", {"reason": null, "inputs": 3, "seconds": "long"}]')
    assert [f.reason for f in Contents.read(run).failures] == ["it broke", "no reason given"]


def test_a_folder_without_a_run_is_refused(tmp_path):
    with pytest.raises(InputError, match="expected a run folder"):
        Contents.read(tmp_path)
    with pytest.raises(InputError, match="expected a run folder"):
        Contents.read(tmp_path / "absent")
