"""Damaged files, and networks whose parts do not fit, are told in one line; nothing else is ever raised."""

import pickle

import numpy as np
import pytest
from golden_networks import FILES, GOLDEN, THETA

from alfonsine.emulator.imported.layouts import read_network, with_components
from alfonsine.emulator.imported.network import predict
from alfonsine.errors import InputError

FLIPS = 60


def judged(path):
    """None where the file is refused in one line, else the network."""
    try:
        network = read_network(path)
    except InputError as error:
        assert "\n" not in str(error) and path.name in str(error)
        return None
    return network


@pytest.mark.parametrize("name", sorted(FILES))
def test_truncated_files_are_refused(name, tmp_path):
    whole = (GOLDEN / FILES[name]).read_bytes()
    path = tmp_path / FILES[name]
    for length in np.linspace(0, len(whole) - 1, 30, dtype=int):
        path.write_bytes(whole[:length])
        assert judged(path) is None, length


@pytest.mark.parametrize("name", sorted(FILES))
def test_flipped_bits_raise_nothing_else(name, tmp_path):
    """In a pickle a flip among the weights makes another network, and nothing can tell; numbers stay finite.

    In an archive a flip is noticed, or lies where nothing is read, such as in a date.
    """
    whole = (GOLDEN / FILES[name]).read_bytes()
    path = tmp_path / FILES[name]
    rng = np.random.default_rng(3)
    wanted = read_network(GOLDEN / FILES[name])
    for _ in range(FLIPS):
        damaged = bytearray(whole)
        position = int(rng.integers(len(damaged)))
        damaged[position] ^= 1 << int(rng.integers(8))
        path.write_bytes(bytes(damaged))
        network = judged(path)
        if network is not None and path.suffix == ".npz":
            np.testing.assert_array_equal(predict(network, THETA), predict(wanted, THETA))
            assert network.parameters == wanted.parameters
        elif network is not None:
            arrays = [network.weight, network.bias, network.feature_mean, network.feature_std, network.input_mean]
            arrays += [part for layer in network.layers for part in (layer.weight, layer.bias, layer.alpha, layer.beta)]
            assert all(np.isfinite(array).all() for array in arrays)


def test_flips_among_the_instructions(tmp_path):
    """All flips of the lowest and highest bit of every eighth of the first 600 bytes, where the instructions are."""
    whole = (GOLDEN / FILES["layout_a"]).read_bytes()
    path = tmp_path / "n.pkl"
    for position in range(0, 600, 8):
        for bit in (1, 128):
            damaged = bytearray(whole)
            damaged[position] ^= bit
            path.write_bytes(bytes(damaged))
            judged(path)


def parts():
    """A network of layout C as plain Python values, without TensorFlow's lists."""
    return pickle.loads((GOLDEN / FILES["layout_c"]).read_bytes())


def change(values, position, value):
    return [*values[:position], value, *values[position + 1 :]]


@pytest.mark.parametrize(
    ("damage", "said"),
    [
        (lambda v: v[:-1], "13, 15 or 19"),
        (lambda v: {"a": 1}, "parameters_mean"),
        (lambda v: 5, "13, 15 or 19"),
        (lambda v: change(v, 2, v[2][:2]), r"mean of the inputs.*\(3,\), got \(2,\)"),
        (lambda v: change(v, 3, np.zeros(3, "f4")), "positive widths"),
        (lambda v: change(v, 4, v[4][:6]), "as many features as outputs"),
        (lambda v: change(v, 5, np.full(7, np.nan, "f4")), "finite"),
        (lambda v: change(v, 7, ["omega_b", "h"]), "expected 3 inputs"),
        (lambda v: change(v, 7, ["omega_b", "h", "h"]), "twice"),
        (lambda v: change(v, 7, ["omega_b", "h", 3]), "names of the inputs"),
        (lambda v: change(v, 7, ["omega_b", "h", "a\nb"]), "names of the inputs"),
        (lambda v: change(v, 9, np.arange(6)), "expected 7 modes"),
        (lambda v: change(v, 0, v[0][:-1]), "one of each for every layer"),
        (lambda v: change(v, 0, [[w.T, b] for w, b in v[0]]), "weights of layer 1"),
        (lambda v: change(v, 0, "weights"), "n.pkl"),
        (lambda v: change(v, 1, v[1][::-1]), "alpha of layer 1"),
        (lambda v: change(v, 6, "three"), "n.pkl"),
    ],
)
def test_parts_that_do_not_fit_are_named(damage, said, tmp_path):
    path = tmp_path / "n.pkl"
    path.write_bytes(pickle.dumps(damage(parts())))
    with pytest.raises(InputError, match=said):
        read_network(path)


def test_the_two_namings_cannot_be_mixed(tmp_path):
    source = dict(np.load(GOLDEN / FILES["layout_e_components"]))
    both = source | {"feature_train_mean": source["features_mean"]}
    np.savez(tmp_path / "n.npz", **both)
    with pytest.raises(InputError, match="features_mean and feature_train_mean"):
        read_network(tmp_path / "n.npz")
    without = {key: value for key, value in source.items() if key not in ("pca_mean", "pca_std")}
    np.savez(tmp_path / "n.npz", **without)
    with pytest.raises(InputError, match="feature_train_mean"):
        read_network(tmp_path / "n.npz")


def test_components_that_do_not_fit_are_named():
    network = read_network(GOLDEN / FILES["layout_c_components"])
    matrix, mean, std = (GOLDEN / f"layout_c_{part}.npy" for part in ("matrix", "mean", "std"))
    assert with_components(network, matrix, mean, std, range(2, 9)).size == 7
    with pytest.raises(InputError, match="principal components"):
        with_components(read_network(GOLDEN / FILES["layout_c"]), matrix, mean, std, range(2, 9))
    with pytest.raises(InputError, match="modes"):
        with_components(network, matrix, mean, std, range(2, 8))
    with pytest.raises(InputError, match="width of the features"):
        with_components(network, matrix, mean, matrix, range(2, 9))
    with pytest.raises(InputError, match="with its own"):
        with_components(read_network(GOLDEN / FILES["layout_b"]), matrix, mean, std, range(2, 9))


def test_files_that_are_none(tmp_path):
    with pytest.raises(InputError, match="no such file"):
        read_network(tmp_path / "absent.pkl")
    with pytest.raises(InputError, match="got a folder; name files in it"):
        read_network(tmp_path)
    with pytest.raises(InputError, match="bare array"):
        read_network(GOLDEN / "layout_c_mean.npy")
