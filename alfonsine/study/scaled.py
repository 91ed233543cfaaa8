"""Which of a few spread points is the most promising, once what is known exactly of its outputs is made use of.

The spectra of one call are known at any primordial amplitude, and nearly so at any optical depth: a factor. Far from
the posterior ln L says little but whether the amplitude is right; with that at its best it says whether the shape is.
"""

from dataclasses import replace

import numpy as np
from jaxtyping import Float
from scipy.stats import qmc

from alfonsine.emulator.scaling import Scaling
from alfonsine.study.emulate import emulator_inputs
from alfonsine.study.exact import Computed, exact_log_likelihood
from alfonsine.study.prepare import Study
from alfonsine.theory.observables import Observables

TRIALS = 64  # of the parameters that scale, for each point


def best_scaled(study: Study, known: Computed) -> Float[np.ndarray, " d"]:
    """The point with the largest ln L that a finished call can be scaled to, within the prior."""
    names = emulator_inputs(study)
    columns = np.array(study.space.index(names))
    done = [i for i, call in enumerate(known.calls) if call.done]
    spectra = {name for likelihood in study.likelihoods.values() for name in likelihood.spectra}
    rules = {name: Scaling.of(name, names, known.theta[0][columns]) for name in spectra}
    moving = [i for i in range(len(names)) if any(rule.slope[i] or rule.power[i] for rule in rules.values())]
    best, largest = known.theta[done[0]], -np.inf
    for i in done:
        theta = trials(study, known.theta[i], columns[moving])
        calls = []
        for row in theta:
            found = known.calls[i].observables
            assert found is not None
            factor = {n: rule_at(rule, known.theta[i][columns], row[columns]) for n, rule in rules.items()}
            scaled = {n: values * factor.get(n, 1.0) for n, values in found.spectra.items()}
            calls.append(replace(known.calls[i], observables=Observables(scaled, found.derived)))
        value = exact_log_likelihood(study, Computed(theta, tuple(calls)))
        if np.nanmax(value) > largest:
            largest, best = float(np.nanmax(value)), theta[int(np.nanargmax(value))]
    return best


def trials(study: Study, theta: Float[np.ndarray, " d"], moving: np.ndarray) -> Float[np.ndarray, "n d"]:
    """The point itself, and others that differ in the parameters that scale; a nuisance is put to its reference."""
    space = study.space
    own = [i for i, name in enumerate(space.names) if name in study.parameters.nuisance]
    found = np.tile(theta, (TRIALS if len(moving) else 1, 1))
    found[:, own] = np.asarray(space.reference)[own]
    if len(moving):
        unit = qmc.Halton(len(moving), scramble=False).random(TRIALS)
        lower, upper = np.asarray(space.lower)[moving], np.asarray(space.upper)[moving]
        found[1:, moving] = (lower + unit * (upper - lower))[1:]
    return found


def rule_at(rule: Scaling, origin: Float[np.ndarray, " d"], theta: Float[np.ndarray, " d"]) -> float:
    """The factor between two points."""
    return float(rule.at(theta[None])[0] / rule.at(origin[None])[0])
