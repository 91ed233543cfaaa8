r"""A likelihood that is known by its values only, and yet is sampled with gradients.

It is learned as the theory is: where the model's bands can move, its logarithm is a quadratic, fitted to its values,

.. math:: q(s) = \ln L_0 + g^T s - \tfrac12 s^T H s, \qquad s = D^+ ((a, \nu) - (a_0, \nu_0))

with a the emulator's amplitudes, \nu the data set's own parameters, and the columns of D as long as one error of the
data. For Gaussian data in linear bands that is exact. What it misses elsewhere is judged with all else: an exact call
is always compared by the likelihood's own value.

The units of the bands are asked for, too: the curvature of ln L when a stretch of an output is raised together.
"""

from collections.abc import Mapping

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float

from alfonsine.likelihood.cobaya_processes import Question, evaluate
from alfonsine.likelihood.form import Form
from alfonsine.likelihood.likelihood import AnyArray, Around, FoldedLikelihood
from alfonsine.theory.output import Output

STRETCHES = 40  # of an output, at most, that are raised together
RAISED = 1e-3  # first trial, relative; then so that ln L changes by about `CHANGE`
CHANGE = 0.5
SMALLEST = 0.02  # directions in which the bands move by less, in units of the data's error, are left out
DIRECTIONS = 24
TRIALS = 4  # of the step
SEEN = 1e-6  # a smaller change of ln L is rounding
MOST = 0.3  # relative; nothing is raised by more


class Opaque(Form):
    """A form whose values are asked for elsewhere.

    text        which likelihood
    outputs     what its bands are, in order
    nuisance    its own parameters
    """

    text: str = eqx.field(static=True)
    outputs: tuple[tuple[str, Output], ...] = eqx.field(static=True)
    nuisance: tuple[str, ...] = eqx.field(static=True)

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
        """Differences in units of each band's own error at `reference`, correlations left out."""
        return jnp.asarray(differences) / _errors(self, jnp.asarray(reference, dtype=float))

    def fold(self, matrix: Float[AnyArray, "band K"]) -> FoldedLikelihood:
        """Not without a place: the quadratic needs one."""
        raise ValueError("a likelihood that is known by its values is folded around a place: fold_around")

    def fold_around(self, matrix: Float[AnyArray, "band K"], around: Around | None) -> FoldedLikelihood:
        """The quadratic fitted about these points."""
        if around is None:
            return self.fold(matrix)
        matrix = np.asarray(matrix)
        columns, centre = moving(self, matrix, around)
        height, slope, curvature = curve(self, matrix, columns, centre)
        directions = np.linalg.pinv(columns)
        return Quadratic(*(jnp.asarray(x) for x in (height, slope, curvature, directions, centre)))


class Quadratic(FoldedLikelihood):
    """ln L as a quadratic of s = directions @ ((a, nu) - centre)."""

    height: Float[Array, ""]
    slope: Float[Array, " r"]
    curvature: Float[Array, "r r"]
    directions: Float[Array, "r K_plus_nuisance"]
    centre: Float[Array, " K_plus_nuisance"]

    def __call__(self, amplitudes: Float[AnyArray, " K"], nuisance: Float[AnyArray, " nuisance"]) -> Float[Array, ""]:
        """Give ln L at bands = matrix @ amplitudes."""
        s = self.directions @ (jnp.concatenate([jnp.asarray(amplitudes), jnp.asarray(nuisance)]) - self.centre)
        return self.height + self.slope @ s - 0.5 * s @ self.curvature @ s


def _asked(form: Opaque, bands: Array, nuisance: Array) -> Array:
    """Leave compiled code for the value; a batch is asked for at once."""

    def ask(bands: np.ndarray, own: np.ndarray) -> np.ndarray:
        bands, own = np.asarray(bands), np.asarray(own)
        shape = bands.shape[:-1]
        rows = bands.reshape(-1, bands.shape[-1]), own.reshape(int(np.prod(shape, dtype=int)), -1)
        return form.values(*rows).reshape(shape)

    return jax.pure_callback(ask, jax.ShapeDtypeStruct((), float), bands, nuisance, vmap_method="broadcast_all")


def _errors(form: Opaque, reference: Array) -> Array:
    def ask(reference: np.ndarray) -> np.ndarray:
        return errors(form, np.asarray(reference))

    shape = jax.ShapeDtypeStruct(reference.shape, float)
    return jax.pure_callback(ask, shape, reference, vmap_method="sequential")


def opaque(question: Question, outputs: Mapping[str, Output], parameters: tuple[str, ...]) -> Opaque:
    """The form of a likelihood of Cobaya."""
    return Opaque(question.text, tuple(outputs.items()), parameters)


