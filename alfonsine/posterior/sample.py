"""The usual order of events: climb to the mode, whiten by Laplace, run NUTS, hand on a `Posterior`."""

from collections.abc import Callable, Sequence

import jax
from jaxtyping import Array, Float, PRNGKeyArray

from alfonsine.posterior.coordinates import Coordinates, Vector
from alfonsine.posterior.ensemble import sample_ensemble
from alfonsine.posterior.nuts import CHAINS, DRAWS, sample_nuts
from alfonsine.posterior.optimum import find_optimum
from alfonsine.posterior.posterior import Posterior


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
    max_warmup: int = 10,
) -> Posterior:
    """Sample a differentiable log density from a start point and rough widths (both as in `Coordinates.of`).

    Outside [lower, upper] the density is taken to vanish; the sampler never looks there.
    """
    rough = Coordinates.of(lower, upper, start, scale)
    optimum = find_optimum(log_density, rough)
    drawn, _ = sample_nuts(
        log_density, optimum.coordinates, key,
        ess=ess, chains=chains, draws=draws, max_blocks=max_blocks, max_warmup=max_warmup,
    )  # fmt: skip
    diagnostics = {**drawn.diagnostics, "sampler": "nuts", "optimum_converged": bool(optimum.converged)}
    return Posterior.of(names, latex, drawn.theta, drawn.log_density, diagnostics)


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
