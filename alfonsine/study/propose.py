"""Which points to compute next."""

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float

from alfonsine.emulator.around.focus import Focus
from alfonsine.points.design import space_filling, steps
from alfonsine.points.learn import choose
from alfonsine.posterior.posterior import Posterior
from alfonsine.posterior.target import Target
from alfonsine.study.emulate import emulator_inputs
from alfonsine.study.exact import Computed
from alfonsine.study.feasible import Feasible
from alfonsine.study.infer import sample_target
from alfonsine.study.many import heat
from alfonsine.study.prepare import Study

SHARE = 0.25  # of a learning batch that is drawn from the posterior itself
GOAL = 300  # draws that stand for the posterior when designs are compared
POOL = 600  # candidates
FIRST = 1000  # draws that stand for a posterior before there is one


def first_points(study: Study) -> Float[np.ndarray, "n d"]:
    """Reference point and one step along each parameter of the theory, or a space-filling design over the prior."""
    space, settings = study.space, study.settings.points
    if study.settings.start == "steps":
        reference, step = np.asarray(space.reference), np.asarray(space.step)
        points = steps(reference, step, np.asarray(space.lower), np.asarray(space.upper))
        teaches = [True] + [name in emulator_inputs(study) for name in space.names]
        return points[teaches]
    count = max(2 * (space.dimension + 1), settings.batch)
    unit = space_filling(study.settings.start, count, space.dimension, study.settings.seed)
    return np.asarray(space.from_unit_cube(jnp.asarray(unit)))


def first_number(study: Study) -> int:
    """How many points the loop begins with."""
    return spread_number(study) if study.settings.start == "search" else len(first_points(study))


def spread_number(study: Study) -> int:
    """Points over the box of the prior with which a search begins."""
    return 2 * (len(emulator_inputs(study)) + 1)


def first_draws(study: Study, points: Float[np.ndarray, "n d"]) -> Float[np.ndarray, "m d"]:
    """Draws that stand for a posterior before there is one, within the prior."""
    space, generator = study.space, np.random.default_rng(study.settings.seed)
    if study.settings.start == "steps":
        mean, root = np.asarray(space.reference), np.diag(np.asarray(space.step))
    else:
        spread = np.cov(points.T).reshape(space.dimension, -1)
        mean, root = points.mean(axis=0), np.linalg.cholesky(spread + 1e-12 * np.diag(np.diag(spread)))
    draws = mean + generator.standard_normal((FIRST, space.dimension)) @ root.T
    lower, upper = np.asarray(space.lower), np.asarray(space.upper)
    return np.where((draws >= lower) & (draws <= upper), draws, np.clip(2.0 * mean - draws, lower, upper))


def mirrored(
    study: Study, failed: Float[np.ndarray, "n d"], about: Float[np.ndarray, " d"]
) -> Float[np.ndarray, "n d"]:
    """Steps from a point to the other side, for those to which the code had no answer; kept inside the prior."""
    lower, upper = np.asarray(study.space.lower), np.asarray(study.space.upper)
    return np.clip(2.0 * about - failed, 0.5 * (about + lower), 0.5 * (about + upper))


def learning_points(
    study: Study,
    target: Target,
    posterior: Posterior,
    known: Computed,
    focus: Focus,
    feasible: Feasible,
    count: int,
    key: Array,
) -> Float[np.ndarray, "n d"]:
    """`count` points, the first few of them plain draws of the posterior.

    The others are tempered draws, taken for what they would teach; `known` holds the exact calls made so far.
    """
    a, b, c = jax.random.split(key, 3)
    columns = list(target.inputs)
    share = round(SHARE * count)
    own = posterior.resampled(share, rng(a)).samples if share else posterior.samples[:0]
    temperature = heat(study.settings.points, len(columns))
    wide = sample_target(study, target, posterior.mean(), posterior.std(), b, temperature=temperature)
    candidates = wide.resampled(POOL, rng(c)).samples
    goal = posterior.thinned(GOAL).samples

    def white(theta: Float[np.ndarray, "n d"]) -> Float[np.ndarray, "n inputs"]:
        return focus.white(theta[:, columns])

    near = white(known.theta[known.done])
    near = near[np.linalg.norm(near, axis=1) <= 2.0 * focus.reach]
    near = np.vstack([near, white(own)])
    teaching = feasible.chosen(
        candidates, known, white, lambda theta: theta[choose(white(theta), near, white(goal), count - share)]
    )
    return np.vstack([own, teaching])


def rng(key: Array) -> np.random.Generator:
    """A NumPy generator from a JAX key: one seed governs everything."""
    return np.random.default_rng(np.asarray(jax.random.key_data(key)))
