"""alfonsine: learn an expensive theory code from few exact calls, infer, and prove how good the answer is."""

from importlib import import_module
from typing import Any

import jax

jax.config.update("jax_enable_x64", True)  # a posterior moves by 0.01 in ln L: 32-bit is not enough

__version__ = "0.1.0"
__all__ = ["load_emulator", "resample"]
DOORS = {"load_emulator": "alfonsine.emulator.stored.file", "resample": "alfonsine.emulator.resample"}


def __getattr__(name: str) -> Any:
    """What users of a finished emulator need, imported when it is asked for."""
    if name not in DOORS:
        raise AttributeError(f"module 'alfonsine' has no attribute '{name}'")
    return getattr(import_module(DOORS[name]), name)
