"""CLASS with functions of the user's own; and what identifies a theory, to the byte."""

import json

import numpy as np
import pytest
from scipy.integrate import quad

from alfonsine.errors import InputError
from alfonsine.theory import classy as ours
from alfonsine.theory import trial
from alfonsine.theory.archive import Archive
from alfonsine.theory.classy import ClassTheory
from alfonsine.theory.engine import compute
from alfonsine.theory.grids import Background, MatterPower, Thermodynamics
from alfonsine.theory.output import described
from alfonsine.theory.theory import TheoryError
from alfonsine.theory.user_function import UserFunction

SOURCE = """
import numpy as np
def total_matter(parameters):
    rest = {k: v for k, v in parameters.items() if k != "omega_m"}
    return rest | {"omega_cdm": np.float64(parameters["omega_m"] - parameters["omega_b"])}
def misspelt(parameters):
    return {"omega_bb": parameters["omega_b"]}
def not_a_dict(parameters):
    return 3.0
def infinite(parameters):
    return {"H0": np.inf}
def broken(parameters):
    return {"H0": parameters["nowhere"]}
def two_species(parameters):
    m = parameters["m_total"]
    return {"N_ncdm": 2, "m_ncdm": f"{0.4 * m},{0.6 * m}", "H0": parameters["H0"]}
def distance_modulus(cosmo):
    return 5 * np.log10(cosmo.luminosity_distance(np.array([0.1, 1.0]))) + 25
def age(cosmo):
    return cosmo.age()
def words(cosmo):
    return "old"
"""
POINT = {"omega_m": 0.1424, "omega_b": 0.0224, "H0": 67.3}


@pytest.fixture
def mine(tmp_path):
    (tmp_path / "mine.py").write_text(SOURCE)
    return lambda name: UserFunction.of(f"mine:{name}", tmp_path)


def test_parameters_are_transformed_and_outputs_added_in_workers(mine, tmp_path):
    custom = {"modulus": mine("distance_modulus"), "my_age": mine("age")}
    theory = ClassTheory({}, (), derived=("Omega_cdm", "age"), custom=custom, inputs=mine("total_matter"))
    theory.check(POINT)
    with Archive(tmp_path / "a.db") as archive:
        (call,) = compute(theory, [POINT], archive, workers=1, timeout=60)
    assert call.done, call.reason
    found = call.observables
    assert found.derived["Omega_cdm"] == pytest.approx(0.12 / 0.673**2, rel=1e-9)
    assert found.derived["my_age"] == found.derived["age"]
    # flat LCDM by hand, radiation included as matter and Lambda leave it
    radiation = 2.47282e-5 * (1 + 3.044 * 7 / 8 * (4 / 11) ** (4 / 3)) / 0.673**2
    matter = 0.1424 / 0.673**2
    rate = lambda z: np.sqrt(radiation * (1 + z) ** 4 + matter * (1 + z) ** 3 + 1 - radiation - matter)  # noqa: E731
    distance = [quad(lambda z: 1 / rate(z), 0, end)[0] * (1 + end) * 299792.458 / 67.3 for end in (0.1, 1.0)]
    np.testing.assert_allclose(found.spectra["modulus"], 5 * np.log10(distance) + 25, rtol=1e-6)
    outputs = described(found, theory.outputs())
    assert outputs["modulus"].axes[0].name == "index" and outputs["modulus"].size == 2
    assert outputs["derived"].labels == ("Omega_cdm", "age", "my_age")


def test_words_and_lists_may_come_from_a_transformation(mine):
    theory = ClassTheory({"N_ur": 1.0}, (), derived=("m_ncdm_tot",), inputs=mine("two_species"))
    assert theory.told({"m_total": 0.1, "H0": 67.0})["N_ncdm"] == "2"
    found = theory.compute({"m_total": 0.1, "H0": 67.0})
    assert found.derived["m_ncdm_tot"] == pytest.approx(0.1, rel=2e-2)  # CLASS's own number holds for other T_ncdm


@pytest.mark.parametrize(
    ("inputs", "custom", "match"),
    [
        ("misspelt", "age", "parameters from mine:misspelt that CLASS reads, got 'omega_bb'; did you mean 'omega_b'"),
        ("broken", "age", "got 'mine:broken failed: KeyError: 'nowhere''"),
        ("total_matter", "agee", "expected to import mine:agee from .*no function 'agee'"),
    ],
)
def test_check_works_through_the_functions(inputs, custom, match, mine, monkeypatch):
    monkeypatch.setattr(trial, "run_apart", lambda function, *arguments, timeout: function(*arguments))
    theory = ClassTheory({}, (), inputs=mine(inputs), custom={"x": mine(custom)})
    with pytest.raises(InputError, match=match) as error:
        theory.check(POINT)
    assert "\n" not in str(error.value)


