"""Settings: defaults, Cobaya's short forms, and one line for whatever does not fit."""

import copy

import pydantic
import pytest

from alfonsine.errors import InputError
from alfonsine.space.expression import Expression
from alfonsine.study.settings import read_study, settings_from

STUDY = {
    "theory": {"classy": {"extra_args": {"N_ur": 2.0308}}},
    "likelihood": {"mock_cmb": None},
    "params": {
        "n_s": {"prior": {"min": 0.9, "max": 1.0}, "ref": 0.96, "proposal": 0.004},
        "logA": {"prior": [2.9, 3.1], "drop": True},
        "A_s": "lambda logA: 1e-10*np.exp(logA)",
        "m_ncdm": 0.06,
        "H0": None,
        "sigma8": r"\sigma_8",
        "S8": {"derived": "lambda sigma8: sigma8"},
    },
}


def changed(path, value):
    """A copy of STUDY with one value put, or with KeyError taken away."""
    study = copy.deepcopy(STUDY)
    *above, last = path.split(".")
    block = study
    for key in above:
        block = block.setdefault(key, {})
    if value is KeyError:
        del block[last]
    else:
        block[last] = value
    return study


def test_kinds_of_parameters():
    params = settings_from(STUDY).params
    kinds = {name: p.kind for name, p in params.items()}
    assert kinds == {
        "n_s": "sampled",
        "logA": "sampled",
        "A_s": "computed",
        "m_ncdm": "fixed",
        "H0": "derived",
        "sigma8": "derived",
        "S8": "derived",
    }
    assert params["logA"].prior.max == 3.1
    assert params["n_s"].ref.loc == 0.96
    assert params["sigma8"].latex == r"\sigma_8"
    assert isinstance(params["S8"].derived, Expression)


def test_defaults_and_empty_blocks():
    settings = settings_from(STUDY | {"accuracy": None, "sampler": {"nuts": None}})
    assert settings.accuracy.kl == 0.01
    assert settings.sampler.nuts.chains == 16
    assert settings.compute.workers == "auto"
    assert settings.theory.code == "classy"
    assert settings.likelihood == {"mock_cmb": {}}


def test_settings_are_frozen():
    settings = settings_from(STUDY)
    with pytest.raises(pydantic.ValidationError, match="frozen"):
        settings.seed = 3


def test_the_run_folder_is_named_after_the_study(tmp_path):
    path = tmp_path / "lcdm.yaml"
    path.write_text("theory: {toy: }\nlikelihood: {mock_cmb: }\nparams: {x: {prior: [0, 1]}}")
    assert read_study(path).folder.parts == ("runs", "lcdm")
    path.write_text(path.read_text() + "\noutput: chains/a")
    assert read_study(path).folder.parts == ("chains", "a")
    assert read_study(path).source.text == path.read_text()


