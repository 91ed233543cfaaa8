"""A training set on disk: rows come back as they went in, the split stays, and memory does not grow with the set."""

import json
import subprocess
import sys

import numpy as np
import pytest
from toy_set import NAMES, OUTPUTS, SURFACE, K, Z, outputs, points, toy_set

from alfonsine.emulator.networks.model_set import ModelSet
from alfonsine.errors import InputError
from alfonsine.theory.output import Output, multipoles


def test_rows_come_back_in_the_order_asked_for(tmp_path):
    kept = toy_set(tmp_path / "set", 30, dtype="float64")
    rows = np.array([7, 0, 29, 7])
    theta, values = ModelSet.open(tmp_path / "set").batch(rows)
    np.testing.assert_array_equal(theta, points(30)[rows])
    for name, expected in outputs(points(30)).items():
        np.testing.assert_array_equal(values[name], expected[rows])
    assert kept.outputs == {output.name: output for output in OUTPUTS} and kept.names == NAMES


@pytest.mark.parametrize("axis", [0, 1])
def test_one_redshift_per_row_is_taken_from_a_surface(tmp_path, axis):
    surface = SURFACE if axis == 0 else Output("pk", "", SURFACE.axes[::-1])
    values = np.random.default_rng(1).normal(size=(5, len(Z), len(K)))
    stored = values if axis == 0 else values.transpose(0, 2, 1)
    writer = ModelSet.create(tmp_path / "set", NAMES, [surface], 5, "float64")
    writer.write(np.arange(5), points(5), {"pk": stored.reshape(5, -1)})
    rows, z = np.array([4, 1, 1]), np.array([0, 3, 2])
    found = writer.close().values("pk", rows, (axis, z))
    np.testing.assert_array_equal(found, values[rows, z])


def test_filling_goes_on_where_it_stopped(tmp_path):
    folder, theta = tmp_path / "set", points(10)
    tt = outputs(theta)["tt"]
    first = ModelSet.create(folder, NAMES, OUTPUTS[:1], 10)
    first.write(np.array([3, 1]), theta[[3, 1]], {"tt": tt[[3, 1]]})
    del first  # no close: as if killed
    again = ModelSet.create(folder, NAMES, OUTPUTS[:1], 10)
    assert again.missing.tolist() == [0, 2, 4, 5, 6, 7, 8, 9] and again.model_set.digest is None
    again.write(again.missing[:-1], theta[again.missing[:-1]], {"tt": tt[again.missing[:-1]]})
    kept = again.close()
    assert kept.filled.sum() == 9 and not kept.filled[9]
    np.testing.assert_allclose(kept.values("tt", np.arange(9)), tt[:9], rtol=1e-7)
    parts = kept.split()
    assert sorted(np.concatenate(list(parts.values()))) == list(range(9))  # the failed model is in no part


def test_the_split_is_drawn_once(tmp_path):
    kept = toy_set(tmp_path / "set", 200, only=("tt",))
    first = kept.split(5, (0.7, 0.2, 0.1))
    assert [len(part) for part in first.values()] == [140, 40, 20]
    assert sorted(np.concatenate(list(first.values()))) == list(range(200))
    again = ModelSet.open(tmp_path / "set").split(5, (0.7, 0.2, 0.1))
    assert all(np.array_equal(first[name], again[name]) for name in first)
    again = ModelSet.open(tmp_path / "set").split()
    assert all(np.array_equal(first[name], again[name]) for name in first)
    for seed, fractions in ((6, (0.7, 0.2, 0.1)), (5, (0.8, 0.1, 0.1))):
        with pytest.raises(InputError, match=r"expected the split drawn once with seed 5 .*make a new set"):
            kept.split(seed, fractions)
    assert all(np.array_equal(first[name], part) for name, part in kept.split(5, (0.7, 0.2, 0.1)).items())


def test_a_row_filled_later_keeps_its_part(tmp_path):
    theta = points(50)
    writer = ModelSet.create(tmp_path / "set", NAMES, OUTPUTS[:1], 50)
    writer.write(np.arange(30), theta[:30], {"tt": outputs(theta)["tt"][:30]})
    before = writer.model_set.split()
    writer.write(np.arange(30, 50), theta[30:], {"tt": outputs(theta)["tt"][30:]})
    after = writer.close().split()
    assert all(set(before[name]) <= set(after[name]) for name in before)
    assert sum(len(part) for part in after.values()) == 50


def test_the_digest_sees_every_change(tmp_path):
    kept = toy_set(tmp_path / "set", 20, only=("tt", "te"))
    kept.check()
    values = np.load(tmp_path / "set" / "te.npy", mmap_mode="r+")
    values[13, 5] *= 1 + 1e-6
    values.flush()
    with pytest.raises(InputError, match="do not match its digest"):
        kept.check()


