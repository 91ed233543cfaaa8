"""Observables go to bytes and back without loss, and nothing but observables comes back."""

import numpy as np
import pytest

from alfonsine.errors import InputError
from alfonsine.theory.observables import Observables


def sample() -> Observables:
    rng = np.random.default_rng(1)
    spectra = {
        "tt": rng.normal(size=7) * 1e-300,
        "a/b c": np.array([np.pi, -0.0, np.nextafter(1, 2)]),
        "none": [],
    }
    return Observables(spectra, {"H0": 67.1 + 1e-14, "100*theta_s": 1 / 3})


def test_bytes_and_back_to_the_last_bit():
    first = sample()
    second = Observables.from_bytes(first.to_bytes())
    assert list(second.spectra) == list(first.spectra)
    for name in first.spectra:
        assert second.spectra[name].tobytes() == first.spectra[name].tobytes()
    assert list(second.derived) == list(first.derived)
    assert {n: v.hex() for n, v in second.derived.items()} == {n: v.hex() for n, v in first.derived.items()}


def test_no_outputs_at_all_survive_as_well():
    again = Observables.from_bytes(Observables().to_bytes())
    assert again.spectra == {} and again.derived == {}


@pytest.mark.parametrize("cut", [0, 3, 8, 60, -1])
def test_cut_bytes_are_refused(cut):
    with pytest.raises(InputError, match="expected serialised observables"):
        Observables.from_bytes(sample().to_bytes()[:cut])


@pytest.mark.parametrize("data", [b"\x80\x04K\x01.", b"\x02\x00\x00\x00\x00\x00\x00\x00[]", b"SQLite format 3\x00" * 9])
def test_foreign_bytes_are_refused(data):
    with pytest.raises(InputError, match="expected serialised observables"):
        Observables.from_bytes(data)


def test_the_record_is_not_changed_through_the_callers_array():
    mine = np.ones(3)
    record = Observables({"tt": mine})
    mine[0] = 5
    assert record.spectra["tt"][0] == 1
    with pytest.raises(ValueError, match="read-only"):
        record.spectra["tt"][0] = 2


def test_a_matrix_is_refused():
    with pytest.raises(InputError, match="1-D vector"):
        Observables({"tt": np.ones((2, 2))})


def test_defects_are_named():
    assert Observables({"tt": np.ones(1)}, {"H0": 1.0}).defect() == ""
    assert "ee, H0" in Observables({"tt": np.ones(1), "ee": np.array([np.inf])}, {"H0": np.nan}).defect()
