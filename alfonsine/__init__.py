"""alfonsine: learn an expensive theory code from few exact calls, infer, and prove how good the answer is."""

import jax

jax.config.update("jax_enable_x64", True)  # a posterior moves by 0.01 in ln L: 32-bit is not enough

__version__ = "0.1.0"
