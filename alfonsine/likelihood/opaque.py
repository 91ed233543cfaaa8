r"""A likelihood that is known by its values only, and yet is sampled with gradients.

It is learned as the theory is: where the model's bands can move, its logarithm is a quadratic, fitted to its values,

.. math:: q(s) = \ln L_0 + g^T s - \tfrac12 s^T H s, \qquad s = D^+ ((a, \nu) - (a_0, \nu_0))

with a the emulator's amplitudes, \nu the data set's own parameters, and the columns of D as long as one error of the
data. For Gaussian data in linear bands that is exact; elsewhere what it misses is fitted, too
(`likelihood/higher_orders.py`). What is missed still is judged with all else: an exact call is always compared by the
likelihood's own value.

In which units the bands count is asked for, too: `likelihood/stretches.py`.
"""

from dataclasses import replace
from functools import lru_cache

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float
from scipy.linalg import block_diag

from alfonsine.likelihood.cobaya_processes import Described, Question, evaluate
from alfonsine.likelihood.form import Form
from alfonsine.likelihood.higher_orders import NEGLIGIBLE, HigherOrders, expected_kl, fit_higher_orders
from alfonsine.likelihood.likelihood import AnyArray, Around, FoldedLikelihood
from alfonsine.likelihood.stretches import Units, count, find_units
from alfonsine.theory.output import Output

SMALLEST = 0.005  # directions in which the bands move by less, in units of the data's error, are left out
DIRECTIONS = 24
TRIED = 64  # points that say whether a quadratic is enough


class Opaque(Form):
    """A form whose values are asked for elsewhere.

    text        which likelihood
    outputs     what its bands are, in order
    nuisance    its own parameters
    typical     values of these
    """

    text: str = eqx.field(static=True)
    outputs: tuple[tuple[str, Output], ...] = eqx.field(static=True)
    nuisance: tuple[str, ...] = eqx.field(static=True)
    typical: tuple[float, ...] = eqx.field(static=True)

    @property
    def known_by_values(self) -> bool:
        """It is."""
        return True

    def values(self, bands: np.ndarray, own: np.ndarray) -> Float[np.ndarray, " n"]:
        """Ln L of rows of bands and own parameters."""
        return evaluate(self.text, np.asarray(bands), np.asarray(own))

    def log_likelihood(
        self, bands: Float[AnyArray, " band"], nuisance: Float[AnyArray, " nuisance"]
    ) -> Float[Array, ""]:
        """Give ln L; not differentiable."""
        return _asked(self, jnp.asarray(bands, dtype=float), jnp.asarray(nuisance, dtype=float))

    def whiten(
        self, differences: Float[AnyArray, "n band"], reference: Float[AnyArray, " band"]
    ) -> Float[Array, "n w"]:
        """Differences in units of the error of each stretch at `reference`, correlations left out."""
        return _in_units(self, jnp.asarray(differences, dtype=float), jnp.asarray(reference, dtype=float))

    def units(self, reference: Float[np.ndarray, " band"]) -> Units:
        """The stretches of its bands, with the weight that the likelihood gives to each."""
        return _units(self, np.asarray(reference, dtype=float).tobytes())

    def fold(self, matrix: Float[AnyArray, "band K"]) -> FoldedLikelihood:
        """Not without a place: the quadratic needs one."""
        raise ValueError("a likelihood that is known by its values is folded around a place: fold_around")

    def fold_around(self, matrix: Float[AnyArray, "band K"], around: Around | None) -> FoldedLikelihood:
        """The quadratic fitted about these points, and what it misses there."""
        if around is None:
            return self.fold(matrix)
        matrix = np.asarray(matrix)
        columns, directions, centre = moving(self, matrix, around)
        bend = np.diag(curve(self, matrix, columns, centre, mixed=False)[2])
        shorter = np.sqrt(np.maximum(bend, 1.0))  # a step changes ln L by half, whatever its direction
        columns, directions = columns / shorter, directions * shorter[:, None]
        height, slope, curvature = curve(self, matrix, columns, centre)
        rest = DIRECTIONS + len(self.nuisance) - len(slope)  # one shape, so that a sampler is compiled once
        slope, directions = np.pad(slope, (0, rest)), np.pad(directions, ((0, rest), (0, 0)))
        curvature = np.pad(curvature, (0, rest))
        quadratic = (jnp.asarray(x) for x in (height, slope, curvature, directions, centre))
        return self._missed(Series(*quadratic, None), matrix, around)

    def _missed(self, series: "Series", matrix: np.ndarray, around: Around) -> "Series":
        """The same with higher orders, where the quadratic is not enough."""
        middle, width = around.nuisance
        own = middle + width * np.random.default_rng(TRIED).normal(size=(len(around.amplitudes), len(middle)))
        points = np.column_stack([around.amplitudes, own])
        values = np.empty(0)
        for stop in (TRIED, len(points)):
            new = slice(len(values), stop)
            values = np.append(values, self.values(around.amplitudes[new] @ matrix.T, own[new]))
            finite = np.isfinite(values)
            s = (points[:stop] - np.asarray(series.centre)) @ np.asarray(series.directions).T
            residual = values - _quadratic(series, s)
            if not finite.any() or expected_kl(residual[finite], values[finite]) < NEGLIGIBLE:
                return series
        return replace(series, beyond=fit_higher_orders(s[finite], residual[finite], values[finite]))


