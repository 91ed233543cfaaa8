"""Random numbers drawn outside compiled code, where compiling jax's generator would take longer than using it."""

import jax
import numpy as np
from jaxtyping import PRNGKeyArray


def generator(key: PRNGKeyArray) -> np.random.Generator:
    """Return the numpy generator that belongs to a jax key: equal keys give equal numbers."""
    data = jax.random.key_data(key) if jax.dtypes.issubdtype(key.dtype, jax.dtypes.prng_key) else key
    return np.random.default_rng(np.asarray(data))
