"""Roles of parameters: the sampled space, and the way from its points to the theory's inputs."""

import json
import math
from dataclasses import replace
from pathlib import Path

import jax.numpy as jnp
import numpy as np
import pytest
from scipy import stats

from alfonsine.emulator.stored.file import load_emulator
from alfonsine.errors import InputError
from alfonsine.hosts.trained_with import trained_with
from alfonsine.study.parameters import parameter_space, parameters
from alfonsine.study.settings import settings_from

EXAMPLES = Path(__file__).parents[2] / "examples"
PARAMS = {
    "A_planck": {"prior": {"dist": "norm", "loc": 1, "scale": 0.0025}, "latex": "A_P"},
    "logA": {
        "prior": {"min": 2.0, "max": 4.0},
        "ref": {"dist": "norm", "loc": 3.05, "scale": 0.02},
        "drop": True,
    },
    "h": [0.5, 1.0],
    "n_s": 0.96,
    "calibration": 2,
    "twice": "lambda A_s: 2*A_s",
    "A_s": "lambda logA: 1e-10*np.exp(logA)",
    "H0": {"value": "lambda h: 100*h", "drop": False},
    "sigma8": None,
    "Omega_m": None,
    "S8": {"derived": "lambda sigma8, Omega_m: sigma8*np.sqrt(Omega_m/0.3)"},
}


def study(**change):
    params = {**PARAMS, "h": {"prior": PARAMS["h"], "drop": True}} | change
    return settings_from(
        {
            "theory": {"toy": None},
            "likelihood": {"mock_cmb": None},
            "params": {k: v for k, v in params.items()},
        }
    )


def test_the_space_is_that_of_the_study():
    space = parameter_space(study())
    assert space.names == ("A_planck", "logA", "h")
    assert space.latex == ("A_P", "logA", "h")
    assert np.allclose(space.reference, [1.0, 3.05, 0.75])
    assert np.allclose(space.step, [0.0025, 0.02, 0.01])
    theta = jnp.array([1.001, 3.0, 0.7])
    truth = stats.norm(1, 0.0025).logpdf(1.001) + stats.uniform(2, 2).logpdf(3.0) + stats.uniform(0.5, 0.5).logpdf(0.7)
    assert float(space.log_prior(theta)) == pytest.approx(truth, abs=1e-12)


def test_inputs_of_the_theory():
    roles = parameters(study()).with_nuisance(["A_planck", "calibration"])
    theta = {"A_planck": 1.001, "logA": 3.0, "h": 0.7}
    A_s = 1e-10 * math.exp(3.0)
    assert roles.theory_inputs(theta) == pytest.approx({"n_s": 0.96, "twice": 2 * A_s, "A_s": A_s, "H0": 70.0})
    assert set(roles.inputs) == {"n_s", "twice", "A_s", "H0"}
    assert roles.nuisance_values(theta, ["calibration", "A_planck"]) == {"calibration": 2, "A_planck": 1.001}
    assert roles.asked == ("sigma8", "Omega_m")


def test_an_emulators_card_can_tell_that_way():
    """Read back from JSON sorted by name, the way leads from the emulator's inputs to those of the theory."""
    roles = parameters(study()).with_nuisance(["A_planck", "calibration"])
    way = roles.way(["logA", "h"])
    assert way["fixed"] == {"n_s": 0.96}
    assert set(way["computed"]) == {"A_s", "twice", "H0"} and way["dropped"] == ["h", "logA"]
    card = json.dumps({"inputs": ["logA", "h"], "params": way}, sort_keys=True)
    card = card.replace("A_s", "zeta")  # needed by "twice", which now comes first
    emulator = replace(load_emulator(EXAMPLES / "pk_wide.safetensors"), card_text=card)
    point = {"logA": 3.0, "h": 0.7}
    truth = roles.theory_inputs(point | {"A_planck": 1.001})
    truth["zeta"] = truth.pop("A_s")
    assert trained_with(emulator).inputs(point) == pytest.approx(truth)


def test_derived_parameters_of_many_points():
    roles = parameters(study())
    theta = {"A_planck": np.ones(3), "logA": np.array([2.9, 3.0, 3.1]), "h": np.full(3, 0.7)}
    outputs = {"sigma8": np.full(3, 0.8), "Omega_m": np.array([0.2, 0.3, 0.4])}
    derived = roles.derived_values(theta, outputs)
    assert list(derived) == ["A_s", "H0", "twice", "sigma8", "Omega_m", "S8"]
    assert np.allclose(derived["S8"], 0.8 * np.sqrt(outputs["Omega_m"] / 0.3))
    assert np.allclose(derived["twice"], 2e-10 * np.exp(theta["logA"]))


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (
            {"h": {"prior": [0.5, 1], "ref": 2}},
            r"params\.h\.ref: expected a reference inside the prior \(0\.5, 1\)",
        ),
        (
            {"h": {"prior": [0.5, 1], "proposal": 2}},
            r"params\.h\.proposal: expected a proposal below the width 0\.5",
        ),
        (
            {"A_s": "lambda logB: logB"},
            r"params\.A_s\.value: expected parameters .* 'logB'; did you mean 'logA'\?",
        ),
        (
            {"A_s": "lambda sigma8: sigma8"},
            r"params\.A_s\.value: expected parameters with a value, got 'sigma8'",
        ),
        ({"A_s": "lambda twice: twice"}, r"params\.twice\.value: expected no circle of expressions"),
        (
            {"A_s": "lambda A_s: A_s"},
            r"params\.twice\.value: expected no circle|params\.A_s\.value: expected no circle",
        ),
        (
            {"A_s": "lambda logA: np.log(-logA)"},
            r"params\.A_s\.value: expected a finite value at the reference",
        ),
        (
            {"S8": {"derived": "lambda S9: S9"}},
            r"params\.S8\.derived: expected parameters with a value, got 'S9'",
        ),
    ],
)
def test_roles_that_do_not_fit(change, message):
    with pytest.raises(InputError, match=rf"\Astudy: {message}[^\n]*\Z"):
        settings = study(**change)
        parameter_space(settings)
        parameters(settings)


def test_at_least_one_parameter_is_sampled():
    settings = settings_from({"theory": {"toy": None}, "likelihood": {"mock_cmb": None}, "params": {"n_s": 0.96}})
    with pytest.raises(InputError, match=r"params: expected at least one sampled parameter"):
        parameter_space(settings)
