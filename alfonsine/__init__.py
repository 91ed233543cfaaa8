"""alfonsine: learn an expensive theory code from few exact calls, infer, and prove how good the answer is."""

from importlib import import_module
from typing import Any

import jax

jax.config.update("jax_enable_x64", True)  # a posterior moves by 0.01 in ln L: 32-bit is not enough

__version__ = "0.1.0"
__all__ = ["InputError", "load_emulator", "read_certificate", "resample", "run"]
DOORS = {
    "InputError": "alfonsine.errors",
    "load_emulator": "alfonsine.emulator.stored.file",
    "read_certificate": "alfonsine.front",
    "resample": "alfonsine.emulator.resample",
    "run": "alfonsine.front",
}


def __getattr__(name: str) -> Any:
    """What users need, imported when it is asked for."""
    if name not in DOORS:
        raise AttributeError(f"module 'alfonsine' has no attribute '{name}'")
    return getattr(import_module(DOORS[name]), name)
