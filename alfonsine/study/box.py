"""The box of the priors, in which an emulator of a whole region is trained."""

import numpy as np

from alfonsine.study.emulate import emulator_inputs
from alfonsine.study.prepare import Study


def box(study: Study) -> tuple[tuple[str, ...], np.ndarray, np.ndarray]:
    """Inputs of the emulator and the edges of their priors; InputError where one has no edge."""
    names = emulator_inputs(study)
    space = study.space.select(names)
    lower, upper = np.asarray(space.lower), np.asarray(space.upper)
    for name, low, high in zip(names, lower, upper, strict=True):
        if not (np.isfinite(low) and np.isfinite(high)):
            raise study.settings.source.error(
                ("params", name),
                f"expected a prior with two edges for a design, got {low:g} to {high:g}; try prior: {{min: , max: }}",
            )
    return names, lower, upper
