"""The theory block: every key reaches the code that it is for, and what does not fit is told in one line."""

import numpy as np
import pytest

from alfonsine.errors import InputError
from alfonsine.study.asked import Read
from alfonsine.study.build import build_theory
from alfonsine.study.parameters import parameters
from alfonsine.study.read import Source, read_yaml
from alfonsine.study.settings import settings_from
from alfonsine.theory.camb import CambTheory
from alfonsine.theory.class_spectra import nodes
from alfonsine.theory.classy import ClassTheory
from alfonsine.theory.user_function import UserFunction

PARAMS = """
params:
  omega_b: {prior: {min: 0.02, max: 0.025}}
  H0: {prior: {min: 60, max: 80}}
  age:
  my_age:
"""
ALL = """
theory:
  classy:
    extra_args: {non_linear: hmcode, N_ur: 2.0308, N_ncdm: 1, m_ncdm: 0.06}
    spectra: [tt, te, ee, bb, pp, tp]
    unlensed: [tt, ee]
    l_max: 3000
    multipoles: nodes
    matter_power:
      outputs: [pk_lin, pk_nl, pk_lin_cb]
      k: {min: 1e-4, max: 2, number: 50}
      z: [0.0, 0.5, 2.0]
    background: {outputs: [H, D_A, rho_ncdm], z: {min: 0, max: 3, number: 4, spacing: linear}}
    thermodynamics: {outputs: [x_e, visibility], z: {min: 0, max: 1500, number: 5}}
    inputs: mine:to_class
    custom: {my_age: mine:age, my_growth: mine:growth}
likelihood: {any: }
"""
MINE = """
def to_class(parameters):
    return {"h": parameters["H0"] / 100, "omega_b": parameters["omega_b"]}
def age(cosmo):
    return cosmo.age()
def growth(cosmo):
    return [cosmo.scale_independent_growth_factor(z) for z in (0.0, 1.0)]
"""


def theory_of(folder, text, spectra=None):
    (folder / "study.yaml").write_text(text)
    settings = settings_from(*read_yaml(folder / "study.yaml"))
    return build_theory(settings, parameters(settings), Read(spectra or {}))


def test_every_key_of_classy_arrives(tmp_path):
    (tmp_path / "mine.py").write_text(MINE)
    theory = theory_of(tmp_path, ALL + PARAMS)
    assert isinstance(theory, ClassTheory)
    outputs = theory.outputs()
    assert outputs["unlensed_tt"].axis("l").values == tuple(float(v) for v in nodes(3000))
    assert outputs["pk_nl"].shape == (3, 50)
    np.testing.assert_allclose(outputs["pk_lin"].axis("k").array, np.geomspace(1e-4, 2, 50), rtol=1e-12)
    assert outputs["rho_ncdm"].axis("z").values == (0.0, 1.0, 2.0, 3.0)
    np.testing.assert_allclose(np.diff(np.log1p(outputs["visibility"].axis("z").array)), np.log(1501) / 4, rtol=1e-9)
    assert outputs["derived"].labels == ("age",) and set(theory.custom) == {"my_age", "my_growth"}
    assert theory.inputs == UserFunction.of("mine:to_class", tmp_path)
    assert set(outputs) == {
        *("tt", "te", "ee", "bb", "pp", "tp", "unlensed_tt", "unlensed_ee", "pk_lin", "pk_nl", "pk_lin_cb"),
        *("H", "D_A", "rho_ncdm", "x_e", "visibility", "derived"),
    }


def test_a_small_one_runs_from_the_file(tmp_path):
    (tmp_path / "mine.py").write_text(MINE)
    block = """
theory:
  classy:
    background: {outputs: [H], z: 0.0}
    inputs: mine:to_class
    custom: {my_age: mine:age, my_growth: mine:growth}
likelihood: {any: }
"""
    theory = theory_of(tmp_path, block + PARAMS, {"H": 2, "my_growth": 3})
    point = {"omega_b": 0.0224, "H0": 70.0}
    theory.check(point)
    found = theory.compute(point)
    assert found.spectra["H"].tolist() == [pytest.approx(70.0, rel=1e-9)]
    assert found.derived["my_age"] == pytest.approx(found.derived["age"], rel=1e-12)
    assert found.spectra["my_growth"][0] == pytest.approx(1.0) and 0.5 < found.spectra["my_growth"][1] < 0.7


def test_camb_has_the_same_keys(tmp_path):
    block = """
theory:
  camb:
    extra_args: {mnu: 0.06, halofit_version: mead2020, num_massive_neutrinos: 1}
    unlensed: [tt]
    matter_power: {outputs: [pk_nl], k: [0.1, 1.0], z: [0.0, 1.0]}
    background: {outputs: [H, sigma8_z], z: [0.0, 0.5]}
    thermodynamics: {outputs: [x_e], z: [0.0, 1000.0]}
likelihood: {any: }
"""
    theory = theory_of(tmp_path, block + PARAMS.replace("  my_age:\n", ""), {"tt": 800, "unlensed_ee": 700})
    assert isinstance(theory, CambTheory) and theory.l_max == 800
    assert (theory.spectra, theory.unlensed, theory.derived) == (("tt",), ("ee", "tt"), ("age",))
    assert theory.settings["num_massive_neutrinos"] == 1
    assert set(theory.outputs()) == {"tt", "unlensed_ee", "unlensed_tt", "pk_nl", "H", "sigma8_z", "x_e", "derived"}


