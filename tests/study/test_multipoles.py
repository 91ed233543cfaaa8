"""Spectra at some multipoles and data at all of them: the whole loop on a spectrum that is linear in two numbers."""

import jax.numpy as jnp
import numpy as np
import pytest
from scipy import stats
from slow_spline import slow_spline
from toy_studies import FLAT, prepared, record, run_here

from alfonsine.certificate.outcome import Outcome
from alfonsine.emulator.stored.file import load_emulator
from alfonsine.errors import InputError
from alfonsine.report.report import render
from alfonsine.study.certify import recertify
from alfonsine.study.exact import compute_points, exact_log_likelihood
from alfonsine.study.infer import study_target
from alfonsine.study.plan import plan
from alfonsine.study.prepare import prepare
from alfonsine.study.run import open_engine
from alfonsine.study.settings import settings_from
from alfonsine.study.stages import train
from alfonsine.theory.class_spectra import nodes
from alfonsine.theory.output import Axis

ELL = np.arange(2.0, 251.0)
NODES = np.array(nodes(250, linstep=20), dtype=float)
TRUTH, ERROR = np.array([0.7, 0.4]), 0.1
SAMPLER = {"nuts": {"chains": 4, "effective_samples": 1000}}


def rows(ell):
    """What x and y do to the spectrum: two waves, about as long as CLASS's steps can follow."""
    return np.column_stack([np.cos(ell / 40.0), np.exp(-ell / 100.0) * np.sin(ell / 30.0)])


VALUE = rows(ELL) @ TRUTH + ERROR * np.random.default_rng(6).normal(size=len(ELL))


def study(ell, **blocks):
    """The study with the spectrum at `ell`."""
    toy = {"name": "linear", "matrix": rows(ell).tolist()}
    if len(ell) != len(ELL):
        toy["multipoles"] = [int(x) for x in ell]
    return {
        "theory": {"toy": toy},
        "likelihood": {"gaussian": {"observable": "data", "value": VALUE.tolist(), "error": ERROR}},
        "params": {"x": dict(FLAT), "y": dict(FLAT)},
        "sampler": SAMPLER,
        "compute": {"workers": 1},
    } | blocks


def splined(ell):
    """The rows at all multipoles, from those at `ell`."""
    return np.column_stack([slow_spline(ell, column, ELL) for column in rows(ell).T])


def moments(matrix):
    """Mean and covariance of the posterior of data that are `matrix` times parameters."""
    covariance = ERROR**2 * np.linalg.inv(matrix.T @ matrix)
    return covariance @ matrix.T @ VALUE / ERROR**2, covariance


def log_likelihood(matrix, theta):
    return stats.norm(theta @ matrix.T, ERROR).logpdf(VALUE).sum(axis=1)


@pytest.fixture(scope="module")
def finished(tmp_path_factory):
    return run_here(study(NODES), tmp_path_factory.mktemp("nodes"))


@pytest.fixture(scope="module")
def again(finished):
    """The same study, prepared once more on the same folder."""
    return prepared(study(NODES), finished.folder.parent)


@pytest.mark.slow
def test_the_posterior_is_that_of_all_multipoles(finished):
    """Five Monte-Carlo errors on two means, and 25 % on two widths from 1,000 effective draws: one seed in 1e6."""
    mean, covariance = moments(rows(ELL))
    width = np.sqrt(np.diag(covariance))
    through, _ = moments(splined(NODES))
    assert np.all(np.abs(through - mean) < 0.02 * width)  # the spline's own error, without any sampling
    assert finished.certificate.outcome is Outcome.PASS
    ess = finished.posterior.ess
    assert np.all(np.abs(finished.posterior.mean() - mean) < (5 / np.sqrt(ess) + 0.02) * width)
    np.testing.assert_allclose(finished.posterior.std(), width, rtol=0.25)


@pytest.mark.slow
def test_emulated_and_exact_likelihoods_are_those_of_the_spline(finished, again):
    theta = finished.posterior.samples[:5]
    expected = log_likelihood(splined(NODES), theta)
    target = study_target(again, finished.emulator)
    found = [float(target.log_likelihoods(jnp.asarray(point))[0]) for point in theta]
    np.testing.assert_allclose(found, expected, rtol=1e-7)
    with open_engine(again) as engine:
        computed = compute_points(again, engine, theta)
    np.testing.assert_allclose(exact_log_likelihood(again, computed), expected, rtol=1e-9)


