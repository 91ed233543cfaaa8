"""CMB lensing: the reference values, independent numpy twins, and figures."""

import jax.numpy as jnp
import numpy as np
import pytest

from alfonsine.errors import InputError
from alfonsine.likelihood.registry import load_likelihood

NO_RESPONSE = {"response": False, "foreground": False}


@pytest.fixture
def potential(data_folder):
    """C_L^pp of the best fit of Planck 2018, by CAMB, from L = 0."""
    file = data_folder("reference") / "camb_planck2018_bestfit_cls.npz"
    with np.load(file) as archive:
        return archive["PP"]


def chi2(likelihood, pp, *nuisance):
    bands = likelihood.bands({"pp": jnp.asarray(pp[2:])})
    return -2 * float(likelihood.log_likelihood(bands, jnp.array(nuisance)) - likelihood.form.constant)


def planck(folder, pp):
    """The README's formula, by loops over the files."""
    ell = np.arange(2501.0)
    scaled = (ell * (ell + 1)) ** 2 * pp[:2501] / (2 * np.pi)
    windows = np.load(folder / "consext8_windows.npz")
    rows = np.loadtxt(folder / "consext8_bandpowers.dat")[:, 4]
    fiducial = np.loadtxt(folder / "consext8_CMBmarged_lensing_fiducial_correction.dat")[:, 1]
    model = []
    for b in range(9):
        direct = sum(windows["bin_window"][b, L] * scaled[L] for L in range(2501))
        response = sum(w * scaled[L] for L, w in zip(windows["delta_L"], windows["delta_window"][b], strict=True))
        model.append(direct + response - fiducial[b])
    r = rows - np.array(model)
    return r @ np.linalg.inv(np.loadtxt(folder / "consext8_CMBmarged_cov.dat")) @ r


def act(folder, pp):
    """Ten bins of the convergence; Hartlap's factor multiplies the inverse covariance."""
    windows = np.load(folder / "kk_windows.npz")
    model = np.zeros(10)
    for ell, row in zip(windows["L"], windows["kk"], strict=True):
        model += row * (ell * (ell + 1.0)) ** 2 * pp[ell] / 4
    r = np.loadtxt(folder / "kk_bandpowers.txt") - model
    return r @ np.linalg.inv(np.loadtxt(folder / "kk_cov_lens_only.txt")) @ r * (792 - 12) / 791


def spt(folder, pp, response=False, foreground=0.0):
    windows = np.load(folder / "pp_windows.npz")
    model = foreground * np.loadtxt(folder / "pp_foreground_template.txt")[:, 1]
    for ell, row in zip(windows["L"], windows["pp"], strict=True):
        model = model + row * (ell * (ell + 1.0)) ** 2 * pp[ell] / (2 * np.pi)
    if response:
        for b, rows in enumerate(windows["M_phionly"]):
            model[b] += sum(row[5] * (row[0] * (row[0] + 1)) ** 2 * pp[int(row[0])] / (2 * np.pi) for row in rows)
        model = model - np.loadtxt(folder / "pp_fiducial_correction_phionly.txt")
    r = np.loadtxt(folder / "pp_bandpowers.txt") - model
    return r @ np.linalg.inv(np.loadtxt(folder / "pp_cov.txt")) @ r


@pytest.mark.parametrize(
    ("name", "folder", "options", "twin", "quoted", "bands"),
    [
        ("planck_2018_lensing", "planck2018_lensing", {}, planck, 9.07, 9),
        ("act_dr6_lensing", "act_dr6_lensing", {}, act, 14.16, 10),
        ("spt3g_2018_lensing", "spt3g_2018_lensing", NO_RESPONSE, spt, 11.72, 12),
    ],
)
def test_chi_square_of_the_best_fit(data_folder, potential, name, folder, options, twin, quoted, bands):
    """Two decimals as quoted (SPT-3G there by its windows alone), all digits by the twin."""
    place = data_folder(folder)
    likelihood = load_likelihood(name, options)
    found = chi2(likelihood, potential)
    assert round(found, 2) == quoted
    assert found == pytest.approx(twin(place, potential), rel=1e-9)
    assert likelihood.points["pp"].ell.size == bands


@pytest.mark.parametrize("amplitude", [0.0, 1.0, 2.3])
def test_response_and_foreground_of_spt(data_folder, potential, amplitude):
    place = data_folder("spt3g_2018_lensing")
    likelihood = load_likelihood("spt3g_2018_lensing")
    assert likelihood.nuisance == ("A_fg",)
    expected = spt(place, 1.1 * potential, response=True, foreground=amplitude)
    assert chi2(likelihood, 1.1 * potential, amplitude) == pytest.approx(expected, rel=1e-9)


def test_covariances_of_act(data_folder, potential):
    data_folder("act_dr6_lensing")
    together = load_likelihood("act_dr6_lensing", {"covariance": "lens_and_cmb"})
    assert round(chi2(together, potential), 2) == 14.25
    with pytest.raises(InputError, match="covariance: one of lens_only, lens_and_cmb, got 'both'"):
        load_likelihood("act_dr6_lensing", {"covariance": "both"})


def test_points_lie_near_the_potential(data_folder, potential):
    """In figures of [L (L + 1)]^2 C / 2 pi, and of C^kk for ACT: chi-square by the diagonal is near one a point."""
    for name, folder in (("planck_2018_lensing", "planck2018_lensing"), ("spt3g_2018_lensing", "spt3g_2018_lensing")):
        data_folder(folder)
        points = load_likelihood(name).points["pp"]
        ell = np.arange(2, 2501)
        model = np.interp(points.ell, ell, (ell * (ell + 1.0)) ** 2 * potential[ell] / (2 * np.pi))
        assert 0.3 < float(np.mean(((model - points.value) / points.error) ** 2)) < 2