def test_bad_rows_are_refused_and_not_written(tmp_path):
    writer = ModelSet.create(tmp_path / "set", NAMES, OUTPUTS[:1], 4)
    theta, tt = points(2), outputs(points(2))["tt"]
    broken = np.where(np.arange(tt.shape[1]) == 3, np.nan, tt)
    cases = [
        (np.array([0, 1]), theta, {"tt": broken}, "finite numbers in 'tt'"),
        (np.array([0, 1]), theta, {"tt": 1e300 * tt / tt.max()}, "finite numbers in 'tt'"),  # not in 32 bits
        (np.array([0, 1]), theta, {"tt": tt[:, 1:]}, r"'tt' of shape \(2, 24\)"),
        (np.array([0, 4]), theta, {"tt": tt}, "rows from 0 to 3"),
        (np.array([0, 1]), theta, {"te": tt}, r"outputs \['tt'\]"),
    ]
    for rows, inputs, values, message in cases:
        with pytest.raises(InputError, match=message):
            writer.write(rows, inputs, values)
    assert len(writer.missing) == 4


def test_another_set_in_the_same_folder_is_refused(tmp_path):
    toy_set(tmp_path / "set", 6, only=("tt",))
    with pytest.raises(InputError, match="the same n as the set"):
        ModelSet.create(tmp_path / "set", NAMES, OUTPUTS[:1], 7)
    with pytest.raises(InputError, match="the same names"):
        ModelSet.create(tmp_path / "set", ("a", "b"), OUTPUTS[:1], 6)


@pytest.mark.parametrize(
    "damage",
    [
        lambda f: (f / "header.json").unlink(),
        lambda f: (f / "header.json").write_text("[1]"),
        lambda f: (f / "header.json").write_text("{"),
        lambda f: (f / "header.json").write_text(json.dumps({"format": 1})),
        lambda f: (f / "tt.npy").write_bytes((f / "tt.npy").read_bytes()[:-8]),
        lambda f: np.save(f / "tt.npy", np.zeros((6, 23), np.float32)),
        lambda f: np.save(f / "tt.npy", np.array([{}], dtype=object), allow_pickle=True),
        lambda f: (f / "filled.npy").unlink(),
    ],
)
def test_a_damaged_set_is_one_clear_line(tmp_path, damage):
    toy_set(tmp_path / "set", 6, only=("tt",))
    damage(tmp_path / "set")
    with pytest.raises(InputError, match="expected a") as error:
        ModelSet.open(tmp_path / "set")
    assert "\n" not in str(error.value)


@pytest.mark.parametrize("name", ["../tt", "theta", "a/b", ""])
def test_names_of_outputs_are_names_of_files(tmp_path, name):
    with pytest.raises(InputError, match="output name of letters"):
        ModelSet.create(tmp_path / "set", NAMES, [multipoles(name, 4, "")], 3)


CHILD = """
import resource, sys
import numpy as np
from alfonsine.emulator.networks.model_set import ModelSet, chunks
kept = ModelSet.open(sys.argv[1])
before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
total = 0.0
for rows in chunks(np.arange(kept.n), 1000):
    total += kept.values("tt", rows)[:, 0].sum()
rng = np.random.default_rng(0)
for _ in range(20):
    total += kept.batch(rng.permutation(kept.n)[:500])[1]["tt"][:, 0].sum()
print(total, (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) / 1024)
"""


def test_reading_a_gigabyte_takes_little_memory(tmp_path):
    """A set of 25,000 x 10,000 (1 GB, a hole on disk): the peak of a process that reads all, and rows at random."""
    ModelSet.create(tmp_path / "set", NAMES, [multipoles("tt", 10_000, "")], 25_000)
    done = subprocess.run(
        [sys.executable, "-c", CHILD, str(tmp_path / "set")], capture_output=True, text=True, check=True
    )
    total, grown = (float(word) for word in done.stdout.split())
    assert total == 0.0
    assert grown < 250, f"{grown} MiB"


def test_drawing_the_split_leaves_the_identity(tmp_path):
    """A training that was begun before there was a split must be found again."""
    writer = ModelSet.create(tmp_path / "set", ("a",), [multipoles("y", 2, "")], 20)
    rows = np.arange(20)
    writer.write(rows, rows[:, None].astype(float), {"y": np.ones((20, 2))})
    models = writer.close()
    before = models.identity()
    models.split(3, (0.8, 0.1, 0.1))
    assert ModelSet.open(tmp_path / "set").identity() == before


def test_a_part_that_gets_no_model_is_told_and_nothing_is_drawn(tmp_path):
    kept = ModelSet.create(tmp_path / "few", ["a"], [multipoles("tt", 3, "")], 12).close()
    with pytest.raises(InputError, match=r"got 11 to train, 0 to validate, 1 to test, of 12 with fractions \[0.89"):
        kept.split(0, (0.89, 0.01, 0.1))
    assert not kept.is_split
    assert [len(rows) for rows in kept.split(0, (0.7, 0.3, 0.0)).values()] == [0, 0, 0]  # none of the rows is filled
