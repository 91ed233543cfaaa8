"""What a study says of the arrays of a function of the user's own, from the file to the emulator."""

import numpy as np
import pytest
import yaml

from alfonsine.emulator.resample import resample
from alfonsine.errors import InputError
from alfonsine.study.plan import plan
from alfonsine.study.prepare import prepare
from alfonsine.study.settings import read_study
from alfonsine.study.wide import train_box

THEORY = """
import numpy as np

Z, K = np.array([0.0, 0.5, 1.0, 1.5, 2.0]), np.geomspace(0.01, 1.0, 12)


def predict(inputs):
    a, b = inputs["a"], inputs["b"]
    return {"surface": a * K[None, :] ** b * np.exp(-Z[:, None] / 4), "plain": [a, b]}
"""
OUTPUTS = {"surface": {"unit": "Mpc^3", "axes": {"z": [0, 0.5, 1, 1.5, 2], "k": {"min": 0.01, "max": 1, "number": 12}}}}


def prepared(folder, outputs):
    (folder / "my_theory.py").write_text(THEORY)
    study = {
        "theory": {"python": {"function": "my_theory:predict", "outputs": outputs}},
        "params": {"a": {"prior": {"min": 0.5, "max": 2.0}}, "b": {"prior": {"min": -0.5, "max": 0.5}}},
        "design": {"number": 60, "held_out": 10},
        "output": str(folder / "run"),
        "compute": {"workers": 1},
    }
    (folder / "study.yaml").write_text(yaml.safe_dump(study, sort_keys=False))
    settings = read_study(folder / "study.yaml")
    return prepare(settings, folder / "run")


@pytest.mark.slow
def test_the_emulator_has_its_axes_and_answers_between_them(tmp_path):
    emulator = train_box(prepared(tmp_path, OUTPUTS))
    surface = emulator.outputs["surface"]
    assert surface.unit == "Mpc^3" and [axis.name for axis in surface.axes] == ["z", "k"]
    assert surface.axis("k").unit == "1/Mpc" and emulator.outputs["plain"].axes[0].name == "index"
    np.testing.assert_allclose(surface.axis("k").array, np.geomspace(0.01, 1.0, 12), rtol=1e-12)
    z, point = np.array([0.2, 1.3]), np.array([1.2, 0.3])
    found = np.asarray(resample(emulator, "surface", z=z)(point)["surface"]).reshape(2, 12)
    exact = 1.2 * np.geomspace(0.01, 1.0, 12) ** 0.3 * np.exp(-z[:, None] / 4)
    np.testing.assert_allclose(found, exact, rtol=5e-4)  # a cubic spline through five redshifts


@pytest.mark.parametrize(
    ("axes", "words"),
    [
        ({"z": [1, 0.5], "k": [0.1]}, "axis 'z': expected increasing values"),
        ({"x": {"min": 0, "max": 1, "number": 5}}, "expected a positive min of x for logarithmic spacing"),
        ({}, "surface.axes"),
    ],
)
def test_axes_that_cannot_be(tmp_path, axes, words):
    with pytest.raises(InputError, match=words) as told:
        prepared(tmp_path, {"surface": {"axes": axes}})
    assert "\n" not in str(told.value) and "study.yaml:" in str(told.value)


def test_an_array_of_another_shape_is_told_with_the_first_call(tmp_path):
    short = {"surface": {"axes": {"z": [0, 1], "k": {"min": 0.01, "max": 1, "number": 12}}}}
    words = r"expected 'surface' of my_theory:predict of shape \(2, 12\) \(z x k\), got \(5, 12\)"
    with pytest.raises(InputError, match=words):
        train_box(prepared(tmp_path, short))


SPECTRUM = """
import numpy as np

ELL = np.array([2.0, 5.0, 10.0, 20.0, 30.0])


def predict(inputs):
    return {"cl": inputs["a"] / ELL + inputs["b"]}
"""


def test_a_spectrum_at_some_multipoles_is_compared_with_data_at_all(tmp_path):
    (tmp_path / "my_theory.py").write_text(SPECTRUM)
    outputs = {"cl": {"axes": {"l": [2, 5, 10, 20, 30]}}}
    block = {"prior": {"min": 0.5, "max": 2.0}, "ref": 1.0, "proposal": 0.1}
    study = {
        "theory": {"python": {"function": "my_theory:predict", "outputs": outputs}},
        "likelihood": {"gaussian": {"observable": "cl", "value": [1.0] * 29, "error": 0.1}},
        "params": {"a": block, "b": block},
    }
    (tmp_path / "study.yaml").write_text(yaml.safe_dump(study))
    settings = read_study(tmp_path / "study.yaml")
    assert "cl (splined from 5 multipoles)" in str(plan(prepare(settings, tmp_path / "run")))
    study["theory"]["python"]["outputs"]["cl"]["axes"]["l"] = [2, 5, 10, 20, 29]
    (tmp_path / "study.yaml").write_text(yaml.safe_dump(study))
    with pytest.raises(InputError, match=r"theory.*: expected 'cl' for gaussian") as told:
        prepare(read_study(tmp_path / "study.yaml"), tmp_path / "run")
    assert "\n" not in str(told.value)
