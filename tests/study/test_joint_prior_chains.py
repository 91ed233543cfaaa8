"""The chains of a study with priors of several parameters together, as GetDist reads them."""

from dataclasses import replace

import jax.numpy as jnp
import numpy as np
import pytest
from toy_studies import COVARIANCE, EDGE, MATRIX, OFFSET, VALUE, linear, prepared, run_here

from alfonsine.errors import InputError
from alfonsine.posterior.formats.chains import read_chains
from alfonsine.study.infer import complete, study_target
from alfonsine.study.records import write_posterior

PRECISION = MATRIX.T @ np.linalg.inv(COVARIANCE) @ MATRIX
MEAN = np.linalg.solve(PRECISION, MATRIX.T @ np.linalg.inv(COVARIANCE) @ (VALUE - OFFSET))
TILT = np.array([1.5, -0.5])
FLAT = 2 * np.log(2 * EDGE)
# the cut is some ten standard deviations away: it takes nothing, as that of w0 + wa < 0 nearly does
PRIORS = {"far": "lambda x, y: np.log(x + y < 4)", "tilt_xy": "lambda x, y: 1.5*x - 0.5*y"}


@pytest.fixture(scope="module")
def finished(tmp_path_factory):
    folder = tmp_path_factory.mktemp("joint")
    result = run_here(linear(prior=PRIORS), folder)
    return folder / "run" / "chain", result


@pytest.fixture(scope="module")
def getdist_samples(finished):
    getdist = pytest.importorskip("getdist")
    return getdist.loadMCSamples(str(finished[0]), no_cache=True, settings={"ignore_rows": 0})


def test_getdist_makes_every_table_with_the_right_mean(getdist_samples):
    truth = MEAN + np.linalg.solve(PRECISION, TILT)
    width = np.sqrt(np.diag(np.linalg.inv(PRECISION)))
    stats = getdist_samples.getMargeStats()
    found = np.array([stats.parWithName(name).mean for name in ("x", "y")])
    assert np.all(np.abs(found - truth) < 0.2 * width)  # a thousand effective draws: six standard errors
    assert r"\hline" in getdist_samples.getTable().tableTex()
    assert getdist_samples.getInlineLatex("x").startswith("x = ")
    kept = [n for n in getdist_samples.getParamNames().list() if n.startswith("minuslogprior")]
    assert kept == ["minuslogprior", "minuslogprior__tilt_xy"]  # the constant ones it leaves out


def test_every_prior_has_its_own_value_in_every_row(finished):
    root, _ = finished
    head, table = root.with_name("chain.1.txt").read_text().split("\n", 1)
    columns = dict(zip(head.lstrip("#").split(), np.loadtxt(table.splitlines()).T, strict=True))
    assert [n for n in columns if n.startswith("minuslogprior")] == [
        "minuslogprior", "minuslogprior__0", "minuslogprior__far", "minuslogprior__tilt_xy"
    ]  # fmt: skip
    assert np.ptp(columns["minuslogprior__0"]) == 0 and np.ptp(columns["minuslogprior__far"]) == 0
    assert columns["minuslogprior__0"][0] == pytest.approx(FLAT, rel=1e-11)
    assert columns["minuslogprior__far"][0] == 0 and not np.signbit(columns["minuslogprior__far"][0])
    tilt = -(TILT @ [columns["x"], columns["y"]])
    np.testing.assert_allclose(columns["minuslogprior__tilt_xy"], tilt, rtol=1e-9, atol=1e-11)
    np.testing.assert_allclose(columns["minuslogprior"], FLAT + tilt, rtol=1e-10)
    np.testing.assert_allclose(columns["minuslogpost"], columns["minuslogprior"] + columns["chi2"] / 2, rtol=1e-9)


def test_the_priors_are_read_back(finished):
    root, result = finished
    found = read_chains(root)
    assert list(found.log_priors) == ["0", *PRIORS] and not found.derived
    for name, values in result.posterior.log_priors.items():
        np.testing.assert_allclose(found.log_priors[name], values, rtol=1e-9, atol=1e-11)


def test_a_point_beyond_the_domain_has_the_prior_that_it_has(finished, tmp_path):
    """There the sampler sees a soft wall, too; written as a prior, it was a column that GetDist failed on."""
    _, result = finished
    study = prepared(linear(prior=PRIORS), tmp_path)
    target = study_target(study, result.emulator)
    few = result.posterior.take(slice(0, 3))
    corner = np.array([[0.0, 0.0], [-EDGE + 0.1, 0.2], [EDGE - 2.0, 0.4]])
    given = replace(few, samples=corner, log_posterior=np.array([float(target(jnp.asarray(each))) for each in corner]))
    study.folder.mkdir(parents=True)
    write_posterior(study, complete(study, given, target, result.emulator))
    done = read_chains(study.folder / "chain")
    assert np.any(given.log_posterior < done.log_posterior - 1)
    np.testing.assert_allclose(done.log_priors["0"], -FLAT, rtol=1e-12)
    np.testing.assert_allclose(done.log_priors["far"], 0.0, atol=1e-12)
    miss = corner @ MATRIX.T + OFFSET - VALUE
    kernel = -0.5 * np.einsum("ni,ij,nj->n", miss, np.linalg.inv(COVARIANCE), miss)
    wanted = kernel - FLAT + corner @ TILT
    np.testing.assert_allclose(np.diff(done.log_posterior), np.diff(wanted), rtol=1e-6)


@pytest.mark.parametrize("label", ["0", "w0 wa", "w0#", ""])
def test_a_joint_prior_needs_a_name_that_a_column_can_have(label, tmp_path):
    with pytest.raises(InputError, match="expected a name without space"):
        prepared(linear(prior={label: PRIORS["far"]}), tmp_path)
