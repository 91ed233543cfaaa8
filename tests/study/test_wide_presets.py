"""The networks of CONNECT and CosmoPower as presets of a design study."""

import numpy as np
import pytest
from box_studies import SMALL, fresh, prepared, write

from alfonsine.emulator.stored.file import load_emulator
from alfonsine.errors import InputError
from alfonsine.study.settings import read_study
from alfonsine.study.wide import train_box


def test_a_preset_without_a_design_is_refused(tmp_path):
    likelihood = {"gaussian": {"observable": "shape", "value": [1.0], "covariance": [[1.0]]}}
    with pytest.raises(InputError, match="expected a design for the preset connect"):
        read_study(write(tmp_path, design=None, likelihood=likelihood, emulator={"preset": "connect"}))


@pytest.mark.slow
@pytest.mark.parametrize(
    "emulator",
    [
        {"preset": "connect", "options": SMALL | {"loss": "mean_square"}, "members": 2},
        {"preset": "cosmopower", "options": SMALL | {"log10": ["shape"], "components": {"wave": 3}, "rates": [0.01]}},
    ],
    ids=lambda e: e["preset"],
)
def test_presets_are_trained_stored_and_not_trained_again(tmp_path, emulator):
    path = write(tmp_path, emulator=emulator)
    one = train_box(prepared(path))
    assert one.card["preset"] == emulator["preset"]
    states = {p: p.stat().st_mtime_ns for p in (tmp_path / "run" / "training").rglob("state.safetensors")}
    assert states
    two = train_box(prepared(path))
    assert states == {p: p.stat().st_mtime_ns for p in states}
    stored = load_emulator(tmp_path / "run" / "emulator.safetensors")
    theta = fresh()
    for name, values in one(theta).items():
        np.testing.assert_array_equal(values, two(theta)[name])
        np.testing.assert_array_equal(values, stored(theta)[name])
        assert np.isfinite(values).all()
