r"""How far to go uphill: the trust region of a search for the maximum that costs one exact call a step.

An emulated maximum is to be believed near the points that the emulator knows. So it is looked for under a penalty on
the distance from the best exact call so far (Levenberg 1944, Marquardt 1963),

.. math:: \max_\theta\; \ln p(\theta) - \frac{\lambda}{2} \sum_i \frac{(\theta_i - \theta^*_i)^2}{D_i^2},

and of a ladder of penalties those are tried whose steps are about as long as steps that have kept their promise.
Several lengths at once cost no more time than one where several calls run side by side.
"""

from dataclasses import dataclass, replace

import numpy as np
from jaxtyping import Float

KEPT = 0.25  # of the promised gain: the step was good, the next may be longer
SPACING = 3.0  # ratio of the lengths that are tried side by side
LONGEST, SHORTEST = 30.0, 0.01  # in units D of the first steps


@dataclass(frozen=True)
class TrustRegion:
    """The length to which emulated steps are believed, in units of the first steps.

    radius      that length
    failures    batches in a row without a better point
    kept        the last batch's best step gained at least `KEPT` of what was promised
    """

    radius: float = 3.0
    failures: int = 0
    kept: bool = False

    def wanted(self, count: int) -> list[float]:
        """Lengths to try side by side: the radius, and shorter ones, or one longer where there is room for three."""
        powers = [0, -1, 1] + [-k for k in range(2, count)]
        return [self.radius * SPACING**k for k in powers[:count]]

    def after(
        self,
        length: Float[np.ndarray, " n"],
        promised: Float[np.ndarray, " n"],
        gained: Float[np.ndarray, " n"],
    ) -> "TrustRegion":
        """What a batch of steps teaches: longer after a kept promise, shorter after a broken one.

        A step without an answer has gained minus infinity.
        """
        best = int(np.argmax(gained))
        if not gained[best] > 0:
            return replace(
                self, radius=max(SHORTEST, float(length.min()) / SPACING), failures=self.failures + 1, kept=False
            )
        kept = bool(gained[best] >= KEPT * promised[best])
        radius = length[best] * (SPACING if kept else 1.0)
        return TrustRegion(float(np.clip(radius, SHORTEST, LONGEST)), 0, kept)


def nearest_lengths(available: Float[np.ndarray, " k"], wanted: list[float], different: float = 0.05) -> list[int]:
    """Indices of the steps whose lengths are next to those wanted, in logarithm; none twice, none like another."""
    chosen: list[int] = []
    for length in wanted:
        order = np.argsort(np.abs(np.log(np.maximum(available, 1e-300) / length)))
        for k in order.tolist():
            alike = [abs(available[k] - available[j]) <= different * available[j] for j in chosen]
            if available[k] > 0 and not any(alike):
                chosen.append(k)
                break
    return chosen