def errors(form: Opaque, reference: Float[np.ndarray, " band"]) -> Float[np.ndarray, " band"]:
    r"""Standard error of each band if it stood alone; infinite for those that the likelihood does not see.

    A stretch of n entries of an output is raised by a common factor; from the curvature of ln L in that factor
    :math:`\sigma_i = |b_i| \sqrt{n / -\partial^2 \ln L}`.
    """
    own = np.ones(len(form.nuisance))
    stretches, first = [], 0
    for _, output in form.outputs:
        parts = np.array_split(np.arange(first, first + output.size), min(STRETCHES, output.size))
        stretches += [part for part in parts if np.any(reference[part] != 0)]
        first += output.size
    raised = np.zeros((len(stretches), reference.size))
    for row, part in enumerate(stretches):
        raised[row, part] = reference[part]
    second = _curvature(form, reference, own, raised)
    found = np.full(reference.size, np.inf)
    for row, part in enumerate(stretches):
        if second[row] > 0:
            found[part] = np.abs(reference[part]) * np.sqrt(len(part) / second[row])
    found[found == 0] = np.inf
    return found


def _curvature(form: Opaque, centre: np.ndarray, own: np.ndarray, moves: np.ndarray) -> np.ndarray:
    """Minus the second derivative along each move, by steps that change ln L by about `CHANGE`; zero where flat."""
    step = np.full(len(moves), RAISED)
    second = np.zeros(len(moves))
    here = form.values(centre[None], own[None])[0]
    for _ in range(TRIALS):
        both = np.concatenate([centre + step[:, None] * moves, centre - step[:, None] * moves])
        up, down = np.split(form.values(both, np.tile(own, (len(both), 1))), 2)
        bend = 2 * here - up - down  # step^2 times the curvature
        sound = np.isfinite(bend)
        second = np.where(sound & (np.abs(bend) > SEEN), bend / step**2, np.where(sound, 0.0, second))
        wanted = np.sqrt(CHANGE / np.maximum(np.abs(bend), 1e-8))
        step = np.where(sound, step * np.clip(wanted, 0.01, 30.0), step / 10)
        step = np.minimum(step, MOST)
    return np.maximum(second, 0.0)


def moving(form: Opaque, matrix: np.ndarray, around: Around) -> tuple[np.ndarray, np.ndarray]:
    """Columns along which (amplitudes, own parameters) can move, each by about one error; and the centre."""
    middle = around.amplitudes.mean(axis=0)
    sigma = errors(form, matrix @ middle)
    moved = (around.amplitudes - middle) @ (matrix / sigma[:, None]).T / np.sqrt(len(around.amplitudes))
    left, size, _ = np.linalg.svd(moved, full_matrices=False)
    kept = (size > SMALLEST) & (np.arange(len(size)) < DIRECTIONS)
    steps = (around.amplitudes - middle).T @ left[:, kept] / np.sqrt(len(around.amplitudes))
    own = np.diag(around.nuisance[1])
    columns = np.block([[steps, np.zeros((len(steps), len(own)))], [np.zeros((len(own), steps.shape[1])), own]])
    return columns, np.concatenate([middle, around.nuisance[0]])


def curve(
    form: Opaque, matrix: np.ndarray, columns: np.ndarray, centre: np.ndarray
) -> tuple[np.ndarray, Float[np.ndarray, " r"], Float[np.ndarray, "r r"]]:
    """Height, slope and minus the second derivatives in s, (a, nu) = centre + columns @ s, by steps of one unit."""
    r, k = columns.shape[1], matrix.shape[1]

    def at(s: np.ndarray) -> np.ndarray:
        both = centre + s @ columns.T
        return form.values(both[:, :k] @ matrix.T, both[:, k:])

    single = np.concatenate([np.eye(r), -np.eye(r), np.zeros((1, r))])
    ones = at(single)
    up, down, here = ones[:r], ones[r : 2 * r], ones[-1]
    pairs = [(i, j) for i in range(r) for j in range(i)]
    both = at(np.array([np.eye(r)[i] + np.eye(r)[j] for i, j in pairs])) if pairs else np.zeros(0)
    slope, second = 0.5 * (up - down), np.diag(2 * here - up - down)
    for (i, j), value in zip(pairs, both, strict=True):
        second[i, j] = second[j, i] = up[i] + up[j] - here - value
    slope, second = np.nan_to_num(slope, posinf=0, neginf=0), np.nan_to_num(second, posinf=0, neginf=0)
    values, vectors = np.linalg.eigh(second)
    return np.asarray(here), slope, (vectors * np.maximum(values, 0.0)) @ vectors.T  # a density that can be sampled
