"""Which points to compute next."""

from collections.abc import Callable

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float
from scipy.spatial import cKDTree

from alfonsine.emulator.around.focus import Focus
from alfonsine.points.design import space_filling, steps
from alfonsine.points.learn import choose
from alfonsine.posterior.posterior import Posterior
from alfonsine.posterior.target import Target
from alfonsine.study.emulate import emulator_inputs
from alfonsine.study.exact import Computed
from alfonsine.study.infer import sample_target
from alfonsine.study.many import heat
from alfonsine.study.prepare import Study

SHARE = 0.25  # of a learning batch that is drawn from the posterior itself
GOAL = 300  # draws that stand for the posterior when designs are compared
POOL = 600  # candidates
FIRST = 1000  # draws that stand for a posterior before there is one
HALVINGS = 10  # of the way from a candidate back to where the code had an answer


def first_points(study: Study) -> Float[np.ndarray, "n d"]:
    """Reference point and one step along each parameter of the theory, or a space-filling design over the prior."""
    space, settings = study.space, study.settings.points
    if settings.start == "steps":
        reference, step = np.asarray(space.reference), np.asarray(space.step)
        points = steps(reference, step, np.asarray(space.lower), np.asarray(space.upper))
        teaches = [True] + [name in emulator_inputs(study) for name in space.names]
        return points[teaches]
    count = max(2 * (space.dimension + 1), settings.batch)
    unit = space_filling(settings.start, count, space.dimension, study.settings.seed)
    return np.asarray(space.from_unit_cube(jnp.asarray(unit)))


def first_draws(study: Study, points: Float[np.ndarray, "n d"]) -> Float[np.ndarray, "m d"]:
    """Draws that stand for a posterior before there is one, within the prior."""
    space, generator = study.space, np.random.default_rng(study.settings.seed)
    if study.settings.points.start == "steps":
        mean, root = np.asarray(space.reference), np.diag(np.asarray(space.step))
    else:
        spread = np.cov(points.T).reshape(space.dimension, -1)
        mean, root = points.mean(axis=0), np.linalg.cholesky(spread + 1e-12 * np.diag(np.diag(spread)))
    draws = mean + generator.standard_normal((FIRST, space.dimension)) @ root.T
    lower, upper = np.asarray(space.lower), np.asarray(space.upper)
    return np.where((draws >= lower) & (draws <= upper), draws, np.clip(2.0 * mean - draws, lower, upper))


def mirrored(study: Study, failed: Float[np.ndarray, "n d"]) -> Float[np.ndarray, "n d"]:
    """Steps to the other side, for those to which the code had no answer; kept inside the prior."""
    space = study.space
    reference, lower, upper = (np.asarray(x) for x in (space.reference, space.lower, space.upper))
    return np.clip(2.0 * reference - failed, 0.5 * (reference + lower), 0.5 * (reference + upper))


def learning_points(
    study: Study,
    target: Target,
    posterior: Posterior,
    known: Computed,
    focus: Focus,
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

    candidates = drawn_back(candidates, known.theta[known.done], known.theta[~known.done], white)
    near = white(known.theta[known.done])
    near = near[np.linalg.norm(near, axis=1) <= 2.0 * focus.reach]
    near = np.vstack([near, white(own)])
    chosen = choose(white(candidates), near, white(goal), count - share)
    return np.vstack([own, candidates[chosen]])


def drawn_back(
    candidates: Float[np.ndarray, "n d"],
    done: Float[np.ndarray, "known d"],
    failed: Float[np.ndarray, "failed d"],
    white: Callable[[np.ndarray], np.ndarray],
) -> Float[np.ndarray, "n d"]:
    """Candidates where the code is likely to have an answer: their nearest exact call had one.

    The others are halved towards the nearest call that had one until that is so: the exact calls then close in on
    the edge of what the code can compute, from the side where they teach something.
    """
    if not len(failed):
        return candidates
    good, bad = cKDTree(white(done)), cKDTree(white(failed))
    for _ in range(HALVINGS):
        distance, nearest = good.query(white(candidates))
        doomed = bad.query(white(candidates))[0] < distance
        candidates = np.where(doomed[:, None], 0.5 * (candidates + done[nearest]), candidates)
    return candidates


def rng(key: Array) -> np.random.Generator:
    """A NumPy generator from a JAX key: one seed governs everything."""
    return np.random.default_rng(np.asarray(jax.random.key_data(key)))
