"""Primordial abundances: against the table's rows and scipy's spline."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from scipy.interpolate import RectBivariateSpline
from scipy.stats import norm

from alfonsine.errors import InputError
from alfonsine.likelihood.registry import load_likelihood

NONE = jnp.zeros(0)


@pytest.fixture
def table(data_folder):
    return np.loadtxt(data_folder("bbn") / "PRIMAT_Yp_DH_Error.dat")


def of(likelihood, omega_b, n_eff):
    bands = likelihood.bands({"omega_b": jnp.array([omega_b]), "N_eff": jnp.array([n_eff])})
    return float(likelihood.log_likelihood(bands, NONE))


def test_rows_of_the_table(table):
    """Measured D/H, and Y_p: both errors, that of the measurement and PRIMAT's, in quadrature; normalised."""
    both = load_likelihood("bbn", {"helium": True})
    alone = load_likelihood("bbn")
    for row in table[[0, 130, 500, 700, 1299]]:
        deuterium = norm(row[6], np.hypot(0.030e-5, row[7])).logpdf(2.527e-5)
        helium = norm(row[4], np.hypot(0.0040, row[5])).logpdf(0.2449)
        assert of(alone, row[0], 3.045 + row[2]) == pytest.approx(deuterium, rel=1e-9)
        assert of(both, row[0], 3.045 + row[2]) == pytest.approx(deuterium + helium, rel=1e-9)


def test_between_the_rows_and_other_measurements(table):
    rows = table[np.lexsort((table[:, 2], table[:, 0]))]
    density, extra = np.unique(table[:, 0]), np.unique(table[:, 2])
    value, error = (
        RectBivariateSpline(density, extra, rows[:, column].reshape(density.size, -1), s=0) for column in (6, 7)
    )
    likelihood = load_likelihood("bbn", {"deuterium": 2.6e-5, "deuterium_error": 5e-7})
    for omega_b, n_eff in ((0.02237, 3.044), (0.0217, 3.6), (0.0299, 2.2)):
        m, tau = (float(spline(omega_b, n_eff - 3.045)[0, 0]) for spline in (value, error))
        assert of(likelihood, omega_b, n_eff) == pytest.approx(norm(m, np.hypot(5e-7, tau)).logpdf(2.6e-5), rel=1e-6)


def test_baryons_of_deuterium(table):
    """Cooke et al. find 100 omega_b = 2.166 +- 0.015 +- 0.011, and 2.235 with other rates; PRIMAT's lie between."""
    grid = np.linspace(0.019, 0.026, 701)
    likelihood = load_likelihood("bbn")
    value = np.array([of(likelihood, x, 3.045) for x in grid[::10]])
    assert 0.0215 < grid[::10][value.argmax()] < 0.0225


def test_beyond_the_table_it_falls(table):
    likelihood = load_likelihood("bbn")
    f = jax.grad(lambda x: likelihood.log_likelihood(x, NONE))
    assert of(likelihood, 0.045, 3.045) < of(likelihood, 0.04, 3.045) < of(likelihood, 0.03, 3.045)
    assert of(likelihood, 0.003, 3.045) < of(likelihood, 0.005, 3.045)
    assert float(f(jnp.array([0.003, 3.0]))[0]) > 0 > float(f(jnp.array([0.045, 3.0]))[0])


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"deuterium": -1.0}, "between 0 and 1"),
        ({"deuterium_error": 0.0}, "between 0 and 1"),
        ({"helium": 2.0}, "between 0 and 1"),
        ({"helium": "yes"}, "expected helium: a number, or true or false, got 'yes'"),
        ({"deuterium": True}, "expected deuterium: a number, got True"),
    ],
)
def test_values_that_are_no_abundances(options, message):
    with pytest.raises(InputError, match=message):
        load_likelihood("bbn", options)
