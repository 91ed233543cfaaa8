"""Outputs of a theory read at a few points: at the redshifts of the data, or by a spline through some nodes."""

import equinox as eqx
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float

from alfonsine.errors import InputError
from alfonsine.likelihood.likelihood import AnyArray
from alfonsine.theory.class_spline import FEWEST, spline

SAME = 1e-9  # redshifts nearer than this are one


class Splined(eqx.Module):
    """Bands of an output that is given at some nodes only: windows and `spline` multiplied together.

    matrix   (band, node)
    nodes    multipoles or redshifts
    l_max    highest multipole that the bands use; of other outputs, their length before it was splined and one
    axis     l or z
    """

    matrix: Float[Array, "band node"]
    nodes: tuple[float, ...] = eqx.field(static=True)
    l_max: int = eqx.field(static=True)
    axis: str = eqx.field(static=True)

    def __call__(self, spectrum: Float[AnyArray, " node"]) -> Float[Array, " band"]:
        """Bands of an output at the nodes."""
        return self.matrix @ spectrum

    def at(self, nodes: Float[np.ndarray, " n"], reader: str) -> "Splined":
        """Itself; InputError for other nodes than its own."""
        if not np.array_equal(nodes, self.nodes):
            what = "multipoles" if self.axis == "l" else "redshifts"
            raise InputError(
                f"expected {reader} at the {len(self.nodes)} {what} that it was prepared for, got "
                f"{len(nodes)} others; load the likelihood again"
            )
        return self


class Sampled(eqx.Module):
    """A function of redshift at the redshifts of the data: one band for each.

    z       redshifts of the data, increasing
    nodes   redshifts at which the function is given: those of the data among them
    """

    z: tuple[float, ...] = eqx.field(static=True)
    nodes: tuple[float, ...] = eqx.field(static=True)

    @classmethod
    def of(cls, z: Float[np.ndarray, " n"]) -> "Sampled":
        """Read just where the data are."""
        return cls(tuple(z.tolist()), tuple(z.tolist()))

    @property
    def axis(self) -> str:
        """What the output is a function of."""
        return "z"

    @property
    def l_max(self) -> int:
        """As if the output were a spectrum from l = 2: its length and one."""
        return len(self.nodes) + 1

    def __call__(self, values: Float[AnyArray, " node"]) -> Float[Array, " band"]:
        """The values at the redshifts of the data."""
        if self.nodes == self.z:
            return jnp.asarray(values)
        return jnp.asarray(self._picked) @ values

    @property
    def _picked(self) -> np.ndarray:
        return np.abs(np.subtract.outer(self.z, self.nodes)) < SAME  # a product: a look-up has a scatter as gradient

    def at(self, nodes: Float[np.ndarray, " n"], reader: str) -> "Sampled | Splined":
        """The same of a function that is given at these redshifts; InputError where they do not reach."""
        given = Sampled(self.z, tuple(nodes.tolist()))
        if given._picked.any(axis=1).all():
            return given
        if nodes[0] > self.z[0] or nodes[-1] < self.z[-1] or len(nodes) < FEWEST:
            raise InputError(
                f"expected {reader} at redshifts that reach from {self.z[0]:g} to {self.z[-1]:g}, {FEWEST} at least, "
                f"got {len(nodes)} from {nodes[0]:g} to {nodes[-1]:g}; add more, or leave it to the likelihood to ask"
            )
        return Splined(jnp.asarray(spline(nodes, np.array(self.z))), given.nodes, self.l_max, self.axis)


class Whole(eqx.Module):
    """A surface over redshift and wavenumber, all of it: one band for each of its values."""

    z: tuple[float, ...] = eqx.field(static=True)
    k: tuple[float, ...] = eqx.field(static=True)

    @property
    def axis(self) -> str:
        """What the output is a function of."""
        return "z, k"

    @property
    def nodes(self) -> tuple[float, ...]:
        """Its values are counted."""
        return tuple(float(i) for i in range(len(self.z) * len(self.k)))

    @property
    def l_max(self) -> int:
        """As if the output were a spectrum from l = 2: its length and one."""
        return len(self.z) * len(self.k) + 1

    def __call__(self, values: Float[AnyArray, " node"]) -> Float[Array, " band"]:
        """The values themselves."""
        return jnp.asarray(values)

    def at(self, nodes: Float[np.ndarray, " n"], reader: str) -> "Whole":
        """Itself: there is no spline of a surface here."""
        return self
