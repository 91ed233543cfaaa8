"""Malformed studies: each is refused in one clear line, with exit code 2, before the first exact call.

The study is sound but for the one thing that each case changes.
"""

import re

import numpy as np
import pytest
from command_line import call
from safetensors.numpy import save_file

SOUND = """\
theory:
  classy:
    extra_args: {N_ur: 3.044}
likelihood:
  mock_cmb:
params:
  omega_b: {prior: {min: 0.019, max: 0.026}, ref: 0.0224, proposal: 0.00015}
  omega_cdm: {prior: {min: 0.09, max: 0.15}, ref: 0.12, proposal: 0.0012}
  n_s: {prior: {min: 0.88, max: 1.06}, ref: 0.965, proposal: 0.004}
  logA: {prior: {min: 2.7, max: 3.4}, ref: 3.05, proposal: 0.016, drop: true}
  A_s: {value: 'lambda logA: 1e-10*np.exp(logA)'}
  H0: {derived: true}
accuracy: {kl: 0.01, calls: 60}
"""

PARAMS = SOUND[SOUND.index("params:") : SOUND.index("accuracy:")]

# name: (old text, new text, the line to expect after "alfonsine: study.yaml")
CASES = {
    "unknown block": ("accuracy:", "acuracy:", r":13: unknown key 'acuracy'; did you mean 'accuracy'\?"),
    "unknown key": ("kl: 0.01", "k1: 0.01", r":13: accuracy: unknown key 'k1'; did you mean 'kl'\?"),
    "unknown key of a parameter": ("max: 1.06", "maks: 1.06", r":9: params\.n_s\.prior: unknown key 'maks'"),
    "misspelt likelihood": ("mock_cmb", "mock_cbm", r":5: likelihood\.mock_cbm: .*'mock_cmb'"),
    "likelihood without its data": (
        "mock_cmb:",
        "planck_2018_lite:",
        r":5: likelihood\.planck_2018_lite: .*alfonsine data install",
    ),
    "unknown option of a likelihood": (
        "mock_cmb:",
        "mock_cmb: {noize: 1}",
        r":5: likelihood\.mock_cmb: .*noize",
    ),
    "unknown theory": ("classy:", "clazzy:", r":2: theory: unknown key 'clazzy'; did you mean 'classy'\?"),
    "no theory": (
        "theory:\n  classy:\n    extra_args: {N_ur: 3.044}\n",
        "",
        r": expected 'theory', got none",
    ),
    "no params": (PARAMS, "", r": expected 'params', got none"),
    "nothing sampled": (
        PARAMS,
        "params:\n  n_s: 0.96\n",
        r":6: params: expected at least one sampled parameter",
    ),
    "min above max": (
        "min: 0.88",
        "min: 1.88",
        r":9: params\.n_s\.prior: expected min below max, got min 1\.88",
    ),
    "reference outside the prior": (
        "ref: 0.965",
        "ref: 9.65",
        r":9: params\.n_s\.ref: expected a reference inside",
    ),
    "negative proposal": (
        "proposal: 0.004",
        "proposal: -0.004",
        r":9: params\.n_s\.proposal: expected a positive",
    ),
    "parameter that the code does not know": (
        "omega_b:",
        "omega_bb:",
        r":7: params\.omega_bb: .*'omega_bb'.*'omega_b'",
    ),
    "setting that the code does not know": (
        "N_ur",
        "N_uur",
        r":3: theory\.classy\.extra_args\.N_uur: .*'N_ur'",
    ),
    "derived parameter that the code does not know": ("H0:", "H00:", r":2: theory\.classy: .*'H00'.*'H0'"),
    "the same quantity twice": ("N_ur: 3.044", "n_s: 0.96", r":9: params\.n_s: expected 'n_s' as a setting or"),
    "expression that is not arithmetic": (
        "np.exp(logA)",
        "open(logA)",
        r":11: params\.A_s\.value: expected numbers",
    ),
    "expression of something unknown": ("lambda logA", "lambda logB", r":11: params\.A_s\.value: .*'logB'"),
    "negative accuracy": (
        "kl: 0.01",
        "kl: -0.01",
        r":13: accuracy\.kl: expected a positive number .* got -0\.01",
    ),
    "budget below one verdict": ("calls: 60", "calls: 25", r":13: accuracy\.calls: expected at least 29"),
    "text for a number": ("max: 1.06", "max: 1,06", r":9: expected a word as key, got 06"),
    "a word for a number": (
        "max: 1.06",
        "max: large",
        r':9: params\.n_s\.prior\.max: expected a number, got "large"',
    ),
    "a list for a mapping": (
        "accuracy: {kl: 0.01, calls: 60}",
        "accuracy: [1]",
        r":13: accuracy: expected a mapping",
    ),
    "duplicate key": (
        "  n_s:",
        "  omega_b: 0.022\n  n_s:",
        r":9: expected each key once, got 'omega_b' again",
    ),
    "tabs": ("  mock_cmb:", "\tmock_cmb:", r":5: expected spaces, got a tab"),
    "a colon too few": ("likelihood:", "likelihood", r":\d: expected YAML"),
    "empty file": (SOUND, "", r": expected a study, got an empty file"),
    "an object to be made": ("kl: 0.01", "kl: !!python/name:os.system x", r":13: expected plain values"),
}


