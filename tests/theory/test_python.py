"""A user's own function: found by name, run in workers, never served stale."""

import math
from dataclasses import replace

import numpy as np
import pytest

from alfonsine.errors import InputError
from alfonsine.theory.archive import Archive
from alfonsine.theory.engine import compute
from alfonsine.theory.output import Axis, Output
from alfonsine.theory.python import PythonTheory
from alfonsine.theory.theory import TheoryError

SOURCE = """
import neighbour
def predict(inputs):
    return {"line": [neighbour.SLOPE * inputs["x"] + i for i in range(3)], "area": inputs["x"] ** 2}
def text(inputs):
    return {"line": "abc"}
def number(inputs):
    return 3.0
def square(inputs):
    return {"line": [[1.0, 2.0], [3.0, 4.0]]}
def leave(inputs):
    raise SystemExit(4)
"""


@pytest.fixture
def folder(tmp_path):
    (tmp_path / "mycode.py").write_text(SOURCE)
    (tmp_path / "neighbour.py").write_text("SLOPE = 2.0\n")
    return tmp_path


def test_by_name_from_the_folder_of_the_study(folder):
    theory = PythonTheory.of("mycode:predict", folder)
    observables = theory.compute({"x": 1.5})
    np.testing.assert_array_equal(observables.spectra["line"], [3.0, 4.0, 5.0])
    assert observables.derived == {"area": 2.25}


def test_in_workers_and_after_an_edit(folder):
    with Archive(folder / "a.db") as archive:
        for slope, fresh in ((2.0, True), (2.0, False), (7.0, True)):
            (folder / "mycode.py").write_text(SOURCE.replace("neighbour.SLOPE", str(slope)))
            theory = PythonTheory.of("mycode:predict", folder)
            (call,) = compute(theory, [{"x": 1.0}], archive, workers=1, timeout=60)
            assert call.observables.spectra["line"][0] == slope and call.fresh is fresh
        (call,) = compute(PythonTheory.of("mycode:leave", folder), [{"x": 1.0}], archive, workers=1, timeout=60)
        assert call.reason == "SystemExit: 4"


def test_edited_between_study_and_call(folder):
    theory = PythonTheory.of("mycode:predict", folder)
    (folder / "mycode.py").write_text(SOURCE + "\n# edited")
    with pytest.raises(TheoryError, match="was edited during the run"):
        theory.compute({"x": 1.0})


def area_of_circle(inputs):
    return {"area": math.pi * inputs["r"] ** 2}


def test_by_object(tmp_path):
    theory = PythonTheory.of(area_of_circle)
    assert theory.identity()["outputs"][0].endswith("test_python:area_of_circle")
    with Archive(tmp_path / "a.db") as archive:
        (call,) = compute(theory, [{"r": 2.0}], archive, workers=1, timeout=60)
    assert call.observables.derived["area"] == 4 * math.pi


def test_a_function_of_an_installed_package():
    theory = PythonTheory.of("scipy.special._basic:factorial")
    with pytest.raises(TypeError):
        theory.compute({"n": 1.0})  # found and called, though not made for this


@pytest.mark.parametrize(
    ("name", "match"),
    [("text", "expected numbers in 'line'"), ("number", "expected a dict"), ("square", "1-D vector")],
)
def test_results_of_the_wrong_kind(folder, name, match):
    with pytest.raises(TheoryError, match=match):
        PythonTheory.of(f"mycode:{name}", folder).compute({"x": 1.0})


GRID = Output("line", "K", (Axis("z", "", (0.0, 1.0)), Axis("k", "1/Mpc", (0.1, 0.2))))


def test_a_surface_has_the_axes_that_were_described(folder):
    """In its own shape or flat, last axis fastest; what it is, is part of what was asked."""
    theory = PythonTheory.of("mycode:square", folder, known=[GRID])
    np.testing.assert_array_equal(theory.compute({}).spectra["line"], [1.0, 2.0, 3.0, 4.0])
    assert theory.outputs() == {"line": GRID}
    assert theory.identity() != PythonTheory.of("mycode:square", folder).identity()


@pytest.mark.parametrize(
    ("name", "output", "words"),
    [
        ("predict", GRID, r"expected 'line' of mycode:predict of shape \(2, 2\) \(z x k\), got \(3,\)"),
        ("predict", replace(GRID, name="surface"), r"expected 'surface' \(z x k\) from mycode:predict, got line, area"),
    ],
)
def test_what_is_not_as_described(folder, name, output, words):
    with pytest.raises(TheoryError, match=words):
        PythonTheory.of(f"mycode:{name}", folder, known=[output]).compute({"x": 1.0})


@pytest.mark.parametrize(
    ("function", "match"),
    [
        ("mycode", "expected 'module:function', got 'mycode'"),
        ("mycode:", "expected 'module:function'"),
        ("mycodee:predict", "expected a module 'mycodee'"),
        ("no.such.package:predict", "expected a module 'no.such.package'"),
        (lambda inputs: {}, "top level of a module"),
        (len, "expected the function 'len' in a file"),
    ],
)
def test_what_cannot_be_found(folder, function, match):
    with pytest.raises(InputError, match=match) as error:
        PythonTheory.of(function, folder)
    assert "\n" not in str(error.value)


def test_check_tries_the_import_apart(folder):
    PythonTheory.of("mycode:predict", folder, ["x"]).check(["x"])
    with pytest.raises(InputError, match="got 'xx'; did you mean 'x'"):
        PythonTheory.of("mycode:predict", folder, ["x"]).check(["xx"])
    with pytest.raises(InputError, match="no function 'predictt'"):
        PythonTheory.of("mycode:predictt", folder).check(["x"])
    (folder / "crashing.py").write_text("import os\nos.abort()\n")
    with pytest.raises(InputError, match="a crash during the import"):
        PythonTheory.of("crashing:predict", folder).check(["x"])


def test_a_second_function_is_the_cheap_part(folder):
    (folder / "quick.py").write_text("def area(inputs):\n    return {'area': inputs['x'] ** 2}\n")
    theory = PythonTheory.of("mycode:predict", folder, ["x"], quick="quick:area")
    assert theory.cheap.compute({"x": 1.5}).derived == {"area": 2.25}
    assert theory.cheap.identity() != theory.identity() == PythonTheory.of("mycode:predict", folder, ["x"]).identity()
    assert PythonTheory.of("mycode:predict", folder).cheap is None


def test_a_cheap_part_that_is_not_there_is_told(folder):
    with pytest.raises(InputError, match="quick"):
        PythonTheory.of("mycode:predict", folder, quick="quick:area").check(["x"])
