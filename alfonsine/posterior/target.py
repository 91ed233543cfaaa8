"""The density that is sampled: prior times likelihoods of emulated observables.

Windows, whitening and the basis of the emulator are multiplied together here, once, so that a sampler goes from
parameters to amplitudes to ln L and never forms a spectrum.
"""

from collections.abc import Callable, Mapping, Sequence
from itertools import pairwise
from types import MappingProxyType

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float

from alfonsine.emulator.domain import Domain
from alfonsine.emulator.emulator import Emulator
from alfonsine.errors import InputError
from alfonsine.likelihood.likelihood import Around, FoldedLikelihood, Likelihood
from alfonsine.space.parameter_space import ParameterSpace
from alfonsine.theory.output import functions

FAR = 2.0  # times as far out lies every second of them
NEAR = 512  # points about the centre, for likelihoods that are known by their values only
WALL = 4.0  # steepness of the soft wall around the domain, per standard deviation of the training inputs


class Target(eqx.Module):
    r"""Log posterior :math:`\ln\pi(\theta) + \sum_i \ln L_i(\theta)`, with a soft wall around the domain.

    constants   values of nuisance parameters that are not sampled
    columns     which of the emulator's amplitudes the likelihoods see: the surrogate here gives no others
    inputs      positions in theta of the emulator's inputs
    nuisance    positions in (theta, constants) of each likelihood's own parameters
    """

    space: ParameterSpace
    surrogate: Callable[[Array], Array]
    domain: Domain
    folded: tuple[FoldedLikelihood, ...]
    constants: Float[Array, " c"]
    columns: tuple[int, ...] = eqx.field(static=True)
    inputs: tuple[int, ...] = eqx.field(static=True)
    nuisance: tuple[tuple[int, ...], ...] = eqx.field(static=True)

    def log_likelihoods(self, theta: Float[Array, " d"]) -> Float[Array, " likelihood"]:
        """Evaluate ln L of every likelihood with emulated observables."""
        amplitudes = self.surrogate(taken(theta, self.inputs))
        given = jnp.concatenate([theta, self.constants])
        return jnp.stack(
            [folded(amplitudes, taken(given, own)) for folded, own in zip(self.folded, self.nuisance, strict=True)]
        )

    def wall(self, theta: Float[Array, " d"]) -> Float[Array, ""]:
        """Zero inside the domain, falling smoothly outside, so that a sampler finds its way back."""
        beyond = jnp.maximum(self.domain.distance(taken(theta, self.inputs)) - 1.0, 0.0)
        return -0.5 * (WALL * self.domain.radius * beyond) ** 2

    def __call__(self, theta: Float[Array, " d"]) -> Float[Array, ""]:
        """Evaluate the log posterior at one point."""
        log_likelihood = jnp.sum(self.log_likelihoods(theta))
        return self.space.log_prior(theta) + log_likelihood + self.wall(theta)


def taken(values: Float[Array, " n"], rows: tuple[int, ...]) -> Float[Array, " k"]:
    """Some of the values, picked by a product with zeros and ones: the gradient of an index look-up is a scatter."""
    return jnp.asarray(np.eye(values.size)[list(rows)].reshape(len(rows), values.size)) @ values


def build_target(
    space: ParameterSpace,
    emulator: Emulator,
    likelihoods: Sequence[Likelihood],
    fixed: Mapping[str, float] = MappingProxyType({}),
) -> Target:
    """Fold emulator and likelihoods together; `fixed` holds nuisance parameters that are not sampled.

    Where an output that a likelihood reads is emulated as its logarithm there is nothing to fold: bands are formed at
    every point, and take the place of the amplitudes. Where an output is emulated at some multipoles only, the
    likelihoods read it there (`Likelihood.at`): the spline is multiplied in with the windows.
    """
    given = (*space.names, *fixed)
    nodes = functions(emulator.outputs)
    likelihoods = [likelihood.at(nodes) for likelihood in likelihoods]
    for likelihood in likelihoods:
        check_spectra(emulator, likelihood)
    if all(emulator.is_linear(name) for likelihood in likelihoods for name in likelihood.spectra):
        surrogate, columns, folded = fold(emulator, likelihoods, _own(space, fixed, likelihoods))
    else:
        surrogate, columns, folded = unfolded(emulator, likelihoods, _own(space, fixed, likelihoods))
    return Target(
        space=space,
        surrogate=surrogate,
        domain=emulator.domain,
        folded=folded,
        columns=tuple(columns.tolist()),
        constants=jnp.array(list(fixed.values()), dtype=float),
        inputs=space.index(emulator.names),
        nuisance=tuple(tuple(given.index(n) for n in likelihood.nuisance) for likelihood in likelihoods),
    )


Parts = tuple[Callable[[Array], Array], np.ndarray, tuple[FoldedLikelihood, ...]]


