"""Likelihoods by name: what is said of names and options that do not exist."""

import pytest

from alfonsine.errors import InputError
from alfonsine.likelihood.registry import LIKELIHOODS, load_likelihood


@pytest.mark.parametrize(
    ("name", "options", "message"),
    [
        ("planck_2018_light", {}, "did you mean 'planck_2018_lite'"),
        ("mock", {}, "did you mean 'mock_cmb'"),
        ("zzz", {}, "known: .*gaussian, mock_cmb"),
        ("mock_cmb", {"spectrum": "TT"}, "did you mean 'spectra'"),
        ("mock_cmb", {"spectra": ["TT"]}, "expected spectra: a word"),
        ("planck_2018_lite", {"low_l_tt_bins": "yes"}, "true or false"),
        ("planck_2018_lowl_ee", {"spectra": "EE"}, "it has none"),
        ("gaussian", {"value": [1.0]}, "expected the option 'observable'"),
    ],
)
def test_names_and_options(name, options, message):
    with pytest.raises(InputError, match=message):
        load_likelihood(name, options)


@pytest.mark.parametrize("name", [n for n in LIKELIHOODS if n.startswith("planck")])
def test_absent_data_say_how_to_get_them(name, tmp_path, monkeypatch):
    monkeypatch.setenv("ALFONSINE_DATA", str(tmp_path))
    with pytest.raises(InputError, match="missing; try 'alfonsine data install planck2018_") as error:
        load_likelihood(name)
    assert str(tmp_path) in str(error.value) and "\n" not in str(error.value)
