"""BAO and supernovae of flat LCDM: the published summaries on a grid, and numpy twins of the single values."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from flat_lcdm import LIGHT, Flat
from scipy.stats import multivariate_normal

from alfonsine.likelihood import supernovae
from alfonsine.likelihood.registry import load_likelihood
from alfonsine.theory.grids import OF_THE_DRAG_HORIZON


def outputs(likelihood, model):
    return {name: jnp.asarray(model.of(name, np.array(z))) for name, z in likelihood.redshifts.items()}


def moments(x, weight):
    mean = (x * weight).sum() / weight.sum()
    return mean, np.sqrt(((x - mean) ** 2 * weight).sum() / weight.sum())


def test_the_stand_in_is_the_definition_of_the_outputs():
    z, model = np.array([0.3, 1.2]), Flat(0.3)
    at = {"z": z, "H": model.expansion(z), "D_A": model.comoving(z) / (1 + z), "rs": model.rd}
    for name, function in OF_THE_DRAG_HORIZON.items():
        np.testing.assert_allclose(model.of(name, z), function(**at), rtol=1e-12)
    fine = np.linspace(0, 1.2, 200_001)
    np.testing.assert_allclose(model.comoving(z)[1], np.trapezoid(LIGHT / model.expansion(fine), fine), rtol=1e-9)


@pytest.mark.parametrize(
    ("name", "omega_m", "h_rd", "chi2"),
    [
        ("desi_dr2_bao", (0.2978, 0.0086), (101.52, 0.74), 10.27),
        ("desi_dr1_bao", (0.2950, 0.0146), (101.89, 1.27), None),
    ],
)
def test_desi_on_a_grid(data_folder, name, omega_m, h_rd, chi2):
    """Omega_m and h r_d with flat priors. Distances are proportional to 1 / (h r_d), and so are the bands."""
    data_folder("bao")
    likelihood = load_likelihood(name)
    grid, scale = np.linspace(0.22, 0.40, 181), np.linspace(96, 107, 441)
    bands = jnp.stack([likelihood.bands(outputs(likelihood, Flat(om, 1.0, 100.0))) for om in grid])
    every = jax.jit(jax.vmap(jax.vmap(lambda b: likelihood.log_likelihood(b, jnp.zeros(0)))))
    value = np.asarray(every(bands[:, None] * (100 / scale)[None, :, None]))
    weight = np.exp(value - value.max())
    assert tuple(round(x, 4) for x in moments(grid, weight.sum(1))) == omega_m
    assert tuple(round(x, 2) for x in moments(scale, weight.sum(0))) == h_rd
    if chi2 is not None:  # of the best amplitude, in which chi-square is a parabola, on the grid of Omega_m
        parabolas = np.polyfit(100 / scale, -2 * (value.T - float(likelihood.form.constant)), 2)
        assert round((parabolas[2] - parabolas[1] ** 2 / (4 * parabolas[0])).min(), 2) == chi2


@pytest.mark.parametrize(
    ("name", "mean", "sigma", "best"),
    [("union3", 0.358, 0.027, 0.356), ("pantheon_2018_binned", 0.297, 0.022, None)],
)
def test_supernovae_on_a_grid(data_folder, name, mean, sigma, best):
    data_folder("sn")
    likelihood = load_likelihood(name)
    grid = np.linspace(0.1, 0.6, 251)
    bands = jnp.stack([likelihood.bands(outputs(likelihood, Flat(om))) for om in grid])
    value = np.asarray(jax.vmap(lambda b: likelihood.log_likelihood(b, jnp.zeros(0)))(bands))
    found = moments(grid, np.exp(value - value.max()))
    assert tuple(round(x, 3) for x in found) == (mean, sigma)
    if best is not None:
        assert round(grid[value.argmax()], 3) == best


@pytest.mark.parametrize(
    ("name", "table", "columns", "matrix", "n"),
    [
        ("union3", "union3/lcparam_full.txt", (1, 2, 4), "union3/mag_covmat.txt", 22),
        (
            "pantheon_2018_binned",
            "pantheon2018_binned/lcparam_DS17f.txt",
            (1, 2, 4, 5),
            "pantheon2018_binned/sys_DS17f.txt",
            40,
        ),
    ],
)
def test_the_offset_is_integrated_over(data_folder, name, table, columns, matrix, n):
    """Against the integral over the offset, summed on a grid; with zhel where the redshifts differ."""
    place = data_folder("sn")
    likelihood = load_likelihood(name)
    z_cmb, z_hel, magnitude, *error = np.loadtxt(place / table, usecols=columns, unpack=True)
    covariance = np.loadtxt(place / matrix)[1:].reshape(n, n) + (np.diag(error[0] ** 2) if error else 0)
    model = Flat(0.33)
    modulus = 5 * np.log10((1 + z_hel) * model.comoving(z_cmb)) + 25
    gaussian = multivariate_normal(np.zeros(n), covariance)
    centre, width = np.mean(magnitude - modulus), 1 / np.sqrt(np.linalg.inv(covariance).sum())
    offset = centre + np.linspace(-40, 40, 4001) * max(width, 0.01)
    logs = np.array([gaussian.logpdf(magnitude - modulus - each) for each in offset])
    expected = logs.max() + np.log(np.trapezoid(np.exp(logs - logs.max()), offset))
    bands = likelihood.bands(outputs(likelihood, model))
    assert float(likelihood.log_likelihood(bands, jnp.zeros(0))) == pytest.approx(expected, abs=1e-6)
    assert float(likelihood.log_likelihood(bands + 1.7, jnp.zeros(0))) == pytest.approx(expected, abs=1e-6)


def test_the_motion_of_the_sun_is_taken_out_of_the_data():
    """In the published bins zhel is zcmb; where it is not, mu is of D_L = (1 + zhel) D_M(zcmb)."""
    z_cmb, z_hel, model = np.array([0.02, 0.3, 0.9]), np.array([0.021, 0.299, 0.9005]), Flat(0.3)
    seen = 5 * np.log10((1 + z_hel) * model.comoving(z_cmb)) + 25 - 19.3
    likelihood = supernovae._supernovae("x", z_cmb, z_hel, seen, np.diag([0.01, 0.02, 0.01]) ** 2)
    bands = likelihood.bands({"mu": jnp.asarray(model.of("mu", z_cmb))})
    assert float(likelihood.log_likelihood(bands, jnp.zeros(0))) == pytest.approx(
        float(likelihood.form.constant), abs=1e-9
    )


def test_cosmic_clocks_are_independent_gaussians(data_folder):
    z, value, error = np.loadtxt(data_folder("cosmic_clocks") / "Hz_2016.dat", unpack=True)
    likelihood = load_likelihood("cosmic_clocks")
    model = Flat(0.3, 0.7).expansion(z)
    expected = sum(
        -0.5 * ((v - m) / e) ** 2 - np.log(e * np.sqrt(2 * np.pi)) for v, m, e in zip(value, model, error, strict=True)
    )
    found = likelihood.log_likelihood(likelihood.bands({"H": jnp.asarray(model)}), jnp.zeros(0))
    assert float(found) == pytest.approx(expected, rel=1e-12)
    assert likelihood.redshifts == {"H": tuple(z)}


@pytest.mark.parametrize(
    ("name", "options", "rows", "matrix"),
    [
        ("sdss_dr12_consensus", {}, "sdss_DR12Consensus_bao.dat", "BAO_consensus_covtot_dM_Hz.txt"),
        (
            "sdss_dr12_consensus",
            {"use": "full_shape"},
            "sdss_DR12Consensus_FS.dat",
            "FS_consensus_covtot_dM_Hz_fsig.txt",
        ),
        (
            "sdss_dr12_consensus",
            {"use": "combined"},
            "sdss_DR12Consensus_final.dat",
            "final_consensus_covtot_dM_Hz_fsig.txt",
        ),
        ("sdss_dr12_lrg", {}, "sdss_DR12_LRG_BAO_DMDH.dat", "sdss_DR12_LRG_BAO_DMDH_covtot.txt"),
        ("sdss_dr16_lrg", {}, "sdss_DR16_LRG_BAO_DMDH.dat", "sdss_DR16_LRG_BAO_DMDH_covtot.txt"),
        ("sdss_dr16_qso", {}, "sdss_DR16_QSO_BAO_DMDH.txt", "sdss_DR16_QSO_BAO_DMDH_covtot.txt"),
        (
            "sdss_dr16_lrg",
            {"growth": True},
            "sdss_DR16_BAOplus_LRG_FSBAO_DMDHfs8.dat",
            "sdss_DR16_BAOplus_LRG_FSBAO_DMDHfs8_covtot.txt",
        ),
        (
            "sdss_dr16_qso",
            {"growth": True},
            "sdss_DR16_BAOplus_QSO_FSBAO_DMDHfs8.dat",
            "sdss_DR16_BAOplus_QSO_FSBAO_DMDHfs8_covtot.txt",
        ),
    ],
)
def test_gaussians_of_sdss_row_by_row(data_folder, name, options, rows, matrix):
    """In the order and the units of the files: those of DR12 times or over r_fid = 147.78 Mpc."""
    place, model = data_folder("bao") / "sdss", Flat(0.31)
    lines = [line.split() for line in (place / rows).read_text().splitlines() if line.strip()]
    value, theory = np.array([float(line[1]) for line in lines]), []
    for z, _, kind in lines:
        at = np.array([float(z)])
        if name == "sdss_dr12_consensus" and kind == "DM_over_rs":
            theory.append(model.comoving(at)[0] * 147.78 / model.rd)
        elif kind == "bao_Hz_rs":
            theory.append(model.expansion(at)[0] * model.rd / 147.78)
        else:
            theory.append(model.of(kind, at)[0])
    r, covariance = value - np.array(theory), np.loadtxt(place / matrix)
    likelihood = load_likelihood(name, options)
    found = likelihood.log_likelihood(likelihood.bands(outputs(likelihood, model)), jnp.zeros(0))
    chi2 = -2 * float(found - likelihood.form.constant)
    assert chi2 == pytest.approx(r @ np.linalg.solve(covariance, r), rel=1e-9)
    assert chi2 < 4 * len(lines)  # the model is near the data, so units are right
