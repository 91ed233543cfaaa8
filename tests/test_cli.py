"""The command line: exit codes, one line for what the user can mend, and thin commands over the rooms."""

import json
import subprocess
import sys
import types

import pytest
import toy_studies
from command_line import call

from alfonsine.errors import InputError
from alfonsine.likelihood import data_sets

STUDY = """
theory: {classy: {extra_args: {N_ur: 3.044}}}
likelihood: {mock_cmb: }
params: {n_s: {prior: [0.9, 1.0], ref: 0.96, proposal: 0.004}}
"""
CERTIFICATE = {
    "outcome": "pass",
    "advice": "nothing to do",
    "kl": {"estimate": 0.001, "upper95": 0.002},
    "solver_calls": {"total": 48, "training": 36, "judging": 12, "failed": 0},
}


@pytest.fixture
def study(tmp_path):
    path = tmp_path / "study.yaml"
    path.write_text(STUDY)
    return path


@pytest.fixture
def stages(monkeypatch):
    """Stands for the stages behind the commands: notes what they were asked, ends with `outcome`."""
    module = types.ModuleType("alfonsine.study.run")
    module.asked, module.outcome = [], "pass"

    def run(study, progress):
        module.asked.append((study.settings, study.folder, progress))
        if isinstance(module.outcome, Exception):
            raise module.outcome
        progress.start("exact calls", 2)
        progress.advance("point 1")
        progress.say("round 1: KL 0.001")
        progress.stop()
        study.folder.mkdir(parents=True)
        (study.folder / "certificate.json").write_text(json.dumps(CERTIFICATE | {"outcome": module.outcome}))

    def prepare(settings, folder):
        return types.SimpleNamespace(settings=settings, folder=folder)

    module.run, plan = run, types.ModuleType("alfonsine.study.plan")
    plan.plan = lambda study: f"a plan for {study.folder}"
    finished = types.SimpleNamespace(is_finished=lambda study: False)
    monkeypatch.setitem(sys.modules, "alfonsine.study.finished", finished)
    monkeypatch.setitem(sys.modules, "alfonsine.study.plan", plan)
    monkeypatch.setitem(sys.modules, "alfonsine.study.run", module)
    monkeypatch.setitem(sys.modules, "alfonsine.study.prepare", types.SimpleNamespace(prepare=prepare))
    return module


@pytest.mark.parametrize(("outcome", "code"), [("pass", 0), ("fail", 1), ("inconclusive", 1)])
def test_the_exit_code_is_the_outcome(monkeypatch, capsys, study, stages, tmp_path, outcome, code):
    stages.outcome = outcome
    assert call(monkeypatch, "run", study, "--output", tmp_path / "out") == code
    shown = capsys.readouterr().out
    assert outcome in shown and "95 % sure below 0.002" in shown and "48 total" in shown
    assert "round 1: KL 0.001" in shown and "exact calls (2)" in shown  # progress, as lines where there is no terminal


def test_quiet_shows_the_outcome_only(monkeypatch, capsys, study, stages, tmp_path):
    assert call(monkeypatch, "run", study, "--quiet", "-o", tmp_path / "out") == 0
    shown = capsys.readouterr().out
    assert "pass" in shown and "round 1" not in shown


def test_the_run_folder_is_that_of_the_study_or_the_option(monkeypatch, study, stages, tmp_path):
    monkeypatch.chdir(tmp_path)
    call(monkeypatch, "run", study, "-q")
    call(monkeypatch, "run", study, "-q", "-o", "elsewhere")
    assert [str(folder) for _, folder, _ in stages.asked] == ["runs/study", "elsewhere"]


def test_what_the_user_can_mend_is_one_line_and_code_2(monkeypatch, capsys, study, stages, tmp_path):
    stages.outcome = InputError("expected a, got b; try c")
    assert call(monkeypatch, "run", study, "-o", tmp_path / "out") == 2
    assert capsys.readouterr().err == "alfonsine: expected a, got b; try c\n"


def test_plan_computes_nothing(monkeypatch, capsys, study, stages, tmp_path):
    assert call(monkeypatch, "plan", study, "-o", tmp_path / "out") == 0
    assert "a plan for" in capsys.readouterr().out
    assert stages.asked == [] and not (tmp_path / "out").exists()


def test_the_demo_is_the_built_in_study(monkeypatch, stages, tmp_path):
    assert call(monkeypatch, "demo", "-q", "-o", tmp_path / "out") == 0
    assert list(stages.asked[0][0].likelihood) == ["mock_cmb"]


