r"""What is done to the linear combination of amplitudes to make an output of it.

identity     nothing
exp          :math:`e^x`: a spectrum that spans decades is learned as its logarithm; one to another base differs by a
             factor of the basis
double_exp   :math:`\exp(e^x - b) - a`, which undoes a logarithm taken twice (section 2.4 of arXiv:2205.15726), each
             time after a shift
module:Name  what undoes a normalisation of the user's own, held by the emulator: `Emulator.undone`
"""

from collections.abc import Callable

import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float

Offsets = Float[Array, "2 m"] | None

FORWARD: dict[str, Callable[[Array, Offsets], Array]] = {
    "identity": lambda x, _: x,
    "exp": lambda x, _: jnp.exp(x),
    "double_exp": lambda x, offsets: jnp.exp(jnp.exp(x) - offsets[1]) - offsets[0],
}
"""From the linear combination, and a and b where there are any, to the output."""

WITH_OFFSETS = ("double_exp",)

INVERSE: dict[str, Callable[[np.ndarray], np.ndarray]] = {"identity": lambda y: y, "exp": np.log}
"""From outputs of the exact code to what is learned."""
