"""Components for Cobaya, named in its input by their import path: alfonsine.plugins.cobaya.Emulated, and so on."""

from alfonsine.plugins.cobaya.emulated import Emulated
from alfonsine.plugins.cobaya.learned import camb, classy

__all__ = ["Emulated", "camb", "classy"]
