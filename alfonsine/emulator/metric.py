r"""Units in which an error of the emulator is counted.

The data's covariance where there is one; cosmic variance for the multipoles that the data do not see,

.. math:: \sigma^2(C_\ell^{XX}) = \frac{2}{2\ell+1} (C_\ell^{XX})^2, \qquad
          \sigma^2(C_\ell^{TE}) = \frac{(C_\ell^{TE})^2 + C_\ell^{TT} C_\ell^{EE}}{2\ell+1};

the spread over the training set for anything else.
"""

from collections.abc import Mapping
from types import MappingProxyType

import numpy as np
from jaxtyping import Float

from alfonsine.theory.output import Output

AUTO = ("tt", "ee", "bb", "pp")
UNLENSED = "unlensed_"  # how the name of a spectrum before lensing begins
UNSEEN_WEIGHT = 0.03  # keeps what the data cannot see well described without crowding out what they can


def multipoles(outputs: Mapping[str, Output]) -> dict[str, Float[np.ndarray, " _"]]:
    """Those of each spectrum."""
    return {name: o.axis("l").array for name, o in outputs.items() if [axis.name for axis in o.axes] == ["l"]}


def fallback_errors(
    outputs: Mapping[str, Float[np.ndarray, "n _"]],
    multipoles: Mapping[str, Float[np.ndarray, " _"]] = MappingProxyType({}),
) -> dict[str, Float[np.ndarray, " _"]]:
    """Standard error of every output where no data set gives one; multipoles are 2, 3, ... where not given."""
    mean = {name: values.mean(axis=0) for name, values in outputs.items()}
    return typical_errors(mean, {name: values.std(axis=0) for name, values in outputs.items()}, multipoles)


def typical_errors(
    mean: Mapping[str, Float[np.ndarray, " _"]],
    spread: Mapping[str, Float[np.ndarray, " _"]],
    multipoles: Mapping[str, Float[np.ndarray, " _"]] = MappingProxyType({}),
) -> dict[str, Float[np.ndarray, " _"]]:
    """The same, from mean and standard deviation over a training set; multipoles are 2, 3, ... where not given."""
    errors = {}
    for name, values in mean.items():
        kind, prefix = name.removeprefix(UNLENSED), UNLENSED if name.startswith(UNLENSED) else ""
        modes = 2.0 * multipoles.get(name, np.arange(len(values)) + 2.0) + 1.0
        tt, ee = mean.get(f"{prefix}tt"), mean.get(f"{prefix}ee")
        if kind in AUTO:
            errors[name] = np.abs(values) * np.sqrt(2.0 / modes)
        elif kind == "te" and tt is not None and ee is not None:
            errors[name] = np.sqrt((values**2 + tt * ee) / modes)
        else:
            errors[name] = np.where(spread[name] > 0, spread[name], 1.0)
    return errors
