"""Networks with parts of the user's own, from a study file to an emulator file and back, through the commands."""

import json

import numpy as np
import pytest
import yaml
from box_studies import SMALL, command, fresh, prepared, write

from alfonsine.emulator.stored.file import load_emulator
from alfonsine.errors import InputError
from alfonsine.study.stages import stored_emulator
from alfonsine.study.wide import train_box

OWN = """
import jax
import jax.numpy as jnp
import numpy as np
from alfonsine.emulator.networks.activations import Activation
from alfonsine.emulator.networks.dense import Architecture, Dense
from alfonsine.emulator.networks.losses import Loss
from alfonsine.emulator.networks.normalisations import Normalisation, standard
from alfonsine.emulator.networks.streaming import moments


class Snake(Activation):
    frequency: jax.Array

    @classmethod
    def draw(cls, key, width):
        return cls(jax.random.uniform(key, (width,), jnp.float32, 0.5, 2.0))

    def __call__(self, x):
        return x + jnp.sin(self.frequency * x) ** 2 / self.frequency


class Deep(Dense):
    pass


class Absolute(Loss):
    def __call__(self, prediction, target):
        return jnp.mean(jnp.abs(prediction - target))


class CubeRoot(Normalisation):
    @classmethod
    def fit(cls, chunks):
        return cls(*standard(moments(chunks, np.cbrt)))

    def before(self, x):
        return jnp.cbrt(x)

    def after(self, x):
        return x**3
"""
OPTIONS = SMALL | {
    "epochs": 3,
    "activation": "my_parts:Snake",
    "architecture": "my_parts:Deep",
    "loss": "my_parts:Absolute",
    "normalisation": "my_parts:CubeRoot",
}


def written(folder, options, source=OWN):
    (folder / "my_parts.py").write_text(source)
    return write(folder, emulator={"preset": "connect", "options": options})


def trainings(folder):
    return {path.parent.name for path in (folder / "run" / "training").rglob("state.safetensors")}


@pytest.mark.slow
def test_a_study_with_parts_of_its_own(tmp_path, monkeypatch, capsys):
    path, file = written(tmp_path, OPTIONS), tmp_path / "run" / "emulator.safetensors"
    code, told, _ = command(monkeypatch, capsys, "train", path, "--quiet")
    assert code == 0 and "Errors on held-out models" in told
    code, _, err = command(monkeypatch, capsys, "card", file)
    assert code == 2 and "expected the folder of 'my_parts:CubeRoot'" in err and err.count("\n") == 1
    code, card, _ = command(monkeypatch, capsys, "card", file, "--parts", tmp_path)
    assert code == 0 and set(card.splitlines()) <= set(told.splitlines())
    emulator, theta = stored_emulator(prepared(path)), fresh()
    parts = emulator.card["networks"]["all"]["parts"]
    assert list(parts) == ["my_parts"] and json.loads(json.dumps(emulator.card)) == emulator.card
    first = trainings(tmp_path)
    again = train_box(prepared(path))
    assert trainings(tmp_path) == first and len(first) == 1
    for name, values in again(theta).items():
        np.testing.assert_array_equal(values, emulator(theta)[name])
        assert np.isfinite(values).all()
    # edited: neither read as if nothing had happened, nor resumed
    written(tmp_path, OPTIONS, OWN.replace("** 2", "** 4"))
    with pytest.raises(InputError, match="edited since"):
        stored_emulator(prepared(path))
    train_box(prepared(path))
    assert len(trainings(tmp_path)) == 2 and trainings(tmp_path) > first
    found = stored_emulator(prepared(path))(theta)
    assert any((found[name] != emulator(theta)[name]).any() for name in found)


def test_a_study_that_names_no_parts_gives_no_word_for_a_file_that_does(tmp_path):
    path = written(tmp_path, SMALL | {"activation": "my_parts:Snake", "loss": "mean_square", "epochs": 2})
    train_box(prepared(path))
    load_emulator(tmp_path / "run" / "emulator.safetensors", tmp_path)
    study = yaml.safe_load(path.read_text())
    del study["emulator"]
    path.write_text(yaml.safe_dump(study))
    with pytest.raises(InputError, match="expected the folder of 'my_parts:Snake'"):
        stored_emulator(prepared(path))


@pytest.mark.parametrize(
    ("options", "source", "words"),
    [
        ({"activation": "my_part:Snake"}, OWN, "expected to import module 'my_part'"),
        ({"activation": "my_parts:Snakes"}, OWN, "did you mean 'Snake'"),
        ({"normalisation": "my_parts:Snake"}, OWN, "to be a subclass of"),
        ({"architecture": "densee"}, OWN, "expected a known architecture"),
        ({"loss": "my_parts:Absolute"}, "import nowhere_at_all\n", "No module named 'nowhere_at_all'"),
    ],
)
def test_a_part_that_is_none_is_told_before_the_first_call(tmp_path, options, source, words):
    with pytest.raises(InputError, match=words):
        train_box(prepared(written(tmp_path, options, source)))
    assert not (tmp_path / "diary").exists()


def test_what_no_file_can_hold_is_told_before_the_training(tmp_path):
    source = OWN.replace("class CubeRoot(Normalisation):", "class CubeRoot(Normalisation):\n    more: tuple = ()\n")
    with pytest.raises(InputError, match="a file cannot hold it"):
        train_box(prepared(written(tmp_path, OPTIONS, source)))
    assert not trainings(tmp_path)
