"""A surface over redshift and wavenumber, asked between its own values and never beyond them."""

from dataclasses import dataclass, field

import numpy as np
from jaxtyping import Float
from scipy.interpolate import RectBivariateSpline

from alfonsine.hosts.missing import MissingQuantity

SAME = 1e-9  # relative; nearer values are one
Numbers = float | Float[np.ndarray, "..."]
FEWEST = 4  # values of an axis that a cubic spline needs


@dataclass(frozen=True, eq=False)
class Surface:
    """P(z, k) [Mpc^3], k in 1/Mpc: values on a grid, and a spline of ln P over z and ln k.

    name, source   whose it is, for messages
    """

    name: str
    source: str
    z: Float[np.ndarray, " z"]
    k: Float[np.ndarray, " k"]
    values: Float[np.ndarray, "z k"]
    _spline: list[RectBivariateSpline] = field(default_factory=list, repr=False)

    def at(self, k: Numbers, z: Numbers, asked: str = "") -> np.ndarray:
        """At pairs of k and z, broadcast against each other; MissingQuantity beyond the grid."""
        k, z = np.broadcast_arrays(np.asarray(k, dtype=float), np.asarray(z, dtype=float))
        k = within(k, self.k, "k", "1/Mpc", asked or self.name, self.name, self.source)
        z = within(z, self.z, "z", "", asked or self.name, self.name, self.source)
        if len(self.z) < FEWEST or len(self.k) < FEWEST:
            return self._at_nodes(k, z, asked)
        if not self._spline:
            positive = bool(np.all(self.values > 0))
            self._spline.append(RectBivariateSpline(self.z, np.log(self.k), self.log() if positive else self.values))
        found = self._spline[0](z, np.log(k), grid=False)
        return np.asarray(np.exp(found) if np.all(self.values > 0) else found)

    def log(self) -> Float[np.ndarray, "z k"]:
        """Logarithm of the values."""
        return np.log(self.values)

    def _at_nodes(self, k: np.ndarray, z: np.ndarray, asked: str) -> np.ndarray:
        """Values of the grid itself, which has too few of them for a spline."""
        i, j = (_node(grid, wanted) for grid, wanted in ((self.z, z), (self.k, k)))
        if np.any(i < 0) or np.any(j < 0):
            raise MissingQuantity(
                asked or self.name,
                f"'{self.name}' at {len(self.z)} redshifts and {len(self.k)} wavenumbers only ({self.source})",
                f"make the grid of matter_power at least {FEWEST} x {FEWEST} in the study's theory block",
            )
        return np.asarray(self.values[i, j])


def _node(grid: np.ndarray, wanted: np.ndarray) -> np.ndarray:
    """Index of the value of a grid that is meant; -1 where there is none."""
    nearest = np.abs(wanted[..., None] - grid).argmin(axis=-1)
    return np.where(np.abs(grid[nearest] - wanted) <= SAME * np.abs(grid[nearest]), nearest, -1)


def within(
    wanted: Float[np.ndarray, "..."],
    grid: Float[np.ndarray, " n"],
    axis: str,
    unit: str,
    asked: str,
    name: str,
    source: str,
) -> Float[np.ndarray, "..."]:
    """The values wanted, rounding at the edges undone; MissingQuantity where the grid does not reach."""
    low, high = float(grid[0]), float(grid[-1])
    bad = ~((wanted >= low - SAME * abs(low)) & (wanted <= high + SAME * abs(high)))
    if np.any(bad):
        unit = f" {unit}" if unit else ""
        block = "matter_power" if axis == "k" else "theory"
        value = float(wanted[bad].flat[0])
        raise MissingQuantity(
            f"{asked} at {axis} = {value:.6g}{unit}",
            f"'{name}' from {axis} = {low:g} to {high:g}{unit} ({source})",
            f"let the grid of {axis} in the study's {block} block reach {value:.6g}, and train again"
            if np.isfinite(value)
            else f"give a finite {axis}",
        )
    return np.asarray(np.clip(wanted, low, high))  # an array also where it is one number
