"""What is told of a preset before anything is computed."""

import pytest
import yaml

from alfonsine.errors import InputError
from alfonsine.study.collect import theory_points
from alfonsine.study.prepare import prepare
from alfonsine.study.preset import purpose_of
from alfonsine.study.settings import EmulatorSettings, read_study
from alfonsine.study.wide import design, plan_box, train_box
from alfonsine.theory.archive import Archive
from alfonsine.theory.engine import compute

THEORY = "def predict(inputs):\n    return {'line': [inputs['a'], inputs['b'], 1.0]}\n"


def prepared(folder, emulator, number=12):
    (folder / "my_theory.py").write_text(THEORY)
    study = {
        "theory": {"python": {"function": "my_theory:predict"}},
        "params": {"a": {"prior": {"min": 0.5, "max": 2.0}}, "b": {"prior": {"min": -0.5, "max": 0.5}}},
        "emulator": emulator,
        "design": {"number": number, "held_out": 10},
        "compute": {"workers": 1},
    }
    (folder / "study.yaml").write_text(yaml.safe_dump(study, sort_keys=False))
    return prepare(read_study(folder / "study.yaml"), folder / "run")


@pytest.mark.parametrize(
    ("emulator", "words"),
    [
        ({"preset": "connect", "options": {"epoch": 5}}, "did you mean 'epochs'"),
        ({"preset": "connect"}, "got 11 to train, 0 to validate, 1 to test, of 12"),
        ({"preset": "cosmopower", "options": {"fractions": [0.5, 0.4, 0.2]}}, "fractions that add up to one"),
        (
            {"preset": "connect", "options": {"fractions": [0.8, None, 0.2]}},
            r"expected fractions: number, got \(0.8, None, 0.2\); the published one is \(0.89, 0.01, 0.1\)",
        ),
        ({"preset": "connect", "options": {"fractions": [0.8, "0.1", 0.1]}}, "expected fractions: number"),
        ({"preset": "connect", "options": {"epochs": "many"}}, "expected epochs: integer, got 'many'; .* is 300"),
        ({"preset": "connect", "options": {"batch": 0}}, "expected batch above zero, got 0; the published one is 512"),
        ({"preset": "cosmopower", "options": {"rates": [0.1, -0.1]}}, "expected rates above zero"),
        ({"preset": "cosmopower", "options": {"components": {"te": 2.5}}}, "expected components: integer"),
        ({"preset": "connect", "members": 2, "options": {"fractions": [0.8, 0.2, 0.0]}}, "a test part to calibrate"),
    ],
)
@pytest.mark.parametrize("command", [plan_box, train_box])
def test_what_cannot_be_trained_is_told_with_its_line(tmp_path, command, emulator, words):
    study = prepared(tmp_path, emulator)
    with pytest.raises(InputError, match=words) as told:
        command(study)
    assert "study.yaml:" in str(told.value) and "\n" not in str(told.value)
    assert not study.folder.exists()  # nothing was computed


def test_options_belong_to_a_preset(tmp_path):
    with pytest.raises(InputError, match="expected a preset that has options, got none; try preset: connect"):
        prepared(tmp_path, {"options": {"epochs": 5}})


def test_another_split_is_drawn_in_a_set_of_its_own():
    def named(**options):
        return purpose_of(EmulatorSettings(preset="connect", options=options))

    assert named() == named(epochs=3) == "connect"
    assert len({named(), named(fractions=[0.8, 0.1, 0.1]), named(fractions=[0.7, 0.2, 0.1]), named(split_seed=1)}) == 4


def test_the_plan_counts_calls_that_are_missing(tmp_path):
    study = prepared(tmp_path, {"preset": "alfonsine"}, number=12)
    study.folder.mkdir()
    assert "not known before the first call" in plan_box(study)
    points = theory_points(study, design(study)[0][:7])
    with Archive(study.folder / "archive.sqlite") as archive:
        compute(study.theory, points, archive, workers=1, timeout=60)
    assert "15 of 22 missing" in plan_box(study)
