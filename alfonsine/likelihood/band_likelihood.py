"""A data set made of two parts: windows that turn spectra into bands, and a form that judges the bands."""

from collections.abc import Mapping
from dataclasses import replace

import equinox as eqx
import numpy as np
from jaxtyping import Array, Float

from alfonsine.likelihood.binning import Windows
from alfonsine.likelihood.form import Form
from alfonsine.likelihood.likelihood import AnyArray, FoldedLikelihood, Likelihood


class DataPoints(eqx.Module):
    """What was measured, for people to look at. Nothing is computed from it.

    ell     effective multipole
    value   D_l = l (l + 1) C_l / 2 pi [muK^2]; for other vectors the values themselves
    error   one standard deviation
    unit    value of one unit of the band, so that unit * bands can be drawn over `value`
    """

    ell: Float[Array, " point"]
    value: Float[Array, " point"]
    error: Float[Array, " point"]
    unit: Float[Array, " point"]


class BandLikelihood(Likelihood):
    """Windows and form. `points` holds the measurements by spectrum, for figures."""

    name: str = eqx.field(static=True)
    windows: Windows
    form: Form
    points: dict[str, DataPoints]

    @property
    def spectra(self) -> dict[str, int]:
        """Spectra needed, with the highest multipole of each."""
        return self.windows.spectra

    @property
    def multipoles(self) -> dict[str, tuple[float, ...]]:
        """Where each spectrum is read."""
        return self.windows.multipoles

    def at(self, multipoles: Mapping[str, Float[np.ndarray, " _"]]) -> "BandLikelihood":
        """The same data, for spectra that are given at these multipoles."""
        return replace(self, windows=self.windows.at(multipoles, self.name))

    @property
    def nuisance(self) -> tuple[str, ...]:
        """The form's own parameters."""
        return self.form.nuisance

    def bands(self, spectra: Mapping[str, Float[AnyArray, " _"]]) -> Float[Array, " band"]:
        """Band powers of the model; InputError for a spectrum that is missing or too short."""
        return self.windows(spectra)

    def log_likelihood(
        self, bands: Float[AnyArray, " band"], nuisance: Float[AnyArray, " nuisance"]
    ) -> Float[Array, ""]:
        """Give ln L of the bands."""
        return self.form.log_likelihood(bands, nuisance)

    def whiten(
        self, differences: Float[AnyArray, "n band"], reference: Float[AnyArray, " band"]
    ) -> Float[Array, "n w"]:
        """Band differences in units of the data's error at `reference`."""
        return self.form.whiten(differences, reference)

    def fold(self, matrix: Float[AnyArray, "band K"]) -> FoldedLikelihood:
        """Likelihood of amplitudes a, for bands = matrix @ a. The windows are left behind."""
        return self.form.fold(matrix)
