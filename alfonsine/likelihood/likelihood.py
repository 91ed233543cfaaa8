"""What every data set answers, whatever its form.

A likelihood sees the theory only through its *bands*: a short vector, linear in the spectra. So for an
emulator whose spectra are linear in K amplitudes, window and basis can be multiplied once (`fold`), and a
sampler forms neither spectra nor windows.

Convention: everything called log_likelihood returns ln L, never -ln L or chi-square. C_l are in muK^2, for
integer l from 2: index 0 of an array is l = 2. Functions of redshift are read at the redshifts of the data, and a
number is a vector of one. A theory may give an output at other nodes than the data: `at` makes of a likelihood one
that reads those. The spline between them is linear too, and becomes part of the bands.
"""

import abc
from collections.abc import Mapping
from typing import NamedTuple

import equinox as eqx
import numpy as np
from jaxtyping import Array, Float

from alfonsine.theory.output import Axis

AnyArray = Array | np.ndarray


class Around(NamedTuple):
    """Where amplitudes and a data set's own parameters will be: points of about the region that is to be sampled.

    amplitudes   (n, K)
    nuisance     (2, m): middle and width of each of its own parameters; no width where one is fixed
    """

    amplitudes: Float[np.ndarray, "n K"]
    nuisance: Float[np.ndarray, "2 m"]


class FoldedLikelihood(eqx.Module):
    """Give ln L of the amplitudes of a linear emulator: what a sampler calls."""

    @abc.abstractmethod
    def __call__(self, amplitudes: Float[AnyArray, " K"], nuisance: Float[AnyArray, " nuisance"]) -> Float[Array, ""]:
        """Give ln L where bands = matrix @ amplitudes."""


class Likelihood(eqx.Module):
    """A data set. Implementations are pytrees of arrays: pass them through `jit` as arguments.

    name       as in the study file
    spectra    {name: l_max} of what the theory must supply; of others than spectra, their length and one
    nuisance   names of the data set's own parameters, in the order in which `log_likelihood` takes them
    """

    name: eqx.AbstractVar[str]
    nuisance: eqx.AbstractVar[tuple[str, ...]]

    @property
    def known_by_values(self) -> bool:
        """Whether it has no gradient of its own, and is to be told where amplitudes will be."""
        return False

    @property
    def calibrations(self) -> tuple[str, ...]:
        """Those of its own parameters that multiply the model, and are 1 where nothing is to be corrected."""
        return ()

    @property
    @abc.abstractmethod
    def spectra(self) -> dict[str, int]:
        """Outputs needed, with the highest multipole of each; of others than spectra, their length and one."""

    @property
    @abc.abstractmethod
    def nodes(self) -> dict[str, Axis]:
        """Where each is read: l = 2, 3, ..., l_max, the redshifts of the data, or the nodes that were given to `at`."""

    @property
    def redshifts(self) -> dict[str, tuple[float, ...]]:
        """The functions of redshift among them, with the redshifts."""
        return {name: axis.values for name, axis in self.nodes.items() if axis.name == "z"}

    @property
    def surfaces(self) -> dict[str, tuple[Axis, Axis]]:
        """The surfaces among them, with redshifts and wavenumbers."""
        return {}

    @property
    @abc.abstractmethod
    def splined(self) -> dict[str, Axis]:
        """The outputs that are given at some nodes only, with these."""

    @abc.abstractmethod
    def at(self, nodes: Mapping[str, Axis]) -> "Likelihood":
        """The same data, for outputs that are given at these nodes; a name that is missing: as before.

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
    def fold(self, matrix: Float[AnyArray, "band K"], around: Around | None = None) -> FoldedLikelihood:
        """Likelihood of amplitudes a: the same number as `log_likelihood(matrix @ a, nuisance)`.

        `around` serves a likelihood without a gradient of its own, and no other.
        """
