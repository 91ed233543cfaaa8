r"""Units in which an error of the emulator is counted.

The data's covariance where there is one; cosmic variance for the multipoles that the data do not see,

.. math:: \sigma^2(C_\ell^{XX}) = \frac{2}{2\ell+1} (C_\ell^{XX})^2, \qquad
          \sigma^2(C_\ell^{TE}) = \frac{(C_\ell^{TE})^2 + C_\ell^{TT} C_\ell^{EE}}{2\ell+1};

the spread over the training set for anything else.
"""

from collections.abc import Mapping

import numpy as np
from jaxtyping import Float

AUTO = ("tt", "ee", "bb", "pp")
UNSEEN_WEIGHT = 0.03  # keeps what the data cannot see well described without crowding out what they can


def fallback_errors(outputs: Mapping[str, Float[np.ndarray, "n _"]]) -> dict[str, Float[np.ndarray, " _"]]:
    """Standard error of every output where no data set gives one."""
    mean = {name: values.mean(axis=0) for name, values in outputs.items()}
    errors = {}
    for name, values in outputs.items():
        modes = 2.0 * (np.arange(values.shape[1]) + 2) + 1.0
        if name in AUTO:
            errors[name] = np.abs(mean[name]) * np.sqrt(2.0 / modes)
        elif name == "te" and {"tt", "ee"} <= set(outputs):
            errors[name] = np.sqrt((mean["te"] ** 2 + mean["tt"] * mean["ee"]) / modes)
        else:
            spread = values.std(axis=0)
            errors[name] = np.where(spread > 0, spread, 1.0)
    return errors
