"""The front door: a study from a file or a mapping gives the same run as the command line, and its records."""

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import toy_studies
import yaml

import alfonsine
from alfonsine.front import plain


@pytest.fixture(scope="module")
def finished(tmp_path_factory):
    """A run of blocks with arrays in them, in a folder of its own, and what it returned."""
    folder = tmp_path_factory.mktemp("front") / "run"
    data = {"observable": "data", "value": toy_studies.VALUE, "covariance": toy_studies.COVARIANCE}
    study = toy_studies.linear(likelihood={"gaussian": data}, seed=np.int64(3))
    return alfonsine.run(study, folder, quiet=True), folder


def same(one, other):
    """Whether two records hold the same, arrays to the bit."""
    if isinstance(one, np.ndarray):
        return np.array_equal(one, other, equal_nan=True)
    if isinstance(one, dict):
        return list(one) == list(other) and all(same(one[name], other[name]) for name in one)
    return one == other


def test_the_posterior_of_a_linear_model_is_the_known_one(finished):
    result, _ = finished
    fisher = toy_studies.MATRIX.T @ np.linalg.solve(toy_studies.COVARIANCE, toy_studies.MATRIX)
    mean = np.linalg.solve(toy_studies.MATRIX, toy_studies.VALUE - toy_studies.OFFSET)
    error = np.sqrt(np.diag(np.linalg.inv(fisher)) / 1000)  # effective draws asked for; 5 of these: one alarm in 1e6
    assert np.all(np.abs(result.posterior.samples.mean(axis=0) - mean) < 5 * error)
    assert result.certificate.passed


def test_what_is_returned_is_what_stands_in_the_folder(finished):
    result, folder = finished
    assert alfonsine.read_certificate(folder) == alfonsine.read_certificate(str(folder))
    assert alfonsine.read_certificate(folder).kl == result.certificate.kl
    assert alfonsine.read_certificate(folder / "certificate.json") == alfonsine.read_certificate(folder)
    assert "95" in (folder / "report.html").read_text(encoding="utf-8")
    stored = alfonsine.load_emulator(folder / "emulator.safetensors")
    point = result.posterior.samples[0]
    assert np.array_equal(stored(point)["data"], result.emulator(point)["data"])


def test_a_finished_run_hands_on_what_is_stored(finished, monkeypatch):
    result, folder = finished
    monkeypatch.setattr("alfonsine.study.run.run", lambda *_: pytest.fail("it is run again"))
    again = alfonsine.run(folder / "study.yaml", folder, quiet=True)
    for name in vars(result.posterior):
        if name in result.posterior.__dataclass_fields__:
            assert same(getattr(result.posterior, name), getattr(again.posterior, name)), name
    assert result.posterior.ess == again.posterior.ess
    assert np.array_equal(result.log_weights, again.log_weights)
    assert again.certificate == alfonsine.read_certificate(folder) and again.folder == folder
    point = result.posterior.samples[0]
    assert np.array_equal(again.emulator(point)["data"], result.emulator(point)["data"])


def test_the_study_that_is_kept_is_the_one_that_was_run(finished, tmp_path):
    _, folder = finished
    kept = yaml.safe_load((folder / "study.yaml").read_text(encoding="utf-8"))
    assert kept["seed"] == 3 and kept["likelihood"]["gaussian"]["covariance"] == toy_studies.COVARIANCE.tolist()


def test_a_file_and_its_blocks_are_one_study(tmp_path):
    path = toy_studies.write(toy_studies.linear(), tmp_path / "study.yaml")
    from alfonsine.front import read

    assert read(path).digest == read(str(path)).digest == read(toy_studies.linear()).digest


def test_a_mapping_finds_what_it_names_in_the_working_directory(tmp_path, monkeypatch):
    (tmp_path / "mine.py").write_text("def predict(p):\n    return {'data': [p['x'], p['y']]}\n")
    np.savetxt(tmp_path / "value.txt", toy_studies.VALUE)
    monkeypatch.chdir(tmp_path)
    study = toy_studies.linear(
        theory={"python": {"function": "mine:predict", "inputs": ("x", "y")}},
        likelihood={"gaussian": {"observable": "data", "value": Path("value.txt"), "error": 0.2}},
    )
    result = alfonsine.run(study, quiet=True)
    assert result.folder.resolve() == tmp_path / "runs" / "study"
    assert np.allclose(result.posterior.samples.mean(axis=0), toy_studies.VALUE, atol=5 * 0.2 / np.sqrt(1000))


@pytest.mark.parametrize(
    ("change", "told"),
    [
        ({"likelihood": {}, "design": {"number": 20}}, "expected a likelihood"),
        ({"design": {"number": 20}}, "expected no design"),
        ({"sampling": {}}, "unknown key 'sampling'; did you mean 'sampler'"),
    ],
)
def test_what_the_user_can_mend_is_an_input_error(change, told, tmp_path):
    with pytest.raises(alfonsine.InputError, match=told):
        alfonsine.run(toy_studies.linear(**change), tmp_path / "run")
    assert not (tmp_path / "run").exists()


def test_a_folder_without_a_certificate_is_told(tmp_path):
    with pytest.raises(alfonsine.InputError, match="expected a certificate"):
        alfonsine.read_certificate(tmp_path)
    with pytest.raises(alfonsine.InputError, match="expected a certificate"):
        alfonsine.read_certificate(tmp_path / "certificate.json")


def test_plain_values_are_those_of_yaml():
    given = {"a": np.arange(3.0), "b": (1, np.float64(2.0)), "c": Path("x.txt"), 4: {"d": None, "e": True}}
    assert plain(given) == {"a": [0.0, 1.0, 2.0], "b": [1, 2.0], "c": "x.txt", "4": {"d": None, "e": True}}
    assert yaml.safe_load(yaml.safe_dump(plain(given))) == plain(given)


def test_every_name_of_the_package_is_there():
    assert all(callable(getattr(alfonsine, name)) for name in alfonsine.__all__)
    with pytest.raises(AttributeError, match="no attribute 'fit'"):
        alfonsine.fit  # noqa: B018  the look-up itself is what raises


def test_importing_the_package_imports_nothing_else_of_it():
    script = "import sys, alfonsine; print([m for m in sys.modules if m.startswith('alfonsine.')])"
    found = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert found.stdout.strip() == "[]"
