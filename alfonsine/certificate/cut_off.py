"""How much of a posterior lies where its emulator cannot be asked, so that no draw tells of it."""

import numpy as np
from jaxtyping import Float

AT_MOST = 10.0  # times what lies in the last tenth of the way to an edge is thought to lie beyond


def beyond(way: Float[np.ndarray, " n"], weights: Float[np.ndarray, " n"]) -> float:
    r"""Mass beyond an edge at one, if it goes on to fall from tenth to tenth of the way as it does before.

    With the shares a and b of draws in the last tenth but one and in the last, the geometric series

    .. math:: b \left(\frac{b}{a} + \frac{b^2}{a^2} + \dots\right) = \frac{b^2}{a - b} .

    Of a Gaussian that is more than the truth, since it falls ever faster; never more than 1. way: 0 in the middle, 1 at
    the edge.
    """
    total = weights.sum()
    before, last = (weights[(way > a) & (way <= a + 0.1)].sum() / total for a in (0.8, 0.9))
    guessed = last * (min(last / (before - last), AT_MOST) if before > last else AT_MOST)
    return min(float(guessed), 1.0)