def test_data_sets_are_listed_and_missed(monkeypatch, capsys, tmp_path):
    monkeypatch.setenv("ALFONSINE_DATA", str(tmp_path))
    assert call(monkeypatch, "data", "list") == 0
    shown = capsys.readouterr().out
    assert "planck2018_lite" in shown and shown.startswith(f"Data sets are looked for in {tmp_path} (as ALFONSINE_DATA")
    monkeypatch.delenv("ALFONSINE_DATA")
    assert call(monkeypatch, "data", "list") == 0
    assert f"looked for in {data_sets.folder()} (set ALFONSINE_DATA to look in another" in capsys.readouterr().out
    monkeypatch.setenv("ALFONSINE_DATA", str(tmp_path))
    assert call(monkeypatch, "data", "check", "planck2018_lite") == 2
    assert "alfonsine data install planck2018_lite" in capsys.readouterr().err
    assert call(monkeypatch, "data", "check", "plank2018_lite") == 2
    assert "did you mean 'planck2018_lite'?" in capsys.readouterr().err


def test_a_data_set_that_is_here_is_checked(monkeypatch, capsys, data_folder):
    place = data_folder("planck2018_lite")
    assert call(monkeypatch, "data", "check", "planck2018_lite") == 0
    assert str(place) in capsys.readouterr().out.replace("\n", "")


def test_a_wrong_command_is_code_2(monkeypatch, capsys):
    assert call(monkeypatch, "rnu") == 2
    assert "rnu" in capsys.readouterr().err


@pytest.mark.parametrize("arguments", [["--version"], ["--help"], ["run", "--help"], ["data", "--help"]])
def test_questions_are_answered(monkeypatch, capsys, arguments):
    assert call(monkeypatch, *arguments) == 0
    assert "alfonsine" in capsys.readouterr().out


def test_the_installed_command_ends_with_code_2_and_no_traceback(tmp_path):
    command = [sys.executable, "-m", "alfonsine.cli", "run", str(tmp_path / "absent.yaml")]
    done = subprocess.run(command, capture_output=True, text=True, timeout=120, check=False)
    assert done.returncode == 2
    assert done.stderr.startswith("alfonsine: ") and len(done.stderr.splitlines()) == 1


def test_help_does_not_import_what_it_does_not_need():
    heavy = (
        "classy",
        "matplotlib",
        "blackjax",
        "equinox",
        "pydantic",
        "scipy.stats",
        "getdist",
        "pooch",
        "arviz",
    )
    script = f"import sys, alfonsine.cli; print([m for m in {heavy} if m in sys.modules])"
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, timeout=120, check=True)
    assert done.stdout.strip() == "[]"


def test_limits_that_cannot_be_stated_are_unknown(monkeypatch, capsys, study, stages, tmp_path):
    monkeypatch.setitem(CERTIFICATE, "kl", {"estimate": None, "upper95": None})
    stages.outcome = "fail"
    assert call(monkeypatch, "run", study, "-o", tmp_path / "out") == 1
    assert "unknown nats, 95 % sure below unknown" in capsys.readouterr().out


@pytest.fixture(scope="module")
def finished(tmp_path_factory):
    """A study with a toy theory that keeps a diary, run by the command line; its exit code."""
    place = tmp_path_factory.mktemp("finished")
    values = toy_studies.linear()
    values["theory"]["toy"]["diary"] = str(place / "diary")
    study = toy_studies.write(values, place / "study.yaml")
    with pytest.MonkeyPatch.context() as patch:
        code = call(patch, "run", study, "-q", "-o", place / "run")
    return study, place / "run", place / "diary", code


def test_a_study_that_passes_ends_with_code_0(finished):
    _, folder, _, code = finished
    assert code == 0 and toy_studies.record(folder)["outcome"] == "pass"
    assert (folder / "report.html").exists() and not toy_studies.missing_records(folder)


def test_a_run_without_its_certificate_makes_no_exact_call_when_it_is_run_again(monkeypatch, finished):
    study, folder, diary, _ = finished
    calls, before = diary.read_text(), toy_studies.record(folder)
    (folder / "certificate.json").unlink()
    assert call(monkeypatch, "run", study, "-q", "-o", folder) == 0
    assert diary.read_text() == calls
    after = toy_studies.record(folder)
    assert {k: v for k, v in after.items() if k != "seconds"} == {k: v for k, v in before.items() if k != "seconds"}


def test_a_plan_of_a_new_study_writes_nothing(monkeypatch, capsys, tmp_path):
    values = toy_studies.linear()
    values["theory"]["toy"]["diary"] = str(tmp_path / "diary")
    study = toy_studies.write(values, tmp_path / "study.yaml")
    assert call(monkeypatch, "plan", study, "-o", tmp_path / "deep" / "run") == 0
    assert [p.name for p in tmp_path.iterdir()] == ["study.yaml"]
    shown = capsys.readouterr().out
    assert "35 if all goes well, at most 200" in shown and "not known before the first call" in shown


def test_a_plan_of_a_finished_study_knows_what_is_there(monkeypatch, capsys, finished):
    study, folder, diary, _ = finished
    before = {path: path.stat().st_mtime_ns for path in [diary, *folder.rglob("*")] if "archive" not in path.name}
    assert call(monkeypatch, "plan", study, "-o", folder) == 0
    assert "35 finished calls of this code and settings" in capsys.readouterr().out
    after = {path: path.stat().st_mtime_ns for path in [diary, *folder.rglob("*")] if "archive" not in path.name}
    assert {p: t for p, t in after.items() if p.is_file()} == {p: t for p, t in before.items() if p.is_file()}


