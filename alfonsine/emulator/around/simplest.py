"""Which features make the outputs simplest: tried one in the place of another, kept where the held-out error falls.

A feature may take the place of an input on which it depends, the others given, and everywhere in the same sense: the
angle of the sound horizon that of the Hubble constant, not that of the amplitude. So the map from parameters to inputs
remains one-to-one.

Some features help only together: the density of matter early and that of today say what has decayed between. So the
search goes on, best exchange first, even where the error rises for a while; where it stops is chosen along its path.
It starts from the inputs in use and from the parameters themselves: what was found far away must not bind it here.
From there all pairs of exchanges are tried, of parameters and quantities, of which each alone may make it much worse.
"""

from collections.abc import Sequence
from itertools import combinations
from typing import NamedTuple

import numpy as np
from jaxtyping import Bool, Float, Int

from alfonsine.emulator.around.features import Features, pool_at, pool_gradient
from alfonsine.emulator.around.trend import multiplicity, quick_error

WORTH = 0.6  # for each input that is no parameter the error must fall at least to this fraction: less is noise
STEEP = 0.05  # slope of a feature along the input whose place it takes, at least, in units of its median
EXCHANGES = 6
SINGULAR = 1e13  # condition of the Jacobian of a map that has no inverse in 64 bits
HOPELESS = 30.0  # factor above the lowest error so far beyond which the search does not go on
FAINT = 0.01  # weight below which a point has no say: those of a search from afar are many
SLOPES = 500  # draws at which slopes are compared
PRODUCTS = 12  # inputs up to which products, and pairs of exchanges, are tried: there are as many as their square


class Simplest(NamedTuple):
    """The features found, and the leave-one-out errors before and after, in squared data errors."""

    features: Features
    before: float
    after: float