BASE = {"params": {"H0": {"prior": [60, 80]}}, "likelihood": {"any": None}}
GRID = {"min": 0.1, "max": 1.0, "number": 3}


@pytest.mark.parametrize(
    ("block", "message"),
    [
        (
            {"matter_power": {"k": GRID}},
            r"theory\.classy\.matter_power: expected 'z', got none; try \[0\.0, 0\.5, 1\.0\]",
        ),
        (
            {"matter_power": {"k": {"min": 0.1, "max": 1}, "z": [0.0]}},
            r"theory\.classy\.matter_power\.k: expected a list, or min, max and number; try {min: 0\.001",
        ),
        (
            {"matter_power": {"k": {"mn": 0.1}, "z": [0.0]}},
            r"theory\.classy\.matter_power\.k: unknown key 'mn'; did you mean 'min'\?",
        ),
        (
            {"matter_power": {"k": {"min": 0.1, "segments": [{"MAX": 1, "number": 5}]}, "z": [0.0]}},
            r"theory\.classy\.matter_power\.k\.segments\.0: unknown key 'MAX'; did you mean 'max'\?",
        ),
        (
            {"matter_power": {"k": {"min": 0.1, "segments": [{"max": "one", "number": 5}]}, "z": [0.0]}},
            r"theory\.classy\.matter_power\.k\.segments\.0\.max: expected a positive number, got \"one\"; try 0\.01",
        ),
        (
            {"matter_power": {"k": GRID | {"spacing": "cubic"}, "z": [0.0]}},
            r"theory\.classy\.matter_power\.k\.spacing: expected log or linear, got \"cubic\"; try log",
        ),
        (
            {"background": {"outputs": ["H"], "z": {"min": 0, "max": 1, "number": 1}}},
            r"theory\.classy\.background\.z\.number: expected a whole number from 2 to 1000000, got 1; try 50",
        ),
        (
            {"background": {"outputs": "H", "z": [0]}},
            r"theory\.classy\.background\.outputs: expected a list, got \"H\"",
        ),
        ({"background": {"outputs": ["H"], "z": []}}, r"theory\.classy\.background\.z\.values: expected a list"),
        (
            {"multipoles": "some"},
            r"theory\.classy\.multipoles: expected all or nodes or a list, got \"some\"; try nodes",
        ),
        ({"custom": {"x": "not a function"}}, r"theory\.classy\.custom\.x: expected text of another form"),
        ({"inputs": 3}, r"theory\.classy\.inputs: expected text .* got 3; try my_module:my_function"),
        ({"thermodynamic": {}}, r"theory\.classy: unknown key 'thermodynamic'; did you mean 'thermodynamics'\?"),
    ],
)
def test_what_does_not_fit_is_told_in_one_line(block, message):
    with pytest.raises(InputError, match=rf"\Astudy: {message}[^\n]*\Z"):
        settings_from(BASE | {"theory": {"classy": block}})


@pytest.mark.parametrize(
    ("code", "block", "spectra", "message"),
    [
        ("classy", {"spectra": ["tt"]}, {}, "expected l_max for spectra that no likelihood reads"),
        ("classy", {"l_max": 500}, {"tt": 600}, "l_max of at least 600 for these likelihoods, got 500"),
        ("classy", {"spectra": ["tt"], "multipoles": [2, 600], "l_max": 500}, {}, "at most l_max = 500"),
        (
            "classy",
            {"matter_power": {"outputs": ["pk"], "k": GRID, "z": 0}},
            {},
            "got 'pk'; did you mean 'pk_nl'|got 'pk'",
        ),
        ("classy", {"background": {"outputs": ["H"], "z": [0.0, 0.1]}}, {"D_A": 2}, "expected the output 'D_A'"),
        ("classy", {"background": {"outputs": ["H"], "z": [0.0, 0.1]}}, {"H": 4}, "expected 3 numbers 'H' .* got 2"),
        ("classy", {"background": {"outputs": ["H"], "z": [0.1, 0.1]}}, {}, "axis 'z': expected increasing"),
        ("classy", {"custom": {"tt": "json:dumps"}}, {"tt": 600}, "a new name for an output of your own, got 'tt'"),
        ("classy", {"custom": {"x": "nowhere:x"}}, {}, "expected a module 'nowhere'"),
        ("camb", {"background": {"outputs": ["rho_dr"], "z": [0.1]}}, {}, "CAMB, got 'rho_dr'; CAMB has no decaying"),
    ],
)
def test_what_cannot_be_given_is_told_in_one_line(code, block, spectra, message, tmp_path):
    settings = settings_from(BASE | {"theory": {code: block}}, Source(folder=tmp_path))
    with pytest.raises(InputError, match=message) as error:
        build_theory(settings, parameters(settings), Read(spectra))
    assert "\n" not in str(error.value)