@pytest.mark.parametrize(
    ("path", "value", "message"),
    [
        (
            "accuracy.kl",
            "small",
            r'accuracy\.kl: expected a positive number at most 10, got "small"; try 0\.01',
        ),
        ("accuracy.kl", -1, r"accuracy\.kl: expected a positive number .* got -1; try 0\.01"),
        ("accuracy.kl", float("nan"), r"accuracy\.kl: expected a positive number .* got nan"),
        ("accuracy.k", 1, r"accuracy: unknown key 'k'; did you mean 'kl'\?"),
        ("accuracy", 3, r"accuracy: expected a mapping \(kl, shift, calls, judging\), got 3"),
        ("accuracy.judging", 500, r"accuracy: expected a budget of calls above the 500 of one verdict"),
        ("acuracy.kl", 1, r"unknown key 'acuracy'; did you mean 'accuracy'\?"),
        ("compute.workers", 0, r"compute\.workers: expected a whole number from 1 to 4096 or auto, got 0"),
        ("compute.workers", True, r"compute\.workers: expected a whole number .* got true"),
        ("compute.timeout", 0, r"compute\.timeout: expected a positive number .* got 0; try 300"),
        (
            "emulator.network",
            "maybe",
            r"emulator\.network: expected one of auto, never, always, got \"maybe\"",
        ),
        (
            "points.start",
            "sobel",
            r"points\.start: expected one of auto, steps, search, latin_hypercube, sobol.*; did you mean 'sobol'",
        ),
        ("seed", 1.5, r"seed: expected a whole number .* got 1\.5"),
        ("output", 3, r"output: expected text, got 3"),
        ("sampler.mcmc", {}, r"sampler: unknown key 'mcmc'; known: ensemble, nuts"),
        (
            "sampler.nuts.chains",
            1,
            r"sampler\.nuts\.chains: expected a whole number from 2 to 1024, got 1; try 16",
        ),
        ("theory", KeyError, r"expected 'theory', got none; try classy:"),
        ("theory", {}, r"theory: expected one theory code, got 0"),
        ("theory", "classy", r"theory: expected a mapping \(classy, camb, python, toy\), got \"classy\""),
        ("theory", {"clasy": {}}, r"theory: unknown key 'clasy'; did you mean 'classy'\?"),
        ("theory", {"classy": None, "toy": None}, r"theory: expected one theory code, got 2"),
        (
            "theory",
            {"python": None},
            r"theory\.python: expected 'function', got none; try my_module:my_function",
        ),
        (
            "theory",
            {"python": {"function": "os; system"}},
            r"theory\.python\.function: expected text of another",
        ),
        ("theory.classy.extra_args", 3, r"theory\.classy\.extra_args: expected a mapping, got 3"),
        ("theory.classy.spectra", "tt", r"theory\.classy\.spectra: expected a list, got \"tt\""),
        ("likelihood", {}, r"expected a likelihood, or a design for an emulator without one, got neither"),
        ("likelihood.mock_cmb", 3, r"likelihood\.mock_cmb: expected a mapping, got 3"),
        ("params", KeyError, r"expected 'params', got none"),
        ("params", {}, r"params: expected a mapping with at least one entry"),
        ("params.n_s", True, r"params\.n_s: expected a mapping .* got true"),
        ("params.n_s", [1], r"params\.n_s: expected a mapping .* got a list"),
        ("params.n_s.prior", 3, r"params\.n_s\.prior: expected a mapping .* got 3; try {min: 0, max: 1}"),
        ("params.n_s.prior.min", 2, r"params\.n_s\.prior: expected min below max, got min 2, max 1"),
        ("params.n_s.prior.min", "0,9", r"params\.n_s\.prior\.min: expected a number, got \"0,9\""),
        ("params.n_s.prior.mn", 2, r"params\.n_s\.prior: unknown key 'mn'; did you mean 'min'\?"),
        (
            "params.n_s.prior.scale",
            2,
            r"params\.n_s\.prior: expected min and max of a uniform prior, got loc or",
        ),
        (
            "params.n_s.prior",
            {"min": 0},
            r"params\.n_s\.prior: expected min and max of a uniform prior, got min only; try",
        ),
        ("params.n_s.prior", {}, r"params\.n_s\.prior: expected min and max of a uniform prior, got none; try"),
        ("params.n_s.prior", {"dist": "norm", "loc": 0}, r"params\.n_s\.prior: expected loc and scale"),
        (
            "params.n_s.prior.dist",
            "gauss",
            r"params\.n_s\.prior\.dist: expected uniform or norm, got \"gauss\"",
        ),
        ("params.n_s.ref", "a", r"params\.n_s\.ref: expected a mapping .* got \"a\"; try 0\.5"),
        ("params.n_s.proposal", -1, r"params\.n_s\.proposal: expected a positive number, got -1"),
        (
            "params.n_s.value",
            3,
            r"params\.n_s: expected one of prior, value and derived, got prior and value",
        ),
        ("params.H0", {"derived": False}, r"params\.H0: expected a prior, a value or derived: true"),
        ("params.H0", {"derived": True, "ref": 70}, r"params\.H0: expected ref beside a prior only"),
        (
            "params.H0",
            {"derived": True, "drop": True},
            r"params\.H0: expected drop for a parameter with a value",
        ),
        ("params.H0.derived", 3, r"params\.H0\.derived: expected true or false or 'lambda"),
        ("params.n_s.drop", "yes", r"params\.n_s\.drop: expected true or false, got \"yes\""),
        ("params.A_s", {"value": "exp(logA"}, r"params\.A_s\.value: expected an expression, got 'exp\(logA'"),
        ("params.A_s", {"value": "lambda a: open(a)"}, r"params\.A_s\.value: expected numbers, parameters, "),
    ],
)
def test_what_does_not_fit_is_told_in_one_line(path, value, message):
    study = changed(path, value) if path != "params.H0.derived" else changed("params.H0", {"derived": value})
    with pytest.raises(InputError, match=rf"\Astudy: {message}[^\n]*\Z"):
        settings_from(study)


def test_messages_name_the_line(tmp_path):
    path = tmp_path / "my.yaml"
    path.write_text("theory: {toy: }\nlikelihood: {mock_cmb: }\nparams: {x: {prior: [0, 1]}}\naccuracy:\n  kk: 1\n")
    with pytest.raises(InputError, match=r"\Amy\.yaml:5: accuracy: unknown key 'kk'"):
        read_study(path)
