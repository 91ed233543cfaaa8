r"""A network of another project, and what is known of it, as an emulator of ours.

The last layer being linear, so is all that follows it: de-standardising, principal components, the factor that gives
the unit. It all multiplies to one matrix. A logarithm to base ten becomes a natural one in the same matrix:

.. math:: 10^{\mu + \sigma (W h + b)}\, c = \exp\left([\ln 10\,(\mu + \sigma b) + \ln c] + \ln 10\,\sigma W h\right)
"""

import hashlib
import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import jax.numpy as jnp
import numpy as np
from jaxtyping import Float

from alfonsine.emulator.box.cube import box_domain
from alfonsine.emulator.emulator import Emulator, Shown
from alfonsine.emulator.imported.network import ImportedNetwork, outputs, predict
from alfonsine.emulator.imported.side_table import SideTable
from alfonsine.emulator.networks.surrogate import DenseBlock, DenseLayer, DenseSurrogate
from alfonsine.errors import InputError
from alfonsine.theory.output import Axis, Output

LN10 = np.log(10.0)
TRIED = 16  # points at which the emulator is compared with the plain evaluation
ASKED = 256  # points at which a network is asked whether it extrapolates
FAR = 8.0  # standard deviations of an output over the training set
ALLOWED = 1e-4  # of each output's largest value: far above what 32 bits leave, far below any mistake


@dataclass(frozen=True)
class Imported:
    """A network, what is known of it, and the file that it came from."""

    network: ImportedNetwork
    table: SideTable
    file: Path

    @property
    def inputs(self) -> tuple[str, ...]:
        """Names of its inputs, in its order, under the emulator's names."""
        return tuple(self.table.names.get(name, name) for name in self.network.parameters)

    @property
    def order(self) -> np.ndarray:
        """Positions of the features by increasing mode."""
        return np.arange(self.network.size) if self.table.labels else np.argsort(self.network.modes, kind="stable")

    @property
    def rows(self) -> Float[np.ndarray, " m"]:
        """Factor of every feature."""
        modes = np.ones(self.network.size) if self.table.labels else self.network.modes
        return self.table.rows(modes)


def emulator_of(parts: Sequence[Imported]) -> Emulator:
    """One emulator with an output for each network.

    The inputs of every network must be among those of the one that has most; where ranges of an input differ, the
    emulator is valid where all of them are. InputError for inputs that do not agree, an output given twice, ranges
    that are not about the training set, and predictions about its middle that are not finite.
    """
    names = max((part.inputs for part in parts), key=len)
    for part in parts:
        strange = [name for name in part.inputs if name not in names]
        if strange:
            raise InputError(
                f"expected networks with common inputs, got '{strange[0]}' in '{part.file.name}', not in the one "
                f"with {', '.join(names)}; import them one by one, or give the same input the same name in the table"
            )
    given = [part.table.output for part in parts]
    for name in given:
        if given.count(name) > 1:
            raise InputError(f"expected different outputs, got '{name}' from {given.count(name)} files")
    lower, upper = _box(parts, names)
    blocks = tuple(_block(part, names) for part in parts)
    basis, shown, described, first = {}, [], {}, 0
    for part, block in zip(parts, blocks, strict=True):
        name = part.table.output
        basis[name] = jnp.asarray(_basis(part))
        shown.append((name, Shown(first, first + block.size, "exp" if part.table.log else "identity")))
        described[name] = _output(part).record()
        first += block.size
    emulator = Emulator(
        names,
        DenseSurrogate(blocks),
        basis,
        box_domain(lower, upper),
        json.dumps(_card(parts), sort_keys=True),
        tuple(shown),
        json.dumps(described, sort_keys=True),
    )
    _compare(emulator, parts, lower, upper)
    return emulator


def plain(part: Imported, theta: Float[np.ndarray, "n d"], names: Sequence[str]) -> Float[np.ndarray, "n m"]:
    """What the emulator must give, by the plain evaluation in 64 bits."""
    back = {ours: theirs for theirs, ours in part.table.names.items()}
    features = predict(part.network, theta, [back.get(name, name) for name in names])
    with np.errstate(over="ignore"):
        found = (10.0**features if part.table.log else features) * part.rows
    return found[:, part.order]


def _box(parts: Sequence[Imported], names: Sequence[str]) -> tuple[np.ndarray, np.ndarray]:
    lower, upper = np.full(len(names), -np.inf), np.full(len(names), np.inf)
    for part in parts:
        for ours, theirs in zip(part.inputs, part.network.parameters, strict=True):
            i, (low, high) = names.index(ours), part.table.ranges[theirs]
            lower[i], upper[i] = max(lower[i], low), min(upper[i], high)
    for name, low, high in zip(names, lower, upper, strict=True):
        if not low < high:
            raise InputError(f"expected ranges of '{name}' with something in common, got none; import them one by one")
    return lower, upper


