"""A user's data, inline and from files, against scipy; and what is said of data that do not fit."""

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
    with pytest.raises(InputError, match="Object arrays cannot be loaded"):
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
        with pytest.raises(InputError, match="expected covariance: numbers or a file of numbers"):
            log_likelihood({"covariance": str(tmp_path / name)})
