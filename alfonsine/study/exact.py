"""Exact calls of a study: from sampled parameters to observables, and to the exact ln L."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

import equinox as eqx
import jax
import numpy as np
from jaxtyping import Array, Float

from alfonsine.errors import InputError, nearest
from alfonsine.likelihood.likelihood import Likelihood
from alfonsine.points.training_set import TrainingSet
from alfonsine.study.blocks import in_blocks
from alfonsine.study.prepare import Study
from alfonsine.theory.call import Call
from alfonsine.theory.engine import Engine


@dataclass(frozen=True)
class Computed:
    """Exact calls at points of the sampled space.

    theta   (n, d) all sampled parameters, nuisance included
    calls   n calls, in the same order; some may have failed
    """

    theta: Float[np.ndarray, "n d"]
    calls: tuple[Call, ...]

    @property
    def done(self) -> np.ndarray:
        """Which calls gave a result, (n,) of bool."""
        return np.array([call.done for call in self.calls], dtype=bool)

    @property
    def failures(self) -> list[Call]:
        """The calls that did not."""
        return [call for call in self.calls if not call.done]

    def __add__(self, other: "Computed") -> "Computed":
        return Computed(np.vstack([self.theta, other.theta]), (*self.calls, *other.calls))


def compute_points(
    study: Study, engine: Engine, theta: Float[np.ndarray, "n d"], heard: Callable[[Call], None] | None = None
) -> Computed:
    """Make the exact calls, or find them in the archive."""
    points = [study.parameters.theory_inputs(dict(zip(study.space.names, row, strict=True))) for row in theta]
    return Computed(theta, tuple(engine.compute(points, heard)))


def check_observables(study: Study, calls: Iterable[Call]) -> None:
    """InputError where a code of the user's own does not return what likelihoods read, or what is to be derived."""
    for found in (call.observables for call in calls if call.observables is not None):
        for label, likelihood in study.likelihoods.items():
            for name, axis in likelihood.nodes.items():
                wanted = f"expected {len(axis.values)} numbers '{name}' from the theory for the likelihood {label}"
                if name not in found.spectra:
                    raise InputError(f"{wanted}, got none; {nearest(name, found.spectra)}")
                if len(found.spectra[name]) < len(axis.values):
                    raise InputError(f"{wanted}, got {len(found.spectra[name])}; return more, or give fewer data")
        for name in study.parameters.asked:
            if name not in found.derived:
                raise InputError(
                    f"expected a derived number '{name}' from the theory, got none; {nearest(name, found.derived)}"
                )


def training_set(study: Study, computed: Computed, names: Sequence[str]) -> TrainingSet:
    """What the emulator learns from: the finished calls, as functions of the emulator's inputs."""
    columns = list(study.space.index(names))
    done = [call.observables for call in computed.calls if call.observables is not None]
    return TrainingSet.of(
        names,
        computed.theta[computed.done][:, columns],
        [call.spectra for call in done],
        [{name: call.derived[name] for name in study.parameters.asked} for call in done],
    )


def exact_log_likelihood(study: Study, computed: Computed) -> Float[np.ndarray, " n"]:
    """Summed ln L of the finished calls, in their order."""
    done = [call.observables for call in computed.calls if call.observables is not None]
    theta = computed.theta[computed.done]
    if not done:
        return np.zeros(0)
    total = np.zeros(len(done))
    for likelihood in study.likelihoods.values():
        spectra = {name: np.stack([c.spectra[name] for c in done]) for name in likelihood.spectra}
        values = dict(zip(study.space.names, theta.T, strict=True))
        own = study.parameters.nuisance_values(values, likelihood.nuisance)
        nuisance = np.column_stack([np.broadcast_to(own[n], len(done)) for n in likelihood.nuisance] or [theta[:, :0]])
        total += in_blocks(_log_likelihoods, likelihood, spectra, nuisance)
    return total


@eqx.filter_jit
def _log_likelihoods(likelihood: Likelihood, spectra: dict[str, Array], nuisance: Array) -> Array:
    def one(spectra: dict[str, Array], nuisance: Array) -> Array:
        return likelihood.log_likelihood(likelihood.bands(spectra), nuisance)

    return jax.vmap(one)(spectra, nuisance)
