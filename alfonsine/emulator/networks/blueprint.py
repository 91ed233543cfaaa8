"""All of a network but the numbers in its arrays: what `draw` was told, and so what a file needs to make it again."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import equinox as eqx
import jax
from jaxtyping import PRNGKeyArray, PyTree

from alfonsine.emulator.networks.activations import ACTIVATIONS, Activation
from alfonsine.emulator.networks.custom import Parts, chosen, is_own, with_options
from alfonsine.emulator.networks.dense import ARCHITECTURES, Architecture

Options = tuple[tuple[str, Any], ...]
PLAIN = (bool, int, float, str, type(None))


@dataclass(frozen=True)
class Blueprint:
    """What a network is drawn from, names in the place of classes.

    sizes         d, widths of the hidden layers, m
    activations   one per hidden layer
    weights       rule of the initial weights
    """

    sizes: tuple[int, ...]
    activations: tuple[str, ...]
    activation_options: Options
    architecture: str
    architecture_options: Options
    weights: str | float

    @classmethod
    def of(cls, plan: Mapping[str, Any], d: int, m: int) -> "Blueprint":
        """That of the record of a plan, for d inputs and m predictions."""
        names = plan["activation"]
        return cls(
            (d, *plan["widths"], m),
            (names,) * len(plan["widths"]) if isinstance(names, str) else tuple(names),
            tuple(sorted(plan["activation_options"].items())),
            plan["architecture"],
            tuple(sorted(plan["architecture_options"].items())),
            plan["weights"],
        )

    @property
    def names(self) -> tuple[str, ...]:
        """Of all classes."""
        return (*self.activations, self.architecture)

    def record(self) -> dict[str, Any]:
        """Plain values, as JSON gives them back."""
        return {
            "sizes": list(self.sizes),
            "activations": list(self.activations),
            "activation_options": dict(self.activation_options),
            "architecture": self.architecture,
            "architecture_options": dict(self.architecture_options),
            "weights": self.weights,
        }

    @classmethod
    def of_record(cls, record: Mapping[str, Any]) -> "Blueprint":
        """The inverse; ValueError, KeyError or TypeError for what is none."""
        sizes, names = record["sizes"], [*record["activations"], record["architecture"]]
        ours = {*ACTIVATIONS, *ARCHITECTURES}
        if not all(isinstance(size, int) and not isinstance(size, bool) and size > 0 for size in sizes):
            raise ValueError("its sizes are not numbers of units")
        if not isinstance(record["activations"], list) or not 0 < len(record["activations"]) == len(sizes) - 2:
            raise ValueError("its activations are not one for each hidden layer")
        if not all(isinstance(name, str) and (is_own(name) or name in ours) for name in names):
            raise ValueError(f"it has unknown parts among {names!r:.80}")
        options = [sorted(record[key].items()) for key in ("activation_options", "architecture_options")]
        if not all(isinstance(value, PLAIN) for pairs in options for _, value in pairs):
            raise ValueError("its options are not plain values")
        if not isinstance(record["weights"], str | float | int):
            raise ValueError("its initial weights are no rule")
        return cls(tuple(sizes), tuple(names[:-1]), tuple(options[0]), names[-1], tuple(options[1]), record["weights"])

    def drawer(self, parts: Parts) -> Callable[[PRNGKeyArray], Architecture]:
        """From a key to a network."""
        kinds = [chosen("activation", name, ACTIVATIONS, Activation, parts) for name in self.activations]
        activations = [with_options(kind.draw, dict(self.activation_options), "activation") for kind in kinds]
        kind = chosen("architecture", self.architecture, ARCHITECTURES, Architecture, parts)
        first = with_options(kind.draw, dict(self.architecture_options), "architecture")
        return lambda key: first(key, self.sizes, activations, self.weights)

    def skeleton(self, parts: Parts) -> Architecture:
        """The network with shapes and types in the place of arrays; ValueError where it cannot be drawn."""
        draw = self.drawer(parts)
        try:
            return eqx.filter_eval_shape(draw, jax.random.key(0))
        except Exception as error:  # the user's own code may fail in any way
            raise ValueError(f"its network cannot be drawn ({type(error).__name__}: {error})") from None


def without_last(network: Architecture) -> Architecture:
    """The same without its linear layer, which is part of the basis where the hidden units are the amplitudes."""
    return eqx.tree_at(lambda n: (n.weight, n.bias), network, replace=(None, None))


def arrays(tree: PyTree) -> dict[str, Any]:
    """Arrays, or their shapes, by their path."""
    leaves, _ = jax.tree_util.tree_flatten_with_path(tree)
    return {jax.tree_util.keystr(path).lstrip("."): leaf for path, leaf in leaves if is_filled(leaf)}


def filled(skeleton: Architecture, values: Mapping[str, Any]) -> Architecture:
    """The network with these arrays, by their path."""

    def fill(path: tuple, leaf: Any) -> Any:
        return values[jax.tree_util.keystr(path).lstrip(".")] if is_filled(leaf) else leaf

    return jax.tree_util.tree_map_with_path(fill, skeleton)


def is_filled(leaf: Any) -> bool:
    """Whether a leaf is an array, or stands for one."""
    return eqx.is_array(leaf) or isinstance(leaf, jax.ShapeDtypeStruct)
