"""Training: what it learns, that it is the same every time, that it goes on where it was killed, and what it keeps."""

import dataclasses
import json
import shutil

import jax
import jax.numpy as jnp
import numpy as np
import optax
import pytest
from safetensors.numpy import load_file
from toy_set import outputs, points, toy_set

from alfonsine.emulator.networks.feed import Feed
from alfonsine.emulator.networks.model_set import ModelSet
from alfonsine.emulator.networks.plan import Plan, Stage
from alfonsine.emulator.networks.prepare import draw
from alfonsine.emulator.networks.training import Limits, train
from alfonsine.errors import InputError

SPLIT = {"fractions": (0.6, 0.2, 0.2)}
PLAN = Plan(("tt", "te"), (16, 16), (Stage(1e-2, 12, 24, 5), Stage(0.1, 4, 24)), **SPLIT)
STREAMED = Limits(resident=0, chunk=40 * 4 * 50, epochs=4)  # 40 rows at a time


class Killed(Exception):
    """Raised in the middle of a training."""


@pytest.fixture(scope="module")
def kept(tmp_path_factory):
    return toy_set(tmp_path_factory.mktemp("toy") / "set")


@pytest.fixture(scope="module")
def undisturbed(kept, tmp_path_factory):
    folder = tmp_path_factory.mktemp("undisturbed")
    return train(kept, PLAN, folder, seed=3, members=2), folder


def leaves(network):
    return [np.asarray(leaf) for leaf in jax.tree.leaves(network)]


def assert_same_bits(one, two):
    for a, b in zip(leaves(one), leaves(two), strict=True):
        np.testing.assert_array_equal(a, b)


def curves(folder):
    return json.loads((folder / "curves.json").read_text())


def validation_loss(trained, kept, part="validation"):
    """Mean square of standardised outputs, by NumPy; of the first member."""
    parts = kept.split(0, PLAN.fractions)
    _, values = kept.batch(parts["train"])
    both = np.hstack([values[name].astype(float) for name in PLAN.outputs])
    _, held_out = kept.batch(parts[part])
    truth = np.hstack([held_out[name].astype(float) for name in PLAN.outputs])
    each = trained.each(jnp.asarray(kept.theta[parts[part]]))
    found = np.concatenate([np.asarray(each[name]) for name in PLAN.outputs], axis=-1)
    return np.mean(((found - truth) / both.std(axis=0)) ** 2, axis=(1, 2))


def test_it_learns_a_closed_form(kept, tmp_path):
    """Two spectra of two parameters from 144 models: 4 % of their spread at points that it never saw."""
    plan = dataclasses.replace(PLAN, stages=(Stage(1e-2, 300, 24), Stage(1e-3, 200, 24)))
    trained = train(kept, plan, tmp_path)
    theta = points(500, seed=99)
    for name, found in trained(jnp.asarray(theta)).items():
        truth = outputs(theta)[name]
        error = np.sqrt(np.mean(((np.asarray(found) - truth) / truth.std(axis=0)) ** 2))
        assert error < 0.04, f"{name}: {error}"


def test_the_same_seed_gives_the_same_bits_and_another_does_not(kept, undisturbed, tmp_path):
    assert_same_bits(train(kept, PLAN, tmp_path / "a", seed=3, members=2), undisturbed[0])
    other = train(kept, PLAN, tmp_path / "b", seed=4, members=2)
    assert all(np.any(a != b) for a, b in zip(leaves(other.network), leaves(undisturbed[0].network), strict=True))


@pytest.mark.parametrize("limits", [Limits(epochs=4), STREAMED], ids=["resident", "streamed"])
def test_killed_again_and_again_it_ends_with_the_same_bits(kept, undisturbed, tmp_path, limits):
    """Killed after 3 epochs (nothing saved yet), after 6 more (in the first stage), and in the second stage."""
    whole, folder = undisturbed
    if limits is STREAMED:
        folder = tmp_path / "whole"
        whole = train(kept, PLAN, folder, seed=3, members=2, limits=limits)
    done = []
    for until in (3, 6, 9):
        seen = []

        def kill(record, seen=seen, until=until):
            seen.append(record)
            if len(seen) == until:
                raise Killed

        with pytest.raises(Killed):
            train(kept, PLAN, tmp_path / "killed", seed=3, members=2, limits=limits, progress=kill)
        done.append((seen[0]["stage"], seen[0]["epoch"]))
        (tmp_path / "killed" / ".state.safetensors.999").write_bytes(
            b"torn"
        )  # what a kill in the middle of a write leaves
    resumed = train(kept, PLAN, tmp_path / "killed", seed=3, members=2, limits=limits)
    assert done == [(0, 0), (0, 0), (0, 4)]
    assert_same_bits(resumed, whole)
    assert curves(tmp_path / "killed") == curves(folder)
    assert resumed.card == whole.card
    # and once more, from the finished state
    assert_same_bits(train(kept, PLAN, tmp_path / "killed", seed=3, members=2, limits=limits), whole)


