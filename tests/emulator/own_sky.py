"""Networks with parts of the user's own, untrained, as trained networks and as an emulator."""

import tempfile
from pathlib import Path

import numpy as np
from toy_set import NAMES, OUTPUTS, toy_set

from alfonsine.emulator.networks.emulate import emulator_of, ranges_of
from alfonsine.emulator.networks.plan import Plan, Stage
from alfonsine.emulator.networks.prepare import prepare

PARTS = Path(__file__).parent / "golden"
OWN = {
    "activation": "my_parts:Wave",
    "activation_options": {"height": 0.25},
    "architecture": "my_parts:Both",
    "normalisation": "my_parts:InverseSinh",
    "loss": "my_parts:Cube",
}
RANGES = ranges_of(NAMES, np.full(2, -1.0), np.full(2, 1.0), OUTPUTS)


def own_network(parts=PARTS, members=1, **changes):
    """Random weights are as good as any here; the same each time."""
    plan = Plan(**{"outputs": ("tt", "te"), "widths": (5, 4), "stages": (Stage(1e-2, 2, 32),), **OWN, **changes})
    with tempfile.TemporaryDirectory() as folder:
        prepared = prepare(toy_set(Path(folder) / "set", 40), plan, members=members, parts=parts)
        return prepared.record(prepared.trainer.start)


def own_emulator(parts=PARTS, members=1, **changes):
    """One network for tt and te."""
    return emulator_of([own_network(parts, members, **changes)], RANGES, {"provenance": "random weights"})
