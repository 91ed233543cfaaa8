"""What changes where there are many parameters to learn in: nothing up to `MODEST` of them."""

from alfonsine.emulator.around.focus import MODEST
from alfonsine.study.settings import PointsSettings


def heat(points: PointsSettings, d: int) -> float:
    """Temperature of the points that teach, in d inputs of the emulator.

    The log of the weight that leads from a tempered draw to the posterior scatters by (T - 1) sqrt(d/2): here by no
    more than in `MODEST` inputs, so that as large a share of the points speaks about the posterior.
    """
    return 1.0 + (points.drawn_at - 1.0) * min(1.0, MODEST / d) ** 0.5


def batch_size(points: PointsSettings, d: int) -> int:
    """Exact calls between two fits: in many inputs, half as many as there are."""
    return max(points.batch, d // 2 if d > MODEST else 0)
