r"""What is known of an output before anything is learned: a factor, slopes, or that it had better be a logarithm.

The linear matter power spectrum depends on the primordial spectrum exactly and in closed form,

.. math:: \ln P(k, z) = \ln A_s + (n_s - 1) \ln(k/k_*) + f(k, z; \ldots),

so that neither amplitude nor tilt is an input of what is left to learn. In a non-linear spectrum they are, but what is
left varies less without these terms.
"""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from jaxtyping import Float

from alfonsine.emulator.metric import UNLENSED
from alfonsine.emulator.scaling import AMPLITUDE, LOG_AMPLITUDE, PROPORTIONAL
from alfonsine.theory.output import Output

TILT = ("n_s", "ns")
LINEAR_POWER = ("pk_lin", "pk_lin_cb")
POWER = (*LINEAR_POWER, "pk_nl", "pk_nl_cb")
PIVOT = 0.05  # 1/Mpc; another one only changes what is learned by a constant
SPAN = 1.2  # an output that varies by a larger factor over the box is learned as its logarithm


class Slope(NamedTuple):
    """A known line: change of what is learned, (m,), per unit of a parameter or of its logarithm."""

    position: int
    logarithmic: bool
    change: Float[np.ndarray, " m"]


class Known(NamedTuple):
    """What is known of one output.

    transform   "exp" where its logarithm is learned, else "identity"
    slopes      known lines
    exact       positions of parameters that have no effect beyond factor and slopes
    """

    transform: str
    slopes: tuple[Slope, ...]
    exact: tuple[int, ...]


def known(output: Output, names: Sequence[str], low: Float[np.ndarray, " m"], high: Float[np.ndarray, " m"]) -> Known:
    """What is known of an output of the named inputs, given the smallest and largest value of each of its entries."""
    base = output.name.removeprefix(UNLENSED)
    if output.name in POWER and (low > 0).all():
        slopes = power_slopes(output, names)
        exact = tuple(slope.position for slope in slopes) if output.name in LINEAR_POWER else ()
        return Known("exp", slopes, exact)
    if base in PROPORTIONAL:
        exact = tuple(i for i, n in enumerate(names) if n in (*LOG_AMPLITUDE, *AMPLITUDE))
        return Known("identity", (), exact if base != output.name else ())  # lensing is not linear
    spans = (low > 0).all() and bool((high > SPAN * low).any())
    return Known("exp" if spans and output.axes else "identity", (), ())


def power_slopes(output: Output, names: Sequence[str]) -> tuple[Slope, ...]:
    """Lines of amplitude and tilt in ln P(k, z)."""
    k = output.axis("k").array
    flat = np.ones(output.shape)
    found = []
    for i, name in enumerate(names):
        if name in (*LOG_AMPLITUDE, *AMPLITUDE):
            found.append(Slope(i, name in AMPLITUDE, flat.reshape(-1)))
        if name in TILT:
            found.append(Slope(i, False, (flat * np.log(k / PIVOT)).reshape(-1)))
    return tuple(found)