def _block(part: Imported, names: Sequence[str]) -> DenseBlock:
    network = part.network
    layers = tuple(
        DenseLayer(
            jnp.asarray(layer.weight),
            jnp.asarray(layer.bias),
            {"alpha": jnp.asarray(layer.alpha), "beta": jnp.asarray(layer.beta)},
        )
        for layer in network.layers
    )
    head = None if network.components is None else (jnp.asarray(network.weight), jnp.asarray(network.bias))
    return DenseBlock(
        tuple(names.index(name) for name in part.inputs),
        "alsing",
        jnp.asarray(network.input_mean, dtype=float),
        jnp.asarray(network.input_std, dtype=float),
        layers,
        head,
    )


def _basis(part: Imported) -> Float[np.ndarray, "m K"]:
    """Matrix from [1, last hidden layer], or [1, coefficients], to the output or its logarithm; 64-bit."""
    network = part.network
    mean, std = network.feature_mean.astype(float), network.feature_std.astype(float)
    if network.components is None:
        constant, matrix = network.bias.astype(float), network.weight.astype(float)
    else:
        components = network.components.matrix.astype(float).T
        constant = components @ network.components.mean.astype(float)
        matrix = components * network.components.std.astype(float)
    constant, matrix = mean + std * constant, std[:, None] * matrix
    if part.table.log:
        constant, matrix = LN10 * constant + np.log(part.rows), LN10 * matrix
    else:
        constant, matrix = part.rows * constant, part.rows[:, None] * matrix
    return np.hstack([constant[:, None], matrix])[part.order]


def _output(part: Imported) -> Output:
    table, name = part.table, part.table.output
    if table.labels:
        return Output(name, table.unit, (), table.labels)
    assert table.axis is not None
    modes = tuple(float(v) for v in part.network.modes[part.order])
    return Output(name, table.unit, (Axis(*table.axis, modes),))


def _card(parts: Sequence[Imported]) -> dict[str, Any]:
    """Where it came from. Nothing of a training set is known but its mean and width."""
    found = [
        {
            "file": part.file.name,
            "sha256": hashlib.sha256(part.file.read_bytes()).hexdigest() if part.file.is_file() else None,
            "layout": part.network.layout,
            "fingerprint": part.network.fingerprint,
            "strays": strays(part),
            "table": part.table.record(),
        }
        for part in parts
    ]
    sources = sorted({part.table.about for part in parts if part.table.about})
    files = ", ".join(part.file.name for part in parts)
    card: dict[str, Any] = {"imported": found, "provenance": "; ".join([f"imported from {files}", *sources])}
    codes = [dict(part.table.code) for part in parts]
    if codes[0] and all(code == codes[0] for code in codes):
        card["theory"] = codes[0]
    return json.loads(json.dumps(card))


def strays(part: Imported) -> float:
    """Fraction of the box of stated ranges in which the network leaves what it can have been trained on.

    Its outputs are standardised: where one is beyond FAR, it extrapolates. Ranges are published as a box, and where
    the exact code has failed in corners of it, nothing was learned there.
    """
    theirs = part.network.parameters
    lower, upper = (np.array([part.table.ranges[name][side] for name in theirs]) for side in (0, 1))
    theta = lower + (upper - lower) * np.random.default_rng(0).uniform(size=(ASKED, len(theirs)))
    with np.errstate(over="ignore", invalid="ignore"):
        found = outputs(part.network, theta)
    return float(np.mean(~np.all(np.abs(found) <= FAR, axis=1)))


def _compare(emulator: Emulator, parts: Sequence[Imported], lower: np.ndarray, upper: np.ndarray) -> None:
    """Refuse what is not finite about the middle of the training set, or is not what the plain evaluation gives."""
    middle, width = (lower + upper) / 2, (upper - lower) / 2
    for part in parts:
        for i, ours in enumerate(emulator.names):
            if ours in part.inputs:
                j = part.inputs.index(ours)
                middle[i], width[i] = part.network.input_mean[j], part.network.input_std[j]
    low, high = np.clip(middle - width, lower, upper), np.clip(middle + width, lower, upper)
    if np.any(low >= high):
        i = int(np.argmax(low >= high))
        raise InputError(
            f"expected ranges about the training set, got {emulator.names[i]} from {lower[i]:g} to {upper[i]:g} "
            f"where its mean is {middle[i]:g}; correct them"
        )
    theta = low + (high - low) * np.random.default_rng(0).uniform(size=(TRIED, len(lower)))
    found = emulator(theta)
    for part in parts:
        name = part.table.output
        wanted, got = plain(part, theta, emulator.names), np.asarray(found[name])
        if not (np.all(np.isfinite(wanted)) and np.all(np.isfinite(got))):
            raise InputError(
                f"expected finite predictions of '{name}' about the middle of its training set, got others from "
                f"'{part.file.name}'; is log right, and the file whole?"
            )
        scale = np.abs(wanted) if part.table.log else np.abs(wanted).max(axis=0)
        off = np.abs(got - wanted) - ALLOWED * scale
        if np.any(off > 0):
            raise InputError(
                f"expected '{name}' in 32 bits to be what '{part.file.name}' gives in 64, got another by more "
                f"than {ALLOWED:g}; is the file whole?"
            )
