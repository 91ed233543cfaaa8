"""Files of the other two kinds: back bit for bit, or refused in one line whatever is wrong with them."""

import jax
import numpy as np
import pytest
from box_sky import draws, fitted
from damage import flip, forge, header_end, header_of, spoilt_arrays
from dense_sky import dense_emulator
from safetensors.numpy import load

from alfonsine.emulator.stored.file import load_emulator, save_emulator


@pytest.fixture(scope="module")
def emulators():
    return {"chebyshev": fitted(n=40, components=4, terms=12).emulator, "dense": dense_emulator()}


@pytest.fixture(scope="module")
def contents(emulators, tmp_path_factory):
    found = {}
    for kind, emulator in emulators.items():
        path = tmp_path_factory.mktemp(kind) / "emulator.safetensors"
        save_emulator(emulator, path)
        found[kind] = path.read_bytes()
    return found


KINDS = ("chebyshev", "dense")


@pytest.mark.parametrize("kind", KINDS)
def test_round_trip_is_exact_to_the_bit(emulators, contents, tmp_path, kind):
    path = tmp_path / "emulator.safetensors"
    path.write_bytes(contents[kind])
    found = load_emulator(path)
    assert jax.tree.structure(found) == jax.tree.structure(emulators[kind])
    theta = draws(4, seed=3)
    for name, values in emulators[kind](theta).items():
        np.testing.assert_array_equal(values, found(theta)[name])


@pytest.mark.parametrize("kind", KINDS)
def test_truncated_and_flipped(contents, refused, kind):
    content, rng = contents[kind], np.random.default_rng(5)
    for length in rng.integers(0, len(content), 20).tolist():
        refused(content[:length])
    for place in rng.integers(0, len(content), 40).tolist():
        refused(flip(content, place, int(rng.integers(8))))
    for place in rng.integers(16, header_end(content) - 16, 40).tolist():
        refused(flip(content, place, int(rng.integers(8))))


@pytest.mark.parametrize("kind", KINDS)
def test_every_array_is_checked_even_with_a_right_digest(contents, refused, kind):
    """Not a number, a wrong shape, a wrong type, one missing: all of them, array by array."""
    for name, spoilt in spoilt_arrays(contents[kind]):
        line = refused(spoilt)
        assert name in line or name in load(spoilt)  # what is missing is named


def first_block(header, **changes):
    blocks = header["parts"]["blocks"]
    return header | {"parts": {"blocks": [blocks[0] | changes, *blocks[1:]]}}


@pytest.mark.parametrize(
    ("kind", "changes"),
    [
        ("chebyshev", {"inputs": [0, 1, 2, 9]}),
        ("chebyshev", {"inputs": [-1]}),
        ("chebyshev", {"inputs": "0123"}),
        ("chebyshev", {"slopes": [[7, False]]}),
        ("chebyshev", {"slopes": [[0, 1]]}),
        ("chebyshev", {"slopes": [0]}),
        ("chebyshev", {"logarithmic": [True]}),
        ("chebyshev", {"logarithmic": ["no", "no", "no", "no"]}),
        ("chebyshev", {"network": 10**9}),
        ("chebyshev", {"network": -1}),
        ("dense", {"inputs": [0, 1, 2, 4]}),
        ("dense", {"inputs": []}),
        ("dense", {"activation": "os:system"}),
        ("dense", {"activation": "relu"}),
        ("dense", {"layers": 3}),
        ("dense", {"layers": 0}),
        ("dense", {"layers": True}),
        ("dense", {"head": True}),
        ("dense", {"head": None}),
    ],
)
def test_parts_that_make_no_sense_are_refused(contents, refused, kind, changes):
    refused(forge(contents[kind], change_header=lambda h: first_block(h, **changes)))


@pytest.mark.parametrize("kind", KINDS)
def test_a_kind_is_not_taken_for_another(contents, refused, kind):
    other = KINDS[1 - KINDS.index(kind)]
    refused(forge(contents[kind], change_header=lambda h: h | {"kind": other}))
    refused(forge(contents[kind], change_header=lambda h: h | {"parts": {}}))
    assert header_of(contents[kind])["kind"] == kind


def test_a_degree_that_would_fill_the_memory_is_refused(contents, refused):
    def change(arrays):
        arrays["block0.table"].flat[-1] = 10**12

    refused(forge(contents["chebyshev"], change_arrays=change))
