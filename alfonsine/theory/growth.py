"""Linear growth without scale dependence, of matter that clusters in a universe that need not be made of it alone."""

from collections.abc import Callable

import numpy as np
from jaxtyping import Float
from scipy.integrate import solve_ivp
from scipy.interpolate import CubicSpline

A_INITIAL = 1e-14  # deep in the era of radiation; CLASS's own beginning
NODES = 2000  # of the expansion rate in ln a, steps of 0.016: the spline is good to 1e-9


def growth(
    rate: Callable[[Float[np.ndarray, " a"]], Float[np.ndarray, " a"]], matter: float, z: Float[np.ndarray, " z"]
) -> tuple[Float[np.ndarray, " z"], Float[np.ndarray, " z"]]:
    """D, 1 today, and f = d ln D / d ln a at the redshifts `z`, in any order, below 1e14.

    Solves D'' + a H D' = (3/2) a^2 rho D, primes for conformal time: cold matter on scales that pressure and radiation
    do not reach (P. J. E. Peebles, The Large-Scale Structure of the Universe, 1980, section 10). Beginning and density
    are those of CLASS: D = 1 and D' = 2 a H at a = 1e-14, and `rho` of cold dark matter and baryons, not of massive
    neutrinos, which take part in the expansion only.

    rate     a^2 H [1/Mpc] at scale factors a
    matter   a^3 rho [1/Mpc^2], where rho = 8 pi G rho / 3 c^2 as everywhere here
    """
    nodes = np.linspace(np.log(A_INITIAL), 0.0, NODES)
    spline = CubicSpline(nodes, np.log(rate(np.exp(nodes))))
    first = float(np.exp(spline(nodes[0])))

    def slope(x: float, y: np.ndarray) -> list[float]:
        # y = D, and a D' over the first a^2 H: both change slowly in the era of radiation
        h = float(np.exp(spline(x)))
        return [y[1] * first / h, 1.5 * matter * np.exp(x) * y[0] / (h * first)]

    x = -np.log1p(z)
    order, back = np.unique(x, return_inverse=True)
    times = order if order[-1] == 0.0 else np.append(order, 0.0)
    solved = solve_ivp(slope, (nodes[0], 0.0), [1.0, 2.0], "DOP853", times, rtol=1e-10, atol=1e-12)
    values, moments = solved.y[:, : len(order)]
    rates = moments * first / (np.exp(spline(order)) * values)
    return (values / solved.y[0, -1])[back], rates[back]
