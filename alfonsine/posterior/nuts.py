"""The No-U-Turn sampler (blackjax), many chains in one `vmap`, in blocks of static length.

One compiled function runs a block of draws for every chain. Whether the block adapts its step size and whitening is an
*argument*, so that warm-up and sampling share the code; arrays of the log density are arguments too, so that a
re-fitted emulator of equal shapes compiles nothing. All chains share one step size, adapted by dual averaging on their
mean acceptance; the mass matrix is the identity in whitened coordinates, which an adapting block re-whitens.

Source: Hoffman & Gelman 2014 (arXiv:1111.4246), multinomial version of Betancourt 2017 (arXiv:1701.02434).
"""

from collections.abc import Callable

import blackjax
import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
from blackjax.adaptation.step_size import dual_averaging_adaptation
from jaxtyping import Array, Bool, Float, Int, PRNGKeyArray

from alfonsine.posterior import convergence
from alfonsine.posterior.coordinates import Coordinates
from alfonsine.posterior.generator import generator
from alfonsine.posterior.until import Draws, until_effective
from alfonsine.posterior.wanted import check_wanted

CHAINS = 32  # wide enough to hide dispatch, few enough that the longest trajectory is not waited for too long
DRAWS = 100  # per chain and block
TARGET_ACCEPTANCE = 0.8  # to begin with; halfway to 1 each time warm-up meets divergences
MOST_DIVERGENCES = 1e-3  # of the draws of a warm-up block
FIRST_STEP = 0.7  # near the optimum of a well-whitened density of a few parameters
MAX_WARMUP = 10  # blocks
MAX_DOUBLINGS = 8  # 255 leapfrog steps: beyond that, whitening has failed and the diagnostics say so


class NutsState(eqx.Module):
    """Where the chains are between two blocks.

    position     (chain, d) whitened coordinates z
    coordinates  the map from z to theta
    step_size    leapfrog step in z, common to all chains
    """

    position: Float[Array, "chain d"]
    coordinates: Coordinates
    step_size: Float[Array, ""]


class NutsBlock(eqx.Module):
    """What one block of draws returns.

    theta           (draw, chain, d) parameters
    log_density     (draw, chain) ln p(theta), without the Jacobian of the coordinates
    acceptance      (draw, chain) mean acceptance along each trajectory
    divergent       (draw, chain) the energy error exceeded 1000
    leapfrog_steps  (draw, chain) gradients spent
    """

    theta: Float[Array, "draw chain d"]
    log_density: Float[Array, "draw chain"]
    acceptance: Float[Array, "draw chain"]
    divergent: Bool[Array, "draw chain"]
    leapfrog_steps: Int[Array, "draw chain"]


