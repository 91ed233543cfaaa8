"""Which points to compute next."""

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float

from alfonsine.emulator.focus import REACH, Focus
from alfonsine.points.design import space_filling, steps
from alfonsine.points.learn import choose
from alfonsine.posterior.posterior import Posterior
from alfonsine.study.emulate import emulator_inputs
from alfonsine.study.infer import sample_target
from alfonsine.study.prepare import Study

SHARE = 0.25  # of a learning batch that is drawn from the posterior itself
GOAL = 300  # draws that stand for the posterior when designs are compared
POOL = 600  # candidates


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


def first_focus(study: Study, points: Float[np.ndarray, "n d"]) -> tuple[np.ndarray, np.ndarray]:
    """Mean and covariance that stand for a posterior before there is one."""
    if study.settings.points.start == "steps":
        return np.asarray(study.space.reference), np.diag(np.asarray(study.space.step) ** 2)
    return points.mean(axis=0), np.cov(points.T).reshape(study.space.dimension, -1)


def mirrored(study: Study, failed: Float[np.ndarray, "n d"]) -> Float[np.ndarray, "n d"]:
    """Steps to the other side, for those to which the code had no answer; kept inside the prior."""
    space = study.space
    reference, lower, upper = (np.asarray(x) for x in (space.reference, space.lower, space.upper))
    return np.clip(2.0 * reference - failed, 0.5 * (reference + lower), 0.5 * (reference + upper))


def learning_points(
    study: Study, target, posterior: Posterior, known: Float[np.ndarray, "n d"], focus: Focus, count: int, key: Array
) -> tuple[Float[np.ndarray, "n d"], int]:
    """`count` points, the first few of them (their number is returned too) plain draws of the posterior.

    The others are tempered draws, taken for what they would teach. `known` holds the points that have been learned
    from, in the emulator's inputs.
    """
    a, b, c = jax.random.split(key, 3)
    columns = list(target.inputs)
    share = round(SHARE * count)
    own = posterior.resampled(share, rng(a)).samples[:, :] if share else posterior.samples[:0]
    wide = sample_target(
        study, target, posterior.mean(), posterior.std(), b, temperature=study.settings.points.temperature
    )
    candidates = wide.resampled(POOL, rng(c)).samples
    goal = posterior.thinned(GOAL).samples
    white = focus.white
    near = white(known)
    near = near[np.linalg.norm(near, axis=1) <= 2.0 * REACH]
    near = np.vstack([near, white(own[:, columns])])
    chosen = choose(white(candidates[:, columns]), near, white(goal[:, columns]), count - share)
    return np.vstack([own, candidates[chosen]]), share


def rng(key: Array) -> np.random.Generator:
    """A NumPy generator from a JAX key: one seed governs everything."""
    return np.random.default_rng(np.asarray(jax.random.key_data(key)))
