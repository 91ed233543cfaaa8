"""An emulator as a theory of Cobaya, against the emulator itself."""

import logging
from pathlib import Path

import jax.numpy as jnp
import numpy as np
import pytest

pytest.importorskip("cobaya")

from cobaya.log import LoggedError
from cobaya.model import get_model

import alfonsine

FILE = Path(__file__).parents[2] / "examples" / "pk_wide.safetensors"
POINT = {"omega_b": 0.0224, "omega_cdm": 0.12, "h": 0.68, "n_s": 0.97, "logA": 3.04}
INPUTS = {name: value for name, value in POINT.items() if name != "logA"} | {"ln10^{10}A_s": POINT["logA"]}
Z, K_MAX = [0.0, 0.5, 1.0, 2.0, 3.0], 5.0
REQUIRED = {"Pk_grid": {"z": Z, "k_max": K_MAX, "nonlinear": False}}


def model(params, requirements=REQUIRED, function=lambda _self: 0.0, **options):
    info = {
        "theory": {"alfonsine.plugins.cobaya.Emulated": {"file": str(FILE), **options}},
        "likelihood": {"one": {"external": function, "requires": requirements}},
        "params": params,
    }
    return get_model(info)


def varied(**change):
    names = {"omega_b": [0.019, 0.026], "omega_cdm": [0.06, 0.25], "h": [0.65, 0.8], "n_s": [0.85, 1.05]}
    return {n: {"prior": prior} for n, prior in names.items()} | {"logA": {"prior": [1.7, 3.8]}} | change


def test_power_is_that_of_the_emulator():
    found = model(varied())
    assert found.logposterior(POINT).loglike == 0.0
    emulator = alfonsine.load_emulator(FILE)
    grid = emulator.outputs["pk_lin"]
    truth = np.asarray(emulator(INPUTS)["pk_lin"]).reshape(grid.shape)
    k, z, values = found.provider.get_Pk_grid(nonlinear=False)
    np.testing.assert_array_equal(values, truth)
    np.testing.assert_array_equal(k, grid.axis("k").array)
    np.testing.assert_array_equal(z, grid.axis("z").array)
    splined = model(varied(), {"Pk_interpolator": REQUIRED["Pk_grid"]})
    splined.logposterior(POINT)
    interpolator = splined.provider.get_Pk_interpolator(nonlinear=False)
    assert interpolator.P(z[3], k[200]) == pytest.approx(truth[3, 200], rel=1e-6)


def test_inputs_under_other_names_are_the_same_point():
    plain, named = model(varied()), {n: v for n, v in varied().items() if n not in ("h", "logA", "n_s")}
    named |= {"H0": {"prior": [65, 80]}, "As": {"prior": [1e-9, 4e-9]}, "ns": {"prior": [0.85, 1.05]}}
    other = model(named)
    plain.logposterior(POINT)
    rest = {"H0": 100 * POINT["h"], "As": 1e-10 * np.exp(POINT["logA"]), "ns": POINT["n_s"]}
    other.logposterior({"omega_b": POINT["omega_b"], "omega_cdm": POINT["omega_cdm"], **rest})
    first, second = (each.provider.get_Pk_grid(nonlinear=False)[2] for each in (plain, other))
    np.testing.assert_allclose(first, second, rtol=1e-10)


def test_gradients_are_there_for_those_who_ask():
    """Against five-point differences of the emulator, which has 32 bits: their error is of fourth order."""
    found = model(varied(), REQUIRED | {"jacobian": None})
    found.logposterior(POINT)
    emulator = alfonsine.load_emulator(FILE)
    jacobian = found.provider.get_jacobian()["pk_lin"]
    theta = np.array([INPUTS[name] for name in emulator.names])
    for i, step in enumerate(2e-2 * theta):
        move = step * np.eye(len(theta))[i]
        at = {s: np.asarray(emulator.predict(jnp.asarray(theta + s * move))["pk_lin"], float) for s in (-2, -1, 1, 2)}
        slope = (8 * (at[1] - at[-1]) - (at[2] - at[-2])) / (12 * step)
        np.testing.assert_allclose(jacobian[:, i], slope, rtol=2e-3, atol=2e-3 * np.abs(slope).max())


def said(caplog, word):
    """The lines of the theory's own log at its normal level."""
    return [r.getMessage() for r in caplog.records if r.levelno == logging.INFO and word in r.getMessage()]


