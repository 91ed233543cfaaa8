"""Training set in, emulator out."""

import json
from collections.abc import Callable, Mapping, Sequence
from math import comb
from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Float, Int

from alfonsine.emulator.around.blocks import Piece, divide, put, take
from alfonsine.emulator.around.compress import Compression, compress
from alfonsine.emulator.around.correct import correct_trend
from alfonsine.emulator.around.features import Features
from alfonsine.emulator.around.focus import MODEST, Focus
from alfonsine.emulator.around.network import pad_outputs
from alfonsine.emulator.around.relevant import best_trend
from alfonsine.emulator.around.simplest import Simplest, simplest_features
from alfonsine.emulator.around.surrogate import Block, Surrogate
from alfonsine.emulator.domain import Domain
from alfonsine.emulator.emulator import Emulator, Shown
from alfonsine.emulator.metric import UNSEEN_WEIGHT, fallback_errors, multipoles
from alfonsine.emulator.scaling import Scaling
from alfonsine.space.polynomial import monomials
from alfonsine.theory.output import Output

Outputs = Mapping[str, np.ndarray]
Metric = Callable[[Outputs], np.ndarray]


class Shape(NamedTuple):
    """Sizes of the emulator, which change as seldom as possible over a study, for each change is compiled anew.

    order        highest degree of a monomial while points are few
    highest      the same where they are plenty: as many as there are monomials of that degree and below
    components   principal components kept per block, padded with zeros
    floor        amplitude, in data errors summed over the training set, below which a component is dropped
    network      "never", "auto" (tried from `enough` points on) or "always" (tried); used only where it helps
    """

    order: int = 3
    highest: int = 6
    components: int = 12
    floor: float = 3e-3
    network: str = "auto"
    enough: int = 200

    def for_inputs(self, d: int) -> "Shape":
        """In many inputs: components enough for each to move the outputs its own way, and for some curvature."""
        return self if d <= MODEST else self._replace(components=max(self.components, 3 * d // 2))

    def for_points(self, weights: Float[np.ndarray, " n"], d: int) -> "Shape":
        """Of higher order in few inputs, where points of these weights would lie idle around a cubic.

        What that is worth leave-one-out decides, by the shrinkage.
        """
        order, effective = self.order, weights.sum() ** 2 / np.sum(weights**2)
        while order < self.highest and effective >= comb(d + order + 1, d):
            order += 1
        return self._replace(order=order)

    def tries_network(self, n: int) -> bool:
        """Whether n points are worth a network."""
        return self.network == "always" or (self.network == "auto" and n >= self.enough)


class Fit(NamedTuple):
    """A fitted emulator and what it says of its own training points when each is left out.

    left_out     (n, K) amplitudes predicted for each point by a fit that has not seen it
    error        weighted mean of the squared leave-one-out error, in squared data errors
    """

    emulator: Emulator
    left_out: Float[np.ndarray, "n K"]
    error: float


def fit(
    names: Sequence[str],
    theta: Float[np.ndarray, "n d"],
    outputs: Outputs,
    *,
    domain: Domain,
    focus: Focus,
    metric: Metric | None = None,
    shape: Shape = Shape(),
    key: jax.Array | None = None,
    card: Mapping | None = None,
    described: Mapping[str, Output] | None = None,
) -> Fit:
    """Fit an emulator of all `outputs`, name -> (n, m), as functions of `theta`.

    `metric` maps changes of the outputs, name -> (n, m), linearly to units of the data's error, (n, w); `described`
    says what the outputs are.
    """
    key = jax.random.key(0) if key is None else key
    weights = focus.weights(theta)
    shape = shape.for_inputs(theta.shape[1]).for_points(weights, theta.shape[1])
    table = monomials(theta.shape[1], shape.order)
    sizes = {name: values.shape[1] for name, values in outputs.items()}
    ell = multipoles(described or {})
    division = divide(sizes, ell)
    total = len(division) * (1 + shape.components)
    errors = fallback_errors(outputs, ell)
    blocks, left_out, error = [], [], 0.0
    basis = {name: np.zeros((size, total)) for name, size in sizes.items()}
    for index, pieces in enumerate(division):
        block, rows, predicted, block_error = fit_block(
            names, theta, outputs, pieces, focus, weights, errors, metric, shape, table,
            jax.random.fold_in(key, index),
        )  # fmt: skip
        blocks.append(block)
        left_out.append(predicted)
        error += block_error
        first = index * (1 + shape.components)
        splits = np.cumsum([piece.stop - piece.start for piece in pieces])[:-1]
        for piece, part in zip(pieces, np.split(rows, splits, axis=1), strict=True):
            basis[piece.name][piece.start : piece.stop, first : first + len(part)] = part.T
    surrogate = Surrogate(focus.coordinates(), jnp.asarray(table), tuple(blocks)).pruned()
    bases = {name: jnp.asarray(matrix) for name, matrix in basis.items()}
    text = json.dumps(dict(card or {}), sort_keys=True)
    shown = tuple((name, Shown(0, total)) for name in sorted(bases))
    axes = json.dumps({name: output.record() for name, output in (described or {}).items()}, sort_keys=True)
    emulator = Emulator(tuple(names), surrogate, bases, domain, text, shown, axes)
    return Fit(emulator, np.hstack(left_out), error)


def fit_block(
    names: Sequence[str],
    theta: Float[np.ndarray, "n d"],
    outputs: Outputs,
    pieces: tuple[Piece, ...],
    focus: Focus,
    weights: Float[np.ndarray, " n"],
    errors: Mapping[str, Float[np.ndarray, " _"]],
    metric: Metric | None,
    shape: Shape,
    table: Int[np.ndarray, "terms order"],
    key: jax.Array,
) -> tuple[Block, np.ndarray, np.ndarray, float]:
    """One block: divide by the exact scaling, compress, fit; return also basis rows and left-out amplitudes."""
    scaling, factor, compression, _ = compress_block(
        names, theta, outputs, pieces, focus, weights, errors, metric, shape
    )
    u = focus.coordinates().at(theta)
    trend = best_trend(u, compression.components, table, weights)
    coefficients, residuals, network = trend.coefficients, trend.residuals, None
    if shape.tries_network(len(theta)):
        corrected = correct_trend(u, compression.components, table, weights, trend, key)
        if corrected is not None:
            coefficients, residuals, network = corrected
            network = pad_outputs(network, shape.components)
    pad = ((0, 0), (0, shape.components - coefficients.shape[1]))
    predicted = np.pad(compression.components - residuals, pad)
    left_out = factor[:, None] * np.hstack([np.ones((len(theta), 1)), predicted])
    error = float(weights @ np.sum(residuals**2, axis=1) / weights.sum())
    rows = np.vstack([compression.mean, compression.basis])
    return Block(scaling, jnp.asarray(np.pad(coefficients, pad)), network), rows, left_out, error


def find_features(
    names: Sequence[str],
    theta: Float[np.ndarray, "n d"],
    outputs: Outputs,
    *,
    focus: Focus,
    start: Features,
    draws: Float[np.ndarray, "m d"],
    metric: Metric | None = None,
    shape: Shape = Shape(),
    described: Mapping[str, Output] | None = None,
) -> Simplest:
    """The inputs in which the blocks that the data see are simplest; all blocks where there are no data."""
    weights, ell = focus.weights(theta), multipoles(described or {})
    shape = shape.for_inputs(theta.shape[1]).for_points(weights, theta.shape[1])
    division = divide({name: values.shape[1] for name, values in outputs.items()}, ell)
    errors = fallback_errors(outputs, ell)
    found = [
        compress_block(names, theta, outputs, pieces, focus, weights, errors, metric, shape) for pieces in division
    ]
    seen = [block for block in found if block.seen] or found
    table = monomials(theta.shape[1], shape.order)
    return simplest_features(theta, [block.compression.components for block in seen], weights, table, start, draws)


class Compressed(NamedTuple):
    """One block before it is fitted: exact scaling and its value at each point, components, whether data see it."""

    scaling: Scaling
    factor: Float[np.ndarray, " n"]
    compression: Compression
    seen: bool


def compress_block(
    names: Sequence[str],
    theta: Float[np.ndarray, "n d"],
    outputs: Outputs,
    pieces: tuple[Piece, ...],
    focus: Focus,
    weights: Float[np.ndarray, " n"],
    errors: Mapping[str, Float[np.ndarray, " _"]],
    metric: Metric | None,
    shape: Shape,
) -> Compressed:
    """Divide by the exact scaling and compress in the metric of the data."""
    scaling = Scaling.of(pieces[0].name, names, np.asarray(focus.middle))
    factor = scaling.at(theta)
    scaled = take(outputs, pieces) / factor[:, None]
    whitened, seen = whiten(scaled, outputs, pieces, weights, errors, metric)
    compression = compress(scaled, whitened, weights, min(shape.components, len(theta) - 1), shape.floor)
    return Compressed(scaling, factor, compression, seen)


def whiten(
    scaled: Float[np.ndarray, "n m"],
    outputs: Outputs,
    pieces: tuple[Piece, ...],
    weights: Float[np.ndarray, " n"],
    errors: Mapping[str, Float[np.ndarray, " _"]],
    metric: Metric | None,
) -> tuple[Float[np.ndarray, "n w"], bool]:
    """Changes of one block in units of the data's error, or of `errors` where no data see them, and whether any do."""
    change = scaled - np.average(scaled, axis=0, weights=weights)
    unit = take({name: row[None, :] for name, row in errors.items()}, pieces)
    unseen = change / np.maximum(unit, 1e-300)
    if metric is None:
        return unseen, False
    seen = metric(put(change, pieces, {name: values.shape[1] for name, values in outputs.items()}))
    return (np.hstack([seen, UNSEEN_WEIGHT * unseen]), True) if np.any(seen) else (unseen, False)
