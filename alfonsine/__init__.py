"""alfonsine: learn an expensive theory code from few exact calls, infer, and prove how good the answer is."""

from typing import Any

import jax

jax.config.update("jax_enable_x64", True)  # a posterior moves by 0.01 in ln L: 32-bit is not enough

__version__ = "0.1.0"
__all__ = ["load_emulator", "resample"]


def __getattr__(name: str) -> Any:
    """What users of a finished emulator need, imported when it is asked for."""
    if name == "load_emulator":
        from alfonsine.emulator.stored.file import load_emulator

        return load_emulator
    if name == "resample":
        from alfonsine.emulator.resample import resample

        return resample
    raise AttributeError(f"module 'alfonsine' has no attribute '{name}'")
