r"""What a host program may ask of one evaluation of an emulator, or of the exact code.

Nothing here returns a default: what is not held, or not held where it is asked for, raises MissingQuantity. What is
returned is held, or follows from what is held by an identity:

.. math:: D_L = (1+z)^2 D_A, \quad D_M = (1+z) D_A, \quad
          D_M = \sin_K(\chi) = \sin(\sqrt{K}\chi)/\sqrt{K}, \quad K = -\Omega_k (H_0/c)^2

(sinh where K < 0, :math:`D_M = \chi` where K = 0), and :math:`H = c \sqrt{\rho_{crit}}`,
:math:`f\sigma_8 = f \times \sigma_8(z)`.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any

import numpy as np
from jaxtyping import Float
from scipy.interpolate import CubicSpline

from alfonsine.emulator.emulator import Emulator
from alfonsine.hosts.missing import MissingQuantity
from alfonsine.hosts.numbers import canonical, completed, told
from alfonsine.hosts.surface import FEWEST, Numbers, Surface, within
from alfonsine.hosts.trained_with import trained_with
from alfonsine.theory.class_spline import spline
from alfonsine.theory.grids import BACKGROUND, POWER, THERMODYNAMICS
from alfonsine.theory.output import Output

LIGHT = 299792.458  # km/s
DISTANCES = ("D_A", "D_L", "D_M", "comoving_distance")
CLOSED = 0.2  # with less curvature the whole observable universe ends before its equator
# name -> the names that it is made of, and how; distances apart
MADE_OF = {
    "H": (("rho_crit",), lambda rho: LIGHT * np.sqrt(rho)),
    "rho_crit": (("H",), lambda H: (H / LIGHT) ** 2),
    "f_sigma8": (("f", "sigma8_z"), lambda f, sigma8: f * sigma8),
    "f": (("f_sigma8", "sigma8_z"), lambda both, sigma8: both / sigma8),
    "sigma8_z": (("f_sigma8", "f"), lambda both, f: both / f),
}


@dataclass(frozen=True, eq=False)
class Quantities:
    """Outputs of one evaluation, with units and axes, and the numbers known with them.

    outputs   name -> unit and axes
    values    name -> flattened, last axis fastest: bare C_l in muK^2 (pp without unit), functions of redshift, surfaces
    numbers   derived numbers, inputs, fixed settings
    source    whose they are, for messages: "emulator.safetensors"
    """

    outputs: Mapping[str, Output]
    values: Mapping[str, Float[np.ndarray, " n"]]
    numbers: Mapping[str, float]
    source: str
    _kept: dict[str, Any] = field(default_factory=dict, repr=False)  # splines, made when first asked for

    @property
    def held(self) -> str:
        """What there is, for messages."""
        return f"an emulator ({self.source}) of {', '.join(self.named) or 'no functions'}"

    @property
    def named(self) -> tuple[str, ...]:
        """Names of spectra, functions and surfaces."""
        return tuple(name for name, output in self.outputs.items() if output.axes)

    def number(self, name: str, asked: str = "") -> float:
        """A number by any of its names, see `class_names`: derived, input or setting, or what follows from these."""
        if "numbers" not in self._kept:
            self._kept["numbers"] = completed(self.numbers)
        known = self._kept["numbers"]
        if canonical(name) not in known:
            raise MissingQuantity(
                asked or f"the number '{name}'",
                f"an emulator ({self.source}) that knows {', '.join(sorted(known)) or 'no numbers'}",
                f"add the line '{name}: ' to params in its study, where a name without prior is derived, "
                "and train again",
            )
        return known[canonical(name)]

    def knows(self, name: str) -> bool:
        """Whether there is such a number."""
        try:
            self.number(name)
        except MissingQuantity:
            return False
        return True

    def spectrum(self, name: str, l_max: int, asked: str = "") -> Float[np.ndarray, " l"]:
        """Bare C_l for l = 0..l_max, zero at 0 and 1 [muK^2; pp none]; by CLASS's own spline between the multipoles."""
        asked = asked or f"the spectrum '{name}'"
        if name not in self.outputs:
            kind, short = ("unlensed", name[9:]) if name.startswith("unlensed_") else ("spectra", name)
            advice = f"add '{kind}: [{short}]' with 'l_max: {l_max}' to the theory block of its study, and train again"
            raise MissingQuantity(asked, self.held, advice)
        ell = np.array(self.outputs[name].axis("l").values)
        if ell[-1] < l_max or ell[0] > 2:
            raise MissingQuantity(
                f"{asked} to l = {l_max}",
                f"'{name}' from l = {ell[0]:g} to {ell[-1]:g} ({self.source})",
                f"set 'l_max: {l_max}' in the theory block of its study, and train again",
            )
        values = np.asarray(self.values[name], dtype=float)
        found = np.zeros(l_max + 1)
        if l_max >= 2:
            whole = len(ell) == ell[-1] - 1
            found[2:] = values[: l_max - 1] if whole else _to_all(tuple(ell.tolist()), l_max) @ values
        return found

    def of_redshift(self, name: str, z: Numbers, asked: str = "") -> Float[np.ndarray, "..."]:
        """A function of redshift by a cubic spline over its own grid, or by an identity from others.

        Names and units: `alfonsine.theory.grids`; and D_M, the transverse comoving distance [Mpc].
        """
        asked, z = asked or f"'{name}'", np.asarray(z, dtype=float)
        if name in self.outputs:
            return self._splined(name, z, asked)
        if name in DISTANCES:
            return self._distance(name, z, asked)
        needed, function = MADE_OF.get(name, ((), None))
        if function is not None and all(n in self.outputs for n in needed):
            return np.asarray(function(*(self._splined(n, z, asked) for n in needed)))
        raise self._no_function(name, z, asked)

    def over_sound_horizon(self, name: str, z: Numbers, asked: str = "") -> Float[np.ndarray, "..."]:
        """A distance over the sound horizon at the end of baryon drag: what BAO measure."""
        return np.asarray(self.of_redshift(name, z, asked) / self.number("rs_drag", asked))

    def surface(self, name: str, asked: str = "") -> Surface:
        """P(z, k), see `Surface`."""
        if name not in self.outputs:
            grid = "k: {min: 0.0001, max: 1, number: 100}, z: {min: 0, max: 3, number: 10}"
            raise MissingQuantity(
                asked or f"the power spectrum '{name}'",
                self.held,
                f"add 'matter_power: {{outputs: [{name}], {grid}}}' to the theory block of its study, and train again"
                if name in POWER
                else f"known power spectra: {', '.join(POWER)}",
            )
        if name not in self._kept:
            z, k = (np.array(self.outputs[name].axis(axis).values) for axis in ("z", "k"))
            values = np.asarray(self.values[name], dtype=float).reshape(len(z), len(k))
            self._kept[name] = Surface(name, self.source, z, k, values)
        return self._kept[name]

    def _splined(self, name: str, z: np.ndarray, asked: str) -> np.ndarray:
        grid = np.array(self.outputs[name].axis("z").values)
        z, values = within(z, grid, "z", "", asked, name, self.source), np.asarray(self.values[name], dtype=float)
        if len(grid) >= FEWEST:
            if name not in self._kept:
                self._kept[name] = CubicSpline(grid, values)
            return self._kept[name](z)
        nearest = np.abs(z[..., None] - grid).argmin(axis=-1)
        if not np.allclose(grid[nearest], z, rtol=1e-9, atol=0):
            raise MissingQuantity(
                asked,
                f"'{name}' at the redshifts {', '.join(f'{each:g}' for each in grid)} only ({self.source})",
                f"give it at least {FEWEST} redshifts in the theory block of its study, for a spline, and train again",
            )
        return np.asarray(values[nearest])

    def _distance(self, name: str, z: np.ndarray, asked: str) -> np.ndarray:
        """A distance from another one; along the line of sight only where the curvature is known."""
        powers = {"D_A": 1, "D_M": 0, "D_L": -1}  # D_M = (1+z)^power times it
        held = next((n for n in ("D_A", "D_L", "comoving_distance") if n in self.outputs), None)
        if held is None:
            raise self._no_function(name, z, asked)
        if name != "comoving_distance" and held != "comoving_distance":
            return np.asarray(self._splined(held, z, asked) * (1 + z) ** (powers[held] - powers[name]))
        if not self.knows("Omega_k"):
            raise MissingQuantity(
                asked,
                f"an emulator ({self.source}) of '{held}' that does not know the curvature",
                "add 'Omega_k: ' to params in its study, as a derived parameter, and train again",
            )
        curvature = -self.number("Omega_k")
        if curvature > CLOSED:
            raise MissingQuantity(
                asked,
                f"'{held}' in a closed universe, Omega_k = {-curvature:g}, where two distances may have one angle",
                f"add '{name}' to the background outputs in the theory block of its study, and train again",
            )
        root = 0.0 if curvature == 0 else self.number("H0", asked) / LIGHT * np.sqrt(complex(curvature))
        if name == "comoving_distance":
            transverse = self._splined(held, z, asked) * (1 + z) ** powers[held]
            return np.asarray(transverse if root == 0 else np.real(np.arcsin(root * transverse) / root))
        along = self._splined(held, z, asked)
        transverse = along if root == 0 else np.real(np.sin(root * along) / root)
        return np.asarray(transverse * (1 + z) ** -powers[name])

    def _no_function(self, name: str, z: np.ndarray, asked: str) -> MissingQuantity:
        kind = "background" if name in (*BACKGROUND, "D_M") else "thermodynamics" if name in THERMODYNAMICS else ""
        last = float(np.max(z)) if z.size and np.all(np.isfinite(z)) else 3.0
        wanted = "D_A" if name == "D_M" else name
        return MissingQuantity(
            asked,
            self.held,
            f"add '{kind}: {{outputs: [{wanted}], z: {{min: 0, max: {max(last, 1):g}, number: 50}}}}' to the theory "
            "block of its study, and train again"
            if kind
            else f"known functions of redshift: {', '.join(BACKGROUND)}",
        )


@lru_cache(maxsize=8)
def _to_all(nodes: tuple[float, ...], l_max: int) -> Float[np.ndarray, "m n"]:
    """CLASS's spline from the multipoles of an emulator to all from 2 to l_max."""
    return spline(np.array(nodes), np.arange(2.0, l_max + 1))


def quantities_of(emulator: Emulator, point: Mapping[str, float], source: str) -> Quantities:
    """All that an emulator says at one point; InputError outside its domain."""
    theta = np.array([point[name] for name in emulator.names])
    found = {name: np.asarray(values, dtype=float) for name, values in emulator(theta).items()}
    return named(emulator, point, found, source)


def named(emulator: Emulator, point: Mapping[str, float], found: Mapping[str, np.ndarray], source: str) -> Quantities:
    """The record of what an emulator has said at a point."""
    outputs = emulator.outputs
    derived = {}
    for name, output in outputs.items():
        if not output.axes:
            derived |= dict(zip(output.labels, np.asarray(found[name], dtype=float).tolist(), strict=True))
    its = trained_with(emulator)
    return Quantities(outputs, found, {**told(its.theory, its.known(point)), **derived}, source)
