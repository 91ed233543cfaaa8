"""Emulators with parts of the user's own: back bit for bit by the user's word, or refused in one line."""

import shutil
import sys

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from damage import flip, forge, header_end, header_of, spoilt_arrays
from own_sky import PARTS, RANGES, own_emulator, own_network
from toy_set import points

from alfonsine.emulator.networks.emulate import emulator_of
from alfonsine.emulator.resample import resample
from alfonsine.emulator.stored.file import load_emulator, save_emulator
from alfonsine.errors import InputError

THETA = points(6, seed=5)


@pytest.fixture(scope="module")
def emulator():
    return own_emulator(members=2)


@pytest.fixture(scope="module")
def content(emulator, tmp_path_factory):
    return stored(emulator, tmp_path_factory.mktemp("own")).read_bytes()


def stored(emulator, folder):
    save_emulator(emulator, folder / "emulator.safetensors")
    return folder / "emulator.safetensors"


def assert_same_bits(one, other):
    assert jax.tree.structure(one) == jax.tree.structure(other)
    for name, values in one(THETA).items():
        np.testing.assert_array_equal(values, other(THETA)[name])


def test_round_trip_is_exact_to_the_bit_wherever_the_file_of_the_user_lies(emulator, tmp_path):
    shutil.copy(PARTS / "my_parts.py", tmp_path)
    assert_same_bits(emulator, load_emulator(stored(emulator, tmp_path), parts=tmp_path))
    assert stored(load_emulator(stored(emulator, tmp_path), PARTS), tmp_path).stat().st_size < 20_000


OTHERS = {
    "components": {"components": 3},
    "own normalisation alone": {"activation": "tanh", "activation_options": {}, "architecture": "dense"},
    "own activation alone": {"architecture": "dense", "normalisation": "log10", "outputs": ("tt",)},
    "none of its own": {"activation": ("tanh", "elu"), "architecture": "dense", "normalisation": "min_max"},
}


@pytest.mark.parametrize("name", OTHERS)
def test_other_combinations(tmp_path, name):
    """What the trained network says, the emulator says, and the file; only the last needs no word of the user."""
    network = own_network(**{"activation_options": {}, **OTHERS[name]})
    emulator = emulator_of([network], RANGES)
    for output, values in network(jnp.asarray(THETA)).items():
        np.testing.assert_allclose(emulator(THETA)[output], values, rtol=1e-3, atol=1e-5 * np.abs(values).max())
    path = stored(emulator, tmp_path)
    if name == "none of its own":
        assert not emulator.digests and header_of(path.read_bytes())["kind"] == "network"
        assert_same_bits(emulator, load_emulator(path))
    else:
        assert_same_bits(emulator, load_emulator(path, PARTS))
        with pytest.raises(InputError, match="expected the folder of 'my_parts:"):
            load_emulator(path)


def test_two_members_say_their_mean(emulator):
    network = own_network(members=2)
    for name, values in network(jnp.asarray(THETA)).items():
        np.testing.assert_allclose(emulator(THETA)[name], values, rtol=1e-3, atol=1e-5 * np.abs(values).max())


def test_nothing_runs_without_the_word_of_the_user_or_after_an_edit(tmp_path, refused):
    trace, own = tmp_path / "trace", tmp_path / "own"
    own.mkdir()
    source = (PARTS / "my_parts.py").read_text() + f"\nwith open({str(trace)!r}, 'a') as t:\n    t.write('ran')\n"
    (own / "my_parts.py").write_text(source)
    content = stored(own_emulator(own), tmp_path).read_bytes()
    assert trace.read_text() == "ran"
    forget("my_parts")
    line = refused(content)
    assert "my_parts:Both" in line and "parts=" in line and "--parts" in line
    assert "got none" in refused(content, tmp_path)
    (own / "my_parts.py").write_text(source + "# another digest\n")
    assert "edited since" in refused(content, own)
    assert trace.read_text() == "ran"
    (own / "my_parts.py").write_text(source)
    load_emulator(tmp_path / "emulator.safetensors", own)
    assert trace.read_text() == "ranran"


