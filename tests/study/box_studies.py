"""A design study whose theory is a closed form in a file of the user's own."""

import numpy as np
import yaml
from command_line import call

from alfonsine.study.prepare import prepare
from alfonsine.study.settings import read_study

THEORY = """
import numpy as np

K = np.geomspace(1e-3, 1.0, 25)


def predict(inputs):
    with open({diary!r}, "a") as diary:
        diary.write("one\\n")
    a, b = inputs["a"], inputs["b"]
    if a > {fails_above}:
        raise ValueError("no answer there")
    return {{"shape": (1 + b) * np.exp(-a * K), "wave": np.sin(3 * a * K) + b, "half": a / 2}}
"""
K = np.geomspace(1e-3, 1.0, 25)
LOWER, UPPER = np.array([0.5, -0.5]), np.array([2.0, 0.5])
SMALL = {"units": 12, "layers": 2, "epochs": 15, "fractions": [0.8, 0.1, 0.1]}  # a network that is soon trained


def write(folder, fails_above=9.0, **blocks):
    (folder / "my_theory.py").write_text(THEORY.format(diary=str(folder / "diary"), fails_above=fails_above))
    study = {
        "theory": {"python": {"function": "my_theory:predict"}},
        "params": {"a": {"prior": {"min": 0.5, "max": 2.0}}, "b": {"prior": {"min": -0.5, "max": 0.5}}},
        "design": {"number": 40, "held_out": 10},
        "output": str(folder / "run"),
        "compute": {"workers": 1},
    } | blocks
    (folder / "study.yaml").write_text(yaml.safe_dump(study))
    return folder / "study.yaml"


def prepared(path):
    settings = read_study(path)
    return prepare(settings, settings.folder)


def exact(theta):
    a, b = theta[:, :1], theta[:, 1:]
    return {"shape": (1 + b) * np.exp(-a * K), "wave": np.sin(3 * a * K) + b, "derived": a / 2}


def fresh(n=50, seed=9):
    return np.random.default_rng(seed).uniform(LOWER, UPPER, (n, 2))


def calls(folder):
    return len((folder / "diary").read_text().splitlines())


def command(monkeypatch, capsys, *arguments):
    """Exit code, what was printed, and what was complained of."""
    code = call(monkeypatch, *arguments)
    told = capsys.readouterr()
    return code, told.out, told.err
