r"""A network of CosmoPower's kind, whatever file it came from.

.. math::
    x_0 = (\theta - \mu_\theta)/\sigma_\theta, \quad
    x_{i+1} = \left[\beta_i + (1-\beta_i)\,\sigma(\alpha_i y_i)\right] y_i, \quad y_i = W_i x_i + b_i, \quad
    f = \mu_f + \sigma_f\, o, \quad o = W x_n + b

or, where the network gives principal components, :math:`o = (\mu_c + \sigma_c\,(W x_n + b))\,M`. The features f are the
output, or its logarithm to base ten: no file says which.

A. Spurio Mancini et al., MNRAS 511 (2022) 1771, arXiv:2106.03846.
"""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import numpy as np
from jaxtyping import Float

from alfonsine.errors import InputError

Array = Float[np.ndarray, "..."]  # shapes stand in the docstrings: files may hold any, and `checked` tells


@dataclass(frozen=True, eq=False)
class ImportedLayer:
    """A hidden layer: weight (out, in), and bias, alpha, beta (out,)."""

    weight: Array
    bias: Array
    alpha: Array
    beta: Array


@dataclass(frozen=True, eq=False)
class Components:
    """Principal components: matrix M (p, m), mean and standard deviation (p,) of their coefficients."""

    matrix: Array
    mean: Array
    std: Array


@dataclass(frozen=True, eq=False)
class ImportedNetwork:
    """One network, checked: all sizes fit, all numbers are finite, all input widths are positive.

    layout                     which of the layouts it was stored in: A to E, see `layouts`
    parameters                 d inputs, in order
    input_mean, input_std      (d,)
    weight, bias               last layer, (m, in) and (m,), or (p, in) and (p,) before components
    feature_mean, feature_std  (m,)
    modes                      (m,) where the features are given; empty where they have names
    labels                     names of the features, where those are derived numbers
    """

    layout: str
    parameters: tuple[str, ...]
    input_mean: Array
    input_std: Array
    layers: tuple[ImportedLayer, ...]
    weight: Array
    bias: Array
    feature_mean: Array
    feature_std: Array
    components: Components | None
    modes: Array
    labels: tuple[str, ...] = ()

    @property
    def size(self) -> int:
        """Number of features."""
        return len(self.feature_mean)

    @property
    def fingerprint(self) -> str:
        """Digest of the weights alone: the same in every layout that holds the same network."""
        found = hashlib.sha256()
        for array in (*(layer.weight for layer in self.layers), self.weight):
            found.update(f"{array.shape}".encode())
            found.update(np.ascontiguousarray(array, "<f4").tobytes())
        return found.hexdigest()[:16]


def checked(network: ImportedNetwork, where: str) -> ImportedNetwork:
    """The network itself; InputError in one line where sizes do not fit or a number is not finite."""
    d, widths = len(network.parameters), [len(layer.bias) for layer in network.layers]
    o = len(network.bias) if network.bias.ndim == 1 else -1
    m = network.feature_mean.size
    if not network.layers:
        raise InputError(f"expected at least one hidden layer in '{where}', got none")
    wanted: list[tuple[str, np.ndarray, tuple[int, ...]]] = [
        ("the mean of the inputs", network.input_mean, (d,)),
        ("the width of the inputs", network.input_std, (d,)),
    ]
    for i, ((before, width), layer) in enumerate(zip(pairwise([d, *widths]), network.layers, strict=True)):
        wanted.append((f"the weights of layer {i + 1}", layer.weight, (width, before)))
        wanted += [(f"{name} of layer {i + 1}", getattr(layer, name), (width,)) for name in ("bias", "alpha", "beta")]
    wanted.append(("the weights of the last layer", network.weight, (o, widths[-1])))
    wanted += [("the mean of the features", network.feature_mean, (m,))]
    wanted += [("the width of the features", network.feature_std, (m,))]
    if network.components is not None:
        wanted += [
            ("the principal components", network.components.matrix, (o, m)),
            ("the mean of the components", network.components.mean, (o,)),
            ("the width of the components", network.components.std, (o,)),
        ]
    elif o != m:
        raise InputError(f"expected as many features as outputs in '{where}', got {m} and {o}; principal components?")
    if not network.labels:
        wanted.append(("the modes", network.modes, (m,)))
    elif len(network.labels) != m:
        raise InputError(f"expected {m} names of features in '{where}', got {len(network.labels)}")
    for what, array, shape in wanted:
        if array.shape != shape:
            raise InputError(f"expected {what} in '{where}' of shape {shape}, got {array.shape}; is the file whole?")
        if not np.all(np.isfinite(array)):
            raise InputError(f"expected finite numbers in '{where}', got others in {what}; is the file whole?")
    if not np.all(network.input_std > 0):
        raise InputError(f"expected positive widths of the inputs in '{where}', got {network.input_std.min():g}")
    if len(set(network.parameters)) < d:
        raise InputError(f"expected different names of inputs in '{where}', got one twice")
    return network


def names_of(values: Any, what: str, where: str) -> tuple[str, ...]:
    """Names as words that can be printed; InputError for anything else."""
    found = values.tolist() if isinstance(values, np.ndarray) and values.dtype.kind in "US" else values
    if not isinstance(found, list | tuple) or not found:
        raise InputError(f"expected the names of {what} in '{where}', got none")
    texts = tuple(name.decode("ascii", "replace") if isinstance(name, bytes) else name for name in found)
    for name in texts:
        if not isinstance(name, str) or not name.isprintable() or not 0 < len(name) <= 100:
            raise InputError(f"expected the names of {what} in '{where}', got {name!a:.40}")
    return texts


def outputs(network: ImportedNetwork, theta: Float[np.ndarray, "n d"], names: Sequence[str] = ()) -> np.ndarray:
    """What the last layer gives (n, o), of order one where the network was trained; parameters as in `predict`."""
    columns = [list(names).index(name) for name in network.parameters] if names else slice(None)
    x = (np.asarray(theta, dtype=float)[:, columns] - network.input_mean) / network.input_std
    for layer in network.layers:
        y = x @ layer.weight.T.astype(float) + layer.bias
        with np.errstate(over="ignore"):  # of the exponential, whose reciprocal is then zero, as it should be
            x = (layer.beta + (1.0 - layer.beta) / (1.0 + np.exp(-layer.alpha.astype(float) * y))) * y
    return x @ network.weight.T.astype(float) + network.bias


def predict(network: ImportedNetwork, theta: Float[np.ndarray, "n d"], names: Sequence[str] = ()) -> np.ndarray:
    """Features (n, m) at parameters (n, d), in the network's order or in that of `names`; 64-bit, plain and slow."""
    found = outputs(network, theta, names)
    if network.components is not None:
        found = (found * network.components.std + network.components.mean) @ network.components.matrix.astype(float)
    return found * network.feature_std.astype(float) + network.feature_mean
