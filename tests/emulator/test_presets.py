"""The presets are the published recipes, number by number, and train."""

import jax.numpy as jnp
import numpy as np
import pytest
from toy_set import K, outputs, points, toy_set

from alfonsine.emulator.networks.plan import Stage
from alfonsine.emulator.networks.prepare import draw
from alfonsine.emulator.networks.presets import PRESETS, Connect, CosmoPower
from alfonsine.emulator.networks.training import train


@pytest.fixture(scope="module")
def kept(tmp_path_factory):
    return toy_set(tmp_path_factory.mktemp("toy") / "set")


def test_connect_is_the_published_one(kept):
    """Section 2 of arXiv:2205.15726; learning rate and Adam's epsilon from its public code."""
    plans = Connect().plans(kept)
    plan = plans["all"]
    assert list(plans) == ["all"] and plan.outputs == ("tt", "te", "derived", "pk")
    assert plan.widths == (512,) * 6 and plan.stages == (Stage(1e-4, 300, 512, None),)
    assert (plan.activation, plan.loss, plan.normalisation) == ("alsing", "cosmic_variance", "standardisation")
    assert (plan.epsilon, plan.amsgrad, plan.components, plan.z_per_model) == (1e-4, True, None, None)


def test_cosmopower_is_the_published_one(kept):
    plans = CosmoPower(components={"te": 8}).plans(kept)
    assert list(plans) == ["tt", "te", "derived", "pk"]
    for name, plan in plans.items():
        assert plan.outputs == (name,) and plan.widths == (512,) * 4 and plan.loss == "root_mean_square"
        assert plan.stages == tuple(Stage(rate, 1000, 1024, 100) for rate in (1e-2, 1e-3, 1e-4, 1e-5, 1e-6))
    assert {name: plan.normalisation for name, plan in plans.items()} == {
        "tt": "log10",
        "te": "standardisation",
        "derived": "standardisation",
        "pk": "log10",
    }
    assert [plan.components for plan in plans.values()] == [None, 8, None, None]
    assert {name: plan.z_per_model for name, plan in plans.items()} == {
        "tt": None,
        "te": None,
        "derived": None,
        "pk": 1,
    }
    assert CosmoPower().components == {"te": 512, "pp": 64}


def test_initial_parameters_of_the_presets(kept):
    """Connect: all trained parameters of an activation have variance 1/512. 6 layers of 512: 2 % error, fixed key."""
    import jax

    plan = Connect().plans(kept)["all"]
    network = draw(plan, 6, 10, jax.random.key(0), 1, None)
    spread = np.std([np.asarray(layer.activation.alpha) for layer in network.layers])
    assert spread == pytest.approx(512**-0.5, rel=0.06)
    assert np.std(network.layers[2].weight) == pytest.approx(np.sqrt(2 / 1024), rel=0.01)
    plan = CosmoPower().plans(kept)["tt"]
    network = draw(plan, 6, 10, jax.random.key(0), 1, None)
    assert np.std(network.layers[2].weight) == pytest.approx(1e-3, rel=0.01)
    assert np.std([np.asarray(layer.activation.beta) for layer in network.layers]) == pytest.approx(1, rel=0.06)


@pytest.mark.slow
def test_connect_trains(tmp_path):
    """A small one, with a higher rate: all outputs at once, to a fifth of their spread."""
    kept = toy_set(tmp_path / "set")
    preset = Connect(layers=2, units=32, epochs=200, batch=32, rate=5e-3, fractions=(0.7, 0.2, 0.1))
    errors = relative_errors(train(kept, preset.plans(kept)["all"], tmp_path / "run"), points(100, 4))
    assert set(errors) == {"tt", "te", "derived", "pk"} and max(errors.values()) < 0.2, errors


@pytest.mark.slow
def test_cosmopower_trains(tmp_path):
    kept = toy_set(tmp_path / "set", 240, only=("te", "pk"))
    preset = CosmoPower(
        layers=2, units=32, epochs=60, batch=32, patience=20, rates=(1e-2, 1e-3), weights="he", components={"te": 6}
    )
    theta = points(100, 4)
    for name, plan in preset.plans(kept).items():
        trained = train(kept, plan, tmp_path / name)
        if name == "pk":
            inputs = np.column_stack([theta, np.full(100, 1.0)])
            truth = outputs(theta)["pk"].reshape(100, 4, len(K))[:, 2]
            found = np.asarray(trained(jnp.asarray(inputs))["pk"])
            assert np.sqrt(np.mean(np.log(found / truth) ** 2)) < 0.05
        else:
            assert relative_errors(trained, theta)[name] < 0.2


def relative_errors(trained, theta):
    """Root mean square error of each output in units of its spread."""
    truth = outputs(theta)
    return {
        name: float(np.sqrt(np.mean(((np.asarray(found) - truth[name]) / truth[name].std(axis=0)) ** 2)))
        for name, found in trained(jnp.asarray(theta)).items()
    }


def test_presets_have_names():
    assert PRESETS == {"connect": Connect, "cosmopower": CosmoPower}
