"""A run folder is of use to the study that made it, and to no other: neither judged, nor overwritten by it."""

import shutil

import pytest
import toy_studies
from command_line import call
from toy_studies import COVARIANCE, FLAT, VALUE, linear, prepared, record

from alfonsine.errors import InputError
from alfonsine.posterior.formats.chains import read_chains
from alfonsine.study.certify import recertify
from alfonsine.study.finished import finished_result, is_finished
from alfonsine.study.run import run
from alfonsine.study.stages import evidence, sample, train
from alfonsine.theory.archive import Archive

WIDER = (4 * COVARIANCE).tolist()
DATA = {"observable": "data", "value": VALUE.tolist(), "covariance": WIDER}
NARROW = FLAT | {"prior": {"min": -4, "max": 5}}
OTHERS = [
    ({"likelihood": {"gaussian": DATA}}, "likelihood.gaussian.covariance[0][0] is 0.04 there, and 0.16 in study.yaml"),
    ({"params": {"x": NARROW, "y": dict(FLAT)}}, "params.x.prior.min is -5.0 there, and -4.0 in study.yaml"),
    ({"points": {"batch": 4}}, "points.batch is 8 there, and 4 in study.yaml"),
]
STAGES = [
    lambda study: recertify(study, 12),
    lambda study: sample(study, 500),
    evidence,
]


@pytest.fixture(scope="module")
def kept(tmp_path_factory):
    """The folder of a finished run, to be copied."""
    folder = tmp_path_factory.mktemp("made")
    toy_studies.run_here(linear(), folder)
    (folder / "run" / "report.html").write_text("a page")  # which the command line adds
    return folder / "run"


@pytest.fixture
def place(kept, tmp_path):
    shutil.copytree(kept, tmp_path / "run")
    return tmp_path


def contents(folder):
    return {p: p.read_bytes() for p in folder.rglob("*") if p.is_file() and not p.name.startswith("archive")}


@pytest.mark.parametrize(("change", "told"), OTHERS)
@pytest.mark.parametrize("stage", [*STAGES, run, train])
def test_another_study_is_refused_and_nothing_is_written(place, change, told, stage):
    before = contents(place / "run")
    with pytest.raises(InputError) as error:
        stage(prepared(linear(**change), place))
    assert f"expected the study that made '{place / 'run'}'" in str(error.value) and told in str(error.value)
    assert "\n" not in str(error.value)
    assert contents(place / "run") == before


@pytest.mark.parametrize("name", ["run", "train", "sample", "certify", "evidence"])
def test_the_command_line_says_so_with_code_2(place, monkeypatch, capsys, name):
    other = toy_studies.write(linear(likelihood={"gaussian": DATA}), place / "other.yaml")
    assert call(monkeypatch, name, other, "-o", place / "run") == 2
    told = capsys.readouterr().err
    assert len(told.splitlines()) == 1 and "and 0.16 in other.yaml" in told


@pytest.mark.slow
def test_what_decides_nothing_may_differ(place):
    study = prepared(linear(compute={"workers": 2}, accuracy={"calls": 300}), place)
    assert recertify(study, 12).passed
    evidence(study)
    sample(study, 500)
    same = prepared(linear(), place)
    assert is_finished(same) and finished_result(same) is None  # these draws have no weights of the judging calls
    assert not is_finished(study)  # a larger budget goes on


def test_the_same_study_goes_on_with_a_larger_budget(place):
    with Archive(place / "run" / "archive.sqlite") as archive:
        calls = len(list(archive))
    run(prepared(linear(accuracy={"calls": 300}), place))
    assert record(place / "run")["study"] == prepared(linear(accuracy={"calls": 300}), place).settings.digest
    with Archive(place / "run" / "archive.sqlite") as archive:
        assert len(list(archive)) == calls


def test_an_unfinished_folder_is_taken_over_by_a_changed_study(place):
    (place / "run" / "certificate.json").unlink()
    assert run(prepared(linear(seed=5), place)).certificate.passed


def test_without_a_copy_of_its_study_the_certificate_still_tells(place):
    (place / "run" / "study.yaml").unlink()
    with pytest.raises(InputError, match=r"expected the study that made .*, got another; give"):
        evidence(prepared(linear(seed=5), place))
    evidence(prepared(linear(), place))


def test_a_finished_run_is_shown_and_not_made_again(place, monkeypatch, capsys):
    study = toy_studies.write(linear(), place / "study.yaml")
    before = contents(place / "run")
    assert call(monkeypatch, "run", study, "-o", place / "run") == 0
    shown = capsys.readouterr().out
    assert shown.startswith("finished before") and "pass" in shown and " x " in shown and "+-" in shown
    assert contents(place / "run") == before


@pytest.mark.parametrize("name", ["chain.paramnames", "chain.2.txt", "posterior.npz", "certificate.json"])
def test_a_run_without_one_of_its_records_is_not_finished(place, name):
    assert is_finished(prepared(linear(), place))
    (place / "run" / name).write_bytes(b"")
    assert not is_finished(prepared(linear(), place))
    (place / "run" / name).unlink()
    assert not is_finished(prepared(linear(), place))


@pytest.mark.parametrize("name", ["emulator.safetensors", "report.html"])
def test_a_run_without_its_emulator_or_its_report_is_not_finished(place, name):
    (place / "run" / name).unlink()
    assert not is_finished(prepared(linear(), place))


def test_other_data_in_the_same_file_are_other_data(tmp_path):
    (tmp_path / "value.txt").write_text("0.6\n0.1\n")
    data = {"observable": "data", "value": "value.txt", "covariance": COVARIANCE.tolist()}
    toy_studies.run_here(linear(likelihood={"gaussian": data}), tmp_path)
    (tmp_path / "run" / "report.html").write_text("a page")
    study = prepared(linear(likelihood={"gaussian": data}), tmp_path)
    assert is_finished(study)
    (tmp_path / "value.txt").write_text("0.7\n0.1\n")
    study = prepared(linear(likelihood={"gaussian": data}), tmp_path)
    assert not is_finished(study)
    for stage in (evidence, lambda study: recertify(study, 12)):
        with pytest.raises(InputError, match=r"expected chains of this study in .* other data or priors"):
            stage(study)


def test_the_emulator_of_a_design_serves_other_data_but_its_chains_do_not(tmp_path):
    design = {"design": {"number": 40, "held_out": 10}}
    train(prepared({**linear(**design), "likelihood": {}}, tmp_path))
    one, other = linear(**design), linear(likelihood={"gaussian": DATA}, **design)
    sample(prepared(one, tmp_path), 500)
    evidence(prepared(one, tmp_path))
    with pytest.raises(InputError, match="expected chains of this study"):
        evidence(prepared(other, tmp_path))
    with pytest.raises(InputError, match="expected chains of this study"):
        recertify(prepared(other, tmp_path), 12)
    narrow = read_chains(tmp_path / "run" / "chain").std()
    sample(prepared(other, tmp_path), 500)
    assert read_chains(tmp_path / "run" / "chain").std() == pytest.approx(2 * narrow, rel=0.3)
    evidence(prepared(other, tmp_path))
