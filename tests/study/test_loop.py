"""The whole loop on problems with known answers: what it infers, what it certifies, what it leaves on disk."""

import json
from functools import partial
from html.parser import HTMLParser
from pathlib import Path

import getdist
import jax
import jax.numpy as jnp
import numpy as np
import pytest
from scipy import stats
from toy_studies import (
    BEND,
    COVARIANCE,
    EDGE,
    FLAT,
    MATRIX,
    OFFSET,
    VALUE,
    archived,
    banana,
    curved,
    diary,
    linear,
    missing_records,
    prepared,
    record,
    run_here,
)

from alfonsine.certificate.outcome import Outcome
from alfonsine.likelihood import gaussian_data, registry
from alfonsine.likelihood.band_likelihood import BandLikelihood
from alfonsine.likelihood.gaussian import gaussian
from alfonsine.posterior.coordinates import Coordinates
from alfonsine.posterior.importance import importance_evidence
from alfonsine.report.report import render
from alfonsine.study.infer import study_target

FLAT_PRIOR = -2 * np.log(2 * EDGE)  # ln density of x and y


@pytest.fixture(scope="module")
def linear_run(tmp_path_factory):
    folder = tmp_path_factory.mktemp("linear")
    study = linear()
    study["theory"]["toy"]["diary"] = str(folder / "diary")
    return study, run_here(study, folder)


@pytest.fixture(scope="module")
def banana_run(tmp_path_factory):
    return run_here(banana(), tmp_path_factory.mktemp("banana"))


@pytest.fixture(scope="module")
def curved_run(tmp_path_factory):
    return run_here(curved(seed=4), tmp_path_factory.mktemp("curved"))


def assert_moments(posterior, mean, covariance, weights=None):
    """Means within 5, covariances within 6 Monte-Carlo errors of the truth.

    With five numbers, normal errors would raise a false alarm once in 5e5 seeds; an effective size that is itself
    uncertain by 20 %, and fourth moments of a curved posterior, make that about once in 1e4.
    """
    weights = np.ones(len(posterior)) if weights is None else weights
    weights = weights / weights.sum()
    n = posterior.ess / (len(posterior) * np.sum(weights**2))
    found = weights @ posterior.samples
    deviation = posterior.samples - mean
    assert np.all(np.abs(found - mean) < 5 * np.sqrt(np.diag(covariance) / n))
    products = deviation[:, :, None] * deviation[:, None, :]
    error = np.sqrt(np.var(products, axis=0) / n)
    spread = np.einsum("n,nij->ij", weights, products)
    assert np.all(np.abs(spread - covariance) < 6 * error)


def linear_truth():
    """Mean, covariance and ln evidence of the linear problem under the flat prior."""
    fisher = MATRIX.T @ np.linalg.solve(COVARIANCE, MATRIX)
    mean = np.linalg.solve(fisher, MATRIX.T @ np.linalg.solve(COVARIANCE, VALUE - OFFSET))
    best = stats.multivariate_normal(MATRIX @ mean + OFFSET, COVARIANCE).logpdf(VALUE)
    volume = 0.5 * np.linalg.slogdet(2 * np.pi * np.linalg.inv(fisher))[1]
    return mean, np.linalg.inv(fisher), best + volume + FLAT_PRIOR


def banana_truth(bend=BEND):
    """Moments from those of (x, u), u = y + bend (x^2 - 1), which are normal(VALUE, COVARIANCE).

    With Isserlis: cov(x, x^2) = 2 m s^2, var x^2 = 4 m^2 s^2 + 2 s^4, cov(u, x^2) = 2 m cov(x, u).
    """
    (m, u), ((s2, c), (_, v)) = VALUE, COVARIANCE
    mean = np.array([m, u - bend * (m**2 + s2 - 1)])
    xy = c - bend * 2 * m * s2
    yy = v + bend**2 * (4 * m**2 * s2 + 2 * s2**2) - 2 * bend * 2 * m * c
    return mean, np.array([[s2, xy], [xy, yy]])


def curved_truth():
    """Moments of (x, y) on a grid: a flat prior in x."""
    points = np.stack(np.meshgrid(np.linspace(-2, 1.5, 701), np.linspace(-1, 2, 601), indexing="ij"), -1).reshape(-1, 2)
    a = np.exp(points[:, 0]) - 0.5
    model = np.column_stack([a, points[:, 1] + BEND * (a**2 - 1)])
    weight = np.exp(stats.multivariate_normal(VALUE, COVARIANCE).logpdf(model))
    weight /= weight.sum()
    mean = weight @ points
    return mean, np.einsum("n,ni,nj->ij", weight, points - mean, points - mean)


def evidence(study, result, log_evidence):
    """The evidence of the emulated posterior is the true one, within 5 standard errors (once in 2e6 seeds)."""
    target = study_target(study, result.emulator)
    space = study.space
    coordinates = Coordinates.of_samples(space.lower, space.upper, jnp.asarray(result.posterior.samples))
    found = importance_evidence(target, coordinates, jax.random.key(5))
    assert found.ess > 1000 and found.error < 0.02
    assert abs(found.log_evidence - log_evidence) < 5 * found.error


