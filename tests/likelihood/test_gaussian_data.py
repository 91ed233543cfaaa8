"""A user's data, inline and from files, against scipy; and what is said of data that do not fit."""

import io
import zipfile

import jax.numpy as jnp
import numpy as np
import pytest
from scipy.stats import multivariate_normal

from alfonsine.errors import InputError
from alfonsine.likelihood.registry import load_likelihood

VALUE, COVARIANCE = [1.0, 3.0], [[0.5, 0.1], [0.1, 0.2]]
MODEL = [1.2, 2.5]


def log_likelihood(options):
    likelihood = load_likelihood("gaussian", {"observable": "distance", "value": VALUE} | options)
    assert likelihood.spectra == {"distance": 3}
    return float(likelihood.log_likelihood(likelihood.bands({"distance": jnp.array([*MODEL, 99.0])}), jnp.zeros(0)))


def test_inline():
    assert log_likelihood({"covariance": COVARIANCE}) == pytest.approx(
        multivariate_normal(MODEL, COVARIANCE).logpdf(VALUE)
    )
    errors = np.diag([0.09, 0.16])
    assert log_likelihood({"error": [0.3, 0.4]}) == pytest.approx(multivariate_normal(MODEL, errors).logpdf(VALUE))
    assert log_likelihood({"error": 0.3}) == pytest.approx(multivariate_normal(MODEL, 0.09).logpdf(VALUE))


def test_files(tmp_path):
    np.savetxt(tmp_path / "value.txt", VALUE)
    np.savez(tmp_path / "c.npz", covariance=COVARIANCE)
    np.savetxt(tmp_path / "c.txt", COVARIANCE)
    expected = multivariate_normal(MODEL, COVARIANCE).logpdf(VALUE)
    for covariance in ("c.npz", "c.txt"):
        options = {"value": str(tmp_path / "value.txt"), "covariance": str(tmp_path / covariance)}
        assert log_likelihood(options) == pytest.approx(expected)


def test_one_number():
    likelihood = load_likelihood("gaussian", {"observable": "y", "value": 70.0, "error": 1.5})
    value = likelihood.log_likelihood(likelihood.bands({"y": jnp.array([72.0])}), jnp.zeros(0))
    assert float(value) == pytest.approx(multivariate_normal(72.0, 1.5**2).logpdf(70.0))


def test_nothing_in_a_file_is_executed(tmp_path):
    np.savez(tmp_path / "bad.npz", covariance=np.array([{"a": 1}], dtype=object), allow_pickle=True)
    with pytest.raises(InputError, match=r"it holds Python objects, or is no \.npz of arrays\); correct"):
        log_likelihood({"covariance": str(tmp_path / "bad.npz")})


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({}, "covariance or error, got neither"),
        ({"covariance": COVARIANCE, "error": 1.0}, "got both"),
        ({"covariance": "nowhere.txt"}, "no such file"),
        ({"covariance": [[1.0, 0.0], [0.0]]}, "expected covariance: numbers"),
        ({"error": [0.1, 0.2, 0.3]}, "one positive number or 2"),
        ({"error": -1.0}, "one positive number or 2"),
        ({"value": ["a", "b"], "error": 1.0}, "expected value: numbers"),
        ({"value": [], "error": 1.0}, "a list of numbers"),
        ({"value": [[1.0, 2.0]], "error": 1.0}, "a list of numbers"),
        ({"covariance": np.eye(3).tolist()}, "2 x 2 covariance"),
        ({"covariance": [1.0, 2.0]}, "2 x 2 covariance"),
    ],
)
def test_malformed(options, message):
    with pytest.raises(InputError, match=message):
        load_likelihood("gaussian", {"observable": "y", "value": VALUE} | options)


def test_a_damaged_archive(tmp_path):
    for name, contents in (
        ("a.npz", b"PK\x03\x04 broken"),
        ("b.npz", b""),
        ("c.npz", b"nothing"),
        ("d.txt", b"\xff\xfe"),
    ):
        (tmp_path / name).write_bytes(contents)
        with pytest.raises(InputError, match=rf"expected .* in .*{name}, got.*; correct covariance or the file"):
            log_likelihood({"covariance": str(tmp_path / name)})


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "expected n numbers in .*, got 0"),
        ("# nothing\n", "expected n numbers in .*, got 0"),
        ("1 2\n3\n", "got one column in line 2, and 2 above it; correct value"),
        ("1\ntwo\n", r"got 'two' in line 2, column 1 \(column 1 is the first\); correct value"),
        ("1\nnan\n", "expected finite numbers in .*, got NaN or infinity"),
    ],
)
def test_a_damaged_table(tmp_path, text, message):
    """One line, without numpy's warning, and without its advice to use `usecols`."""
    (tmp_path / "value.txt").write_text(text)
    with pytest.raises(InputError, match=message):
        log_likelihood({"value": str(tmp_path / "value.txt"), "error": 1.0})


def archive_of(path, header, contents=bytes(80)):
    """An archive whose one array says anything of itself."""
    member = io.BytesIO()
    np.lib.format.write_array_header_1_0(member, {"descr": "<f8", "fortran_order": False, "shape": header})
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("covariance.npy", member.getvalue() + contents)


def test_an_array_that_no_memory_holds(tmp_path):
    archive_of(tmp_path / "huge.npz", (10**7, 10**7))
    with pytest.raises(InputError, match=r"no array 'covariance' \(Unable to allocate"):
        log_likelihood({"covariance": str(tmp_path / "huge.npz")})


def test_compressed_bytes_that_are_none(tmp_path):
    np.savez_compressed(tmp_path / "c.npz", covariance=np.arange(4000.0))
    raw = bytearray((tmp_path / "c.npz").read_bytes())
    for first in range(60, len(raw) - 200, 40):
        (tmp_path / "c.npz").write_bytes(raw[:first] + b"\xff" * 40 + raw[first + 40 :])
        with pytest.raises(InputError, match="expected an array 'covariance'"):
            log_likelihood({"covariance": str(tmp_path / "c.npz")})
