"""A file comes back bit for bit, or not at all."""

import ast
import json
import pickle
from pathlib import Path

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from damage import flip, forge, header_end, header_of
from safetensors.numpy import load, save
from toy_sky import arrays_of, draws, small_emulator

import alfonsine.emulator
from alfonsine.emulator.stored.file import FORMAT, load_emulator, save_emulator
from alfonsine.errors import InputError


@pytest.fixture(scope="module")
def emulator():
    return small_emulator(n=25)


@pytest.fixture(scope="module")
def content(emulator, tmp_path_factory):
    path = tmp_path_factory.mktemp("whole") / "emulator.safetensors"
    save_emulator(emulator, path)
    return path.read_bytes()


def test_round_trip_is_exact_to_the_bit(emulator, content, tmp_path):
    path = tmp_path / "emulator.safetensors"
    path.write_bytes(content)
    found = load_emulator(path)
    assert jax.tree.structure(found) == jax.tree.structure(emulator)  # names, card and parts present included
    for one, other in zip(arrays_of(emulator), arrays_of(found), strict=True):
        assert (one.dtype, one.shape) == (other.dtype, other.shape)
        assert one.tobytes() == other.tobytes()
    assert found.names == emulator.names and found.card == emulator.card
    theta = draws(4, seed=3, reach=1.0)
    for name, values in emulator(theta).items():
        np.testing.assert_array_equal(values, found(theta)[name])


def test_the_same_emulator_gives_the_same_file_and_leaves_no_other(emulator, content, tmp_path):
    path = tmp_path / "emulator.safetensors"
    path.write_text("an older file")
    save_emulator(emulator, path)
    assert path.read_bytes() == content
    assert [p.name for p in tmp_path.iterdir()] == [path.name]


def test_truncated_files(content, refused):
    rng = np.random.default_rng(0)
    lengths = {0, 1, 7, 8, 9, header_end(content), len(content) - 1, *rng.integers(0, len(content), 40).tolist()}
    for length in lengths:
        refused(content[:length])
    refused(content + b"\0")


def test_flipped_bits_anywhere(content, refused):
    rng = np.random.default_rng(1)
    for place in rng.integers(0, len(content), 60):
        refused(flip(content, int(place), int(rng.integers(8))))


def test_flipped_bits_in_the_header(content, refused):
    """The length, the table of arrays, our own header, the digest, and the blanks that fill the last line."""
    rng, end = np.random.default_rng(2), header_end(content)
    for place in [*range(16), *rng.integers(16, end - 16, 600).tolist(), *range(end - 16, end)]:
        refused(flip(content, place, int(rng.integers(8))))


@pytest.mark.parametrize(
    "change",
    [
        lambda h: h | {"names": h["names"][::-1]},
        lambda h: h | {"card": {}},
        lambda h: h | {"parts": {"networks": [None] * 5}},
        lambda h: h | {"outputs": {}},
        lambda h: h | {"digest": h["digest"][::-1]},
        lambda h: h | {"spare": 1},
    ],
)
def test_the_digest_covers_the_header(content, refused, change):
    text = json.dumps(change(header_of(content)), sort_keys=True)
    assert "digest" in refused(save(load(content), metadata={"alfonsine": text}))


def test_the_header_has_one_spelling(content, refused):
    """Other blanks or repeated entries would mean the same, but are signs of damage."""
    text = json.dumps(header_of(content), sort_keys=True)
    for other in (text.replace(", ", " ,", 1), text[:-1] + f', "format": {FORMAT}}}', text.replace("00ef", "00EF")):
        assert other != text and json.loads(other) == json.loads(text)
        refused(save(load(content), metadata={"alfonsine": other}))


def test_the_forger_can_make_a_whole_file(content, tmp_path):
    """So that the refusals below are those of what was changed."""
    path = tmp_path / "emulator.safetensors"
    path.write_bytes(forge(content))
    load_emulator(path)


