"""What every data set answers, whatever its form.

A likelihood sees the theory only through its *bands*: a short vector, linear in the spectra. So for an
emulator whose spectra are linear in K amplitudes, window and basis can be multiplied once (`fold`), and a
sampler forms neither spectra nor windows.

Convention: everything called log_likelihood returns ln L, never -ln L or chi-square. C_l are in muK^2, for
integer l from 2: index 0 of an array is l = 2. A theory may give spectra at some multipoles only: `at` makes of a
likelihood one that reads those. The spline between them (`spline.py`) is linear too, and becomes part of the bands.
"""

import abc
from collections.abc import Mapping

import equinox as eqx
import numpy as np
from jaxtyping import Array, Float

AnyArray = Array | np.ndarray


class FoldedLikelihood(eqx.Module):
    """Give ln L of the amplitudes of a linear emulator: what a sampler calls."""

    @abc.abstractmethod
    def __call__(self, amplitudes: Float[AnyArray, " K"], nuisance: Float[AnyArray, " nuisance"]) -> Float[Array, ""]:
        """Give ln L where bands = matrix @ amplitudes."""


class Likelihood(eqx.Module):
    """A data set. Implementations are pytrees of arrays: pass them through `jit` as arguments.

    name       as in the study file
    spectra    {name: l_max} of what the theory must supply
    nuisance   names of the data set's own parameters, in the order in which `log_likelihood` takes them
    """

    name: eqx.AbstractVar[str]
    nuisance: eqx.AbstractVar[tuple[str, ...]]

    @property
    @abc.abstractmethod
    def spectra(self) -> dict[str, int]:
        """Spectra needed, with the highest multipole of each."""

    @property
    @abc.abstractmethod
    def multipoles(self) -> dict[str, tuple[float, ...]]:
        """Where each spectrum is read: 2, 3, ..., l_max, or the multipoles that were given to `at`."""

    @property
    def splined(self) -> dict[str, tuple[float, ...]]:
        """The spectra that are given at some multipoles only, with these."""
        whole = {name: tuple(float(ell) for ell in range(2, l_max + 1)) for name, l_max in self.spectra.items()}
        return {name: ell for name, ell in self.multipoles.items() if ell != whole[name]}

    @abc.abstractmethod
    def at(self, multipoles: Mapping[str, Float[np.ndarray, " _"]]) -> "Likelihood":
        """The same data, for spectra that are given at these multipoles; a name that is missing: as before.

        InputError, naming those that are missing, where they do not reach as far as the data.
        """

    @abc.abstractmethod
    def bands(self, spectra: Mapping[str, Float[AnyArray, " _"]]) -> Float[Array, " band"]:
        """Band powers of the model: linear in the spectra. What lies above l_max is ignored."""

    @abc.abstractmethod
    def log_likelihood(
        self, bands: Float[AnyArray, " band"], nuisance: Float[AnyArray, " nuisance"]
    ) -> Float[Array, ""]:
        """Give ln L of the model's bands, with normalisation where it is known."""

    @abc.abstractmethod
    def whiten(
        self, differences: Float[AnyArray, "n band"], reference: Float[AnyArray, " band"]
    ) -> Float[Array, "n w"]:
        """Band differences in units of the data's error.

        |whiten(d)|^2 = d' F d with F the Fisher matrix of the bands at `reference`.
        """

    @abc.abstractmethod
    def fold(self, matrix: Float[AnyArray, "band K"]) -> FoldedLikelihood:
        """Likelihood of amplitudes a: the same number as `log_likelihood(matrix @ a, nuisance)`."""
