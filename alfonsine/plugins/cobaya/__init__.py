"""Components for Cobaya, named in its input by their import path: alfonsine.plugins.cobaya.Emulated, ..."""

from alfonsine.plugins.cobaya.emulated import Emulated

__all__ = ["Emulated"]
