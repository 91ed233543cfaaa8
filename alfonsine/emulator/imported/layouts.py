"""The five layouts in which CosmoPower's networks are stored, told apart by their structure.

| layout | file | what it is |
|---|---|---|
| A | pickle, list of 15 | CosmoPower's network |
| B | pickle, list of 19 | CosmoPower's network of principal components; some neighbours exchanged |
| C | pickle, list of 13 | CosmoPower-JAX's own: weights (out, in), and only the last number of the last bias counts |
| D | npz with one pickled table | A or B converted: W (in, out), two namings in which `feature_train_mean` differs |
| E | npz of arrays | the second version of CosmoPower |

Layout C does not hold principal components, and does not say whether the network gives any; they lie beside it as
three .npy files (`with_components`).
"""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from alfonsine.emulator.imported.archive import MAGIC, read_bytes, read_npy, read_npz
from alfonsine.emulator.imported.network import Components, ImportedLayer, ImportedNetwork, checked, names_of
from alfonsine.emulator.imported.restricted import damaged, read_pickle
from alfonsine.errors import InputError

ZIP = b"PK\x03\x04"
LAYOUTS = {15: "A", 19: "B", 13: "C"}
FIRST_FOUR = ("weights", "biases", "alphas", "betas")
A = (*FIRST_FOUR, "input_mean", "input_std", "feature_mean", "feature_std")
A = (*A, "n_parameters", "parameters", "n_modes", "modes", "n_hidden", "n_layers", "architecture")
B = (*FIRST_FOUR, "input_mean", "input_std", "pca_mean", "pca_std", "feature_mean", "feature_std")
B = (*B, "parameters", "n_parameters", "modes", "n_modes", "n_pcas", "matrix", "n_hidden", "n_layers", "architecture")
C = ("pairs", "slopes", *A[4:])
ORDERS = {"A": A, "B": B, "C": C}
# what a table may call a thing; the means of features and components need a decision of their own
NAMINGS = {
    "input_mean": ("parameters_mean", "param_train_mean"),
    "input_std": ("parameters_std", "param_train_std"),
    "parameters": ("parameters",),
    "modes": ("modes",),
}
MATRIX = ("pca_transform_matrix", "pca_matrix")


def read_network(path: Path) -> ImportedNetwork:
    """Read a network from a file in any of the layouts.

    Nothing in the file is executed. InputError, in one line, for a file that is not one of these, is not whole,
    asks to execute anything, or holds sizes that do not fit or numbers that are not finite.
    """
    path = Path(path)
    content, where = read_bytes(path), path.name
    try:
        if content.startswith(ZIP):
            return _of_table(read_npz(path), where)
        if content.startswith(MAGIC):
            raise InputError(f"expected a network in '{where}', got a bare array; name the .pkl or .npz file")
        return _of_list(read_pickle(content, where), where)
    except InputError:
        raise
    except (ValueError, TypeError, KeyError, IndexError, AttributeError, OverflowError, MemoryError, SystemError):
        raise damaged(where, "its parts are not those of a network") from None


def with_components(
    network: ImportedNetwork, matrix: Path, mean: Path, std: Path, modes: Sequence[float]
) -> ImportedNetwork:
    """A network of layout C whose outputs are coefficients, completed by its three .npy files.

    matrix      (p, m) principal components
    mean, std   (m,) of the features
    modes       (m,) of the features: those in the network's own file merely count the components
    """
    where = matrix.name
    if network.components is not None:
        raise InputError(f"expected a network without principal components, got layout {network.layout} with its own")
    arrays = [read_npy(read_bytes(path), path.name) for path in (matrix, mean, std)]
    if not all(isinstance(array, np.ndarray) and array.dtype.kind == "f" for array in arrays):
        raise InputError(f"expected three arrays of numbers beside the network, got another in '{where}'")
    own = Components(arrays[0], network.feature_mean, network.feature_std)
    completed = replace(
        network, components=own, feature_mean=arrays[1], feature_std=arrays[2], modes=np.asarray(modes, dtype=float)
    )
    return checked(completed, where)


def _of_list(values: Any, where: str) -> ImportedNetwork:
    if isinstance(values, dict):
        return _of_table(values, where, "D")
    if not isinstance(values, list | tuple) or len(values) not in LAYOUTS:
        got = f"a list of {len(values)}" if isinstance(values, list | tuple) else type(values).__name__
        raise InputError(f"expected a network of 13, 15 or 19 entries in '{where}', got {got}; see the layouts A to E")
    layout = LAYOUTS[len(values)]
    entries = dict(zip(ORDERS[layout], values, strict=True))
    if layout == "C":
        entries |= {
            "weights": [pair[0].T for pair in entries["pairs"]],
            "biases": [pair[1] for pair in entries["pairs"]],
        }
        entries |= {"alphas": [pair[0] for pair in entries["slopes"]], "betas": [pair[1] for pair in entries["slopes"]]}
        last = np.asarray(entries["biases"][-1])
        entries["biases"][-1] = np.full(last.shape, last[-1])  # the other numbers are left over from training
    return _network(layout, entries, where)


