"""A data set made of two parts: windows that turn spectra into bands, and a form that judges the bands."""

from collections.abc import Mapping
from dataclasses import replace

import equinox as eqx
from jaxtyping import Array, Float

from alfonsine.likelihood.binning import Windows
from alfonsine.likelihood.form import Form
from alfonsine.likelihood.likelihood import AnyArray, Around, FoldedLikelihood, Likelihood
from alfonsine.theory.output import Axis


class DataPoints(eqx.Module):
    """What was measured, for people to look at. Nothing is computed from it.

    ell     effective multipole, or redshift
    value   D_l = l (l + 1) C_l / 2 pi [muK^2]; for other outputs the values themselves
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
    def known_by_values(self) -> bool:
        """Whether the form has no gradient of its own."""
        return self.form.known_by_values

    @property
    def spectra(self) -> dict[str, int]:
        """Outputs needed, with the highest multipole of each."""
        return self.windows.spectra

    @property
    def nodes(self) -> dict[str, Axis]:
        """Where each output is read."""
        return self.windows.nodes

    @property
    def surfaces(self) -> dict[str, tuple[Axis, Axis]]:
        """The surfaces among them."""
        return self.windows.surfaces

    @property
    def splined(self) -> dict[str, Axis]:
        """The outputs that are given at some nodes only."""
        return self.windows.splined

    def at(self, nodes: Mapping[str, Axis]) -> "BandLikelihood":
        """The same data, for outputs that are given at these nodes."""
        return replace(self, windows=self.windows.at(nodes, self.name))

    @property
    def nuisance(self) -> tuple[str, ...]:
        """The form's own parameters."""
        return self.form.nuisance

    @property
    def calibrations(self) -> tuple[str, ...]:
        """The calibrations among these."""
        return self.form.calibrations

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

    def fold(self, matrix: Float[AnyArray, "band K"], around: Around | None = None) -> FoldedLikelihood:
        """Likelihood of amplitudes a, for bands = matrix @ a. The windows are left behind."""
        return self.form.fold_around(matrix, around)