def test_stages_of_a_finished_study(monkeypatch, capsys, finished):
    """`certify`, `evidence` and `sample` use what `run` left; only `certify` makes exact calls, and exactly so many."""
    study, folder, diary, _ = finished
    calls = len(diary.read_text().splitlines())
    assert call(monkeypatch, "certify", study, "--calls", 30, "-q", "-o", folder) == 0
    assert len(diary.read_text().splitlines()) == calls + 30
    assert toy_studies.record(folder, "certificate_fresh")["n_judged"] == 30
    assert call(monkeypatch, "evidence", study, "-o", folder) == 0
    assert call(monkeypatch, "sample", study, "--effective", 500, "-q", "-o", folder) == 0
    assert len(diary.read_text().splitlines()) == calls + 30
    shown = capsys.readouterr().out
    assert "ln Z exact" in shown and "30 fresh calls" in shown


def test_a_study_that_does_not_pass_ends_with_code_1(monkeypatch, capsys, tmp_path):
    study = toy_studies.write(toy_studies.banana(2.0, accuracy={"calls": 27}), tmp_path / "study.yaml")
    assert call(monkeypatch, "run", study, "-q", "-o", tmp_path / "run") == 1
    assert "learn these points" in " ".join(capsys.readouterr().out.split())
    assert not toy_studies.missing_records(tmp_path / "run")


def test_a_study_whose_code_fails_at_once_ends_with_code_2(monkeypatch, capsys, tmp_path):
    misdeed = {"deed": "fail", "parameter": "x", "above": 0.0}
    study = toy_studies.write(toy_studies.linear(misdeed), tmp_path / "study.yaml")
    assert call(monkeypatch, "run", study, "-q", "-o", tmp_path / "run") == 2
    told = capsys.readouterr().err
    assert len(told.splitlines()) == 1 and "at the reference point, got a failure: outside the region" in told


@pytest.mark.parametrize(
    ("returned", "advice"),
    [
        (
            "{'signl': [p['x'], 1.0]}",
            "expected 2 numbers 'signal' from the theory for the likelihood gaussian, got none",
        ),
        ("{'signal': [p['x']]}", "expected 2 numbers 'signal' from the theory for the likelihood gaussian, got 1"),
        ("{'signal': [p['x'], 1.0]}", "expected a derived number 'twice' from the theory, got none"),
    ],
)
def test_a_function_that_returns_something_else_ends_with_code_2(returned, advice, monkeypatch, capsys, tmp_path):
    (tmp_path / "mine.py").write_text(f"def signal(p):\n    return {returned}\n")
    (tmp_path / "data.txt").write_text("0.5\n1.0\n")  # found beside the study, wherever the command is given
    study = tmp_path / "study.yaml"
    study.write_text(
        "theory: {python: {function: 'mine:signal'}}\n"
        "likelihood: {gaussian: {observable: signal, value: data.txt, error: 0.1}}\n"
        "params: {x: {prior: {min: 0, max: 1}, ref: 0.5, proposal: 0.1}, twice: {derived: true}}\n"
    )
    assert call(monkeypatch, "run", study, "-q", "-o", tmp_path / "run") == 2
    told = capsys.readouterr().err
    assert len(told.splitlines()) == 1 and advice in told


def test_several_data_sets(monkeypatch, capsys, data_folder):
    """Each is checked; without a name, or with an unknown one, none is."""
    place = data_folder("cosmic_clocks")
    assert call(monkeypatch, "data", "check", "cosmic_clocks", "bbn") == 0
    shown = capsys.readouterr().out.splitlines()
    assert shown == [f"{place}: 1 of 1 files are right", f"{place.parent / 'bbn'}: 1 of 1 files are right"]
    assert call(monkeypatch, "data", "check", "cosmic_clocks", "nope") == 2
    assert capsys.readouterr().out == ""
    assert call(monkeypatch, "data", "check") == 2
    assert "expected names of data sets, or --all, got neither" in capsys.readouterr().err


def test_what_is_absent_is_told_once_for_each(monkeypatch, capsys, tmp_path):
    monkeypatch.setenv("ALFONSINE_DATA", str(tmp_path))
    assert call(monkeypatch, "data", "check", "--all") == 2
    told = capsys.readouterr().err.splitlines()
    assert len(told) > 5 and all(line.startswith("alfonsine: expected the data set") for line in told)


def test_a_data_set_that_is_complete_is_installed_again_without_a_download(monkeypatch, capsys, data_folder, tmp_path):
    (tmp_path / "bbn").mkdir()
    file = data_folder("bbn") / "PRIMAT_Yp_DH_Error.dat"
    (tmp_path / "bbn" / file.name).write_bytes(file.read_bytes())
    monkeypatch.setenv("ALFONSINE_DATA", str(tmp_path))
    assert call(monkeypatch, "data", "install", "bbn") == 0
    assert capsys.readouterr().out.strip() == str(tmp_path / "bbn")
