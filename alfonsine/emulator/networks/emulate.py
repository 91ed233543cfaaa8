"""A trained network as an emulator: its last hidden layer, or its principal components, become the amplitudes.

Dense layers of one known activation become plain arrays; any other network stays the object that it is, see `own`.
"""

import json
from collections.abc import Iterable, Mapping, Sequence

import jax.numpy as jnp
import numpy as np
from jaxtyping import Float

from alfonsine.emulator.box.cube import box_domain
from alfonsine.emulator.emulator import Emulator, Shown
from alfonsine.emulator.networks.activations import ACTIVATIONS
from alfonsine.emulator.networks.custom import is_own, split_name
from alfonsine.emulator.networks.dense import Dense
from alfonsine.emulator.networks.own import NetworkBlock, NetworkSurrogate
from alfonsine.emulator.networks.own_blocks import own_blocks_of
from alfonsine.emulator.networks.own_normalisation import cut
from alfonsine.emulator.networks.surrogate import DenseBlock, DenseLayer, DenseSurrogate
from alfonsine.emulator.networks.trained import TrainedNetwork
from alfonsine.errors import InputError
from alfonsine.theory.output import Output

NAME_OF = {kind: name for name, kind in ACTIVATIONS.items()}
TRANSFORM = {"identity": ("identity", 1.0), "exp10": ("exp", np.log(10.0)), "double_exp": ("double_exp", 1.0)}


def emulator_of(
    networks: Sequence[TrainedNetwork],
    ranges: Mapping[str, tuple[float, float]],
    card: Mapping | None = None,
) -> Emulator:
    """One emulator of all outputs of some networks.

    ranges   input -> edges of the box that it was trained in
    InputError for parts of the user's own that a file cannot hold.
    """
    dense = all(is_dense(network) for network in networks)
    names = tuple(dict.fromkeys(name for network in networks for name in network.inputs))
    blocks, basis, offsets, undone, shown, described, first = [], {}, {}, {}, [], {}, 0
    for network in networks:
        members = blocks_of(network, names) if dense else own_blocks_of(network, names)
        blocks += members
        width = sum(block.size for block in members)
        parts = network.linear_parts()
        for output in network.outputs:
            outer = parts.transform[output.name]
            transform, factor = TRANSFORM.get(outer, (outer, 1.0))
            matrix = np.asarray(parts.basis[output.name]) * factor
            basis[output.name] = jnp.asarray(spread(matrix, network, members), jnp.float32)
            shown.append((output.name, Shown(first, first + width, transform)))
            described[output.name] = output
            if transform == "double_exp":
                own_offsets = parts.parameters[output.name]
                offsets[output.name] = jnp.stack([jnp.asarray(own_offsets[n]) for n in ("first", "second")])
            if is_own(transform):
                undone[output.name] = cut(network.chain.normalisation, transform, *network.place(output.name))
        first += width
    needed = [place.transform for _, place in shown]
    if not dense:
        needed += [name for block in blocks for name in block.blueprint.names]
    lower, upper = (np.array([ranges[name][i] for name in names], dtype=float) for i in (0, 1))
    return Emulator(
        names,
        DenseSurrogate(tuple(blocks)) if dense else NetworkSurrogate(tuple(blocks)),
        basis,
        box_domain(lower, upper),
        json.dumps(dict(card or {}), sort_keys=True),
        tuple(sorted(shown)),
        json.dumps({name: output.record() for name, output in sorted(described.items())}, sort_keys=True),
        offsets,
        undone,
        digests_of(networks, needed),
    )


def is_dense(network: TrainedNetwork) -> bool:
    """Whether it is dense layers of one known activation."""
    if type(network.network) is not Dense:
        return False
    kinds = {type(layer.activation) for layer in network.network.layers}
    return len(kinds) == 1 and kinds <= set(NAME_OF)


def digests_of(networks: Sequence[TrainedNetwork], names: Iterable[str]) -> tuple[tuple[str, str], ...]:
    """Module and digest of each file of the user's own in which a name stands; InputError for two versions of one."""
    modules = {split_name(name)[0] for name in names if is_own(name)}
    found = {(m, digest) for network in networks for m, digest in network.digests.items() if m in modules}
    if len(found) > len(modules):
        raise InputError(
            f"expected all networks to be trained with the same {', '.join(sorted(modules))}, got two versions; "
            "train those of the older one again"
        )
    return tuple(sorted(found))


def blocks_of(network: TrainedNetwork, names: Sequence[str]) -> list[DenseBlock]:
    """One block per member."""
    activation = NAME_OF[type(network.network.layers[0].activation)]
    inputs = tuple(names.index(name) for name in network.inputs)
    found = []
    for member in range(network.members):
        layers = tuple(
            DenseLayer(
                layer.weight[member],
                layer.bias[member],
                {name: values[member] for name, values in vars(layer.activation).items()},
            )
            for layer in network.network.layers
        )
        head = None
        if network.by_components:
            compression = network.chain.compression
            scale = compression.scale.astype(jnp.float32)
            shift = compression.shift.astype(jnp.float32)
            weight, bias = network.network.weight[member], network.network.bias[member]
            head = (scale[:, None] * weight, shift + scale * bias)
        found.append(DenseBlock(inputs, activation, network.shift, network.scale, layers, head))
    return found


def spread(
    matrix: Float[np.ndarray, "m v"], network: TrainedNetwork, own: Sequence[DenseBlock | NetworkBlock]
) -> np.ndarray:
    """The basis for the amplitudes of all members, each of which begins with a one; only the first is used."""
    constant, rest = matrix[:, :1], matrix[:, 1:]
    members = len(own)
    # of components, every member gives all; of hidden layers, each its own
    pieces = [rest / members] * members if network.by_components else np.split(rest, members, axis=1)
    columns = [np.hstack([constant if i == 0 else np.zeros_like(constant), piece]) for i, piece in enumerate(pieces)]
    return np.hstack(columns)


def ranges_of(
    names: Sequence[str], lower: np.ndarray, upper: np.ndarray, outputs: Sequence[Output]
) -> dict[str, tuple[float, float]]:
    """Edges of the inputs, and of the redshift where a network takes it as one."""
    found = {name: (float(a), float(b)) for name, a, b in zip(names, lower, upper, strict=True)}
    for output in outputs:
        for axis in output.axes:
            if axis.name == "z":
                low, high = found.get("z", (-np.inf, np.inf))
                found["z"] = (max(low, axis.values[0]), min(high, axis.values[-1]))
    return found