def test_the_weights_kept_are_the_best_on_validation_rows(kept, undisturbed):
    trained, folder = undisturbed
    validation = np.array([record["validation"] for record in curves(folder)])
    best = validation.min(axis=0)
    assert np.any(validation[-1] > best)  # the last are not the best, for one member at least
    np.testing.assert_allclose(validation_loss(trained, kept), best, rtol=1e-4)
    card = json.loads(trained.card)
    np.testing.assert_allclose(card["loss"]["validation"], best, rtol=1e-12)
    np.testing.assert_allclose(card["loss"]["test"], validation_loss(trained, kept, "test"), rtol=1e-4)


def test_a_stage_that_ruins_everything_changes_nothing(kept, tmp_path):
    """Learning rate 3 after a good stage, then nearly none: the best of the first stage is kept, and gone back to."""
    good = dataclasses.replace(PLAN, stages=(Stage(1e-2, 10, 24),))
    ruined = dataclasses.replace(PLAN, stages=(*good.stages, Stage(3.0, 4, 24), Stage(1e-12, 1, 24)))
    expected = train(kept, good, tmp_path / "good")
    found = train(kept, ruined, tmp_path / "ruined")
    record = curves(tmp_path / "ruined")
    best = min(r["validation"][0] for r in record[:10])
    assert all(r["validation"][0] > 2 * best for r in record[10:14])
    assert record[14]["validation"][0] == pytest.approx(best, rel=1e-3)
    for a, b in zip(leaves(found.network), leaves(expected.network), strict=True):
        np.testing.assert_allclose(a, b, atol=1e-9)


def test_not_a_number_ends_a_stage_and_spoils_nothing(kept, tmp_path):
    plan = dataclasses.replace(PLAN, stages=(Stage(1e-2, 5, 24), Stage(1e38, 9, 24)))
    trained = train(kept, plan, tmp_path)
    assert len(curves(tmp_path)) == 6
    assert all(np.all(np.isfinite(leaf)) for leaf in leaves(trained.network))


def test_patience_ends_a_stage(kept, tmp_path):
    plan = dataclasses.replace(PLAN, stages=(Stage(3e-2, 200, 24, 4), Stage(1e-9, 200, 24, 3)))
    train(kept, plan, tmp_path)
    losses = [record["validation"][0] for record in curves(tmp_path) if record["stage"] == 0]
    waited, best = 0, np.inf
    for i, loss in enumerate(losses):
        waited, best = (0, loss) if loss < best else (waited + 1, best)
        assert (waited == 4) == (i == len(losses) - 1)
    assert 4 < len(losses) < 200


def test_training_is_what_a_plain_loop_does(kept, tmp_path):
    """One member, five epochs of plain Adam on standardised rows in the order that the feed gives."""
    plan = dataclasses.replace(PLAN, stages=(Stage(1e-3, 5, 24),))
    trained = train(kept, plan, tmp_path, seed=7)
    rows = kept.split(0, PLAN.fractions)["train"]
    theta, values = kept.batch(rows)
    both = np.hstack([values[name].astype(float) for name in PLAN.outputs])
    x = jnp.asarray((theta - theta.mean(axis=0)) / theta.std(axis=0), jnp.float32)
    y = jnp.asarray((both - both.mean(axis=0)) / both.std(axis=0), jnp.float32)
    network = jax.tree.map(lambda leaf: leaf[0], draw(plan, 2, 48, jax.random.key(7), 1, None))
    optimiser = optax.adam(1e-3, eps=plan.epsilon)
    memory = optimiser.init(network)
    gradient = jax.jit(jax.grad(lambda network, x, y: jnp.mean((network(x) - y) ** 2)))
    feed = Feed(lambda ids: (x[ids],), np.arange(len(rows)), 8, 7, 1 << 20, 1 << 20)
    for epoch in range(5):
        ((_, order),) = feed.epoch(0, epoch, 24, 1)
        for batch in order[0]:
            update, memory = optimiser.update(gradient(network, x[batch], y[batch]), memory)
            network = optax.apply_updates(network, update)
    validation = [record["validation"][0] for record in curves(tmp_path)]
    assert np.argmin(validation) == 4  # so that the weights kept are the last
    for found, expected in zip(leaves(trained.network), leaves(network), strict=True):
        np.testing.assert_allclose(found[0], expected, rtol=2e-3, atol=2e-5)


