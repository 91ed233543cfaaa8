"""Run blocks of draws until the effective size is reached: the loop all samplers share."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float

from alfonsine.posterior import convergence
from alfonsine.posterior.wanted import check_wanted


@dataclass(frozen=True)
class Draws:
    """Draws of several chains of equal length, as a sampler leaves them.

    theta        (chain, draw, d)
    log_density  (chain, draw) ln p(theta)
    acceptance   (chain, draw) acceptance probability or outcome
    counts       numbers worth reporting (divergences, step size, ...)
    """

    theta: Float[np.ndarray, "chain draw d"]
    log_density: Float[np.ndarray, "chain draw"]
    acceptance: Float[np.ndarray, "chain draw"]
    counts: Mapping[str, float]

    @property
    def diagnostics(self) -> dict[str, float]:
        """The counts, and the mean acceptance."""
        return {**self.counts, "acceptance": float(np.mean(self.acceptance))}


def until_effective(next_block: Callable[[int], Draws], ess: float, max_blocks: int) -> Draws:
    """Call next_block(0), next_block(1), ... until the smallest bulk or tail effective size of all draws is `ess`.

    The size is estimated only when the last estimate promises enough, and at least each time the chain has doubled:
    the estimate costs more than a block.
    """
    blocks: list[Draws] = []
    wanted = 1
    while True:
        while len(blocks) < min(wanted, max_blocks):
            check_wanted()
            blocks.append(next_block(len(blocks)))
        theta = np.concatenate([b.theta for b in blocks], axis=1)
        reached = np.min([convergence.ess_bulk(theta), convergence.ess_tail(theta)])
        if reached >= ess or len(blocks) >= max_blocks:
            break
        more = len(blocks) * min(1.0, 1.02 * ess / reached - 1.0) if reached > 0 else len(blocks)
        wanted = len(blocks) + max(1, int(np.ceil(more)))
    return Draws(
        theta,
        np.concatenate([b.log_density for b in blocks], axis=1),
        np.concatenate([b.acceptance for b in blocks], axis=1),
        {name: sum(b.counts[name] for b in blocks) for name in blocks[0].counts},
    )
