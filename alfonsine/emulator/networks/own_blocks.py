"""A trained network of any architecture as blocks of a surrogate, one per member, of what a file can hold."""

import json
from collections.abc import Sequence

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np

from alfonsine.emulator.networks.blueprint import Blueprint, arrays, without_last
from alfonsine.emulator.networks.dense import Architecture
from alfonsine.emulator.networks.own import NetworkBlock
from alfonsine.emulator.networks.trained import TrainedNetwork
from alfonsine.errors import InputError

TYPES = ("float64", "float32", "float16", "int64", "int32", "bool")


def own_blocks_of(network: TrainedNetwork, names: Sequence[str]) -> list[NetworkBlock]:
    """One block per member; InputError for what a file cannot hold."""
    blueprint = Blueprint.of(network.plan, len(network.inputs), network.network.bias.shape[-1])
    check_blueprint(blueprint)
    check_arrays(network.network, blueprint.architecture)
    inputs = tuple(names.index(name) for name in network.inputs)
    found = []
    for number in range(network.members):
        one = member(network.network, number)
        if network.by_components:
            compression = network.chain.compression
            scale, shift = (v.astype(one.weight.dtype) for v in (compression.scale, compression.shift))
            last = (scale[:, None] * one.weight, shift + scale * one.bias)
            one, width = eqx.tree_at(lambda n: (n.weight, n.bias), one, last), len(one.bias)
        else:
            one, width = without_last(one), one.weight.shape[-1]
        block = NetworkBlock(inputs, blueprint, width, network.shift, network.scale, one)
        check_block(block, len(names))
        found.append(block)
    return found


def member(networks: Architecture, number: int) -> Architecture:
    """One of several networks side by side.

    Its arrays are made anew of NumPy's: none of them may be of JAX's weak types, which no file can tell.
    """
    return jax.tree.map(lambda a: jnp.asarray(np.asarray(a[number])) if eqx.is_array(a) else a, networks)


def check_blueprint(blueprint: Blueprint) -> None:
    """InputError unless it comes back from a file as it is."""
    try:
        again = Blueprint.of_record(json.loads(json.dumps(blueprint.record())))
    except (ValueError, TypeError) as error:
        raise InputError(f"expected options that a file can hold, got others: {error}") from None
    if again != blueprint:
        raise InputError(f"expected options that a file can hold, got {blueprint.record()!r:.200}")


def check_arrays(network: Architecture, name: str) -> None:
    """InputError for arrays of types that a file does not know."""
    for path, values in arrays(network).items():
        if values.dtype.name not in TYPES:
            raise InputError(f"expected numbers in '{path}' of '{name}', got {values.dtype}; a file cannot hold it")


def check_block(block: NetworkBlock, d: int) -> None:
    """InputError unless the hidden units alone make the amplitudes."""
    name = block.blueprint.architecture
    try:
        shape = eqx.filter_eval_shape(block, jax.ShapeDtypeStruct((d,), jnp.float64)).shape
    except Exception as error:  # the user's own code may fail in any way
        why = " ".join(f"{type(error).__name__}: {error}".split())
        raise InputError(f"expected a last hidden layer of '{name}' that needs no other, got {why}") from None
    if shape != (block.size,):
        raise InputError(f"expected {block.width} hidden units of '{name}' as its weight has, got {shape[0] - 1}")
