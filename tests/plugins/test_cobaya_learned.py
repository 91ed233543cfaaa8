"""CLASS in a Cobaya input, learned by one added line, against CLASS itself in the same input."""

import json

import numpy as np
import pytest

pytest.importorskip("cobaya")

from cobaya.log import LoggedError
from cobaya.model import get_model

from alfonsine.study.certify import recertify
from alfonsine.study.prepare import prepare
from alfonsine.study.progress import Silent
from alfonsine.study.settings import read_study

INPUT = {
    "theory": {"classy": {"extra_args": {"N_ur": 3.044}}},
    "likelihood": {"cobaya_examples.Expansion": None},
    "params": {
        "H0": {"prior": [50, 90], "ref": {"dist": "norm", "loc": 67, "scale": 0.5}, "proposal": 0.5, "latex": "H_0"},
        "omegabh2": {"value": 0.0224, "drop": True},
        "omega_b": "lambda omegabh2: omegabh2",
        "omega_cdm": {"prior": {"min": 0.05, "max": 0.3}, "ref": 0.12, "proposal": 0.003},
        "Omega_m": None,
        "age": {"latex": "t_0"},
        "S": {"derived": "lambda H0, Omega_m: H0 * Omega_m"},
    },
    "prior": {"tilt": "lambda H0, omega_cdm: -0.5*((H0 + 10*omega_cdm - 69)/20)**2"},
    "stop_at_error": True,
}


def learned(**options):
    info = json.loads(json.dumps(INPUT))
    info["theory"]["classy"] |= {"class": "alfonsine.plugins.cobaya.classy", **options}
    return info


LOOP = {"accuracy": {"judging": 12, "calls": 60}, "compute": {"workers": 1}}


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return tmp_path_factory.mktemp("learned") / "run"


@pytest.fixture(scope="module")
def model(folder):
    with get_model(learned(output=str(folder), loop=LOOP)) as found:
        yield found


def test_the_line_that_is_added_runs_the_whole_loop(model, folder):
    certificate = json.loads((folder / "certificate.json").read_text())
    assert certificate["outcome"] == "pass" and 12 < certificate["solver_calls"]["total"] <= 60
    assert (folder / "report.html").exists()


def test_it_is_the_posterior_of_class_itself(model):
    exact = get_model(json.loads(json.dumps(INPUT)))
    point = {"H0": 67.0, "omega_cdm": 0.12}
    for change in ({}, {"H0": 68.0}, {"omega_cdm": 0.125}):
        ours, theirs = (each.logposterior(point | change) for each in (model, exact))
        assert ours.loglike == pytest.approx(theirs.loglike, abs=0.02)
        np.testing.assert_allclose(ours.logpriors, theirs.logpriors)
        names = [list(each.parameterization.derived_params()) for each in (model, exact)]
        mine, other = (dict(zip(n, r.derived, strict=True)) for n, r in zip(names, (ours, theirs), strict=True))
        for name in ("Omega_m", "age", "S"):
            assert mine[name] == pytest.approx(other[name], rel=1e-4)


def test_a_finished_run_is_not_made_again(model, folder):
    written = (folder / "certificate.json").stat().st_mtime_ns
    again = get_model(learned(output=str(folder), loop=LOOP))
    assert (folder / "certificate.json").stat().st_mtime_ns == written
    point = {"H0": 66.0, "omega_cdm": 0.13}
    assert again.loglike(point, return_derived=False) == model.loglike(point, return_derived=False)


def test_its_folder_holds_the_study_that_it_was(model, folder):
    """With the same digest, so that `alfonsine certify` and the like take it; found by its own `output`."""
    settings = read_study(folder / "study.yaml")
    assert settings.digest == json.loads((folder / "certificate.json").read_text())["study"]
    assert settings.folder == folder and settings.theory.code == "classy"
    found = recertify(prepare(settings, settings.folder), 12, Silent())
    assert found.passed and found.n_judged == 12


def test_its_covariance_serves_the_sampler(model, folder):
    found = model.get_auto_covmat()
    names = (folder / found["name"]).read_text().splitlines()[0].lstrip("# ").split()
    assert {"H0", "omega_cdm"} <= set(names) and found["folder"] == str(folder)


def test_outside_of_what_was_learned_there_is_no_likelihood(model):
    assert model.loglike({"H0": 51.0, "omega_cdm": 0.29}, return_derived=False) == -np.inf
    model.close()  # which says how many points lay outside, while there is a log to say it in


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"loop": {"acuracy": {}}}, "expected blocks of loop among"),
        ({"loop": {"accuracy": {"kl": -1}}}, "theory.classy.loop.accuracy.kl: expected"),
        ({"extra_args": {"N_urr": 3.0}}, "theory.classy.extra_args.N_urr: expected"),
    ],
)
def test_what_does_not_fit_is_one_line(change, message, tmp_path):
    with pytest.raises(LoggedError) as error:
        get_model(learned(output=str(tmp_path / "run"), **{"loop": LOOP, **change}))
    assert message in str(error.value) and "\n" not in str(error.value)


def test_a_function_of_the_program_is_refused(tmp_path):
    info = learned(output=str(tmp_path / "run"), loop=LOOP)
    info["likelihood"] = {"one": {"external": lambda _self: 0.0, "requires": {"Hubble": {"z": [0.5]}}}}
    with pytest.raises(LoggedError, match="worker processes can load"):
        get_model(info)


def test_a_certificate_that_does_not_pass_stops_the_sampler(tmp_path):
    with pytest.raises(LoggedError, match="expected a certificate that passes, got"):
        get_model(
            learned(output=str(tmp_path / "run"), loop=LOOP | {"accuracy": {"kl": 1e-9, "judging": 12, "calls": 15}})
        )