def refused(monkeypatch, capsys, *arguments):
    """Run the command line on a malformed study; the line it prints."""
    assert call(monkeypatch, *arguments) == 2
    shown = capsys.readouterr()
    assert shown.out == ""
    assert re.fullmatch(r"alfonsine: [^\n]+\n", shown.err), shown.err
    return shown.err.removeprefix("alfonsine: ").strip()


@pytest.fixture(autouse=True)
def no_data(monkeypatch, tmp_path):
    """No data set is installed."""
    (tmp_path / "no_data").mkdir()
    monkeypatch.setenv("ALFONSINE_DATA", str(tmp_path / "no_data"))


@pytest.mark.parametrize("case", CASES)
def test_a_malformed_study_is_refused(monkeypatch, capsys, tmp_path, case):
    old, new, message = CASES[case]
    assert SOUND.count(old) >= 1
    study, folder = tmp_path / "study.yaml", tmp_path / "run"
    study.write_text(SOUND.replace(old, new, 1))
    line = refused(monkeypatch, capsys, "run", study, "--output", folder)
    assert re.match(r"study\.yaml" + message, line), line
    assert not folder.exists()


def test_a_study_that_is_not_there(monkeypatch, capsys, tmp_path):
    line = refused(monkeypatch, capsys, "run", tmp_path / "absent.yaml")
    assert "expected a study file, found none" in line


def test_an_output_that_cannot_be_made(monkeypatch, capsys, tmp_path):
    study, blocked = tmp_path / "study.yaml", tmp_path / "file"
    study.write_text(SOUND)
    blocked.write_text("a file where a folder is wanted")
    line = refused(monkeypatch, capsys, "run", study, "--output", blocked / "run")
    assert re.match(r"study\.yaml: output: expected a folder for the output, got the file", line)


def test_an_output_that_cannot_be_written_to(monkeypatch, capsys, tmp_path):
    study, folder = tmp_path / "study.yaml", tmp_path / "sealed"
    study.write_text(SOUND)
    folder.mkdir(mode=0o500)
    try:
        (folder / "probe").touch()
    except OSError:
        line = refused(monkeypatch, capsys, "run", study, "--output", folder / "run")
        assert "expected a folder that can be written to" in line
    else:
        pytest.skip("this user may write everywhere")


@pytest.mark.parametrize("kept", [0, 5, 40, 200])
def test_a_truncated_emulator_in_the_run_folder(monkeypatch, capsys, tmp_path, kept):
    study, folder = tmp_path / "study.yaml", tmp_path / "run"
    study.write_text(SOUND)
    folder.mkdir()
    path = folder / "emulator.safetensors"
    save_file({"basis": np.ones((30, 30))}, path)
    path.write_bytes(path.read_bytes()[:kept])
    line = refused(monkeypatch, capsys, "run", study, "--output", folder)
    assert re.match(r"study\.yaml: output: expected a whole emulator in .*; delete it", line), line
    assert [p.name for p in folder.iterdir()] == ["emulator.safetensors"]
