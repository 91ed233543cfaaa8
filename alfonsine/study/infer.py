"""The emulated posterior of a study, its tempered companion, and ln L at given points."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float

from alfonsine.emulator.emulator import Emulator
from alfonsine.errors import InputError
from alfonsine.posterior.posterior import Posterior
from alfonsine.posterior.sample import sample, sample_by_ensemble
from alfonsine.posterior.target import Target, build_target
from alfonsine.posterior.tempered import Tempered
from alfonsine.space.parameter_space import ParameterSpace
from alfonsine.study.blocks import in_blocks
from alfonsine.study.prepare import Study

CANDIDATES = 1000  # effective draws while the emulator is still learning
# a posterior of few points may have any shape, and be never sampled well: blocks of the sampler for these, and before
BLOCKS, WARMUP = 6, 4


def study_target(study: Study, emulator: Emulator) -> Target:
    """Prior times likelihoods of emulated observables."""
    roles = study.parameters
    fixed = {}
    for likelihood in study.likelihoods.values():
        for name in likelihood.nuisance:
            if name in roles.computed:
                raise InputError(
                    f"likelihood '{likelihood.name}': expected its parameter '{name}' sampled or fixed, "
                    "got an expression; sample it, or give it a number"
                )
            if name in roles.fixed:
                fixed[name] = roles.fixed[name]
    return build_target(study.space, emulator, tuple(study.likelihoods.values()), fixed)


def sample_target(
    study: Study,
    target: Target,
    start: Float[np.ndarray, " d"],
    width: Float[np.ndarray, " d"],
    key: Array,
    ess: float = CANDIDATES,
    temperature: float = 1.0,
    blocks: int | None = None,
) -> Posterior:
    """Draw from the target, or from its tempered companion; `blocks` limits how long the gradient sampler tries."""
    space, sampler = study.space, study.settings.sampler
    density = Tempered(target, temperature, space.log_prior)  # also at temperature 1: one structure is compiled once
    described = (space.names, space.latex, space.lower, space.upper, jnp.asarray(start), jnp.asarray(width))
    if sampler.ensemble is not None:
        return sample_by_ensemble(density, *described, key, ess=ess, walkers=sampler.ensemble.walkers)
    limits = {"max_blocks": BLOCKS, "max_warmup": WARMUP} if ess <= CANDIDATES else {}
    if blocks is not None:
        limits["max_blocks"] = blocks
    return sample(density, *described, key, ess=ess, chains=sampler.nuts.chains, **limits)


def emulated_log_likelihood(target: Target, theta: Float[np.ndarray, "n d"]) -> Float[np.ndarray, " n"]:
    """Summed ln L with emulated observables."""
    return in_blocks(_log_likelihoods, target, theta).sum(axis=1)


def left_out_log_likelihood(
    study: Study, target: Target, theta: Float[np.ndarray, "n d"], amplitudes: Float[np.ndarray, "n K"]
) -> Float[np.ndarray, " n"]:
    """Summed ln L with the amplitudes that the emulator predicts for each point when it has not seen it."""
    return in_blocks(_given_amplitudes, target, theta, amplitudes[:, list(target.columns)])


@eqx.filter_jit
def _log_likelihoods(target: Target, theta: Array) -> Array:
    return jax.vmap(target.log_likelihoods)(theta)


class _Given(eqx.Module):
    """A surrogate that has its answer already."""

    amplitudes: Float[Array, " K"]

    def __call__(self, theta: Float[Array, " d"]) -> Float[Array, " K"]:
        """Return the amplitudes."""
        return self.amplitudes


@eqx.filter_jit
def _given_amplitudes(target: Target, theta: Array, amplitudes: Array) -> Array:
    def one(theta: Array, amplitudes: Array) -> Array:
        return jnp.sum(replace(target, surrogate=_Given(amplitudes)).log_likelihoods(theta))

    return jax.vmap(one)(theta, amplitudes)


def complete(study: Study, posterior: Posterior, target: Target, emulator: Emulator) -> Posterior:
    """Add ln L of each data set, ln of each prior and the derived parameters to a posterior."""
    values = in_blocks(_log_likelihoods, target, posterior.samples)  # a batch of all draws may fill the memory
    likelihoods = dict(zip(study.likelihoods, values.T, strict=True))
    outputs = {}
    if "derived" in emulator.basis:
        columns = in_blocks(_derived, (emulator, target), posterior.samples)
        outputs = dict(zip(emulator.card["derived"], columns.T, strict=True))
    sampled = dict(zip(study.space.names, posterior.samples.T, strict=True))
    derived = study.parameters.derived_values(sampled, outputs)
    joint = {name: density(sampled) for name, density in study.settings.prior.items()}
    n = len(posterior)

    def columns(given: Mapping[str, Any]) -> dict[str, np.ndarray]:
        return {name: np.broadcast_to(np.asarray(v, dtype=float), (n,)).copy() for name, v in given.items()}

    return replace(
        posterior,
        log_likelihoods=likelihoods,
        log_priors=columns({"0": in_blocks(_log_prior, study.space.separate, posterior.samples), **joint}),
        derived=columns(derived),
    )


@eqx.filter_jit
def _log_prior(space: ParameterSpace, theta: Array) -> Array:
    return jax.vmap(space.log_prior)(theta)


@eqx.filter_jit
def _derived(at: tuple[Emulator, Target], theta: Array) -> Array:
    emulator, target = at
    inputs = jnp.array(target.inputs)
    return jax.vmap(lambda point: emulator.predict(point[inputs])["derived"])(theta)
