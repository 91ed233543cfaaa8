"""Emulators written by earlier versions load, and predict what they predicted then."""

import json
from pathlib import Path

import numpy as np
import pytest

from alfonsine.emulator.stored.file import FORMAT, load_emulator

GOLDEN = Path(__file__).parent / "golden"
FILES = sorted(GOLDEN.glob("*.safetensors"))


@pytest.mark.parametrize("path", FILES, ids=lambda p: p.stem)
def test_an_old_file_predicts_what_it_did(path):
    record = json.loads(path.with_suffix(".json").read_text(encoding="utf-8"))
    emulator = load_emulator(path, GOLDEN)  # parts of the user's own, for the one that has such parts
    assert list(emulator.names) == record["names"] and emulator.card == record["card"]
    found = emulator(np.array(record["theta"]))
    assert found.keys() == record["outputs"].keys()
    # 32-bit sines, and the order of 32-bit sums, differ from processor to processor
    tolerance = 1e-5 if "network" in path.stem else 2e-6 if path.stem.endswith(("chebyshev", "dense")) else 1e-12
    for name, values in record["outputs"].items():
        limits = {"rtol": tolerance, "atol": tolerance * np.abs(values).max()}
        np.testing.assert_allclose(found[name], values, **limits, err_msg=name)


def test_todays_format_has_its_golden_file():
    """A format without one could be changed unseen; `write_golden.py` writes it."""
    assert (GOLDEN / f"format-{FORMAT}.safetensors").stat().st_size < 50_000
