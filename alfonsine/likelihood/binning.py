"""Bands as weighted sums over neighbouring multipoles, each multipole in one bin at most; several side by side."""

from collections.abc import Mapping

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float, Int

from alfonsine.errors import InputError
from alfonsine.likelihood.likelihood import AnyArray
from alfonsine.likelihood.sampled import Sampled, Splined
from alfonsine.theory.class_spline import FEWEST, spline
from alfonsine.theory.output import Axis


class Binning(eqx.Module):
    """One spectrum to its bands: band_b = sum of weight_l C_l over the l of bin b.

    bin      (l_max - 1,) bin of each multipole from l = 2; multipoles of no bin have weight 0
    weight   (l_max - 1,)
    count    number of bins
    """

    bin: Int[Array, " l"]
    weight: Float[Array, " l"]
    count: int = eqx.field(static=True)

    @property
    def l_max(self) -> int:
        """Highest multipole that is used."""
        return self.weight.size + 1

    @property
    def axis(self) -> str:
        """What the spectrum is a function of."""
        return "l"

    @property
    def nodes(self) -> tuple[float, ...]:
        """Where the spectrum is read: 2, 3, ..., l_max."""
        return tuple(float(ell) for ell in range(2, self.l_max + 1))

    def __call__(self, spectrum: Float[AnyArray, " l_long"]) -> Float[Array, " bin"]:
        """Bands of a spectrum that starts at l = 2 and reaches l_max or beyond."""
        used = self.weight * spectrum[: self.weight.size]
        return jax.ops.segment_sum(used, self.bin, num_segments=self.count)

    def mean(self, values: Float[np.ndarray, " l"]) -> Float[np.ndarray, " bin"]:
        """Average over each bin with the weights scaled to sum to one: for effective multipoles."""
        both = [np.bincount(self.bin, self.weight * v, self.count) for v in (values, np.ones(values.size))]
        return both[0] / both[1]

    def at(self, multipoles: Float[np.ndarray, " n"], reader: str) -> "Binning | Splined":
        """The same bands of a spectrum that is given at these multipoles; InputError where they do not reach.

        `reader` says in the message whose spectrum it is.
        """
        given, own = multipoles, np.asarray(self.nodes)
        if np.array_equal(given[: len(own)], own):
            return self
        used = own[np.asarray(self.weight) != 0]
        if given[0] > used[0] or given[-1] < used[-1] or len(given) < FEWEST:
            raise InputError(
                f"expected {reader} at multipoles that reach from {used[0]:g} to {used[-1]:g}, {FEWEST} at least, got "
                f"{given[0]:g} to {given[-1]:g}: {_missing(used, given)}; add them"
            )
        within = (own >= given[0]) & (own <= given[-1])  # what lies outside has no weight
        full = np.zeros((len(own), len(given)))
        full[within] = spline(given, own[within])
        matrix = jax.vmap(self, in_axes=1, out_axes=1)(jnp.asarray(full))
        return Splined(matrix, tuple(given.tolist()), self.l_max, self.axis)


def _missing(used: Float[np.ndarray, " m"], given: Float[np.ndarray, " n"]) -> str:
    """Which multipoles the spectrum does not reach."""
    parts = [used[used < given[0]], used[used > given[-1]]]
    found = [f"{part[0]:g}" if len(part) == 1 else f"{part[0]:g} to {part[-1]:g}" for part in parts if len(part)]
    return f"l = {' and '.join(found)} missing" if found else f"{len(given)} multipoles"


def contiguous(
    first: Int[np.ndarray, " bin"], last: Int[np.ndarray, " bin"], weight: Float[np.ndarray, " l"]
) -> Binning:
    """Bins of multipoles first..last (both included), in rising order; `weight` starts at l = 2."""
    index, used = np.zeros(last[-1] - 1, dtype=int), np.zeros(last[-1] - 1)
    for b, (lo, hi) in enumerate(zip(first - 2, last - 1, strict=True)):
        index[lo:hi], used[lo:hi] = b, weight[lo:hi]
    return Binning(jnp.asarray(index), jnp.asarray(used), len(first))


def dl_mean(first: Int[np.ndarray, " bin"], last: Int[np.ndarray, " bin"]) -> Binning:
    """Bands that are the plain mean of D_l = l (l + 1) C_l / 2 pi over first..last."""
    ell = np.arange(2, last[-1] + 1)
    size = np.ones(ell.size)
    for lo, hi in zip(first, last, strict=True):
        size[lo - 2 : hi - 1] = hi - lo + 1
    return contiguous(first, last, ell * (ell + 1) / (2 * np.pi * size))


class Windows(eqx.Module):
    """Bands of several outputs of a theory, one block after the other."""

    names: tuple[str, ...] = eqx.field(static=True)
    binnings: tuple[Binning | Sampled | Splined, ...]

    @property
    def spectra(self) -> dict[str, int]:
        """Outputs needed, with the highest multipole of each; of others than spectra, their length and one."""
        return {name: b.l_max for name, b in zip(self.names, self.binnings, strict=True)}

    @property
    def nodes(self) -> dict[str, Axis]:
        """Where each is read: the multipoles, or the redshifts."""
        return {name: Axis(b.axis, "", b.nodes) for name, b in zip(self.names, self.binnings, strict=True)}

    @property
    def splined(self) -> dict[str, Axis]:
        """Those that are given at some nodes only, with these."""
        used = zip(self.names, self.binnings, strict=True)
        return {name: Axis(b.axis, "", b.nodes) for name, b in used if isinstance(b, Splined)}

    def at(self, nodes: Mapping[str, Axis], reader: str) -> "Windows":
        """The same bands of outputs that are given at these nodes; a name that is missing: as before.

        So is an output that is a function of something else than the data.
        """
        binnings = tuple(
            b.at(nodes[name].array, f"'{name}' for {reader}") if name in nodes and nodes[name].name == b.axis else b
            for name, b in zip(self.names, self.binnings, strict=True)
        )
        return Windows(self.names, binnings)

    def __call__(self, spectra: Mapping[str, Float[AnyArray, " _"]]) -> Float[Array, " band"]:
        """All bands; InputError for an output that is missing, too short, or at other nodes than its own."""
        for name, binning in zip(self.names, self.binnings, strict=True):
            if name not in spectra:
                raise InputError(
                    f"expected the spectrum '{name}', got {', '.join(sorted(spectra)) or 'none'}; "
                    "add it to the outputs of the theory"
                )
            found, needed = spectra[name].shape[-1], len(binning.nodes)
            if not isinstance(binning, Binning) and found != needed:
                raise InputError(f"expected '{name}' at {needed} nodes, got {found} values; give it at those nodes")
            if found < needed:
                raise InputError(
                    f"expected '{name}' for l = 2 to {binning.l_max} ({needed} values), got {found} values; raise l_max"
                )
        return jnp.concatenate([b(spectra[n]) for n, b in zip(self.names, self.binnings, strict=True)])
