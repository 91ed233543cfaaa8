"""Small networks with random weights as an emulator: one of hidden units, one of components, each transform."""

import json

import jax.numpy as jnp
import numpy as np
from box_sky import LOWER, NAMES, UPPER

from alfonsine.emulator.box.cube import box_domain
from alfonsine.emulator.emulator import Emulator, Shown
from alfonsine.emulator.networks.surrogate import ACTIVATIONS, DenseBlock, DenseLayer, DenseSurrogate
from alfonsine.theory.output import multipoles


def block(seed, inputs, activation, head):
    """Two hidden layers of 5 units; 3 components where there is a head."""
    rng = np.random.default_rng(seed)
    layers, width = [], len(inputs)
    for _ in range(2):
        weight = rng.standard_normal((5, width)) / np.sqrt(width)
        own = {name: jnp.asarray(rng.standard_normal(5), jnp.float32) for name in ACTIVATIONS[activation][0]}
        layers.append(
            DenseLayer(jnp.asarray(weight, jnp.float32), jnp.asarray(rng.standard_normal(5), jnp.float32), own)
        )
        width = 5
    last = tuple(jnp.asarray(rng.standard_normal(shape), jnp.float32) for shape in ((3, 5), (3,))) if head else None
    centre, scale = (LOWER + UPPER)[list(inputs)] / 2, (UPPER - LOWER)[list(inputs)] / 2
    return DenseBlock(
        inputs, activation, jnp.asarray(centre), jnp.asarray(scale), tuple(layers), last if head else None
    )


def dense_emulator():
    """The output tt is linear in hidden units, pp the exponential of components, ee a double exponential."""
    blocks = (
        block(1, (0, 1, 2, 3), "alsing", False),
        block(2, (2, 0), "tanh", True),
        block(3, (1, 3), "nygaard", False),
    )
    rng = np.random.default_rng(4)
    sizes = {"tt": (6, "identity"), "pp": (4, "exp"), "ee": (6, "double_exp")}
    basis, shown, first = {}, [], 0
    for name, (size, transform) in sizes.items():
        basis[name] = jnp.asarray(0.1 * rng.standard_normal((7, size)), jnp.float32)
        shown.append((name, Shown(first, first + size, transform)))
        first += size
    described = {name: multipoles(name, 7, "muK^2").record() for name in sorted(sizes)}
    return Emulator(
        NAMES,
        DenseSurrogate(blocks),
        basis,
        box_domain(LOWER, UPPER),
        json.dumps({"provenance": "random weights"}),
        tuple(sorted(shown)),
        json.dumps(described, sort_keys=True),
        {"ee": jnp.asarray(rng.uniform(0.0, 1.0, (2, 7)))},
    )