class Series(FoldedLikelihood):
    """ln L as a quadratic of s = directions @ ((a, nu) - centre), and what it misses."""

    height: Float[Array, ""]
    slope: Float[Array, " r"]
    curvature: Float[Array, "r r"]
    directions: Float[Array, "r K_plus_nuisance"]
    centre: Float[Array, " K_plus_nuisance"]
    beyond: HigherOrders | None

    def __call__(self, amplitudes: Float[AnyArray, " K"], nuisance: Float[AnyArray, " nuisance"]) -> Float[Array, ""]:
        """Give ln L at bands = matrix @ amplitudes."""
        s = self.directions @ (jnp.concatenate([jnp.asarray(amplitudes), jnp.asarray(nuisance)]) - self.centre)
        return (
            self.height
            + self.slope @ s
            - 0.5 * s @ self.curvature @ s
            + (0.0 if self.beyond is None else self.beyond(s))
        )


def _quadratic(series: Series, s: Float[np.ndarray, "n r"]) -> Float[np.ndarray, " n"]:
    curved = np.einsum("nr,rq,nq->n", s, np.asarray(series.curvature), s)
    return float(series.height) + s @ np.asarray(series.slope) - 0.5 * curved


def _asked(form: Opaque, bands: Array, nuisance: Array) -> Array:
    """Leave compiled code for the value; a batch is asked for at once."""

    def ask(bands: AnyArray, own: AnyArray) -> np.ndarray:
        bands, own = np.asarray(bands), np.asarray(own)
        shape = bands.shape[:-1]
        rows = bands.reshape(-1, bands.shape[-1]), own.reshape(int(np.prod(shape, dtype=int)), -1)
        return form.values(*rows).reshape(shape)

    return jax.pure_callback(ask, jax.ShapeDtypeStruct((), float), bands, nuisance, vmap_method="broadcast_all")


def _in_units(form: Opaque, differences: Array, reference: Array) -> Array:
    def ask(differences: AnyArray, reference: AnyArray) -> np.ndarray:
        return form.units(np.asarray(reference)).of(np.asarray(differences))

    shape = jax.ShapeDtypeStruct((len(differences), count(form.outputs)), float)
    return jax.pure_callback(ask, shape, differences, reference, vmap_method="sequential")


@lru_cache(maxsize=16)
def _units(form: Opaque, reference: bytes) -> Units:
    """Kept: blocks of one training set ask for the same, one after the other."""
    return find_units(form.outputs, form.values, np.frombuffer(reference), np.array(form.typical))


def opaque(question: Question, described: Described) -> Opaque:
    """The form of a likelihood of Cobaya."""
    return Opaque(question.text, tuple(described.outputs.items()), described.parameters, described.typical)


def moving(form: Opaque, matrix: np.ndarray, around: Around) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Columns along which (amplitudes, own parameters) can move, each by one error or less; how far along each a

    deviation is, (r, K + m); and the centre. What lies between the columns is left out orthogonally in the bands.
    """
    middle = around.amplitudes.mean(axis=0)
    seen = form.units(matrix @ middle).of(matrix.T).T
    moved = (around.amplitudes - middle) / np.sqrt(len(around.amplitudes))
    left, size, right = np.linalg.svd(moved @ seen.T, full_matrices=False)
    kept = (size > SMALLEST) & (np.arange(len(size)) < DIRECTIONS)
    scale = np.maximum(size[kept], 1.0)
    steps, along = moved.T @ left[:, kept] / scale, (scale / size[kept])[:, None] * (right[kept] @ seen)
    own = np.diag(around.nuisance[1])[:, around.nuisance[1] > 0]  # a fixed one is no direction
    columns, directions = block_diag(steps, own), block_diag(along, np.linalg.pinv(own))
    return columns, directions, np.concatenate([middle, around.nuisance[0]])


def curve(
    form: Opaque, matrix: np.ndarray, columns: np.ndarray, centre: np.ndarray, mixed: bool = True
) -> tuple[np.ndarray, Float[np.ndarray, " r"], Float[np.ndarray, "r r"]]:
    """Height, slope and minus the second derivatives in s, (a, nu) = centre + columns @ s, by steps of one unit.

    mixed   ask for the mixed derivatives, too
    """
    r, k = columns.shape[1], matrix.shape[1]

    def at(s: np.ndarray) -> np.ndarray:
        both = centre + s @ columns.T
        return form.values(both[:, :k] @ matrix.T, both[:, k:])

    single = np.concatenate([np.eye(r), -np.eye(r), np.zeros((1, r))])
    ones = at(single)
    up, down, here = ones[:r], ones[r : 2 * r], ones[-1]
    pairs = [(i, j) for i in range(r) for j in range(i)] if mixed else []
    both = at(np.array([np.eye(r)[i] + np.eye(r)[j] for i, j in pairs])) if pairs else np.zeros(0)
    slope, second = 0.5 * (up - down), np.diag(2 * here - up - down)
    for (i, j), value in zip(pairs, both, strict=True):
        second[i, j] = second[j, i] = up[i] + up[j] - here - value
    slope, second = np.nan_to_num(slope, posinf=0, neginf=0), np.nan_to_num(second, posinf=0, neginf=0)
    values, vectors = np.linalg.eigh(second)
    return np.asarray(here), slope, (vectors * np.maximum(values, 0.0)) @ vectors.T  # a density that can be sampled
