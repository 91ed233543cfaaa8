"""An emulator as a theory of Cobaya, against the emulator itself."""

from pathlib import Path

import jax.numpy as jnp
import numpy as np
import pytest

pytest.importorskip("cobaya")

from cobaya.log import LoggedError
from cobaya.model import get_model

import alfonsine

FILE = Path(__file__).parents[2] / "examples" / "pk_wide.safetensors"
POINT = {"omega_b": 0.0224, "omega_cdm": 0.12, "h": 0.68, "n_s": 0.97, "ln10^{10}A_s": 3.04}
Z, K_MAX = [0.0, 0.5, 1.0, 2.0, 3.0], 5.0
REQUIRED = {"Pk_interpolator": {"z": Z, "k_max": K_MAX, "nonlinear": False}}


def model(params, requirements=REQUIRED, function=lambda _self: 0.0, **options):
    info = {
        "theory": {"alfonsine.plugins.cobaya.Emulated": {"file": str(FILE), **options}},
        "likelihood": {"one": {"external": function, "requires": requirements}},
        "params": params,
    }
    return get_model(info)


def varied(**change):
    names = {"omega_b": [0.019, 0.026], "omega_cdm": [0.06, 0.25], "h": [0.65, 0.8], "n_s": [0.85, 1.05]}
    return {n: {"prior": prior} for n, prior in names.items()} | {"ln10^{10}A_s": {"prior": [1.7, 3.8]}} | change


def test_power_is_that_of_the_emulator():
    found = model(varied())
    assert found.logposterior(POINT).loglike == 0.0
    emulator = alfonsine.load_emulator(FILE)
    grid = emulator.outputs["pk_lin"]
    truth = np.asarray(emulator(POINT)["pk_lin"]).reshape(grid.shape)
    k, z, values = found.provider.get_Pk_grid(nonlinear=False)
    np.testing.assert_array_equal(values, truth)
    np.testing.assert_array_equal(k, grid.axis("k").array)
    np.testing.assert_array_equal(z, grid.axis("z").array)
    assert found.provider.get_Pk_interpolator(nonlinear=False).P(z[3], k[200]) == pytest.approx(truth[3, 200], rel=1e-6)


def test_inputs_under_other_names_are_the_same_point():
    plain, named = model(varied()), {n: v for n, v in varied().items() if n not in ("h", "ln10^{10}A_s", "n_s")}
    named |= {"H0": {"prior": [65, 80]}, "As": {"prior": [1e-9, 4e-9]}, "ns": {"prior": [0.85, 1.05]}}
    other = model(named)
    plain.logposterior(POINT)
    rest = {"H0": 100 * POINT["h"], "As": 1e-10 * np.exp(POINT["ln10^{10}A_s"]), "ns": POINT["n_s"]}
    other.logposterior({"omega_b": POINT["omega_b"], "omega_cdm": POINT["omega_cdm"], **rest})
    first, second = (each.provider.get_Pk_grid(nonlinear=False)[2] for each in (plain, other))
    np.testing.assert_allclose(first, second, rtol=1e-10)


def test_gradients_are_there_for_those_who_ask():
    """Against central differences of the emulator, whose error is of second order."""
    found = model(varied(), REQUIRED | {"jacobian": None})
    found.logposterior(POINT)
    emulator = alfonsine.load_emulator(FILE)
    jacobian = found.provider.get_jacobian()["pk_lin"]
    theta = np.array([POINT[name] for name in emulator.names])
    for i, step in enumerate(1e-4 * theta):
        move = step * np.eye(len(theta))[i]
        up, down = (np.asarray(emulator.predict(jnp.asarray(theta + s * move))["pk_lin"]) for s in (1, -1))
        np.testing.assert_allclose(jacobian[:, i], (up - down) / (2 * step), rtol=2e-3, atol=1e-5 * np.abs(up).max())


def test_outside_its_domain_there_is_no_likelihood():
    found = model(varied(omega_cdm={"prior": [0.01, 0.3]}))
    assert found.logposterior(POINT | {"omega_cdm": 0.27}).logpost == -np.inf


def test_a_sampled_cosmology_has_the_gradient_and_value_of_the_emulator_in_a_likelihood():
    """A likelihood of one wavenumber, written by its user, sees the emulator through Cobaya."""

    def like(_self):
        return -0.5 * ((_self.provider.get_Pk_grid(nonlinear=False)[2][0, 200] - 2000.0) / 100.0) ** 2

    found = model(varied(), function=like).logposterior(POINT).loglike
    truth = np.asarray(alfonsine.load_emulator(FILE)(POINT)["pk_lin"])[200]
    assert found == pytest.approx(-0.5 * ((truth - 2000.0) / 100.0) ** 2, rel=1e-9)


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
