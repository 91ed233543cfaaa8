"""BAO and the compressed CMB, against closed forms and each other."""

import jax.numpy as jnp
import numpy as np
import pytest
from scipy.stats import multivariate_normal

from alfonsine.errors import InputError
from alfonsine.likelihood import cmb_compressed, desi
from alfonsine.likelihood.bao import bao
from alfonsine.likelihood.registry import load_likelihood
from alfonsine.theory.output import Axis

Z = np.array([0.5, 0.3, 0.5, 1.0])
KIND = ["DH_over_rs", "DV_over_rs", "DM_over_rs", "DM_over_rs"]
VALUE = np.array([21.0, 8.0, 13.5, 22.5])
ROOT = np.random.default_rng(2).normal(size=(4, 4))
COVARIANCE = ROOT @ ROOT.T + np.eye(4)
MODEL = {"DM_over_rs": np.array([13.0, 23.0]), "DH_over_rs": np.array([22.0]), "DV_over_rs": np.array([7.5])}
ROWS = np.array([22.0, 7.5, 13.0, 23.0])  # the model in the order of the table


def test_a_table_in_any_order_is_the_same_gaussian():
    found = bao("x", Z, VALUE, KIND, COVARIANCE)
    value = found.log_likelihood(found.bands({n: jnp.asarray(v) for n, v in MODEL.items()}), jnp.zeros(0))
    assert float(value) == pytest.approx(multivariate_normal(VALUE, COVARIANCE).logpdf(ROWS), abs=1e-10)
    assert found.redshifts == {"DM_over_rs": (0.5, 1.0), "DH_over_rs": (0.5,), "DV_over_rs": (0.3,)}


def test_the_same_where_more_redshifts_are_given():
    found = bao("x", Z, VALUE, KIND, COVARIANCE)
    z = np.array([0.2, 0.3, 0.5, 0.7, 1.0, 1.2])
    axis = Axis("z", "", tuple(z))
    wide = found.at(dict.fromkeys(MODEL, axis))
    values = {name: jnp.asarray(np.interp(z, found.redshifts[name], v)) for name, v in MODEL.items()}
    np.testing.assert_allclose(wide.bands(values), found.bands({n: jnp.asarray(v) for n, v in MODEL.items()}))
    assert wide.splined == {}  # the data's own redshifts are among them


def test_between_redshifts_a_parabola_is_kept():
    found = bao("x", Z, VALUE, KIND, COVARIANCE)
    z = np.array([0.0, 0.4, 0.8, 1.5])
    wide = found.at(dict.fromkeys(MODEL, Axis("z", "", tuple(z))))

    def parabola(x):
        return 1 + 2 * np.asarray(x) - 0.3 * np.asarray(x) ** 2

    np.testing.assert_allclose(
        wide.bands(dict.fromkeys(MODEL, jnp.asarray(parabola(z)))),
        found.bands({name: jnp.asarray(parabola(at)) for name, at in found.redshifts.items()}),
        rtol=1e-12,
    )
    assert set(wide.splined) == set(MODEL)
    with pytest.raises(InputError, match=r"'DM_over_rs' for x at redshifts that reach from 0.5 to 1"):
        found.at({"DM_over_rs": Axis("z", "", (0.6, 0.8, 1.0))})


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"kind": ["DX", *KIND[1:]]}, "expected kinds among DM_over_rs.*got 'DX'"),
        ({"z": np.array([0.5, 0.3, 0.5, 0.5])}, "each redshift of DM_over_rs once"),
        ({"covariance": -COVARIANCE}, "positive definite"),
    ],
)
def test_tables_that_are_none(change, message):
    given = {"z": Z, "value": VALUE, "kind": KIND, "covariance": COVARIANCE} | change
    with pytest.raises(InputError, match=message):
        bao("x", **given)


def test_the_printed_table_of_desi_is_nearly_its_files():
    """Rounded errors and correlations: chi-square of the same models, above the best, differs by up to a tenth."""
    try:
        files = load_likelihood("desi_dr2_bao")
    except InputError as error:
        pytest.skip(str(error))
    table = desi.desi_dr2_bao_table()
    assert table.redshifts == files.redshifts
    best = files.form.data
    for scale in (1.0, 1.005, 0.99, 1.02):
        values = [float(each.log_likelihood(best * scale, jnp.zeros(0))) for each in (files, table)]
        at_best = [float(each.log_likelihood(each.form.data, jnp.zeros(0))) for each in (files, table)]
        chi2 = 2 * np.subtract(at_best, values)
        assert abs(chi2[0] - chi2[1]) < 0.02 + 0.12 * chi2[0]


def test_the_compressed_cmb_is_the_printed_gaussian():
    """In the paper's own variables (theta_star, omega_b, omega_bc); the change to omega_cdm has determinant one."""
    found = cmb_compressed.cmb_compressed()
    x = cmb_compressed.MEAN + np.array([1e-6, -1e-4, 8e-4])
    given = {"theta_star": x[:1], "omega_b": x[1:2], "omega_cdm": x[2:] - x[1:2]}
    value = found.log_likelihood(found.bands({n: jnp.asarray(v) for n, v in given.items()}), jnp.zeros(0))
    truth = multivariate_normal(cmb_compressed.MEAN, cmb_compressed.COVARIANCE, allow_singular=True).logpdf(x)
    r = x - cmb_compressed.MEAN
    chi2 = r @ np.linalg.solve(cmb_compressed.COVARIANCE, r)
    best = found.log_likelihood(jnp.asarray(cmb_compressed.TO_CDM @ cmb_compressed.MEAN), jnp.zeros(0))
    assert 2 * float(best - value) == pytest.approx(chi2, rel=1e-6)
    assert float(value) == pytest.approx(float(truth), abs=1e-5)