FLOATS = (
    "block0.coefficients block0.origin block0.slope block0.power block0.network.scale block0.network.weight "
    "block0.network.bias block0.network.layer0.weight block0.network.layer1.alpha block0.network.layer1.beta "
    "basis.tt basis.derived coordinates.centre coordinates.scale domain.centre domain.cholesky domain.radius "
    "domain.lower domain.upper"
).split()


@pytest.mark.parametrize("name", FLOATS)
def test_not_a_number_is_refused_even_with_a_right_digest(content, refused, name):
    def change(arrays):
        arrays[name].flat[-1] = np.nan

    assert name in refused(forge(content, change_arrays=change))


@pytest.mark.parametrize("name", [*FLOATS, "table"])
def test_wrong_shapes_are_refused_even_with_a_right_digest(content, refused, name):
    """Also those that would broadcast to a wrong number."""
    for wrong in (
        lambda a: a[:-1] if a.ndim else np.array([a, a]),
        lambda a: a[..., None],
        lambda a: np.repeat(a, 2, axis=0 if a.ndim else None),
        lambda a: a.reshape(-1)[:1],
        lambda a: a[:1] if a.ndim else a[None],
        lambda a: np.zeros((0, *a.shape), a.dtype),
    ):

        def change(arrays, wrong=wrong):
            arrays[name] = np.ascontiguousarray(wrong(arrays[name]))

        refused(forge(content, change_arrays=change))


@pytest.mark.parametrize("name", [*FLOATS, "table"])
@pytest.mark.parametrize("kind", [np.float32, np.int32, np.uint8, np.bool_])
def test_wrong_kinds_are_refused_even_with_a_right_digest(content, refused, name, kind):
    if name.startswith("basis") and kind is np.float32:
        kind = np.float16  # single precision is a choice there

    def change(arrays):
        arrays[name] = np.asarray(np.nan_to_num(arrays[name], posinf=1, neginf=-1), dtype=kind)

    assert name in refused(forge(content, change_arrays=change))


@pytest.mark.parametrize("name", [*FLOATS, "table"])
def test_missing_and_foreign_arrays_are_refused(content, refused, name):
    assert name in refused(forge(content, change_arrays=lambda arrays: arrays.pop(name)))
    assert "spare" in refused(forge(content, change_arrays=lambda arrays: arrays.update(spare=arrays[name])))


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("domain.radius", -1.0),
        ("domain.radius", np.inf),
        ("domain.cholesky", 0.0),
        ("coordinates.scale", 0.0),
        ("table", 99),
        ("table", -1),
    ],
)
def test_impossible_numbers_are_refused(content, refused, name, value):
    def change(arrays):
        arrays[name].flat[0] = value

    refused(forge(content, change_arrays=change))


@pytest.mark.parametrize(
    "change",
    [
        lambda h: h | {"names": h["names"][:-1]},
        lambda h: h | {"names": "abcd"},
        lambda h: h | {"names": [1, 2, 3, 4]},
        lambda h: h | {"names": [h["names"][0]] * 4},
        lambda h: h | {"outputs": {**h["outputs"], "bb": h["outputs"]["tt"]}},
        lambda h: h | {"outputs": {n: s for n, s in h["outputs"].items() if n != "tt"}},
        lambda h: h | {"outputs": {**h["outputs"], "tt": h["outputs"]["tt"] | {"rows": 1}}},
        lambda h: h | {"outputs": {**h["outputs"], "tt": h["outputs"]["tt"] | {"rows": True}}},
        lambda h: h | {"outputs": {**h["outputs"], "tt": h["outputs"]["tt"] | {"columns": [0, 1]}}},
        lambda h: h | {"outputs": {**h["outputs"], "tt": h["outputs"]["tt"] | {"columns": [-1, 20]}}},
        lambda h: h | {"outputs": {**h["outputs"], "tt": h["outputs"]["tt"] | {"transform": "sinh"}}},
        lambda h: h | {"outputs": {**h["outputs"], "tt": h["outputs"]["tt"] | {"output": {"unit": "", "axes": []}}}},
        lambda h: h | {"kind": "dense"},
        lambda h: h | {"kind": "chebyshev"},
        lambda h: h | {"kind": "oracle"},
        lambda h: h | {"outputs": list(h["outputs"])},
        lambda h: h | {"outputs": {**h["outputs"], "tt": None}},
        lambda h: h | {"parts": {"networks": [None, *h["parts"]["networks"][1:]]}},
        lambda h: h | {"parts": {"networks": [1, *h["parts"]["networks"][1:]]}},
        lambda h: h | {"parts": {"networks": [10**9, *h["parts"]["networks"][1:]]}},
        lambda h: h | {"parts": {"networks": [-1, *h["parts"]["networks"][1:]]}},
        lambda h: h | {"parts": {"networks": ["2", *h["parts"]["networks"][1:]]}},
        lambda h: h | {"parts": {"networks": h["parts"]["networks"][:-1]}},
        lambda h: h | {"parts": {"networks": 5}},
        lambda h: h | {"parts": 5},
        lambda h: h | {"card": "none"},
        lambda h: {n: v for n, v in h.items() if n != "card"},
        lambda h: [h],
        lambda h: "null",
        lambda h: "{",
        lambda h: "",
        lambda h: "[" * 100_000,
    ],
)
def test_headers_that_make_no_sense_are_refused_even_with_a_right_digest(content, refused, change):
    refused(forge(content, change_header=change))