def test_a_linear_study_passes_and_is_right(linear_run):
    _, result = linear_run
    assert result.certificate.outcome is Outcome.PASS
    mean, covariance, _ = linear_truth()
    assert_moments(result.posterior, mean, covariance)
    assert_moments(result.posterior, mean, covariance, np.exp(result.log_weights))


def test_the_evidence_of_a_linear_study(linear_run, tmp_path):
    study, result = linear_run
    evidence(prepared(study, tmp_path), result, linear_truth()[2])


def test_the_certificate_of_an_exact_emulator(linear_run):
    """The toy is linear and so is the emulator: nothing is left but rounding."""
    found = record(linear_run[1].folder)
    assert found["outcome"] == "pass" and found["findings"] == []
    assert 0 <= found["kl"]["estimate"] <= found["kl"]["upper95"] < 1e-9
    assert abs(found["delta_log_evidence"]["estimate"]) < 1e-6
    assert all(abs(shift["estimate"]) < 1e-6 for shift in found["shift_sigma"].values())
    assert found["n_judged"] == found["solver_calls"]["judging"] == 24


def test_exact_calls_add_up(linear_run):
    study, result = linear_run
    calls = record(result.folder)["solver_calls"]
    assert calls["total"] == calls["training"] + calls["judging"] <= 36 and calls["failed"] == 0
    begun = diary(Path(study["theory"]["toy"]["diary"]))
    assert set(begun.values()) == {1}
    assert set(begun) == archived(result.folder / "archive.sqlite") and len(begun) == calls["total"]
    history = record(result.folder, "history")
    assert history[-1]["calls"] == calls["total"] and history[-1]["training"] == calls["training"]
    assert history[-1]["judged"] == calls["judging"] and history[-1]["outcome"] == "pass"
    planned = sum(len(json.loads(p.read_text())["theta"]) for p in (result.folder / "rounds").rglob("*.json"))
    assert planned == calls["total"]


@pytest.fixture(scope="module")
def calibrated_run(tmp_path_factory):
    """Two data sets of one observable: one with a calibration that is sampled, the other with one that is fixed."""
    with pytest.MonkeyPatch.context() as patch:
        for name in ("gain", "other"):
            patch.setitem(registry.LIKELIHOODS, f"with_{name}", partial(with_calibration, name))
        study = linear(
            likelihood={"with_gain": {"value": VALUE.tolist()}, "with_other": {"value": (VALUE + 0.1).tolist()}},
            params={
                "x": FLAT | {"drop": True},
                "y": FLAT,
                "gain": {"prior": {"dist": "norm", "loc": 1.0, "scale": 0.05}, "proposal": 0.05},
                "other": 1.1,
                "a": {"value": "lambda x: 2 * x"},
                "total": r"\Sigma",
                "ratio": {"derived": "lambda a, gain: a / gain"},
            },
        )
        yield run_here(study, tmp_path_factory.mktemp("calibrated"))


def with_calibration(name: str, value: list) -> BandLikelihood:
    """The Gaussian data with the model divided by A^2, A the parameter `name`."""
    plain = gaussian_data.gaussian_data("data", value, covariance=COVARIANCE.tolist())
    form = gaussian(np.array(value), COVARIANCE, calibration=name)
    return BandLikelihood(name=f"with_{name}", windows=plain.windows, form=form, points=plain.points)


def calibrated_truth():
    """Moments of (x, y, gain) on a grid."""
    axes = np.linspace(-0.7, 0.9, 61), np.linspace(-0.9, 1.5, 61), np.linspace(0.75, 1.25, 41)
    points = np.stack(np.meshgrid(*axes, indexing="ij"), axis=-1).reshape(-1, 3)
    model = points[:, [1, 0]] * [1.0, 2.0] @ MATRIX.T + OFFSET  # the toy is given y, then a = 2 x
    data = stats.multivariate_normal(np.zeros(2), COVARIANCE)
    log_weight = data.logpdf(model / points[:, 2:] ** 2 - VALUE) + data.logpdf(model / 1.1**2 - VALUE - 0.1)
    weight = np.exp(log_weight + stats.norm(1.0, 0.05).logpdf(points[:, 2]))
    weight /= weight.sum()
    mean = weight @ points
    return mean, np.einsum("n,ni,nj->ij", weight, points - mean, points - mean)


def test_nuisance_parameters_sampled_and_fixed(calibrated_run):
    assert calibrated_run.certificate.outcome is Outcome.PASS
    assert calibrated_run.posterior.names == ("x", "y", "gain")
    assert calibrated_run.emulator.names == ("x", "y")  # what belongs to the likelihoods is not emulated
    assert_moments(calibrated_run.posterior, *calibrated_truth())