def test_a_chain_that_stays_inside_hears_nothing_of_it(caplog):
    with caplog.at_level(logging.INFO), model(varied()) as found:
        found.logposterior(POINT)
    assert said(caplog, "is the theory") and not said(caplog, "outside")


def test_outside_its_domain_there_is_no_likelihood_and_the_log_says_so(caplog):
    with caplog.at_level(logging.INFO), model(varied(omega_cdm={"prior": [0.01, 0.3]})) as found:
        assert said(caplog, "is the theory") == ["the emulator 'pk_wide.safetensors' is the theory, with pk_lin"]
        for i in range(5):
            assert found.logposterior(POINT | {"omega_cdm": 0.27 + 0.001 * i}).logpost == -np.inf
        assert np.isfinite(found.logposterior(POINT).logpost)
        told = said(caplog, "has no likelihood: ")
        for line, value in zip(told, (0.27, 0.271, 0.272), strict=True):
            assert f"omega_cdm = {value}, beyond 0.05 to 0.255" in line
        assert told[-1].endswith("; more of them are counted, and told at the end")
        assert not said(caplog, "lay outside")
    (last,) = said(caplog, "lay outside")
    assert last.startswith("5 of 6 points lay outside the domain of the emulator 'pk_wide.safetensors' (83 %)")
    assert last.endswith("give omega_cdm a wider prior in the emulator's study, and train again")


def test_a_reference_outside_is_explained_before_cobaya_refuses_it(caplog):
    params = {name: entry | {"ref": POINT[name]} for name, entry in varied(omega_cdm={"prior": [0.01, 0.3]}).items()}
    params["omega_cdm"]["ref"] = 0.28
    with caplog.at_level(logging.INFO), model(params) as found, pytest.raises(LoggedError, match="null likelihood"):
        found.get_valid_point(max_tries=10)
    assert "omega_cdm = 0.28, beyond 0.05 to 0.255" in said(caplog, "has no likelihood: ")[0]


@pytest.mark.parametrize("others", [{}, {"omega_b": "omegabh2"}])
def test_a_misspelt_input_is_told_by_the_names_that_it_may_have(others):
    params = {others.get(name, name): entry for name, entry in varied().items()}
    params["omega_cmd"] = params.pop("omega_cdm")
    with pytest.raises(LoggedError, match=r"correct its name there \(one of omega_cdm, omch2, omegach2\)"):
        model(params)


def test_a_sampled_cosmology_has_the_gradient_and_value_of_the_emulator_in_a_likelihood():
    """A likelihood of one wavenumber, written by its user, sees the emulator through Cobaya."""

    def like(_self):
        return -0.5 * ((_self.provider.get_Pk_grid(nonlinear=False)[2][0, 200] - 2000.0) / 100.0) ** 2

    found = model(varied(), function=like).logposterior(POINT).loglike
    truth = np.asarray(alfonsine.load_emulator(FILE)(INPUTS)["pk_lin"])[200]
    assert found == pytest.approx(-0.5 * ((truth - 2000.0) / 100.0) ** 2, rel=1e-6)


@pytest.mark.parametrize(
    ("params", "options", "message"),
    [
        ({n: p for n, p in varied().items() if n != "n_s"}, {}, "expected the emulator's input 'n_s' among params"),
        (varied(), {"extra_args": {"N_ur": 2.0}}, "expected N_ur: 3.046, as the emulator was trained with, got 2.0"),
        (varied(), {"extra_args": {"m_ncdm": 0.06}}, "got 'm_ncdm'; remove it"),
        (varied(), {"file": "nowhere.safetensors"}, "nowhere.safetensors"),
    ],
)
def test_what_does_not_fit_is_one_line(params, options, message):
    with pytest.raises(LoggedError) as error:
        model(params, **options)
    assert message in str(error.value) and "\n" not in str(error.value)


def test_settings_of_the_training_may_be_repeated():
    found = model(varied() | {"N_ur": 3.046}, extra_args={"k_per_decade_for_pk": 20})
    assert np.isfinite(found.logposterior(POINT).logpost)


def test_what_it_does_not_hold_is_named():
    for requirement, word in (({"Cl": {"tt": 100}}, "Cobaya's Cl 'tt'"), ({"Hubble": {"z": [0.5]}}, "Hubble")):
        with pytest.raises(LoggedError, match=word):
            model(varied(), requirement)
