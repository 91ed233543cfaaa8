"""Parts of the user's own: the documented example trains, its formulas hold, and mistakes are one clear line."""

from pathlib import Path

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from toy_set import outputs, points, toy_set

from alfonsine.emulator.networks.activations import ACTIVATIONS, Activation
from alfonsine.emulator.networks.custom import chosen, find_object
from alfonsine.emulator.networks.emulate import emulator_of, ranges_of
from alfonsine.emulator.networks.losses import Entries
from alfonsine.emulator.networks.normalisations import outer_of
from alfonsine.emulator.networks.plan import Plan, Stage
from alfonsine.emulator.networks.training import train
from alfonsine.errors import InputError

EXAMPLES = Path(__file__).parents[2] / "examples"


def example(name):
    return find_object(f"custom_network:{name}", EXAMPLES)


@pytest.mark.slow
def test_the_example_trains_and_is_linear_in_its_amplitudes(tmp_path):
    kept = toy_set(tmp_path / "set")
    plan = Plan(
        outputs=("te",),
        widths=(24, 24, 24),
        stages=(Stage(5e-3, 300, 32), Stage(5e-4, 100, 32)),
        activation="custom_network:Snake",
        loss="custom_network:LogCosh",
        normalisation="custom_network:InverseSinh",
        architecture="custom_network:Residual",
    )
    trained = train(kept, plan, tmp_path / "run", parts=EXAMPLES, members=2)
    assert type(trained.network).__name__ == "Residual" and trained.network.layers[0].activation.frequency.shape == (
        2,
        24,
    )
    theta = points(200, 6)
    truth, found = outputs(theta)["te"], np.asarray(trained(jnp.asarray(theta))["te"])
    assert np.sqrt(np.mean(((found - truth) / truth.std(axis=0)) ** 2)) < 0.1
    parts = trained.linear_parts()
    linear = np.asarray(trained.amplitudes(jnp.asarray(theta))) @ parts.basis["te"].T
    assert parts.transform["te"] == "custom_network:InverseSinh"
    unit = np.asarray(trained.chain.normalisation.unit)
    np.testing.assert_allclose(unit * np.sinh(linear), found, rtol=1e-4, atol=1e-14)
    edges = ranges_of(kept.names, np.full(2, -1.0), np.full(2, 1.0), [])
    predicted = emulator_of([trained], edges)(theta)["te"]
    np.testing.assert_allclose(predicted, found, rtol=1e-3, atol=1e-4 * np.abs(found).max())


def test_formulas_of_the_example():
    snake = example("Snake").draw(jax.random.key(0), 3)
    x = np.linspace(-3, 3, 12).reshape(4, 3)
    a = np.asarray(snake.frequency, float)
    np.testing.assert_allclose(snake(jnp.asarray(x)), x + np.sin(a * x) ** 2 / a, rtol=1e-6)
    loss = example("LogCosh").of(Entries(np.ones(3), np.ones(3)))
    assert float(loss(jnp.asarray(x), jnp.zeros((4, 3)))) == pytest.approx(np.mean(np.log(np.cosh(x))), rel=1e-9)
    assert float(loss(jnp.full((1, 3), 900.0), jnp.zeros((1, 3)))) == pytest.approx(900 - np.log(2))
    y = np.random.default_rng(0).normal(size=(50, 3)) * [1e-12, 1.0, 1e5]
    fitted = example("InverseSinh").fit(lambda: iter([y]))
    np.testing.assert_allclose(fitted.inverse(fitted.forward(jnp.asarray(y))), y, rtol=1e-9, atol=1e-24)


SLOPE = """
import jax.numpy as jnp
from alfonsine.emulator.networks.activations import Activation


class Slope(Activation):
    def __call__(self, x):
        return jnp.where(x > 0, x, 0.1 * x)
"""


def test_an_edited_part_is_another_training(tmp_path):
    """Of the same length and within the same second: neither Python's cache nor a checkpoint may serve the old one."""
    kept = toy_set(tmp_path / "set", 60, only=("te",))
    plan = Plan(("te",), (4,), (Stage(1e-2, 2, 32),), activation="mine:Slope")
    (tmp_path / "mine.py").write_text(SLOPE)
    one = train(kept, plan, tmp_path / "run", parts=tmp_path)
    assert list(one.digests) == ["mine"]
    (tmp_path / "mine.py").write_text(SLOPE.replace("0.1", "0.9"))
    with pytest.raises(InputError, match="expected a training of the same files of your own"):
        train(kept, plan, tmp_path / "run", parts=tmp_path)
    other = train(kept, plan, tmp_path / "other", parts=tmp_path)
    assert other.digests != one.digests
    assert [float(n.network.layers[0].activation(-1.0)) for n in (one, other)] == pytest.approx([-0.1, -0.9])
    (tmp_path / "mine.py").write_text(SLOPE)
    again = train(kept, plan, tmp_path / "run", parts=tmp_path)
    np.testing.assert_array_equal(again.network.weight, one.network.weight)


@pytest.mark.parametrize(
    ("change", "outer"),
    [
        ({}, "mine:Mine"),
        ({"(Normalisation)": "(Log10)"}, "mine:Mine"),
        ({"after": "forth"}, "identity"),
        ({"after": "forth", "(Normalisation)": "(Log10)"}, "exp10"),
    ],
)
def test_what_undoes_a_normalisation_is_ours_only_where_it_is_inherited(tmp_path, change, outer):
    """A class that forgets to say that it is not linear must not be taken for one that is."""
    source = (
        "from alfonsine.emulator.networks.normalisations import *\n"
        "class Mine(Normalisation):\n    def after(self, x):\n        return x**3\n"
    )
    for old, new in change.items():
        source = source.replace(old, new)
    (tmp_path / "mine.py").write_text(source)
    assert outer_of(find_object("mine:Mine", tmp_path), "mine:Mine") == outer


def test_ours_are_found_by_their_names():
    assert chosen("activation", "tanh", ACTIVATIONS, Activation, None) is ACTIVATIONS["tanh"]
    assert find_object("math:pi") == np.pi


def test_two_studies_may_have_files_of_the_same_name(tmp_path):
    for name in ("one", "two"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "mine.py").write_text(f"LABEL = {name!r}\n")
    assert [find_object("mine:LABEL", tmp_path / name) for name in ("one", "two")] == ["one", "two"]


@pytest.mark.parametrize(
    ("name", "source", "message"),
    [
        ("mine", "", "expected a known activation or 'module:Class'"),
        ("mine:", "", "expected 'module:Name'"),
        ("../mine:Part", "", "expected 'module:Name'"),
        ("mine:Part", None, "expected to import module 'mine'"),
        ("mine:Part", "class Parts: pass", "expected 'Part' in module 'mine', got none; did you mean 'Parts'"),
        ("mine:Part", "class Part: pass", "to be a subclass of alfonsine.emulator.networks.activations.Activation"),
        ("mine:Part", "Part = 3", "to be a subclass of"),
        ("mine:Part", "import nosuchmodule", "ModuleNotFoundError: No module named 'nosuchmodule'"),
        ("mine:Part", "class Part(:", "SyntaxError"),
    ],
)
def test_a_mistake_is_one_clear_line(tmp_path, name, source, message):
    if source is not None:
        (tmp_path / "mine.py").write_text(source)
    with pytest.raises(InputError, match=message) as error:
        chosen("activation", name, ACTIVATIONS, Activation, tmp_path)
    assert "\n" not in str(error.value)