@pytest.mark.parametrize("future", [FORMAT + 1, "2.0", None])
def test_a_header_of_the_future_names_its_format(content, refused, future):
    line = refused(forge(content, change_header=lambda h: h | {"format": future}))
    assert f"expected emulator format {FORMAT}" in line and f"got {future}" in line


def test_other_files_are_refused(refused, tmp_path):
    """Among them a pickle that would leave a trace if anyone unpickled it."""
    trace = tmp_path / "trace"
    assert "no header of ours" in refused(save({"x": np.ones(3)}))
    refused(pickle.dumps(Payload(trace)))
    refused(b"PK\x03\x04" + bytes(200))
    refused(b"names: !!python/object/apply:os.system ['true']")
    assert not trace.exists()


class Payload:
    def __init__(self, trace: Path) -> None:
        self.trace = trace

    def __reduce__(self):
        return (Path.touch, (self.trace,))


def test_no_file_and_a_folder(tmp_path):
    with pytest.raises(InputError, match="no such file"):
        load_emulator(tmp_path / "emulator.safetensors")
    with pytest.raises(InputError, match=r"got the folder .* which has none in it"):
        load_emulator(tmp_path)


def test_nothing_that_executes_is_within_reach():
    """No file of this room names a way to run what it reads."""
    forbidden = {"pickle", "dill", "cloudpickle", "joblib", "marshal", "shelve", "yaml", "eval", "exec", "compile"}
    room = Path(alfonsine.emulator.__file__).parent
    for path in [*room.glob("*.py"), *(room / "stored").glob("*.py"), *(room / "networks").glob("*.py")]:
        tree = ast.parse(path.read_text(encoding="utf-8"))
        named = {node.id for node in ast.walk(tree) if isinstance(node, ast.Name)}
        imported = {
            a.name for node in ast.walk(tree) if isinstance(node, ast.Import | ast.ImportFrom) for a in node.names
        }
        modules = {node.module for node in ast.walk(tree) if isinstance(node, ast.ImportFrom)}
        assert not forbidden & (named | imported | modules), path


def test_infinite_bounds_are_kept(emulator, content, tmp_path):
    path = tmp_path / "emulator.safetensors"
    path.write_bytes(content)
    assert float(load_emulator(path).domain.lower[0]) == -np.inf == float(emulator.domain.lower[0])
    assert bool(load_emulator(path).inside(jnp.asarray(draws(1, seed=0, reach=0.1)[0])))


@pytest.mark.parametrize("name", ["study.yaml", "study.yml"])
def test_a_study_in_the_place_of_an_emulator_is_told(tmp_path, name):
    (tmp_path / name).write_text("theory: {classy: }\n")
    with pytest.raises(InputError, match="expected an emulator file, got the YAML file") as error:
        load_emulator(tmp_path / name)
    assert "alfonsine run or train" in str(error.value) and "\n" not in str(error.value)
