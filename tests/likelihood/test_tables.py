"""Likelihoods that are tables: equal to the table at its nodes, to scipy's splines between them, and falling beyond."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from scipy.interpolate import InterpolatedUnivariateSpline, RectBivariateSpline

from alfonsine.errors import InputError
from alfonsine.likelihood.interpolate import bicubic, even
from alfonsine.likelihood.registry import load_likelihood
from alfonsine.likelihood.tabulated import tabulated, tabulated_pair

NONE = jnp.zeros(0)
LYMAN_ALPHA = {
    "sdss_dr16_lyauto": "sdss_DR16_LYAUTO_BAO_DMDHgrid.txt",
    "sdss_dr16_lyxqso": "sdss_DR16_LYxQSO_BAO_DMDHgrid.txt",
}


def of(likelihood, *bands):
    return float(likelihood.log_likelihood(jnp.array(bands), NONE))


def test_main_galaxy_sample(data_folder):
    chi2 = np.loadtxt(data_folder("bao") / "sdss" / "sdss_MGS_prob.txt")
    alpha = np.linspace(0.8005, 1.1985, chi2.size)
    likelihood = load_likelihood("sdss_dr7_mgs")
    for i in (0, 1, 100, 239, 397, 398):
        assert of(likelihood, 4.29720761 * alpha[i]) == pytest.approx(-0.5 * chi2[i], abs=1e-9)
    twin = InterpolatedUnivariateSpline(alpha, -0.5 * chi2, k=3)
    for at in (0.801, 0.9377, 1.0432, 1.19):
        assert of(likelihood, 4.29720761 * at) == pytest.approx(float(twin(at)), abs=1e-9)
    assert likelihood.redshifts == {"DV_over_rs": (0.15,)}
    assert float(likelihood.points["DV_over_rs"].value[0]) == pytest.approx(
        4.48, abs=0.1
    )  # Ross et al.: 4.466 +- 0.168


def test_emission_line_galaxies(data_folder):
    nodes, value = np.loadtxt(data_folder("bao") / "sdss" / "sdss_DR16_ELG_BAO_DVtable.txt", unpack=True)
    likelihood = load_likelihood("sdss_dr16_elg")
    for i in (0, 17, 186, 398):
        assert of(likelihood, nodes[i]) == pytest.approx(np.log(value[i]), abs=1e-6)  # even to the digits printed
    twin = InterpolatedUnivariateSpline(nodes, np.log(value), k=3)
    for at in (15.0012, 18.33, 19.777):
        assert of(likelihood, at) == pytest.approx(float(twin(at)), abs=1e-6)


@pytest.mark.parametrize("name", LYMAN_ALPHA)
def test_lyman_alpha(data_folder, name):
    """The bicubic spline of ln L that FITPACK makes, in scipy, is the same spline."""
    rows = np.loadtxt(data_folder("bao") / "sdss" / LYMAN_ALPHA[name])
    likelihood = load_likelihood(name)
    for row in rows[[0, 49, 777, 1234, 2450, 2499]]:
        assert of(likelihood, *row[:2]) == pytest.approx(np.log(row[2]), abs=1e-9)
    first, second = np.unique(rows[:, 0]), np.unique(rows[:, 1])
    twin = RectBivariateSpline(first, second, np.log(rows[:, 2].reshape(50, 50)), kx=3, ky=3, s=0)
    for at in np.random.default_rng(3).uniform([31.4, 6.9], [47.0, 10.3], (20, 2)):
        assert of(likelihood, *at) == pytest.approx(float(twin(*at)[0, 0]), abs=1e-8)
    assert likelihood.redshifts == {"DM_over_rs": (2.334,), "DH_over_rs": (2.334,)}


def test_sroll2(data_folder):
    """The nearest lower step, as the reference takes it, is the table at its nodes; smooth between."""
    folder = data_folder("planck2018_lowl")
    table = np.load(folder / "sroll2_lowE_prob_table.npz")["log_prob"]
    likelihood = load_likelihood("planck_2018_lowl_ee_sroll2")
    ell = np.arange(2, 30)
    for step in (0, 1, 77, 431, 2999):
        rows = (step + 13 * np.arange(28)) % 3000
        cl = 1e-4 * rows * 2 * np.pi / (ell * (ell + 1))
        bands = likelihood.bands({"ee": jnp.asarray(cl)})
        found = float(likelihood.log_likelihood(bands, NONE))
        assert found == pytest.approx(table[rows, np.arange(28)].sum(), abs=1e-7)
    example = np.genfromtxt(folder / "example_Cl.txt", names=True)["EE"]
    below = (ell * (ell + 1) / (2 * np.pi) * example[:28] / 1e-4).astype(int)
    between = float(likelihood.log_likelihood(likelihood.bands({"ee": jnp.asarray(example)}), NONE))
    reference = [table[below + k, np.arange(28)].sum() for k in (0, 1)]
    assert reference[0] != pytest.approx(reference[1], abs=1e-3)
    assert abs(between - reference[0]) < np.abs(table[below + 1, np.arange(28)] - table[below, np.arange(28)]).sum()


@pytest.mark.parametrize("name", ["sdss_dr7_mgs", "sdss_dr16_elg", *LYMAN_ALPHA, "planck_2018_lowl_ee_sroll2"])
def test_beyond_the_table_it_falls_and_leads_back(data_folder, name):
    """From each edge outwards, in every direction: continuous, falling, and with the gradient of what it says."""
    data_folder("planck2018_lowl" if "lowl" in name else "bao")
    form = load_likelihood(name).form
    if hasattr(form, "surface"):
        ends = np.array([form.surface.first[jnp.array([0, -1])], form.surface.second[jnp.array([0, -1])]])
    else:
        ends = np.stack([form.start, form.start + form.step * (form.curves.last)], axis=1)
    f = jax.jit(lambda x: form.log_likelihood(x, NONE))
    middle, half = ends.mean(axis=1), np.diff(ends, axis=1)[:, 0] / 2
    for direction in np.vstack([np.eye(len(half))[:3], -np.eye(len(half))[:3], np.ones(len(half))]):
        inside, edge = (f(jnp.asarray(middle + share * half * direction)) for share in (1 - 1e-9, 1 + 1e-9))
        assert float(inside) == pytest.approx(float(edge), abs=1e-4)
        outward = [float(f(jnp.asarray(middle + share * half * direction))) for share in np.linspace(1, 6, 30)]
        assert np.all(np.diff(outward) < 0) and np.isfinite(outward).all()
        x = jnp.asarray(middle + 1.7 * half * direction)
        slope = float(jax.grad(f)(x) @ direction)
        h = 1e-5
        assert slope < 0
        assert slope == pytest.approx(float(f(x + h * direction) - f(x - h * direction)) / (2 * h), rel=1e-5)


def test_a_tabulated_gaussian_is_whitened_by_its_errors():
    nodes = np.linspace(-3, 5, 81)
    form = tabulated(nodes, -0.5 * ((nodes[:, None] - [1.0, 0.6]) / [0.5, 0.7]) ** 2)
    white = form.whiten(jnp.array([[0.5, 0.7]]), jnp.array([1.2, 0.1]))
    np.testing.assert_allclose(white, [[1.0, 1.0]], rtol=1e-3)
    first, second = np.linspace(-4, 4, 41), np.linspace(-6, 6, 51)
    inverse = np.linalg.inv([[0.5, 0.3], [0.3, 1.0]])
    x = np.stack(np.meshgrid(first, second, indexing="ij"))
    pair = tabulated_pair(first, second, -0.5 * np.einsum("iab,ij,jab->ab", x, inverse, x))
    np.testing.assert_allclose(pair.whitening.T @ pair.whitening, inverse, rtol=1e-3)


def test_beyond_a_tabulated_gaussian_the_tangent_goes_on():
    """In closed form: value and slope of the Gaussian at the edge, then one standard deviation of the table squared."""
    nodes, sigma = np.linspace(-1, 3.5, 181), 0.5
    form = tabulated(nodes, -0.5 * ((nodes[:, None] - 1) / sigma) ** 2)
    for edge, out in ((-1.0, -0.8), (3.5, 0.6)):
        away = (edge - 1) / sigma**2
        expected = -0.5 * ((edge - 1) / sigma) ** 2 - away * out - 0.5 * (out / sigma) ** 2
        assert float(form.log_likelihood(jnp.array([edge + out]), NONE)) == pytest.approx(expected, rel=2e-3)
    first, second = np.linspace(-2, 3, 51), np.linspace(-3, 3, 61)
    log = -0.5 * (((first[:, None] - 1) / sigma) ** 2 + second[None] ** 2 / 0.36)
    pair = tabulated_pair(first, second, log)
    expected = -0.5 * (9 / 0.25 + 1.0 / 0.36) - 3 / 0.25 * 0.7 - 0.5 * (0.7 / sigma) ** 2
    assert float(pair.log_likelihood(jnp.array([-2.7, 1.0]), NONE)) == pytest.approx(expected, rel=2e-3)


def test_tables_that_are_none():
    with pytest.raises(InputError, match="even steps"):
        even(np.array([0.0, 1.0, 2.5, 3.0]), "x")
    with pytest.raises(InputError, match="four values"):
        even(np.array([0.0, 1.0]), "x")
    with pytest.raises(InputError, match="finite"):
        tabulated(np.arange(5.0), np.full((5, 1), np.nan))
    with pytest.raises(InputError, match="four increasing nodes"):
        bicubic(np.arange(3.0), np.arange(5.0), np.zeros((3, 5)))
