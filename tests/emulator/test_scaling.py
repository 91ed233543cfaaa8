"""The exact factors: what they divide out, and nothing else."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from toy_sky import CENTRE, NAMES, draws, spectra

from alfonsine.emulator.scaling import Scaling


@pytest.mark.parametrize("name", ["tt", "pp"])
def test_division_leaves_no_amplitude_and_no_optical_depth(name):
    theta = draws(20, seed=0)
    scaling = Scaling.of(name, NAMES, CENTRE)
    elsewhere = np.column_stack([theta[:, :2], np.tile(CENTRE[2:], (20, 1))])
    np.testing.assert_allclose(spectra(theta)[name] / scaling.at(theta)[:, None], spectra(elsewhere)[name], rtol=1e-13)


@pytest.mark.parametrize(
    ("spectrum", "name", "log_change"),
    [
        ("tt", "logA", 0.3),
        ("te", "ln10^{10}A_s", 0.3),
        ("pp", "logA", 0.3),
        ("pp", "A_s", np.log(1.3 / 1.0)),
        ("ee", "A_s_1e9", np.log(1.3 / 1.0)),
        ("ee", "tau_reio", -0.6),
        ("bb", "tau", -0.6),
        ("tp", "tau", 0.0),
        ("pp", "tau_reio", 0.0),
        ("derived", "logA", 0.0),
        ("distance", "A_s", 0.0),
        ("tt", "n_s", 0.0),
    ],
)
def test_factor_of_one_parameter(spectrum, name, log_change):
    """From 1 to 1.3 an amplitude multiplies by 1.3, a log-amplitude by e^0.3, an optical depth by e^-0.6."""
    scaling = Scaling.of(spectrum, ("other", name), np.array([7.0, 1.0]))
    assert float(scaling(jnp.array([7.0, 1.0]))) == 1.0
    assert float(jnp.log(scaling(jnp.array([9.0, 1.3])))) == pytest.approx(log_change, abs=1e-14)


def test_gradients_are_the_exponents_and_finite_where_a_parameter_is_zero():
    scaling = Scaling.of("tt", ("A_s", "tau", "curvature"), np.array([2.0, 0.05, 0.0]))
    at = jnp.array([2.2, 0.06, 0.0])
    found = jax.grad(lambda x: jnp.log(scaling(x)))(at)
    np.testing.assert_allclose(found, [1 / 2.2, -2.0, 0.0], rtol=1e-12)


def test_a_whole_set_is_scaled_as_single_points_are():
    theta = np.abs(np.random.default_rng(1).normal(size=(10, 3))) + 0.1
    scaling = Scaling.of("ee", ("A_s", "tau", "h"), np.array([1.0, 0.05, 0.7]))
    np.testing.assert_allclose(scaling.at(theta), jax.vmap(scaling)(jnp.asarray(theta)), rtol=1e-14)
