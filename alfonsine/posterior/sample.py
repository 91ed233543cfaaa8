"""The usual order of events: climb to the mode, whiten by Laplace, run NUTS, hand on a `Posterior`.

Where the density is bent so that a draw of NUTS takes over sixty gradients, in spite of whitening, the ensemble
takes over from where its chains are: a move costs one evaluation, and those of all walkers are made at once.
"""

from collections.abc import Callable, Sequence

import jax
import numpy as np
from jaxtyping import Array, Float, PRNGKeyArray

from alfonsine.posterior.coordinates import Coordinates, Vector
from alfonsine.posterior.ensemble import sample_ensemble
from alfonsine.posterior.nuts import CHAINS, DRAWS, MAX_WARMUP, WarmedUp, sample_warm, warm_up
from alfonsine.posterior.optimum import find_optimum
from alfonsine.posterior.posterior import Posterior

PATIENCE = 60.0  # gradients a draw: as many draws of the ensemble then take less time
WALKERS = 128
MOST_ENSEMBLE_BLOCKS = 100


def sample(
    log_density: Callable[[Float[Array, " d"]], Float[Array, ""]],
    names: Sequence[str],
    latex: Sequence[str],
    lower: Vector,
    upper: Vector,
    start: Vector,
    scale: Vector,
    key: PRNGKeyArray,
    *,
    ess: float = 10_000,
    chains: int = CHAINS,
    draws: int = DRAWS,
    max_blocks: int = 200,
    max_warmup: int = MAX_WARMUP,
) -> Posterior:
    """Sample a differentiable log density from a start point and rough widths (both as in `Coordinates.of`).

    Outside [lower, upper] the density is taken to vanish; the sampler never looks there.
    """
    rough = Coordinates.of(lower, upper, start, scale)
    optimum = find_optimum(log_density, rough)
    warm = warm_up(
        log_density, optimum.coordinates, key, chains=chains, draws=draws, max_warmup=max_warmup, patience=PATIENCE
    )
    if warm.leapfrog_steps > PATIENCE:
        sampler, limit = "ensemble", min(max_blocks, MOST_ENSEMBLE_BLOCKS)
        drawn = sample_ensemble(log_density, spread(warm, len(names)), key, ess=ess, max_blocks=limit)
    else:
        sampler = "nuts"
        drawn, _ = sample_warm(log_density, warm, key, ess=ess, draws=draws, max_blocks=max_blocks)
    diagnostics = {
        **drawn.diagnostics,
        "sampler": sampler,
        "optimum_converged": bool(optimum.converged),
        "leapfrog_steps": warm.leapfrog_steps,
    }
    return Posterior.of(names, latex, drawn.theta, drawn.log_density, diagnostics)


def spread(warm: WarmedUp, dimension: int) -> Float[np.ndarray, "walker d"]:
    """Walkers for the ensemble: states of the warmed-up chains, evenly among chains and draws."""
    count = max(WALKERS, 8 * dimension)
    theta = np.asarray(warm.settled.theta).reshape(-1, dimension)
    value = np.asarray(warm.settled.log_density).reshape(-1)
    theta = theta[np.isfinite(value)]
    return theta[np.linspace(0, len(theta) - 1, count).astype(int)]


def sample_by_ensemble(
    log_density: Callable[[Float[Array, " d"]], Float[Array, ""]],
    names: Sequence[str],
    latex: Sequence[str],
    lower: Vector,
    upper: Vector,
    start: Vector,
    scale: Vector,
    key: PRNGKeyArray,
    *,
    ess: float = 10_000,
    walkers: int = 64,
) -> Posterior:
    """The same by the affine-invariant ensemble, started from draws of the Laplace approximation."""
    rough = Coordinates.of(lower, upper, start, scale)
    optimum = find_optimum(log_density, rough)
    z = jax.random.normal(jax.random.fold_in(key, 0), (max(walkers, 2 * len(names)), len(names)))
    first = jax.vmap(optimum.coordinates.theta)(z)
    drawn = sample_ensemble(log_density, first, jax.random.fold_in(key, 1), ess=ess)
    diagnostics = {**drawn.diagnostics, "sampler": "ensemble", "optimum_converged": bool(optimum.converged)}
    return Posterior.of(names, latex, drawn.theta, drawn.log_density, diagnostics)
