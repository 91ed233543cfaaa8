"""Draws of an earlier posterior, out of a file that may be damaged."""

import numpy as np
import pytest

from alfonsine.errors import InputError
from alfonsine.study.earlier import _draws, read_earlier
from alfonsine.study.records import read_certificate


def posterior(folder):
    rng = np.random.default_rng(1)
    found = {"samples": rng.normal(size=(50, 2)), "derived": rng.normal(size=(50, 1)), "weights": np.ones(50)}
    np.savez(folder / "posterior.npz", **found, names=np.array(["x", "y"]), derived_names=np.array(["z"]))
    return folder / "posterior.npz"


def test_draws_are_rows_of_the_posterior(tmp_path):
    with np.load(posterior(tmp_path)) as stored:
        rows = {tuple(row) for row in np.hstack([stored["samples"], stored["derived"]]).tolist()}
    draws = _draws("earlier", tmp_path, 1)
    assert list(draws) == ["x", "y", "z"]
    assert set(zip(*(draws[name].tolist() for name in "xyz"), strict=True)) <= rows
    assert _draws("earlier", tmp_path / "nowhere", 1) == {}


def test_a_damaged_file_is_told_in_one_line_or_changes_nothing(tmp_path):
    """Every stretch of ten bytes overwritten in turn; the archive has checksums, so that no number is wrong."""
    path = posterior(tmp_path)
    raw, sound = path.read_bytes(), _draws("earlier", tmp_path, 1)
    told = 0
    for first in range(0, len(raw), 10):
        path.write_bytes(raw[:first] + bytes(b ^ 0x55 for b in raw[first : first + 10]) + raw[first + 10 :])
        try:
            found = _draws("earlier", tmp_path, 1)
        except InputError as error:
            assert "\n" not in str(error) and "delete it" in str(error)
            told += 1
        else:
            assert all(np.array_equal(found[name], sound[name]) for name in "xyz")
    assert told > 0.8 * len(raw) / 10


def test_a_study_that_is_damaged_is_told_to_be_the_earlier_one(tmp_path):
    (tmp_path / "study.yaml").write_text("theory: {toy: \n")
    (tmp_path / "archive.sqlite").touch()
    with pytest.raises(InputError, match=r"expected the study of an earlier run in '.*', got study\.yaml:\d: expected"):
        read_earlier(str(tmp_path), None, {}, 1)


@pytest.mark.parametrize("content", [b"", b"\xff\xfe", b"[]", b'{"outcome": "pass"}', None])
def test_a_damaged_certificate_is_named(tmp_path, content):
    path = tmp_path / "certificate.json"
    assert read_certificate(tmp_path) is None
    path.mkdir() if content is None else path.write_bytes(content)
    with pytest.raises(InputError, match=r"expected a certificate in '.*certificate\.json', got .*; delete it") as told:
        read_certificate(tmp_path)
    assert "\n" not in str(told.value)
