"""The probability of the data as a function of the bands, apart from where the bands come from."""

import abc

import equinox as eqx
from jaxtyping import Array, Float

from alfonsine.likelihood.likelihood import AnyArray, Around, FoldedLikelihood


class Form(eqx.Module):
    """A density of the data given the model's bands: Gaussian, Wishart, log-normal."""

    nuisance: eqx.AbstractVar[tuple[str, ...]]

    @property
    def known_by_values(self) -> bool:
        """Whether it has no gradient of its own."""
        return False

    @property
    def calibrations(self) -> tuple[str, ...]:
        """Those of its own parameters that multiply the model, and are 1 where nothing is to be corrected."""
        return ()

    @abc.abstractmethod
    def log_likelihood(
        self, bands: Float[AnyArray, " band"], nuisance: Float[AnyArray, " nuisance"]
    ) -> Float[Array, ""]:
        """Give ln L."""

    @abc.abstractmethod
    def whiten(
        self, differences: Float[AnyArray, "n band"], reference: Float[AnyArray, " band"]
    ) -> Float[Array, "n w"]:
        """Band differences in units of the data's error at `reference`."""

    @abc.abstractmethod
    def fold(self, matrix: Float[AnyArray, "band K"]) -> FoldedLikelihood:
        """The same density as a function of amplitudes a, for bands = matrix @ a."""

    def fold_around(self, matrix: Float[AnyArray, "band K"], around: Around | None) -> FoldedLikelihood:
        """The same, once it is known where the amplitudes will be; that makes no difference to most."""
        return self.fold(matrix)


class FoldedForm(FoldedLikelihood):
    """Any form behind a matrix: for those that have no shorter way from amplitudes to ln L."""

    matrix: Float[Array, "band K"]
    form: Form

    def __call__(self, amplitudes: Float[AnyArray, " K"], nuisance: Float[AnyArray, " nuisance"]) -> Float[Array, ""]:
        """Give ln L at bands = matrix @ amplitudes."""
        return self.form.log_likelihood(self.matrix @ amplitudes, nuisance)