def _of_table(table: Mapping[str, Any], where: str, layout: str | None = None) -> ImportedNetwork:
    layout = layout or ("D" if "weights_" in table else "E")
    entries = {name: _one_of(table, names, where) for name, names in NAMINGS.items()}
    entries["weights"], entries["biases"] = _numbered(table, "weights_", "W_"), _numbered(table, "biases_", "b_")
    entries["alphas"], entries["betas"] = _numbered(table, "alphas_", "alphas_"), _numbered(table, "betas_", "betas_")
    for name in ("mean", "std"):
        feature, trained = f"features_{name}", f"feature_train_{name}"
        if f"pca_{name}" in table:
            entries[f"pca_{name}"] = table[f"pca_{name}"]
            entries[f"feature_{name}"] = _one_of(table, (feature, trained), where)
        elif any(key in table for key in MATRIX):
            # without pca_mean, feature_train_mean is that of what the network gives, which are the components
            entries[f"pca_{name}"] = _one_of(table, (trained,), where)
            entries[f"feature_{name}"] = _one_of(table, (f"training_{name}",), where)
        else:
            entries[f"feature_{name}"] = _one_of(table, (feature, trained), where)
    if "pca_mean" in entries:
        entries["matrix"] = _one_of(table, MATRIX, where)
    return _network(layout, entries | {k: table[k] for k in ("n_parameters", "n_modes") if k in table}, where)


def _one_of(table: Mapping[str, Any], names: Sequence[str], where: str) -> Any:
    present = [name for name in names if name in table]
    if len(present) != 1:
        got = "none of them" if not present else " and ".join(present)
        raise InputError(f"expected {' or '.join(names)} in the table of '{where}', got {got}; is it a network?")
    return table[present[0]]


def _numbered(table: Mapping[str, Any], together: str, each: str) -> list[Any]:
    """A list under one name, or arrays under numbered ones."""
    if together in table:
        return list(table[together])
    return [table[f"{each}{i}"] for i in range(sum(f"{each}{i}" in table for i in range(len(table))))]


def _network(layout: str, entries: Mapping[str, Any], where: str) -> ImportedNetwork:
    """Put the parts together, under names that no longer depend on the layout."""
    lists = {name: [_numbers(v, where) for v in entries[name]] for name in FIRST_FOUR}
    depth = len(lists["weights"]) - 1
    if depth < 1 or [len(lists[name]) for name in FIRST_FOUR] != [depth + 1, depth + 1, depth, depth]:
        counts = ", ".join(f"{len(lists[name])} {name}" for name in FIRST_FOUR)
        raise InputError(f"expected one of each for every layer in '{where}', slopes but for the last, got {counts}")
    names = names_of(entries["parameters"], "the inputs", where)
    modes, labels = _modes(entries["modes"], where)
    for count, found, what in (("n_parameters", len(names), "inputs"), ("n_modes", len(labels) or len(modes), "modes")):
        if count in entries and int(entries[count]) != found:
            raise InputError(f"expected {int(entries[count])} {what} in '{where}', as it says itself, got {found}")
    hidden = zip(*(lists[name][:depth] for name in FIRST_FOUR), strict=True)
    components = None
    if "matrix" in entries:
        components = Components(*(_numbers(entries[name], where) for name in ("matrix", "pca_mean", "pca_std")))
    network = ImportedNetwork(
        layout=layout,
        parameters=names,
        input_mean=_numbers(entries["input_mean"], where),
        input_std=_numbers(entries["input_std"], where),
        layers=tuple(ImportedLayer(weight.T, *rest) for weight, *rest in hidden),
        weight=lists["weights"][-1].T,
        bias=lists["biases"][-1],
        feature_mean=_numbers(entries["feature_mean"], where),
        feature_std=_numbers(entries["feature_std"], where),
        components=components,
        modes=modes,
        labels=labels,
    )
    return checked(network, where)


def _numbers(value: Any, where: str) -> np.ndarray:
    if not isinstance(value, np.ndarray) or value.dtype.kind not in "fiu" or value.ndim not in (1, 2):
        raise InputError(f"expected an array of numbers in '{where}', got {type(value).__name__}; is it a network?")
    return value if value.dtype in (np.float32, np.float64) else value.astype(float)


def _modes(value: Any, where: str) -> tuple[np.ndarray, tuple[str, ...]]:
    """Modes as numbers, or names where the features have names."""
    array = np.asarray(value) if isinstance(value, list | tuple) else value
    if isinstance(array, np.ndarray) and array.dtype.kind == "U":
        return np.zeros(0), names_of(array, "the features", where)
    if not isinstance(array, np.ndarray) or array.dtype.kind not in "fiu" or array.ndim != 1:
        raise InputError(f"expected the modes in '{where}' as numbers or names, got {type(value).__name__}")
    return array.astype(float), ()
