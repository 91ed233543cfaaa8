"""From settings to the parts of a run, with a likelihood that only states what it needs."""

import sys

import jax.numpy as jnp
import numpy as np
import pytest
from scipy import stats

from alfonsine.errors import InputError
from alfonsine.study.asked import Read
from alfonsine.study.build import build_theory
from alfonsine.study.parameters import parameters
from alfonsine.study.prepare import prepare
from alfonsine.study.read import Source
from alfonsine.study.settings import settings_from

PARAMS = {
    "x": {"prior": [-3, 3], "ref": 0.5, "proposal": 0.1},
    "y": {"prior": [-3, 3], "ref": 0.5, "proposal": 0.1},
    "gain": {"prior": {"dist": "norm", "loc": 1, "scale": 0.01}},
}
REFERENCE = {"x": 0.5, "y": 0.5, "gain": 1.0}


def theory_of(block, spectra=None, **change):
    study = {"theory": block, "likelihood": {"any": None}, "params": PARAMS | change}
    settings = settings_from(study)
    roles = parameters(settings).with_nuisance(["gain"])
    return build_theory(settings, roles, Read(spectra or {"data": 2})), roles


def test_a_linear_toy_is_its_matrix():
    block = {"toy": {"matrix": [[1, 2], [3, 4], [5, 6]], "offset": [1, 1, 1]}}
    theory, roles = theory_of(block)
    computed = theory.compute(roles.theory_inputs(REFERENCE))
    assert np.allclose(computed.spectra["data"], [2.5, 4.5, 6.5])


def test_a_banana_bends():
    theory, roles = theory_of({"toy": {"name": "banana", "bend": 2.0}}, {"band": 2})
    computed = theory.compute(roles.theory_inputs(REFERENCE))
    assert np.allclose(computed.spectra["band"], [0.5, 0.5 + 2.0 * (0.25 - 1)])


def test_misdeeds_and_diaries_are_wrapped_around(tmp_path):
    misdeed = {"deed": "nan", "parameter": "x", "above": 1.0}
    theory, _ = theory_of({"toy": {"misdeed": misdeed, "diary": str(tmp_path / "diary")}})
    assert np.isfinite(theory.compute({"x": 0.0, "y": 0.0}).spectra["data"]).all()
    assert np.isnan(theory.compute({"x": 2.0, "y": 0.0}).spectra["data"]).all()
    assert len((tmp_path / "diary").read_text().splitlines()) == 2


def test_a_function_beside_the_study(tmp_path):
    (tmp_path / "mine.py").write_text(
        "def bands(p):\n    return {'data': [p['x'], 2 * p['y']], 'sum': p['x'] + p['y']}\n"
    )
    study = {"theory": {"python": {"function": "mine:bands"}}, "likelihood": {"any": None}, "params": PARAMS}
    settings = settings_from(study, Source(folder=tmp_path))
    theory = build_theory(settings, parameters(settings).with_nuisance(["gain"]), Read({"data": 2}))
    computed = theory.compute({"x": 1.0, "y": 2.0})
    assert computed.spectra["data"].tolist() == [1.0, 4.0]
    assert "mine" not in sys.modules


def test_class_computes_what_is_asked():
    block = {"classy": {"extra_args": {"m_ncdm": [0.01, 0.05], "N_ncdm": 2}, "spectra": ["pp"]}}
    theory, _ = theory_of(block, {"tt": 2508, "ee": 1996}, H0=None, S8={"derived": "lambda H0: H0"})
    assert set(theory.spectra) == {"tt", "ee", "pp"}
    assert (theory.l_max, theory.derived) == (2508, ("H0",))
    assert theory.settings == {"m_ncdm": "0.01,0.05", "N_ncdm": 2}


GAUSSIAN = {"gaussian": {"observable": "data", "value": [0.1, 0.2], "error": 0.5}}


def test_a_whole_study(tmp_path):
    params = {name: PARAMS[name] for name in ("x", "y")}
    settings = settings_from({"theory": {"toy": None}, "likelihood": GAUSSIAN, "params": params})
    study = prepare(settings, tmp_path / "run")
    computed = study.theory.compute(study.parameters.theory_inputs(REFERENCE))
    gaussian = study.likelihoods["gaussian"]
    bands = gaussian.bands({name: jnp.asarray(v) for name, v in computed.spectra.items()})
    truth = stats.norm(0, 0.5).logpdf([0.4, 0.3]).sum()
    assert float(gaussian.log_likelihood(bands, jnp.zeros(0))) == pytest.approx(truth, abs=1e-12)
    assert study.space.names == ("x", "y")
    assert not (tmp_path / "run").exists()


def test_a_likelihood_without_its_parameter(tmp_path, data_folder):
    data_folder("planck2018_lite")
    settings = settings_from(
        {"theory": {"classy": None}, "likelihood": {"planck_2018_lite": None}, "params": {"n_s": PARAMS["x"]}}
    )
    with pytest.raises(InputError, match=r"likelihood\.planck_2018_lite: expected its parameter 'A_planck' in params"):
        prepare(settings, tmp_path / "run")


@pytest.mark.parametrize(
    ("block", "message"),
    [
        ({"classy": {"l_max": 1000}}, "expected l_max of at least 2508 for these likelihoods, got 1000"),
        ({"classy": {"extra_args": {"a": {"b": 1}}}}, "expected a number, text or list in extra_args"),
        ({"toy": {"matrix": [[1, 2, 3]]}}, "expected rows of 2 numbers"),
        ({"toy": {"matrix": [[1, 2]]}}, "expected 2 rows of matrix, one for each number observed, got 1"),
        ({"toy": {"offset": [1]}}, "expected an offset of 2 numbers, got 1"),
        (
            {"toy": {"misdeed": {"deed": "nan", "parameter": "z", "above": 0}}},
            "expected one of the parameters x, y, got 'z'",
        ),
    ],
)
def test_theories_that_do_not_fit(block, message):
    with pytest.raises(InputError, match=message):
        theory_of(block, {"tt": 2508} if "classy" in block else {"data": 3})
