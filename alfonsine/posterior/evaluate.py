"""Log densities as compiled functions: one point with gradient, and batches, with little dispatch.

A log density is a pytree of arrays with a `__call__`. Its arrays are *arguments* of the compiled function, so that a
re-fitted emulator of the same shapes reuses the code; its structure is part of the cache key. Handing jax a flat
tuple of arrays instead of nested modules saves most of the dispatch time.
"""

from collections.abc import Callable
from functools import lru_cache

import equinox as eqx
import jax
import jax.numpy as jnp
from jaxtyping import Array, Float

LogDensity = Callable[[Float[Array, " d"]], Float[Array, ""]]


def value_and_grad(log_density: LogDensity) -> Callable[[Array], tuple[Array, Array]]:
    """Compile theta (d,) -> (ln p, gradient (d,)), once per structure and shape."""
    return _bind(log_density, _value_and_grad)


def batch_value(log_density: LogDensity) -> Callable[[Array], Array]:
    """Compile theta (n, d) -> ln p (n,), once per structure and shape."""
    return _bind(log_density, _batch_value)


def _bind(log_density: LogDensity, make: Callable) -> Callable[[Array], Array]:
    arrays, rest = eqx.partition(log_density, eqx.is_array)
    leaves, treedef = jax.tree.flatten(arrays)
    # the functions inside `rest` are compared by identity; arrays never enter the key
    other, other_treedef = jax.tree.flatten(rest)
    compiled = make(treedef, tuple(other), other_treedef)
    leaves = tuple(jnp.asarray(leaf) for leaf in leaves)
    return lambda theta: compiled(leaves, theta)


def _assemble(leaves: tuple[Array, ...], treedef: object, other: tuple, other_treedef: object) -> LogDensity:
    return eqx.combine(jax.tree.unflatten(treedef, leaves), jax.tree.unflatten(other_treedef, other))


@lru_cache(maxsize=64)
def _value_and_grad(treedef: object, other: tuple, other_treedef: object) -> Callable:
    def at(leaves, theta):
        return jax.value_and_grad(_assemble(leaves, treedef, other, other_treedef))(theta)

    return jax.jit(at)


@lru_cache(maxsize=64)
def _batch_value(treedef: object, other: tuple, other_treedef: object) -> Callable:
    def at(leaves, theta):
        return jax.vmap(_assemble(leaves, treedef, other, other_treedef))(theta)

    return jax.jit(at)