def forget(name):
    """As in a new process."""
    for module in [m for m in sys.modules if m == name or (m.startswith("alfonsine_user_") and m.endswith(name))]:
        del sys.modules[module]


def test_an_edit_of_what_the_file_imports_is_seen_in_what_it_gives(tmp_path, refused):
    source = (PARTS / "my_parts.py").read_text().replace("self.height", "neighbour_of_mine.HEIGHT")
    (tmp_path / "my_parts.py").write_text(source.replace("import jax\n", "import jax\nimport neighbour_of_mine\n", 1))
    (tmp_path / "neighbour_of_mine.py").write_text("HEIGHT = 0.25\n")
    content = stored(own_emulator(tmp_path), tmp_path).read_bytes()
    load_emulator(tmp_path / "emulator.safetensors", tmp_path)
    (tmp_path / "neighbour_of_mine.py").write_text("HEIGHT = 0.250001  # rounding\n")
    forget("my_parts"), forget("neighbour_of_mine")
    load_emulator(tmp_path / "emulator.safetensors", tmp_path)
    (tmp_path / "neighbour_of_mine.py").write_text("HEIGHT = 0.5  # another function\n")
    forget("my_parts"), forget("neighbour_of_mine")
    assert "something that your file imports was edited" in refused(content, tmp_path)


def test_truncated_and_flipped(content, refused):
    rng = np.random.default_rng(5)
    for length in rng.integers(0, len(content), 20).tolist():
        refused(content[:length], PARTS)
    for place in rng.integers(0, len(content), 40).tolist():
        refused(flip(content, place, int(rng.integers(8))), PARTS)
    for place in rng.integers(16, header_end(content) - 16, 40).tolist():
        refused(flip(content, place, int(rng.integers(8))), PARTS)


def test_every_array_is_checked_even_with_a_right_digest(content, refused):
    seen = set()
    for name, spoilt in spoilt_arrays(content):
        assert name in refused(spoilt, PARTS)
        seen.add(name.split(".")[0])
    assert {"block0", "block1", "basis", "undone", "witness", "domain"} == seen


def test_a_whole_forged_file_loads_and_a_changed_weight_is_seen(content, refused, tmp_path):
    path = tmp_path / "whole.safetensors"
    path.write_bytes(forge(content))
    load_emulator(path, PARTS)

    def change(arrays):
        arrays["block0.network.dense.layers[0].weight"] += 0.1

    assert "another" in refused(forge(content, change_arrays=change), PARTS)


def blueprint(header, **changes):
    block, *rest = header["parts"]["blocks"]
    return header | {"parts": {"blocks": [block | {"blueprint": block["blueprint"] | changes}, *rest]}}


def block(header, **changes):
    first, *rest = header["parts"]["blocks"]
    return header | {"parts": {"blocks": [first | changes, *rest]}}


def output(header, **changes):
    return header | {"outputs": {**header["outputs"], "te": header["outputs"]["te"] | changes}}


def normalisation(header, **changes):
    return output(header, normalisation=header["outputs"]["te"]["normalisation"] | changes)


