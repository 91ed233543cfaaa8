"""Components for Cobaya, named in its input by their import path: alfonsine.plugins.cobaya.Emulated, and so on."""

import logging

from alfonsine.plugins.cobaya.emulated import Emulated
from alfonsine.plugins.cobaya.learned import camb, classy

__all__ = ["Emulated", "camb", "classy"]

# Cobaya shows what any library notes; that there is no accelerator is of no use to its users
logging.getLogger("jax._src.xla_bridge").setLevel(logging.WARNING)
