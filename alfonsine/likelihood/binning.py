"""Bands as weighted sums over neighbouring multipoles, each multipole in one bin at most."""

from collections.abc import Mapping

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float, Int

from alfonsine.errors import InputError
from alfonsine.likelihood.likelihood import AnyArray
from alfonsine.theory.class_spline import FEWEST, spline


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
    def multipoles(self) -> tuple[float, ...]:
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

    def at(self, multipoles: Float[np.ndarray, " n"], reader: str) -> "Binning | SplinedBinning":
        """The same bands of a spectrum that is given at these multipoles; InputError where they do not reach.

        `reader` says in the message whose spectrum it is.
        """
        given, own = multipoles, np.asarray(self.multipoles)
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
        return SplinedBinning(matrix, tuple(given.tolist()), self.l_max)


class SplinedBinning(eqx.Module):
    """Bands of a spectrum that is given at some multipoles only: windows and `spline` multiplied together.

    matrix       (bin, node)
    multipoles   the nodes
    l_max        highest multipole that the bands use
    """

    matrix: Float[Array, "bin node"]
    multipoles: tuple[float, ...] = eqx.field(static=True)
    l_max: int = eqx.field(static=True)

    def __call__(self, spectrum: Float[AnyArray, " node"]) -> Float[Array, " bin"]:
        """Bands of a spectrum at the nodes."""
        return self.matrix @ spectrum

    def at(self, multipoles: Float[np.ndarray, " n"], reader: str) -> "SplinedBinning":
        """Itself; InputError for other multipoles than its own."""
        if not np.array_equal(multipoles, self.multipoles):
            raise InputError(
                f"expected {reader} at the {len(self.multipoles)} multipoles that it was prepared for, got "
                f"{len(multipoles)} others; load the likelihood again"
            )
        return self


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
    """Bands of several spectra, one block after the other."""

    names: tuple[str, ...] = eqx.field(static=True)
    binnings: tuple[Binning | SplinedBinning, ...]

    @property
    def spectra(self) -> dict[str, int]:
        """Spectra needed, with the highest multipole of each."""
        return {name: b.l_max for name, b in zip(self.names, self.binnings, strict=True)}

    @property
    def multipoles(self) -> dict[str, tuple[float, ...]]:
        """Where each spectrum is read."""
        return {name: b.multipoles for name, b in zip(self.names, self.binnings, strict=True)}

    def at(self, multipoles: Mapping[str, Float[np.ndarray, " _"]], reader: str) -> "Windows":
        """The same bands of spectra that are given at these multipoles; a name that is missing: as before."""
        binnings = tuple(
            b.at(multipoles[name], f"'{name}' for {reader}") if name in multipoles else b
            for name, b in zip(self.names, self.binnings, strict=True)
        )
        return Windows(self.names, binnings)

    def __call__(self, spectra: Mapping[str, Float[AnyArray, " _"]]) -> Float[Array, " band"]:
        """All bands; InputError for a spectrum that is missing, too short, or at other nodes than its own."""
        for name, binning in zip(self.names, self.binnings, strict=True):
            if name not in spectra:
                raise InputError(
                    f"expected the spectrum '{name}', got {', '.join(sorted(spectra)) or 'none'}; "
                    "add it to the outputs of the theory"
                )
            found, needed = spectra[name].shape[-1], len(binning.multipoles)
            if isinstance(binning, SplinedBinning) and found != needed:
                raise InputError(f"expected '{name}' at {needed} nodes, got {found} values; give it at those nodes")
            if found < needed:
                raise InputError(
                    f"expected '{name}' for l = 2 to {binning.l_max} ({needed} values), got {found} values; raise l_max"
                )
        return jnp.concatenate([b(spectra[n]) for n, b in zip(self.names, self.binnings, strict=True)])
