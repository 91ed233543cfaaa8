"""The mock experiment: its data, its noise, its errors."""

import jax.numpy as jnp
import numpy as np
import pytest
from scipy.special import polygamma, psi

from alfonsine.errors import InputError
from alfonsine.likelihood import mock_cmb
from alfonsine.likelihood.make_mock_cmb import SEED, draw
from alfonsine.likelihood.registry import load_likelihood

NONE = jnp.zeros(0)


def test_bins_cover_every_multipole_once():
    first, last = mock_cmb.edges()
    assert first[0] == 2 and last[-1] == 2500
    np.testing.assert_array_equal(first[1:], last[:-1] + 1)
    ell = np.arange(2, 2501)
    assert mock_cmb.modes().sum() == pytest.approx(mock_cmb.F_SKY * np.sum(2 * ell + 1))
    flat = jnp.asarray(2 * np.pi / (ell * (ell + 1)))
    np.testing.assert_allclose(mock_cmb.binning()(flat), 1.0, rtol=1e-12)


@pytest.mark.parametrize(("sigma", "published"), [(mock_cmb.NOISE_T, 27.0), (mock_cmb.NOISE_E, 52.0)])
def test_combined_noise_is_that_of_the_published_map(sigma, published):
    """Median noise of the SMICA map: 27 (T) and 52 (Q, U) muK arcmin (Planck 2018 VIII, arXiv:1807.06210, figure 2)."""
    depth = np.sqrt(mock_cmb.white_noise(sigma)[0]) * 60 * 180 / np.pi
    assert depth == pytest.approx(published, rel=0.1)


def test_noise_against_a_plain_sum_over_channels():
    ell, total = 1700, 0.0
    for fwhm, depth in ((9.66, 1.29 * 60), (7.22, 0.55 * 60), (4.90, 0.78 * 60)):
        arcmin = np.pi / (180 * 60)
        width = fwhm * arcmin / np.sqrt(8 * np.log(2))  # standard deviation of the beam
        transfer = np.exp(-0.5 * ell * (ell + 1) * width**2)
        total += transfer**2 / (depth * arcmin) ** 2
    assert mock_cmb.white_noise(mock_cmb.NOISE_T)[ell - 2] == pytest.approx(1 / total, rel=1e-12)


def test_data_are_those_of_the_stated_seed():
    table = mock_cmb.read_data()
    np.testing.assert_array_equal(table[:, :2].T, mock_cmb.edges())
    drawn = draw(table[:, 5:].T + mock_cmb.noise_bands(), mock_cmb.modes(), np.random.default_rng(SEED))
    scale = np.array([drawn[0], np.sqrt(drawn[0] * drawn[2]), drawn[2]])  # TE crosses zero
    np.testing.assert_allclose(table[:, 2:5].T / scale, drawn / scale, atol=1e-9)


@pytest.mark.parametrize(("spectra", "n"), [("TT", 1), ("EE", 1), ("TTTEEE", 2)])
def test_distance_of_the_data_from_their_truth(spectra, n):
    """T = 2 (ln L at the data - ln L at the truth) = sum nu [tr - ln det - n] has known mean and variance.

    Per bin, from ln Gamma_n: n nu (ln(nu / 2)) - nu sum psi, and nu^2 sum psi' - 2 n nu. False alarm 0.001 (two sides,
    normal approximation) for a new seed; the committed data either pass or not.
    """
    likelihood = load_likelihood("mock_cmb", {"spectra": spectra})
    rows = {"TT": [0], "EE": [2], "TTTEEE": [0, 1, 2]}[spectra]
    truth = mock_cmb.read_data()[:, 5:].T[rows].ravel()
    distance = 2 * float(likelihood.form.constant - likelihood.log_likelihood(jnp.asarray(truth), NONE))
    nu = mock_cmb.modes()
    halves = [(nu - i) / 2 for i in range(n)]
    mean = np.sum(nu * (n * np.log(nu / 2) - sum(psi(h) for h in halves)))
    variance = np.sum(nu**2 * sum(polygamma(1, h) for h in halves) - 2 * n * nu)
    assert abs(distance - mean) < 3.3 * np.sqrt(variance)


def test_needs_and_points():
    likelihood = load_likelihood("mock_cmb")
    assert likelihood.spectra == {"tt": 2500, "te": 2500, "ee": 2500}
    assert likelihood.nuisance == ()
    assert set(likelihood.points) == {"tt", "te", "ee"}
    assert load_likelihood("mock_cmb", {"spectra": "EE"}).spectra == {"ee": 2500}


def test_points_scatter_about_the_truth_by_their_errors():
    """Residuals in units of the error, bins with more than 50 modes (nearly normal): chi-square within 4 sigma.

    False alarm 3 x 1e-4 for a new seed.
    """
    likelihood = load_likelihood("mock_cmb")
    truth, many = mock_cmb.read_data()[:, 5:].T, mock_cmb.modes() > 50
    for name, expected in zip(("tt", "te", "ee"), truth, strict=True):
        points = likelihood.points[name]
        chi2 = np.sum((((points.value - expected) / points.error)[many]) ** 2)
        assert abs(chi2 - many.sum()) < 4 * np.sqrt(2 * many.sum())


def test_te_alone_is_refused():
    with pytest.raises(InputError, match="one of TT, EE, TTTEEE, got 'TE'"):
        load_likelihood("mock_cmb", {"spectra": "TE"})


@pytest.mark.slow
def test_expected_bands_are_those_of_class():
    """The committed table is what CLASS gives: to 1e-4, so that other builds of CLASS pass."""
    from alfonsine.likelihood.make_mock_cmb import expected_bands

    tt, te, ee = mock_cmb.read_data()[:, 5:].T
    scale = np.array([tt, np.sqrt(tt * ee), ee])
    np.testing.assert_allclose(expected_bands() / scale, np.array([tt, te, ee]) / scale, atol=1e-4)
