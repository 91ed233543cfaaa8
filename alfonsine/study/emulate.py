"""From the training set of a study to its emulator, in the units of the study's own data."""

from collections.abc import Callable, Mapping, Sequence
from importlib.metadata import version

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float
from scipy.stats import chi2

from alfonsine.emulator.around.features import Features
from alfonsine.emulator.around.fit import Fit, Shape, find_features, fit
from alfonsine.emulator.around.focus import Focus, growth
from alfonsine.emulator.domain import Domain
from alfonsine.likelihood.likelihood import Likelihood
from alfonsine.points.training_set import TrainingSet
from alfonsine.study.blocks import in_blocks
from alfonsine.study.prepare import Study
from alfonsine.study.settings import EmulatorSettings
from alfonsine.theory.output import Output, numbers
from alfonsine.theory.theory import Theory

EARLY = 12.0  # radius of the trust region, in steps, while there are too few points for curvature
BEYOND = 1.1  # how far beyond its outermost point the emulator may be asked
RARE = 1e-4  # mass of a Gaussian posterior that the domain may leave out


def emulator_inputs(study: Study) -> tuple[str, ...]:
    """Sampled parameters on which the theory depends, directly or through an expression."""
    needed = study.parameters.needed
    return tuple(name for name in study.space.names if name in needed)


def fit_emulator(
    study: Study,
    training: TrainingSet,
    focus: Focus,
    key: Array,
    words: Sequence[str],
    domain: Domain | None = None,
) -> Fit:
    """Fit the emulator around `focus`; `words` say what its inputs are made of; `trust` is its domain by default."""
    settings = study.settings.emulator
    return fit(
        training.names,
        training.theta,
        training.outputs,
        domain=domain or trust(study, training, focus),
        focus=focus,
        metric=metric_at(study, training, focus),
        shape=shape_of(settings),
        key=key,
        card=card(study, training) | {"features": list(words)},
        described=described(study.theory, training),
    )


def shape_of(settings: EmulatorSettings) -> Shape:
    """Sizes of the emulator, as the study asks for them."""
    if settings.max_order == "auto":
        return Shape(network=settings.network)
    return Shape(order=settings.max_order, highest=settings.max_order, network=settings.network)


def better_features(
    study: Study, training: TrainingSet, focus: Focus, start: Features, draws: Float[np.ndarray, "n d"]
) -> Features:
    """The inputs in which what the data see of the outputs is simplest around `focus`."""
    return find_features(
        training.names,
        training.theta,
        training.outputs,
        focus=focus,
        start=start,
        draws=draws,
        metric=metric_at(study, training, focus),
        shape=shape_of(study.settings.emulator),
        described=described(study.theory, training),
    ).features


def metric_at(study: Study, training: TrainingSet, focus: Focus) -> Callable[[Mapping[str, np.ndarray]], np.ndarray]:
    """The metric of the data at the point that matters most."""
    best = int(np.argmax(focus.weights(training.theta)))
    return data_metric(tuple(study.likelihoods.values()), {n: v[best] for n, v in training.outputs.items()})


def described(theory: Theory, training: TrainingSet) -> dict[str, Output]:
    """Units and axes of what is learned, as far as the theory knows them beforehand."""
    known = {name: output for name, output in theory.outputs().items() if name in training.outputs}
    return known | ({"derived": numbers(training.derived)} if training.derived else {})


def trust(study: Study, training: TrainingSet, focus: Focus) -> Domain:
    """Where the emulator may be asked: as far as its near points reach, further while they are few.

    The early radius lets a linear model run to a posterior that lies several steps away from the reference, and
    stops it where no polynomial can be believed.
    """
    sub = study.space.select(training.names)
    distance = np.linalg.norm(focus.white(training.theta), axis=1)
    near = distance[distance <= 2.0 * focus.reach]
    d = len(training.names)
    if len(near) < d + 3:
        radius = EARLY * growth(d)
    else:
        radius = max(BEYOND * float(near.max()), float(np.sqrt(chi2.ppf(1.0 - RARE, d))))
    return Domain(focus.middle, focus.cholesky, jnp.asarray(radius), sub.lower, sub.upper, focus.features)


def data_metric(
    likelihoods: tuple[Likelihood, ...], reference: Mapping[str, Float[np.ndarray, " m"]]
) -> Callable[[Mapping[str, np.ndarray]], np.ndarray]:
    """Changes of the spectra, name -> (n, m), in units of the data's error, (n, w), all data sets side by side."""

    def metric(changes: Mapping[str, np.ndarray]) -> np.ndarray:
        pieces = []
        for likelihood in likelihoods:
            wanted = {name: changes[name] for name in likelihood.spectra}
            at = {name: jnp.asarray(reference[name]) for name in likelihood.spectra}
            pieces.append(in_blocks(_whitened, (likelihood, at), wanted))
        return np.hstack(pieces)

    return metric


@eqx.filter_jit
def _whitened(at: tuple[Likelihood, dict[str, Array]], changes: dict[str, Array]) -> Array:
    likelihood, reference = at
    return likelihood.whiten(jax.vmap(likelihood.bands)(changes), likelihood.bands(reference))


def card(study: Study, training: TrainingSet) -> dict:
    """What an emulator was made from, as plain values."""
    return {
        "alfonsine": version("alfonsine"),
        "theory": study.theory.identity(),
        "params": study.parameters.way(training.names),
        "inputs": list(training.names),
        "derived": list(training.derived),
        "training_points": len(training),
        "training_digest": training.digest,
    }