def simplest_features(
    theta: Float[np.ndarray, "n d"],
    components: Sequence[Float[np.ndarray, "n _"]],
    weights: Float[np.ndarray, " n"],
    table: Int[np.ndarray, "terms order"],
    start: Features,
    draws: Float[np.ndarray, "m d"],
) -> Simplest:
    """Exchange one input for one feature of the pool, the best exchange first; of the sets on that path take the best.

    Then two inputs for two features, where that is better still.

    `components` are those of every block, in units of the data's error; `table` holds the monomials of the trend;
    `draws` are where the inputs will be used.
    """
    heard = weights > FAINT
    theta, weights, components = theta[heard], weights[heard], [found[heard] for found in components]
    draws = draws[:: -(-len(draws) // SLOPES)]
    positive = np.asarray(start.positive)
    pool = pool_at(theta, positive, start.cheap)
    where = np.vstack([draws, uncorrelated(draws)])
    slopes = pool_gradient(where[start.cheap.covers(where)], positive, start.cheap)
    mean = np.average(pool, axis=0, weights=weights)
    spread = np.sqrt(np.average((pool - mean) ** 2, axis=0, weights=weights))
    usable = np.isfinite(spread) & (spread > 1e-12 * np.maximum(np.abs(mean), 1e-300))
    standard = (pool - mean) / np.where(usable, spread, 1.0)
    counts = multiplicity(table)

    def error(chosen: tuple[int, ...]) -> float:
        u = standard[:, list(chosen)] / np.sqrt(2.0)
        return sum(quick_error(u, found, table, counts, weights) for found in components)

    d = theta.shape[1]
    path: list[tuple[float, tuple[int, ...]]] = []
    seen: set[frozenset[int]] = set()
    for chosen in dict.fromkeys((start.chosen, tuple(range(d)))):
        found, begun = error(chosen), len(path)
        seen.add(frozenset(chosen))
        path.append((found, chosen))
        for _ in range(EXCHANGES):
            allowed = usable & exchangeable(slopes, chosen)
            trials = [
                (*chosen[:i], k, *chosen[i + 1 :])
                for i in range(d)
                for k in distinct(np.flatnonzero(allowed[i]), chosen, d)
            ]
            new = [trial for trial in trials if frozenset(trial) not in seen]
            found, chosen = min(((error(trial), trial) for trial in new), default=(np.inf, chosen))
            seen.add(frozenset(chosen))
            path.append((found, chosen))
            if not found < HOPELESS * min(path[begun:])[0]:
                break

    def price(chosen: tuple[int, ...]) -> float:
        """What is no parameter has to be worth it; products are many: some do well by chance, each counts twice."""
        return WORTH ** -sum(2 if 2 * d <= k < 2 * d + d * d else 1 for k in chosen if k >= d)

    def lowest() -> tuple[float, float, tuple[int, ...]]:
        """The best set so far, after its priced error and its error."""
        return min((found * price(k), found, k) for found, k in path)

    priced, _, chosen = lowest()
    trials = [trial for trial in pairs(chosen, d, standard.shape[1], usable) if frozenset(trial) not in seen]
    better = sorted((found, trial) for trial in trials if (found := error(trial)) * price(trial) < priced)
    path.extend(next(([pair] for pair in better if one_to_one(slopes, chosen, pair[1])), []))
    _, found, chosen = lowest()
    return Simplest(Features.of(chosen, np.asarray(start.positive), start.cheap), path[0][0], found)


def pairs(chosen: tuple[int, ...], d: int, size: int, usable: Bool[np.ndarray, " pool"]) -> list[tuple[int, ...]]:
    """Sets with two inputs exchanged for two parameters or quantities; logarithms and products are too many."""
    if d > PRODUCTS:
        return []
    others = [k for k in (*range(d), *range(2 * d + d * d, size)) if usable[k] and k not in chosen]
    trials = []
    for i, j in combinations(range(d), 2):
        for k, m in combinations(others, 2):
            trial = list(chosen)
            trial[i], trial[j] = k, m
            trials.append(tuple(trial))
    return trials


def one_to_one(gradient: Float[np.ndarray, "m pool d"], before: tuple[int, ...], after: tuple[int, ...]) -> bool:
    """Whether the map to a set is one-to-one where that to another is: the ratio of their determinants, as below."""
    old, new = (np.linalg.slogdet(gradient[:, list(chosen), :]) for chosen in (before, after))
    if not len(gradient) or not (np.isfinite(old[1]).all() and np.isfinite(new[1]).all()):
        return False
    if (np.linalg.cond(gradient[:, list(after), :]) > SINGULAR).any():
        return False
    logarithm = new[1] - old[1]
    sign = new[0] * old[0]
    return bool((sign == sign[0]).all() and logarithm.min() > np.log(STEEP) + np.median(logarithm))


def uncorrelated(draws: Float[np.ndarray, "m d"]) -> Float[np.ndarray, "m d"]:
    """The same without correlations: what is one-to-one along a thin ridge may not be beside it."""
    rng = np.random.default_rng(0)
    return np.column_stack([rng.permutation(column) for column in draws.T])


def exchangeable(gradient: Float[np.ndarray, "m pool d"], chosen: tuple[int, ...]) -> Bool[np.ndarray, "d pool"]:
    r"""Whether each entry of the pool may take the place of each input: the map remains one-to-one.

    .. math:: g_{ik} = \frac{\det J_{i \to k}}{\det J} = \sum_j \frac{\partial p_k}{\partial \theta_j} (J^{-1})_{ji},
       \qquad J = \partial x / \partial \theta,

    must have one sign at all points, and nowhere come near zero: that is the slope of the new input along the one whose
    place it takes, the others being held.
    """
    jacobian = gradient[:, list(chosen), :]
    if not len(jacobian) or (np.linalg.cond(jacobian) > SINGULAR).any():
        return np.zeros((len(chosen), gradient.shape[1]), dtype=bool)  # where it is not one-to-one as it is
    slope = np.moveaxis(gradient @ np.linalg.inv(jacobian), 0, -1)  # (pool, d, m)
    with np.errstate(invalid="ignore", divide="ignore"):
        ratio = slope / np.median(slope, axis=-1, keepdims=True)
    sound = np.isfinite(ratio).all(axis=-1)
    return (sound & (np.where(sound[..., None], ratio, 0.0).min(axis=-1) > STEEP)).T


def distinct(usable: Int[np.ndarray, " k"], chosen: tuple[int, ...], d: int) -> list[int]:
    """Entries of the pool that are not among the inputs already; of a product of two, one of both orders."""
    rows, columns = np.divmod(usable - 2 * d, d)
    product = (usable >= 2 * d) & (usable < 2 * d + d * d)
    tried = ~product | ((rows <= columns) & (d <= PRODUCTS))
    return [int(k) for k in usable[tried] if k not in chosen]
