"""A folder of data in a study: what it says where the two do not fit, with the place in both files."""

import pytest
from small_experiment import small_experiment

from alfonsine.errors import InputError
from alfonsine.study.prepare import prepare
from alfonsine.study.read import read_yaml
from alfonsine.study.settings import settings_from

STUDY = """
theory:
  toy: {name: twisted, bands: 8000}
likelihood:
  cmb_lite.north: {folder: north}
params:
  x: {prior: {min: -1, max: 1}}
  y: {prior: {min: -1, max: 1}}
"""


@pytest.mark.parametrize(
    ("params", "message"),
    [
        (
            "",
            "study.yaml:4: likelihood.cmb_lite.north: expected its parameter 'A_map' in params, got none; "
            "add 'A_map: {prior: {dist: norm, loc: 1, scale: 0.01}}', with the prior of your data, or a number to fix "
            "it: 'A_map: 1'",
        ),
        ("  A_map: 1\n  P_Map: 1\n", "expected its parameter 'P_map' in params, got none; add 'P_map: {prior: {dist"),
        ("  A_map: 1\n  P_Map: 1\n", "; did you mean 'P_Map'?"),
        (
            "  A_map: 1\n  P_map: 'P'\n",
            "study.yaml:9: params.P_map: expected a prior or a number for this parameter of the likelihood "
            "cmb_lite.north, got neither; write 'P_map: {prior: {dist: norm, ",
        ),
        (
            "  A_map: 1\n  P_map: {prior: {min: 0.9, max: 1.1}}\n",
            "expected its parameter 'A_dust' in params, got none; add 'A_dust: {prior: {min: 0, max: 1}}'",
        ),
    ],
)
def test_a_folder_of_data_whose_parameters_have_no_prior(tmp_path, params, message):
    (tmp_path / "north").mkdir()
    small_experiment(tmp_path / "north")
    (tmp_path / "study.yaml").write_text(STUDY.lstrip() + params)
    with pytest.raises(InputError) as error:
        prepare(settings_from(*read_yaml(tmp_path / "study.yaml")), tmp_path / "run")
    assert message in str(error.value)


def test_a_folder_of_data_names_its_place_once(tmp_path):
    (tmp_path / "north").mkdir()
    small_experiment(tmp_path / "north", units="muK")
    (tmp_path / "study.yaml").write_text(STUDY.lstrip())
    with pytest.raises(InputError) as error:
        prepare(settings_from(*read_yaml(tmp_path / "study.yaml")), tmp_path / "run")
    begin = f"study.yaml:4: likelihood.cmb_lite.north: {tmp_path}/north/data.yaml:46: units: expected 'C_l', "
    assert str(error.value).startswith(begin)
