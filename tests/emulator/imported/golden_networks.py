"""The golden networks: their files, what the original software predicts with them, and a table for each."""

import json
from pathlib import Path
from typing import Any

import numpy as np

GOLDEN = Path(__file__).parent / "golden"
RECORD = json.loads((GOLDEN / "predictions.json").read_text())
THETA = np.array(RECORD["theta"])
NAMES = tuple(RECORD["parameters"])
FILES = {
    "layout_a": "layout_a.pkl",
    "layout_b": "layout_b.pkl",
    "layout_c": "layout_c.pkl",
    "layout_c_components": "layout_c_components.pkl",
    "layout_d": "layout_d.npz",
    "layout_d_components": "layout_d_components.npz",
    "layout_d_other_names": "layout_d_other_names.npz",
    "layout_e": "layout_e.npz",
    "layout_e_components": "layout_e_components.npz",
    "layout_e_derived": "layout_e_derived.npz",
}
LOGARITHMS = ("layout_a", "layout_c", "layout_d", "layout_e")
RANGES = {"omega_b": [0.015, 0.03], "h": [0.4, 1.0], "ln10^{10}A_s": [2.5, 3.6]}
PCA = {"matrix": "layout_c_matrix.npy", "mean": "layout_c_mean.npy", "std": "layout_c_std.npy", "modes": [2, 8]}


def predictions(name: str) -> np.ndarray:
    """Of the original software, at THETA."""
    return np.array(RECORD["predictions"][name])


def entry(name: str, **changes: Any) -> dict[str, Any]:
    """What a user would write in a table."""
    table = {"output": "tt", "log": name in LOGARITHMS, "unit": "muK^2", "axis": {"name": "l", "unit": ""}}
    table |= {"ranges": dict(RANGES)}
    if name == "layout_e_derived":
        table |= {"output": "derived", "unit": ""}
        del table["axis"]
    if name == "layout_c":
        table["pca"] = "none"
    if name == "layout_c_components":
        table["pca"] = dict(PCA)
    return table | changes
