"""A covariance matrix in the sampler block gives first steps; a wrong one is told with its line."""

import numpy as np
import pytest
from toy_studies import linear, run_here, write

from alfonsine.errors import InputError
from alfonsine.posterior.formats.covmat import read_covmat
from alfonsine.study.parameters import parameter_space
from alfonsine.study.settings import read_study

COVMAT = "# omegabh2 logA theta other\n4e-8 0 0 0\n0 1e-4 0 0\n0 0 9e-8 0\n0 0 0 1\n"


def study(folder, covmat=COVMAT, sampler="nuts", named="my.covmat"):
    if covmat is not None:
        (folder / "my.covmat").write_text(covmat)
    flat = {"ref": 0.5, "proposal": 0.2}
    params = {
        "omega_b": {"prior": {"min": 0.0, "max": 1.0}, **flat},
        "ln_A_s_1e10": {"prior": {"min": 0.0, "max": 1e-2}, "ref": 5e-3, "proposal": 1e-3},
        "theta_s_100": {"prior": {"min": 0.0, "max": 1.0}, **flat},
    }
    return write(linear(params=params, sampler={sampler: {"covmat": named}}), folder / "study.yaml")


@pytest.mark.parametrize("sampler", ["nuts", "ensemble"])
def test_widths_become_first_steps_of_parameters_of_the_same_meaning(tmp_path, sampler):
    space = parameter_space(read_study(study(tmp_path, sampler=sampler)))
    width_of_prior = 1e-2 / np.sqrt(12)  # the matrix says more, and is of other priors
    np.testing.assert_allclose(space.step, [2e-4, width_of_prior, 0.2], rtol=1e-12)


def test_the_digest_knows_the_widths_and_not_the_file(tmp_path):
    first = read_study(study(tmp_path)).digest
    (tmp_path / "my.covmat").rename(tmp_path / "your.covmat")
    assert read_study(study(tmp_path, None, named="your.covmat")).digest == first
    assert read_study(study(tmp_path, COVMAT.replace("4e-8", "5e-8"))).digest != first


@pytest.mark.parametrize(
    ("covmat", "message"),
    [
        (None, r"my\.covmat: expected a covariance matrix, found no such file"),
        ("# a b\n1 0\n0 1\n", "expected a sampled parameter among its names, got a, b"),
        (COVMAT.replace("4e-8", "-4e-8"), "expected positive variances"),
        (COVMAT.replace("4e-8", "x"), "expected numbers, got .x."),
        ("", "expected a first line"),
    ],
)
def test_a_matrix_of_no_use_is_told_with_its_line(tmp_path, covmat, message):
    with pytest.raises(InputError, match=rf"study\.yaml:\d+: sampler\.nuts\.covmat: .*{message}") as told:
        read_study(study(tmp_path, covmat))
    assert "\n" not in str(told.value)


def test_a_run_leaves_its_covariance_and_another_begins_with_it(tmp_path):
    first = run_here(linear(), tmp_path / "first")
    found = read_covmat(first.folder / "chain.covmat")
    assert found.names == first.posterior.names
    np.testing.assert_array_equal(found.matrix, first.posterior.covariance())
    path = write(linear(sampler={"nuts": {"covmat": str(first.folder / "chain.covmat")}}), tmp_path / "study.yaml")
    np.testing.assert_allclose(parameter_space(read_study(path)).step, first.posterior.std(), rtol=1e-12)
