"""Mean, standard deviation and effective size of weighted draws."""

import numpy as np
from jaxtyping import Float


def mean_and_sigma(values: Float[np.ndarray, " n"], weights: Float[np.ndarray, " n"]) -> tuple[float, float]:
    """Weighted mean and standard deviation of one parameter."""
    mean = np.average(values, weights=weights)
    return float(mean), float(np.sqrt(np.average((values - mean) ** 2, weights=weights)))


def effective_size(weights: Float[np.ndarray, " n"]) -> float:
    r"""Kish's effective number of independent draws, :math:`(\sum w)^2 / \sum w^2`."""
    return float(weights.sum() ** 2 / np.sum(weights**2))
