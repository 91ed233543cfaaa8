"""What an output is: axes in order, a record that comes back, and a description of whatever a call returned."""

import json

import numpy as np
import pytest

from alfonsine.errors import InputError
from alfonsine.theory.observables import Observables
from alfonsine.theory.output import Axis, Output, described, multipoles, numbers
from alfonsine.theory.python import PythonTheory
from alfonsine.theory.theory import Theory
from alfonsine.theory.toy import BananaToy, DiaryToy, HostileToy, LinearToy

SURFACE = Output("pk", "Mpc^3", (Axis("z", "", (0.0, 1.0)), Axis("k", "1/Mpc", (0.1, 0.2, 1 / 3))))
LINEAR = LinearToy(("x", "y"), np.array([[1.0, 2.0], [0.0, -1.0], [3.0, 4.0]]), np.zeros(3))


def test_a_record_comes_back_to_the_last_digit():
    for output in (SURFACE, multipoles("tt", 30, "muK^2"), numbers(("H0", "sigma8"))):
        assert Output.of_record(output.name, json.loads(json.dumps(output.record()))) == output
    assert (SURFACE.shape, SURFACE.size) == ((2, 3), 6)
    assert multipoles("tt", 30, "muK^2").axis("l").values[-1] == 31.0
    with pytest.raises(InputError, match=r"one of its axes \(z, k\), got 'l'"):
        SURFACE.axis("l")


@pytest.mark.parametrize("values", [(), (1.0, 1.0), (2.0, 1.0), (0.0, float("nan"))])
def test_axes_increase(values):
    with pytest.raises(InputError, match="axis 'z'"):
        Axis("z", "", values)


def test_what_is_not_known_beforehand_gets_an_index():
    found = Observables({"pk": np.ones(6), "mine": np.ones(2)}, {"H0": 70.0})
    outputs = described(found, {"pk": SURFACE})
    assert outputs["pk"] == SURFACE
    assert outputs["mine"] == Output("mine", "", (Axis("index", "", (0.0, 1.0)),))
    assert outputs["derived"].labels == ("H0",)
    with pytest.raises(InputError, match="output 'pk': expected 6 numbers, got 5"):
        described(Observables({"pk": np.ones(5)}), {"pk": SURFACE})


@pytest.mark.parametrize("toy", [LINEAR, BananaToy(), HostileToy(LINEAR, "nan", "x", 9.0), DiaryToy(LINEAR, "unused")])
def test_toys_describe_themselves(toy):
    assert isinstance(toy, Theory)
    computed = (LINEAR if isinstance(toy, DiaryToy) else toy).compute({"x": 1.0, "y": 2.0})
    assert described(computed) == toy.outputs()


def test_a_function_is_known_once_it_was_called(tmp_path):
    (tmp_path / "mine.py").write_text("def f(p):\n    return {'line': [p['x'], 2.0], 'area': 1.0}\n")
    theory = PythonTheory.of("mine:f", tmp_path)
    assert isinstance(theory, Theory) and theory.outputs() == {}
    outputs = described(theory.compute({"x": 1.0}), theory.outputs())
    assert outputs["line"].size == 2 and outputs["derived"].labels == ("area",)
