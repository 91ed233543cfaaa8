"""Bands as weighted sums over neighbouring multipoles, each multipole in one bin at most."""

from collections.abc import Mapping

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float, Int

from alfonsine.errors import InputError
from alfonsine.likelihood.likelihood import AnyArray


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

    def __call__(self, spectrum: Float[AnyArray, " l_long"]) -> Float[Array, " bin"]:
        """Bands of a spectrum that starts at l = 2 and reaches l_max or beyond."""
        used = self.weight * spectrum[: self.weight.size]
        return jax.ops.segment_sum(used, self.bin, num_segments=self.count)

    def mean(self, values: Float[np.ndarray, " l"]) -> Float[np.ndarray, " bin"]:
        """Average over each bin with the weights scaled to sum to one: for effective multipoles."""
        both = [np.bincount(self.bin, self.weight * v, self.count) for v in (values, np.ones(values.size))]
        return both[0] / both[1]


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
    binnings: tuple[Binning, ...]

    @property
    def spectra(self) -> dict[str, int]:
        """Spectra needed, with the highest multipole of each."""
        return {name: b.l_max for name, b in zip(self.names, self.binnings, strict=True)}

    def __call__(self, spectra: Mapping[str, Float[AnyArray, " _"]]) -> Float[Array, " band"]:
        """All bands; InputError for a spectrum that is missing or too short."""
        for name, l_max in self.spectra.items():
            if name not in spectra:
                raise InputError(
                    f"expected the spectrum '{name}', got {', '.join(sorted(spectra)) or 'none'}; "
                    "add it to the outputs of the theory"
                )
            if spectra[name].shape[-1] < l_max - 1:
                raise InputError(
                    f"expected '{name}' for l = 2 to {l_max} ({l_max - 1} values), got "
                    f"{spectra[name].shape[-1]} values; raise l_max"
                )
        return jnp.concatenate([b(spectra[n]) for n, b in zip(self.names, self.binnings, strict=True)])