@eqx.filter_jit
def nuts_block(
    log_density: Callable, state: NutsState, key: PRNGKeyArray, adapt: Float[Array, ""], draws: int
) -> tuple[NutsState, NutsBlock]:
    """Run every chain for `draws` transitions (static).

    Where `adapt` is positive, the step size is adapted along the way to this acceptance and the coordinates are
    re-whitened at the end by the second half of the draws; such draws are not to be kept. Where it is 0, neither.
    """
    coordinates = state.coordinates
    m, d = state.position.shape
    kernel = blackjax.nuts.build_kernel()
    initialise, update, final = dual_averaging_adaptation(adapt)

    def log_density_z(z):
        return log_density(coordinates.theta(z)) + coordinates.log_jacobian(z)

    def transition(carry, key):
        chains, adaptation = carry
        step_size = jnp.where(adapt > 0, jnp.exp(adaptation.log_step_size), state.step_size)
        chains, info = jax.vmap(lambda k, s: kernel(k, s, log_density_z, step_size, jnp.ones(d), MAX_DOUBLINGS))(
            jax.random.split(key, m), chains
        )
        adaptation = update(adaptation, jnp.mean(jnp.nan_to_num(info.acceptance_rate)))
        kept = (chains.position, chains.logdensity, info.acceptance_rate, info.is_divergent)
        return (chains, adaptation), (*kept, info.num_integration_steps)

    chains = jax.vmap(lambda z: blackjax.nuts.init(z, log_density_z))(state.position)
    adaptation = jax.tree.map(lambda x: jnp.asarray(x, float), initialise(state.step_size))
    (chains, adaptation), (z, value, acceptance, divergent, leapfrog) = jax.lax.scan(
        transition, (chains, adaptation), jax.random.split(key, draws)
    )
    theta = jax.vmap(jax.vmap(coordinates.theta))(z)
    block = NutsBlock(theta, value - jax.vmap(jax.vmap(coordinates.log_jacobian))(z), acceptance, divergent, leapfrog)
    new = _rewhiten(coordinates, z[draws // 2 :].reshape(-1, d))
    new, step_size = jax.tree.map(
        lambda a, b: jnp.where(adapt > 0, a, b), (new, final(adaptation)), (coordinates, state.step_size)
    )
    u = coordinates.mean + chains.position @ coordinates.cholesky.T
    position = jax.scipy.linalg.solve_triangular(new.cholesky, (u - new.mean).T, lower=True).T
    return NutsState(position, new, step_size), block


def _rewhiten(coordinates: Coordinates, z: Float[Array, "n d"]) -> Coordinates:
    """Absorb mean and covariance of draws of z, drawn towards the present unit covariance as if by 5 d draws of it."""
    n, d = z.shape
    prior = 5.0 * d
    covariance = (n * jnp.cov(z.T).reshape(d, d) + prior * jnp.eye(d)) / (n + prior)
    return coordinates.whitened(jnp.mean(z, axis=0), covariance)


def disperse(log_density: Callable, coordinates: Coordinates, key: PRNGKeyArray, chains: int) -> NutsState:
    """Start chains at unit normal draws of z, leaving out points where the density vanishes or is not a number."""
    candidates = generator(key).normal(size=(8, chains, coordinates.dimension))
    candidates *= 0.5 ** np.arange(8)[:, None, None]  # ever closer to the centre
    candidates = jnp.asarray(candidates.reshape(8 * chains, -1))
    sound = np.argsort(~np.isfinite(_values(log_density, coordinates, candidates)), stable=True)[:chains]
    # the dtype is named, here and below, because a 'weakly typed' number would compile a second time
    return NutsState(candidates[sound], coordinates, jnp.asarray(FIRST_STEP, float))


@eqx.filter_jit
def _values(log_density: Callable, coordinates: Coordinates, z: Float[Array, "n d"]) -> Float[Array, " n"]:
    return jax.vmap(lambda z: log_density(coordinates.theta(z)))(z)


def sample_nuts(
    log_density: Callable,
    coordinates: Coordinates,
    key: PRNGKeyArray,
    *,
    ess: float = 10_000,
    chains: int = CHAINS,
    draws: int = DRAWS,
    max_blocks: int = 200,
    max_warmup: int = MAX_WARMUP,
) -> tuple[Draws, NutsState]:
    """Sample until every parameter has `ess` effective draws, bulk and tail, or `max_blocks` blocks are spent.

    `coordinates` should be centred near the mode (see `find_optimum`). Warm-up is at least two adapting blocks and goes
    on, up to `max_warmup`, until the chains of the last one agree (R-hat below 1.1) and hardly ever diverge.
    The state returned continues the chains, or starts those of a similar density.
    """
    warm = warm_up(log_density, coordinates, key, chains=chains, draws=draws, max_warmup=max_warmup)
    return sample_warm(log_density, warm, key, ess=ess, draws=draws, max_blocks=max_blocks)


class WarmedUp(eqx.Module):
    """Chains after warm-up.

    state    where they are
    settled  (draw, chain, ...) second half of the last block
    blocks   spent
    target   acceptance for which the step was adapted last
    """

    state: NutsState
    settled: NutsBlock
    blocks: int = eqx.field(static=True)
    target: float = eqx.field(static=True)

    @property
    def leapfrog_steps(self) -> float:
        """Gradients that a draw takes: a few where whitening has succeeded, hundreds where the density is bent."""
        return float(np.mean(self.settled.leapfrog_steps))


def warm_up(
    log_density: Callable,
    coordinates: Coordinates,
    key: PRNGKeyArray,
    *,
    chains: int = CHAINS,
    draws: int = DRAWS,
    max_warmup: int = MAX_WARMUP,
    patience: float = np.inf,
) -> WarmedUp:
    """Adapt step size and whitening, block by block.

    Give up where a draw takes more gradients than `patience` although the chains themselves have been whitened by.
    """
    state = disperse(log_density, coordinates, key, chains)
    warmup, target = 0, TARGET_ACCEPTANCE
    while True:
        check_wanted()
        warmup += 1
        block_key = jax.random.fold_in(key, warmup)
        state, block = nuts_block(log_density, state, block_key, jnp.asarray(target, float), draws)
        settled = jax.tree.map(lambda x: np.asarray(x)[draws // 2 :], block)
        warm = WarmedUp(state, settled, warmup, target)
        diverging = np.mean(settled.divergent) > MOST_DIVERGENCES
        agree = np.all(convergence.r_hat(_by_chain(settled.theta)) < 1.1)
        enough = warm.leapfrog_steps > patience or (agree and not diverging)
        if warmup >= max_warmup or (warmup >= 2 and enough):
            return warm
        if diverging:
            # the density is narrower somewhere than where most draws are: only a smaller step gets there
            target = min(0.5 * (1.0 + target), 0.99)


def sample_warm(
    log_density: Callable,
    warm: WarmedUp,
    key: PRNGKeyArray,
    *,
    ess: float = 10_000,
    draws: int = DRAWS,
    max_blocks: int = 200,
) -> tuple[Draws, NutsState]:
    """Sample with chains that have been warmed up with the same key."""
    state, warmup, target = warm.state, warm.blocks, warm.target

    def next_block(number: int) -> Draws:
        nonlocal state
        block_key = jax.random.fold_in(key, MAX_WARMUP + 1 + number)
        state, block = nuts_block(log_density, state, block_key, jnp.zeros(()), draws)
        counts = {
            "divergences": int(np.asarray(block.divergent).sum()),
            "gradients": int(np.asarray(block.leapfrog_steps).sum()),
        }
        return Draws(*map(_by_chain, (block.theta, block.log_density, block.acceptance)), counts)

    out = until_effective(next_block, ess, max_blocks)
    settings = {"step_size": float(state.step_size), "warmup_draws": warmup * draws, "target_acceptance": target}
    return Draws(out.theta, out.log_density, out.acceptance, {**out.counts, **settings}), state


def _by_chain(x: Float[Array | np.ndarray, "draw chain *d"]) -> Float[np.ndarray, "chain draw *d"]:
    return np.swapaxes(np.asarray(x), 0, 1)