@pytest.mark.slow
def test_the_records_say_so(finished, again):
    stored = {"nodes": len(NODES), "first": 2.0, "last": 250.0, "largest_step": 20.0}
    assert record(finished.folder)["multipoles"] == {"gaussian": {"data": stored}}
    assert finished.emulator.outputs["data"].axis("l").values == tuple(NODES)
    assert f"data (splined from {len(NODES)} multipoles)" in str(plan(again))
    page = render(finished.folder).read_text()
    assert f"data: {len(NODES)}, at most 20 apart" in page and "The error of that spline is not judged" in page
    certificate = recertify(again, 12)
    assert certificate.kl.upper95 < 1e-9
    assert record(finished.folder, "certificate_fresh")["multipoles"] == {"gaussian": {"data": stored}}


def test_a_whole_run_at_all_multipoles_says_nothing_of_a_spline(tmp_path):
    assert prepared(study(ELL), tmp_path).likelihoods["gaussian"].splined == {}


def test_an_emulator_of_a_box_counts_errors_in_those_of_the_data(tmp_path):
    """The toy is linear, and Chebyshev series hold linear functions: what is left is rounding to 32 bits."""
    wide = prepared(study(NODES, design={"number": 20, "held_out": 10}), tmp_path)
    train(wide)
    emulator = load_emulator(wide.folder / "emulator.safetensors")
    assert emulator.card["data_errors"]["gaussian"]["99 %"] < 1e-3
    theta = np.array([[0.3, 0.2]])
    found = study_target(wide, emulator).log_likelihoods(jnp.asarray(theta[0]))
    np.testing.assert_allclose(found, log_likelihood(splined(NODES), theta), rtol=1e-4)


@pytest.mark.parametrize(
    ("ell", "message"),
    [
        (ELL[1:50], "reach from 2 to 250, 3 at least, got 3 to 51: l = 2 and 52 to 250 missing"),
        (NODES[:-1], "got 2 to 230: l = 231 to 250 missing"),
    ],
)
def test_what_does_not_reach_is_told_in_one_line(ell, message, tmp_path):
    with pytest.raises(InputError, match=rf"\A.*theory\.toy\.multipoles: expected 'data' for gaussian.*{message}") as e:
        prepared(study(ell), tmp_path)
    assert "\n" not in str(e.value)


def test_rows_and_multipoles_belong_together(tmp_path):
    wrong = study(NODES)
    wrong["theory"]["toy"]["multipoles"].pop()
    with pytest.raises(InputError, match=rf"expected {len(NODES)} multipoles, one for each row, got {len(NODES) - 1}"):
        prepared(wrong, tmp_path)


@pytest.mark.parametrize(("code", "step"), [("classy", 40), ("camb", 20)])
def test_the_mock_experiment_reads_nodes_of_a_code(code, step, tmp_path):
    """Prepared, not run: spectra at CLASS's default steps, or ours; a list that ends early is refused."""
    pytest.importorskip(code)
    params = {"H0": 67.0, "omega_b" if code == "classy" else "ombh2": {"prior": [0.02, 0.025], "ref": 0.022}}
    if code == "camb":
        params["omch2"] = 0.12
    plain = {"likelihood": {"mock_cmb": None}, "params": params, "theory": {code: {"multipoles": "nodes"}}}
    found = prepare(settings_from(plain), tmp_path / "run").likelihoods["mock_cmb"]
    ell = Axis("l", "", tuple(float(ell) for ell in nodes(2500, linstep=step)))
    assert found.splined == dict.fromkeys(("tt", "te", "ee"), ell)
    plain["theory"] = {code: {"multipoles": [2, 30, 2000]}}
    with pytest.raises(InputError, match=r"'tt' for mock_cmb .* got 2 to 2000: l = 2001 to 2500 missing"):
        prepare(settings_from(plain), tmp_path / "run")