@pytest.mark.parametrize(
    ("inputs", "custom", "match"),
    [
        ("not_a_dict", "age", "expected a dict of inputs from mine:not_a_dict, got float"),
        ("infinite", "age", "expected finite numbers or words from mine:infinite, got H0: inf"),
        ("total_matter", "words", "expected numbers in 'x' of mine:words, got str"),
    ],
)
def test_functions_that_return_something_else(inputs, custom, match, mine):
    theory = ClassTheory({}, (), inputs=mine(inputs), custom={"x": mine(custom)})
    with pytest.raises(TheoryError, match=match):
        theory.compute(POINT)


def test_an_output_of_your_own_may_need_more_of_class(mine):
    assert ClassTheory({"output": "mTk"}, (), custom={"x": mine("age")}).told({})["output"] == "mTk"
    with pytest.raises(InputError, match="use spectra and derived instead"):
        ClassTheory({"output": "mTk"})
    with pytest.raises(InputError, match="got 'sigma8', which CLASS has"):
        ClassTheory(custom={"sigma8": mine("age")})


OLD = [
    (
        ClassTheory({"N_ur": 3.044, "l_linstep": 20}, ("tt", "te", "ee", "pp"), 2508, ("H0", "sigma8")),
        '{"build":"0123456789abcdef","code":"class","outputs":{"derived":["H0","sigma8"],"l_max":2508,'
        '"spectra":["tt","te","ee","pp"]},"settings":{"N_ur":"3.044","l_linstep":"20"},"version":"3.4.1.0"}',
        "00f002edbe078a99b1db653ff67f91d8c1da42755f478c80877dc326b3139e7a",
    ),
    (
        ClassTheory({}, (), 2, ("H0",)),
        '{"build":"0123456789abcdef","code":"class","outputs":{"derived":["H0"],"spectra":[]},"settings":{},'
        '"version":"3.4.1.0"}',
        "642bd5f33586fea8f3da501ed4cbee4c3622574f1064c3e7f95c9aa529d6faa5",
    ),
    (
        ClassTheory({"lensing": "no", "tau": 0.06}, ("tt", "tp"), 600),
        '{"build":"0123456789abcdef","code":"class","outputs":{"derived":[],"l_max":600,"spectra":["tt","tp"]},'
        '"settings":{"lensing":"no","tau_reio":"0.06"},"version":"3.4.1.0"}',
        "53d725d78d6150f765bab8bd18fb2f328b7d5095b5b281393579d711e94ef1bd",
    ),
]


@pytest.mark.parametrize(("theory", "canonical", "key"), OLD, ids=["spectra", "derived", "unlensed"])
def test_archives_of_old_stay_valid(theory, canonical, key, monkeypatch):
    """Taken from the version that knew nothing but spectra and derived numbers: what it computed is still found."""
    monkeypatch.setattr(ours, "class_version", lambda: ("3.4.1.0", "0123456789abcdef"))
    assert json.dumps(theory.identity(), sort_keys=True, separators=(",", ":")) == canonical
    assert Archive.key(theory.identity(), {"omega_b": 0.0224, "n_s": 0.965}) == key


def test_identity_feels_every_output_and_every_digit_of_its_grid(mine, tmp_path):
    power = MatterPower(("pk_lin",), (0.1, 1.0), (0.0,))
    theories = [
        ClassTheory(),
        ClassTheory(unlensed=("tt",)),
        ClassTheory(multipoles="nodes"),
        ClassTheory(matter_power=power),
        ClassTheory(matter_power=MatterPower(("pk_lin",), (0.1, float(np.nextafter(1, 2))), (0.0,))),
        ClassTheory(background=Background(("H",), (0.0,))),
        ClassTheory(background=Background(("D_A",), (0.0,))),
        ClassTheory(thermodynamics=Thermodynamics(("x_e",), (0.0,))),
        ClassTheory(custom={"x": mine("age")}),
        ClassTheory(custom={"y": mine("age")}),
        ClassTheory(inputs=mine("total_matter")),
    ]
    (tmp_path / "mine.py").write_text(SOURCE + "\n# edited")
    theories += [ClassTheory(custom={"x": mine("age")}), ClassTheory(inputs=mine("total_matter"))]
    keys = [Archive.key(theory.identity(), POINT) for theory in theories]
    assert len(set(keys)) == len(keys)
    listed = ClassTheory(multipoles=ClassTheory(multipoles="nodes")._ell)
    assert listed.identity() == ClassTheory(multipoles="nodes").identity()
