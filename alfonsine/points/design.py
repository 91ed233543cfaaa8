"""First points: before anything is known about the posterior."""

from collections.abc import Sequence

import numpy as np
from jaxtyping import Float
from scipy.stats import qmc

from alfonsine.errors import InputError, nearest


def steps(
    reference: Float[np.ndarray, " d"],
    step: Float[np.ndarray, " d"],
    lower: Float[np.ndarray, " d"],
    upper: Float[np.ndarray, " d"],
) -> Float[np.ndarray, "d+1 d"]:
    """The reference point and one step along each parameter: d + 1 points, which determine a linear model.

    A step goes up, or down where up would leave the box, and never further than half-way to an edge.
    """
    room_up, room_down = (upper - reference) / 2, (reference - lower) / 2
    length = np.where(room_up >= np.minimum(step, room_down), np.minimum(step, room_up), -np.minimum(step, room_down))
    return np.vstack([reference, reference + np.diag(length)])


CHEAP_SEED = 1_000_003  # added to the seed for the cheap inputs of a nested design
DESIGNS = ("latin_hypercube", "sobol", "hypersphere")


def space_filling(kind: str, n: int, dimension: int, seed: int) -> Float[np.ndarray, "n d"]:
    """Points that cover the unit cube evenly, or the ball inside it.

    latin_hypercube   one point in each of n slices of every parameter
    sobol             scrambled Sobol sequence
    hypersphere       uniform in the ball that touches the faces of the cube (arXiv:2405.01396): corners of a cube
                      hold nearly all of its volume in many dimensions, and nearly none of a posterior
    """
    if kind == "latin_hypercube":
        return qmc.LatinHypercube(dimension, rng=np.random.default_rng(seed)).random(n)
    if kind == "sobol":
        # the sequence is balanced only in powers of two: take the next one and cut it
        return qmc.Sobol(dimension, rng=np.random.default_rng(seed)).random_base2(int(np.ceil(np.log2(n))))[:n]
    if kind == "hypersphere":
        rng = np.random.default_rng(seed)
        direction = rng.standard_normal((n, dimension))
        direction /= np.linalg.norm(direction, axis=1, keepdims=True)
        return 0.5 + 0.5 * direction * rng.random((n, 1)) ** (1.0 / dimension)
    raise InputError(f"expected a design named {', '.join(DESIGNS)}, got '{kind}'; {nearest(kind, DESIGNS)}")


def towards_edges(unit: Float[np.ndarray, "n d"]) -> Float[np.ndarray, "n d"]:
    r"""The same points of the unit cube, denser towards its faces: :math:`(1 - \cos \pi x)/2`.

    Series of polynomials determined by even points are worst at the faces, beyond which there is nothing. In this
    density, that of the extrema of Chebyshev polynomials, least squares is stable with far fewer points
    (Cohen & Migliorati, arXiv:1608.00512).
    """
    return 0.5 - 0.5 * np.cos(np.pi * unit)


def nested(kind: str, n: int, solutions: int, cheap: Sequence[bool], seed: int) -> Float[np.ndarray, "n d"]:
    """Points of which each group of n/solutions agrees in all but the cheap inputs, and no two in a cheap one.

    The `solutions` groups fill the space of the others evenly, and the n points that of the cheap inputs. Members of a
    group follow each other.
    """
    if kind == "hypersphere":
        raise InputError("expected a design latin_hypercube or sobol with shared solutions, got hypersphere; try sobol")
    position = np.asarray(cheap, dtype=bool)
    group = np.arange(n) * solutions // n
    points = np.empty((n, len(position)))
    points[:, ~position] = space_filling(kind, solutions, int((~position).sum()), seed)[group]
    points[:, position] = space_filling(kind, n, int(position.sum()), seed + CHEAP_SEED)
    return points
