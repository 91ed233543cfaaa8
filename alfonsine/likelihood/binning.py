"""Bands as weighted sums over multipoles: neighbours, each in one bin at most, or any of them; several side by side."""

from collections.abc import Mapping

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Bool, Float, Int

from alfonsine.errors import InputError
from alfonsine.likelihood.likelihood import AnyArray
from alfonsine.likelihood.sampled import Sampled, Splined, Whole
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
        return _splined(self, np.asarray(self.weight) != 0, multipoles, reader)


class Dense(eqx.Module):
    """One spectrum to its bands by a matrix, for windows that overlap: band_b = sum over l of matrix_bl C_l.

    matrix   (band, l_max - 1) from l = 2
    """

    matrix: Float[Array, "band l"]

    @property
    def l_max(self) -> int:
        """Highest multipole that is used."""
        return self.matrix.shape[1] + 1

    @property
    def axis(self) -> str:
        """What the spectrum is a function of."""
        return "l"

    @property
    def nodes(self) -> tuple[float, ...]:
        """Where the spectrum is read: 2, 3, ..., l_max."""
        return tuple(float(ell) for ell in range(2, self.l_max + 1))

    def __call__(self, spectrum: Float[AnyArray, " l_long"]) -> Float[Array, " band"]:
        """Bands of a spectrum that starts at l = 2 and reaches l_max or beyond."""
        return self.matrix @ spectrum[: self.matrix.shape[1]]

    def at(self, multipoles: Float[np.ndarray, " n"], reader: str) -> "Dense | Splined":
        """The same bands of a spectrum that is given at these multipoles; InputError where they do not reach."""
        return _splined(self, np.asarray(self.matrix).any(axis=0), multipoles, reader)


def dense(matrix: Float[np.ndarray, "band l"]) -> Dense:
    """The matrix from l = 2 up to the last multipole that has a weight; InputError where none has."""
    used = np.flatnonzero(matrix.any(axis=0))
    if used.size == 0:
        raise InputError("expected windows with weights, got zeros only; give each band its weights")
    return Dense(jnp.asarray(matrix[:, : used[-1] + 1]))


def _splined(
    bands: Binning | Dense, used: Bool[np.ndarray, " l"], given: Float[np.ndarray, " n"], reader: str
) -> "Binning | Dense | Splined":
    """Bands of a spectrum that is given at some multipoles; `used` marks those that have weight."""
    own = np.asarray(bands.nodes)
    if np.array_equal(given[: len(own)], own):
        return bands
    wanted = own[used]
    if given[0] > wanted[0] or given[-1] < wanted[-1] or len(given) < FEWEST:
        raise InputError(
            f"expected {reader} at multipoles that reach from {wanted[0]:g} to {wanted[-1]:g}, {FEWEST} at least, got "
            f"{given[0]:g} to {given[-1]:g}: {_missing(wanted, given)}; add them"
        )
    within = (own >= given[0]) & (own <= given[-1])  # what lies outside has no weight
    full = np.zeros((len(own), len(given)))
    full[within] = spline(given, own[within])
    matrix = jax.vmap(bands, in_axes=1, out_axes=1)(jnp.asarray(full))
    return Splined(matrix, tuple(given.tolist()), bands.l_max, bands.axis)


def _missing(used: Float[np.ndarray, " m"], given: Float[np.ndarray, " n"]) -> str:
    """Which multipoles the spectrum does not reach."""
    parts = [used[used < given[0]], used[used > given[-1]]]
    found = [f"{part[0]:g}" if len(part) == 1 else f"{part[0]:g} to {part[-1]:g}" for part in parts if len(part)]
    return f"l = {' and '.join(found)} missing" if found else f"{len(given)} multipoles"


HIGHEST = 20_000  # multipole, so that a slip of the pen asks for no array of a thousand million


def multipoles(values: Float[np.ndarray, " n"], where: str = "") -> Int[np.ndarray, " n"]:
    """The numbers as multipoles; InputError, beginning with `where`, unless they are whole and from 2 to HIGHEST."""
    if np.any(values != np.round(values)) or values.min() < 2 or values.max() > HIGHEST:
        begin = f"{where}: " if where else ""
        raise InputError(
            f"{begin}expected whole multipoles from 2 to {HIGHEST}, got {values.min():g} to {values.max():g}"
        )
    return values.astype(int)


def contiguous(
    first: Int[np.ndarray, " bin"], last: Int[np.ndarray, " bin"], weight: Float[np.ndarray, " l"]
) -> Binning:
    """Bins of multipoles first..last (both included), in rising order; `weight` starts at l = 2.

    InputError where the bins overlap or fall, or reach beyond the weights.
    """
    if len(first) != len(last) or len(first) == 0:
        raise InputError(f"expected as many first as last multipoles of bins, got {len(first)} and {len(last)}")
    if first[0] < 2 or np.any(last < first) or np.any(first[1:] <= last[:-1]):
        raise InputError("expected bins from l = 2 on, one after the other, got some that overlap, fall or start lower")
    if last[-1] - 1 > weight.size:
        raise InputError(
            f"expected weights up to l = {last[-1]}, where the last bin ends, got them up to {weight.size + 1}"
        )
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
    binnings: tuple[Binning | Dense | Sampled | Splined | Whole, ...]

    @property
    def spectra(self) -> dict[str, int]:
        """Outputs needed, with the highest multipole of each; of others than spectra, their length and one."""
        return {name: b.l_max for name, b in zip(self.names, self.binnings, strict=True)}

    @property
    def nodes(self) -> dict[str, Axis]:
        """Where each is read: the multipoles, or the redshifts."""
        return {name: Axis(b.axis, "", b.nodes) for name, b in zip(self.names, self.binnings, strict=True)}

    @property
    def surfaces(self) -> dict[str, tuple[Axis, Axis]]:
        """The surfaces, with redshifts and wavenumbers."""
        used = zip(self.names, self.binnings, strict=True)
        return {n: (Axis("z", "", b.z), Axis("k", "1/Mpc", b.k)) for n, b in used if isinstance(b, Whole)}

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
            if not isinstance(binning, Binning | Dense) and found != needed:
                raise InputError(f"expected '{name}' at {needed} nodes, got {found} values; give it at those nodes")
            if found < needed:
                raise InputError(
                    f"expected '{name}' for l = 2 to {binning.l_max} ({needed} values), got {found} values; raise l_max"
                )
        return jnp.concatenate([b(spectra[n]) for n, b in zip(self.names, self.binnings, strict=True)])
