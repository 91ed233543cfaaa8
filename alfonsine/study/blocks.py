"""Batches of any length through code that is compiled for one length."""

from collections.abc import Callable

import jax
import jax.numpy as jnp
import numpy as np

LENGTH = 64


def in_blocks(function: Callable, first: object, *batched: object) -> np.ndarray:
    """Call a compiled `function(first, *batch)` on blocks of LENGTH rows; the last one is filled up by repetition.

    The batched arguments are pytrees of arrays whose leading axis has one common length n, at least one.
    """
    n = jax.tree.leaves(batched)[0].shape[0]
    pieces = []
    for start in range(0, n, LENGTH):
        rows = np.minimum(np.arange(start, start + LENGTH), n - 1)
        block = jax.tree.map(lambda x, rows=rows: jnp.asarray(np.asarray(x)[rows]), batched)
        pieces.append(np.asarray(function(first, *block))[: n - start])
    return np.concatenate(pieces)