def test_a_member_is_the_network_trained_alone(kept, tmp_path):
    plan = dataclasses.replace(PLAN, stages=(Stage(1e-3, 3, 24),))
    alone, both = train(kept, plan, tmp_path / "one"), train(kept, plan, tmp_path / "two", members=2)
    for one, two in zip(leaves(alone.network), leaves(both.network), strict=True):
        np.testing.assert_allclose(two[0], one[0], rtol=2e-3, atol=2e-5)
        assert np.any(two[1] != two[0])


@pytest.mark.parametrize("part", ["validation", "test"])
def test_held_out_rows_never_move_a_weight(kept, tmp_path, part):
    """Their outputs are scrambled: the last weights are the same bits; only what is kept may differ, by validation."""
    shutil.copytree(kept.folder, tmp_path / "set")
    other = ModelSet.open(tmp_path / "set")
    rows = other.split(0, PLAN.fractions)[part]
    for name in PLAN.outputs:
        values = np.load(tmp_path / "set" / f"{name}.npy", mmap_mode="r+")
        values[rows] = values[rows][::-1] * 1.5
        values.flush()
    plan = dataclasses.replace(PLAN, stages=(Stage(1e-2, 6, 24),))
    one, two = train(kept, plan, tmp_path / "one"), train(other, plan, tmp_path / "two")
    states = [load_file(tmp_path / name / "state.safetensors") for name in ("one", "two")]
    count = len(leaves(one.network))
    for i in range(count):
        np.testing.assert_array_equal(states[0][f"{i:04d}"], states[1][f"{i:04d}"])
    cards = [json.loads(trained.card)["loss"][part] for trained in (one, two)]
    assert abs(cards[0][0] - cards[1][0]) > 0.01  # the scrambling is seen where it should be


@pytest.mark.parametrize("resident", [0, 1 << 20], ids=["streamed", "resident"])
def test_an_epoch_shows_every_row_once(resident):
    """100 rows in batches of at most 16: 7 batches of 14, two rows left out, others each time."""
    rows = np.arange(200, 300)
    feed = Feed(lambda ids: (np.asarray(ids),), rows, 4, 0, resident, 30 * 4)
    left_out = []
    for epoch in range(3):
        seen = [[], []]
        for (data,), order in feed.epoch(0, epoch, 16, 2):
            assert order.shape[0] == 2 and order.shape[2] == 14
            for member in (0, 1):
                seen[member].append(np.asarray(data)[order[member].ravel()])
        for pieces in seen:
            values = np.concatenate(pieces)
            assert len(values) == 98 and len(set(values)) == 98 and set(values) <= set(rows)
        assert np.any(np.concatenate(seen[0]) != np.concatenate(seen[1]))
        left_out.append(tuple(sorted(set(rows) - set(np.concatenate(seen[0])))))
    assert len(set(left_out)) == 3
    assert np.concatenate([np.asarray(data) for (data,) in feed.all(32)]).tolist() == rows.tolist()


def test_another_plan_seed_or_set_does_not_go_on_with_this_one(kept, undisturbed, tmp_path):
    folder = undisturbed[1]
    with pytest.raises(InputError, match="same seed"):
        train(kept, PLAN, folder, seed=4, members=2)
    with pytest.raises(InputError, match="same plan"):
        train(kept, dataclasses.replace(PLAN, epsilon=1e-3), folder, seed=3, members=2)
    with pytest.raises(InputError, match="same training set"):
        train(toy_set(tmp_path / "other", 120), PLAN, folder, seed=3, members=2)


@pytest.mark.parametrize("content", [b"", b"torn", bytes(200)])
def test_a_damaged_state_is_one_clear_line(kept, tmp_path, content):
    (tmp_path / "state.safetensors").write_bytes(content)
    with pytest.raises(InputError, match=r"expected the state of a training .* damaged") as error:
        train(kept, PLAN, tmp_path)
    assert "\n" not in str(error.value)


def test_a_set_without_validation_rows_is_refused(tmp_path):
    kept = toy_set(tmp_path / "set", 20)
    with pytest.raises(InputError, match="expected filled rows for training and validation"):
        train(kept, dataclasses.replace(PLAN, fractions=(1.0, 0.0, 0.0)), tmp_path / "run")
