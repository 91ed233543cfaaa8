"""Principal components in the metric of the data.

Components are directions in the *outputs* ordered by how much the data would notice them: the singular value
decomposition is that of the whitened training outputs, while the basis vectors are the same linear combinations of
the training outputs themselves. So every basis vector is a difference of true spectra, and one that the data cannot
see costs nothing.
"""

from typing import NamedTuple

import numpy as np
from jaxtyping import Float


class Compression(NamedTuple):
    """Outputs = mean + components @ basis.

    mean         (m,) weighted mean of the training outputs
    basis        (k, m) change of the outputs for one unit of a component
    components   (n, k) those of the training outputs; a unit is one standard error of the data
    """

    mean: Float[np.ndarray, " m"]
    basis: Float[np.ndarray, "k m"]
    components: Float[np.ndarray, "n k"]


def compress(
    outputs: Float[np.ndarray, "n m"],
    whitened: Float[np.ndarray, "n w"],
    weights: Float[np.ndarray, " n"],
    keep: int,
    floor: float,
) -> Compression:
    """Find at most `keep` components whose summed amplitude in the training set exceeds `floor` data errors.

    The decomposition is that of the *weighted* set, so that points far from where the emulator is used do not
    claim the first components; all points have components all the same.
    """
    root = np.sqrt(weights)[:, None]
    mean = np.average(outputs, axis=0, weights=weights)
    centred = whitened - np.average(whitened, axis=0, weights=weights)
    left, singular, right = np.linalg.svd(root * centred, full_matrices=False)
    rank = max(1, min(int(np.sum(singular > max(floor, 1e-12 * singular[0]))), keep))
    basis = (left[:, :rank] / np.maximum(singular[:rank], 1e-300)).T @ (root * (outputs - mean))
    return Compression(mean, basis, centred @ right[:rank].T)