@pytest.mark.parametrize(
    "change",
    [
        lambda h: blueprint(h, sizes=[2, 5, 4]),
        lambda h: blueprint(h, sizes=[2, 6, 4, 48]),
        lambda h: blueprint(h, sizes=[3, 5, 4, 48]),
        lambda h: blueprint(h, sizes=[2, 5, -4, 48]),
        lambda h: blueprint(h, sizes=[2, 5, 10**12, 48]),
        lambda h: blueprint(h, sizes="2548"),
        lambda h: blueprint(h, activations=["my_parts:Wave"]),
        lambda h: blueprint(h, activations="tanh"),
        lambda h: blueprint(h, activations=["tanh", "tanh"]),
        lambda h: blueprint(h, activations=["oracle", "oracle"]),
        lambda h: blueprint(h, activations=["os:system", "os:system"]),
        lambda h: blueprint(h, activations=["my_parts:Cube", "my_parts:Cube"]),
        lambda h: blueprint(h, activations=["my_parts:jax", "my_parts:np"]),
        lambda h: blueprint(h, activations=["my_parts:None", "my_parts:../x"]),
        lambda h: blueprint(h, activation_options={"tall": 1.0}),
        lambda h: blueprint(h, activation_options={"height": [0.25]}),
        lambda h: blueprint(h, activation_options={"height": 3.0}),
        lambda h: blueprint(h, activation_options=[0.25]),
        lambda h: blueprint(h, architecture="dense"),
        lambda h: blueprint(h, architecture=5),
        lambda h: blueprint(h, weights=None),
        lambda h: blueprint(h, weights="oracle"),
        lambda h: block(h, last=True),
        lambda h: block(h, last=None),
        lambda h: block(h, inputs=[0]),
        lambda h: block(h, inputs=[0, 2]),
        lambda h: block(h, skeleton={"weight": 3}, inputs=None),
        lambda h: output(h, transform="identity"),
        lambda h: output(h, transform="my_parts:Wave"),
        lambda h: output(h, transform="os.path:join"),
        lambda h: output(h, transform=":"),
        lambda h: output(h, transform=3),
        lambda h: output(h, normalisation=None),
        lambda h: normalisation(h, plain={"power": 3}),
        lambda h: normalisation(h, plain={"power": [1]}),
        lambda h: normalisation(h, plain={}),
        lambda h: normalisation(h, plain={"power": 1, "outer": "exp10"}),
        lambda h: normalisation(h, arrays={}),
        lambda h: h | {"files": {}},
        lambda h: h | {"files": {"my_parts": "0" * 64}},
        lambda h: h | {"files": {"my_parts": 3}},
        lambda h: h | {"files": ["my_parts"]},
        lambda h: {n: v for n, v in h.items() if n != "files"},
        lambda h: h | {"kind": "dense"},
        lambda h: h | {"kind": "polynomial"},
    ],
)
def test_headers_that_make_no_sense_are_refused(content, refused, change):
    refused(forge(content, change_header=change), PARTS)


def test_the_logarithm_is_neither_linear_nor_resampled(emulator):
    with pytest.raises(InputError, match="expected an output that is emulated linearly, got 'te'"):
        emulator.linear("te")
    with pytest.raises(InputError, match="expected an output of a known normalisation, got 'te'"):
        resample(emulator, "te", l=[3.0])


def test_networks_of_two_versions_of_a_file_make_no_emulator(tmp_path):
    (tmp_path / "my_parts.py").write_text((PARTS / "my_parts.py").read_text() + "# edited\n")
    networks = [own_network(outputs=("tt",)), own_network(tmp_path, outputs=("te",))]
    with pytest.raises(InputError, match="trained with the same my_parts, got two versions"):
        emulator_of(networks, RANGES)


INIT = """    def __init__(self, *fields):
        self.shift, self.scale, self.unit, self.zero, self.power = fields

    @classmethod
    def fit"""


@pytest.mark.parametrize(
    ("old", "new", "words"),
    [
        ("jnp.asarray(1e-10), 1)", "jnp.ones(3), 1)", "expected one number per entry or one in all in 'zero'"),
        ("jnp.asarray(1e-10), 1)", "jnp.asarray(np.inf), 1)", "expected finite numbers in 'zero'"),
        ("jnp.asarray(1e-10), 1)", "jnp.asarray(1e-10), (1,))", "plain values in 'my_parts:InverseSinh', got tuple"),
        ("    @classmethod\n    def fit", INIT, "made of its fields alone, got TypeError"),
        ("[u, self.dense.hidden(u)]", "[u, u, self.dense.hidden(u)]", "expected 6 hidden units .* got 8"),
        ("return jnp.concatenate([u,", "return self.bias[0] + jnp.concatenate([u,", "last hidden layer .* no other"),
    ],
)
def test_what_a_file_cannot_hold_is_told(tmp_path, old, new, words):
    source = (PARTS / "my_parts.py").read_text()
    assert source.count(old) == 1
    (tmp_path / "my_parts.py").write_text(source.replace(old, new))
    network = own_network(tmp_path)
    with pytest.raises(InputError, match=words) as caught:
        emulator_of([network], RANGES)
    assert "\n" not in str(caught.value)
