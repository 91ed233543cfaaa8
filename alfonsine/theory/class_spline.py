r"""From a spectrum at some multipoles to the spectrum at all of them, as CLASS does it.

CLASS computes C_l at its own nodes and fills the gaps by a cubic spline of the bare C_l in l (`_SPLINE_EST_DERIV_` in
`source/harmonic.c` and `source/lensing.c`). The slope at either end is that of the parabola through the three outermost
nodes,

.. math:: y'_0 = \frac{(x_2-x_0)^2 (y_1-y_0) - (x_1-x_0)^2 (y_2-y_0)}{(x_2-x_0)(x_1-x_0)(x_2-x_1)}

so that the whole is linear in the values at the nodes: a matrix, which is made once.
"""

import numpy as np
from jaxtyping import Float
from scipy.interpolate import CubicSpline

FEWEST = 3  # nodes, for the slopes at the ends


def spline(nodes: Float[np.ndarray, " n"], ell: Float[np.ndarray, " m"]) -> Float[np.ndarray, "m n"]:
    """Matrix from values at increasing nodes, three at least, to values at `ell`, which lie within them."""
    unit = np.eye(len(nodes))
    first, last = _slope(nodes[:3], unit[:3]), _slope(nodes[:-4:-1], unit[:-4:-1])
    return CubicSpline(nodes, unit, bc_type=((1, first), (1, last)))(ell)


def _slope(x: Float[np.ndarray, " 3"], y: Float[np.ndarray, "3 n"]) -> Float[np.ndarray, " n"]:
    """Slope in the first of three points of the parabola through them."""
    one, two = x[1] - x[0], x[2] - x[0]
    return (two**2 * (y[1] - y[0]) - one**2 * (y[2] - y[0])) / (two * one * (x[2] - x[1]))