def test_derived_parameters_of_every_kind(calibrated_run):
    x, y, gain = calibrated_run.posterior.samples.T
    derived = calibrated_run.posterior.derived
    assert list(derived) == ["a", "total", "ratio"]
    total = (np.column_stack([y, 2 * x]) @ MATRIX.T + OFFSET).sum(axis=1)
    for name, truth in {"a": 2 * x, "total": total, "ratio": 2 * x / gain}.items():
        np.testing.assert_allclose(derived[name], truth, atol=1e-6)
    with np.load(calibrated_run.folder / "posterior.npz", allow_pickle=False) as stored:
        assert stored["derived_names"].tolist() == list(derived)
        assert stored["derived_latex"].tolist() == ["a", r"\Sigma", "ratio"]
        np.testing.assert_array_equal(stored["derived"], np.column_stack(list(derived.values())))


def test_a_banana_passes_and_is_right(banana_run):
    assert banana_run.certificate.outcome is Outcome.PASS
    assert_moments(banana_run.posterior, *banana_truth())


def test_a_theory_of_expressions_passes_and_is_right(curved_run):
    """Emulated and corrected; the KL that is left, 5e-4, allows no shift above 0.03 sigma."""
    assert curved_run.certificate.outcome is Outcome.PASS
    assert curved_run.certificate.kl.estimate > 1e-6  # exp(x) is no polynomial
    assert_moments(curved_run.posterior, *curved_truth())
    assert_moments(curved_run.posterior, *curved_truth(), np.exp(curved_run.log_weights))


@pytest.mark.parametrize("design", ["latin_hypercube", "sobol"])
def test_wide_designs_begin_as_well(design, tmp_path):
    result = run_here(linear(points={"start": design}, seed=3), tmp_path)
    assert result.certificate.outcome is Outcome.PASS
    first = json.loads(next((result.folder / "rounds").rglob("0000.json")).read_text())
    assert np.ptp(first["theta"], axis=0).min() > EDGE  # over most of the prior
    assert_moments(result.posterior, *linear_truth()[:2])


@pytest.mark.parametrize(("bend", "calls"), [(2.0, 27), (0.0, 27)])
def test_a_budget_for_one_verdict_only(bend, calls, tmp_path):
    """A straight posterior passes from three calls; a bent one cannot, and the records say so with advice."""
    result = run_here(banana(bend, accuracy={"calls": calls}), tmp_path)
    found = record(result.folder)
    assert found["solver_calls"]["total"] <= calls
    assert found["outcome"] == "pass" if bend == 0 else found["outcome"] in ("fail", "inconclusive")
    assert bend == 0 or (found["findings"] and "learn" in found["advice"])
    assert not missing_records(result.folder)


def test_every_record_is_written(linear_run):
    _, result = linear_run
    folder = result.folder
    assert not missing_records(folder)
    assert not [p for p in folder.iterdir() if p.name.startswith(".")]  # nothing half-written
    assert record(folder, "failures") == []
    assert record(folder)["seed"] == 1 and {"jax", "numpy", "alfonsine"} <= set(record(folder)["versions"])
    with np.load(folder / "posterior.npz", allow_pickle=False) as stored:
        assert stored["names"].tolist() == ["x", "y"] and stored["derived_names"].tolist() == []
        np.testing.assert_array_equal(stored["samples"], result.posterior.samples)
        np.testing.assert_array_equal(stored["corrected_log_weights"], result.log_weights)


def test_getdist_reads_the_chains(linear_run):
    posterior, folder = linear_run[1].posterior, linear_run[1].folder
    loaded = getdist.loadMCSamples(str(folder / "chain"), settings={"ignore_rows": 0})
    assert loaded.getParamNames().list()[:2] == ["x", "y"] and loaded.getParamNames().numNonDerived() == 2
    assert loaded.numrows == len(posterior)
    np.testing.assert_allclose(loaded.getMeans()[:2], posterior.mean(), rtol=1e-6)
    chi2 = loaded.getParams().chi2__gaussian
    truth = stats.multivariate_normal(VALUE, COVARIANCE).logpdf(loaded.samples[:, :2] @ MATRIX.T + OFFSET)
    np.testing.assert_allclose(chi2, -2 * truth, atol=1e-6)
    np.testing.assert_allclose(loaded.loglikes, -truth - FLAT_PRIOR, atol=1e-6)


def test_the_report_renders(linear_run):
    page = render(linear_run[1].folder).read_text()
    parser = HTMLParser()
    parser.feed(page)
    parser.close()
    assert "pass" in page.lower() and page.rstrip().endswith("</html>")
    assert 'src="http' not in page and "could not be read" not in page


def test_the_same_seed_gives_the_same_run_and_another_another(linear_run, tmp_path):
    again = run_here(linear(), tmp_path / "same")
    np.testing.assert_array_equal(again.posterior.samples, linear_run[1].posterior.samples)
    other = run_here(linear(seed=2), tmp_path / "other")
    assert not np.array_equal(other.posterior.samples[:9], again.posterior.samples[:9])