def fold(emulator: Emulator, likelihoods: Sequence[Likelihood], own: Sequence[np.ndarray]) -> Parts:
    """Surrogate of those blocks that the likelihoods see, positions of its amplitudes, and likelihoods of these."""
    matrices = [band_matrix(emulator, likelihood) for likelihood in likelihoods]
    edges = np.cumsum([0, *emulator.surrogate.sizes])
    wanted = [
        i
        for i, (first, stop) in enumerate(pairwise(edges))
        if any(np.any(np.asarray(matrix[:, first:stop])) for matrix in matrices)
    ]
    columns = np.concatenate([np.arange(edges[i], edges[i + 1]) for i in wanted])
    surrogate = emulator.surrogate.only(wanted)
    around = _around(emulator, surrogate, likelihoods, own)
    folded = tuple(
        likelihood.fold(matrix[:, columns], near)
        for likelihood, matrix, near in zip(likelihoods, matrices, around, strict=True)
    )
    return surrogate, columns, folded


def _around(
    emulator: Emulator,
    surrogate: Callable[[Array], Array],
    likelihoods: Sequence[Likelihood],
    own: Sequence[np.ndarray],
) -> list[Around | None]:
    """For each data set that is known by its values only: where amplitudes and its own parameters will be."""
    if not any(likelihood.known_by_values for likelihood in likelihoods):
        return [None] * len(likelihoods)
    draws = np.random.default_rng(NEAR).normal(size=(NEAR, len(emulator.names)))
    draws[1::2] *= FAR  # training points lie there, too, and forecasts are made by them
    theta = np.asarray(emulator.domain.centre) + draws @ np.asarray(emulator.domain.spread).T
    near = np.asarray(_amplitudes(surrogate, jnp.asarray(theta)))
    return [
        Around(near, nuisance) if likelihood.known_by_values else None
        for likelihood, nuisance in zip(likelihoods, own, strict=True)
    ]


@eqx.filter_jit
def _amplitudes(surrogate: Callable[[Array], Array], theta: Array) -> Array:
    return jax.vmap(surrogate)(theta)


def _own(space: ParameterSpace, fixed: Mapping[str, float], likelihoods: Sequence[Likelihood]) -> list[np.ndarray]:
    """Middle and width of each data set's own parameters, (2, m); no width where one is fixed."""
    middle = dict(zip(space.names, np.asarray(space.reference).tolist(), strict=True)) | dict(fixed)
    width = dict(zip(space.names, np.asarray(space.step).tolist(), strict=True))
    return [
        np.array([[middle[n] for n in each.nuisance], [width.get(n, 0.0) for n in each.nuisance]]).reshape(2, -1)
        for each in likelihoods
    ]


class Bands(eqx.Module):
    """The bands of several likelihoods side by side, as a function of the emulator's inputs."""

    emulator: Emulator
    likelihoods: tuple[Likelihood, ...]

    def __call__(self, theta: Float[Array, " d"]) -> Float[Array, " band"]:
        """Form the spectra and their bands at one point."""
        spectra = {name: values.astype(float) for name, values in self.emulator.predict(theta).items()}
        return jnp.concatenate([likelihood.bands(spectra) for likelihood in self.likelihoods])


def unfolded(emulator: Emulator, likelihoods: Sequence[Likelihood], own: Sequence[np.ndarray]) -> Parts:
    """The same where the amplitudes are the bands themselves."""
    bands = Bands(emulator, tuple(likelihoods))
    spectra = emulator.predict(emulator.domain.centre)
    sizes = [len(likelihood.bands(spectra)) for likelihood in likelihoods]
    rows = np.split(np.eye(sum(sizes)), np.cumsum(sizes)[:-1])
    around = _around(emulator, bands, likelihoods, own)
    folded = tuple(
        likelihood.fold(jnp.asarray(matrix), near)
        for likelihood, matrix, near in zip(likelihoods, rows, around, strict=True)
    )
    return bands, np.arange(sum(sizes)), folded


def check_spectra(emulator: Emulator, likelihood: Likelihood) -> None:
    """InputError for a spectrum that the emulator does not have."""
    missing = [name for name in likelihood.spectra if name not in emulator.basis]
    if missing:
        raise InputError(
            f"likelihood '{likelihood.name}': expected the spectrum '{missing[0]}', the emulator has "
            f"{', '.join(sorted(emulator.basis))}; add it to the spectra of the theory block"
        )


def band_matrix(emulator: Emulator, likelihood: Likelihood) -> Float[Array, "band K"]:
    """Matrix from the emulator's amplitudes to a likelihood's bands."""
    check_spectra(emulator, likelihood)
    columns = {name: emulator.linear(name).T for name in likelihood.spectra}
    return jax.vmap(likelihood.bands)(columns).T
