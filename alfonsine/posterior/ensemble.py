r"""The affine-invariant ensemble with stretch moves, for tempered targets and for those without gradient.

Each half of the walkers moves along lines through walkers of the other half,

.. math:: x_k' = x_j + \zeta\,(x_k - x_j), \quad g(\zeta) \propto \zeta^{-1/2} \text{ on } [1/a, a], \quad
   \Pr(\text{accept}) = \min\left(1, \zeta^{d-1}\,p(x_k')/p(x_k)\right).

The move is written once; only the evaluation of the density differs: inside one compiled scan for a jax density, by a
plain call for any other. Source: Goodman & Weare 2010 (CAMCoS 5, 65); halves: Foreman-Mackey et al. 2013
(arXiv:1202.3665).
"""

from collections.abc import Callable

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float, PRNGKeyArray

from alfonsine.errors import InputError
from alfonsine.posterior.evaluate import batch_value
from alfonsine.posterior.generator import generator
from alfonsine.posterior.until import Draws, until_effective

STRETCH = 2.0  # the a of the formula
DRAWS = 200  # kept per walker and block

Evaluate = Callable[[Float[Array, "n d"]], Float[Array | np.ndarray, " n"]]
Numbers = Float[Array | np.ndarray, " half"]


class Walkers(eqx.Module):
    """The ensemble: positions (walker, d) and their log densities (walker,)."""

    position: Float[Array, "walker d"]
    log_density: Float[Array, " walker"]


def stretch_move(
    walkers: Walkers, uniform: Float[Array | np.ndarray, "2 3 half"], evaluate: Evaluate
) -> tuple[Walkers, Float[Array, " walker"]]:
    """Move both halves once; `evaluate` is the one thing to be supplied.

    The move is a plain function of uniform numbers on [0, 1): for each half and walker one for the stretch, one for the
    partner, one for the acceptance. Also returns 1 for the walkers that moved, 0 for the others.
    """
    half = walkers.position.shape[0] // 2
    halves = [jax.tree.map(lambda x, s=s: x[s], walkers) for s in (slice(0, half), slice(half, None))]
    moved = []
    for active in (0, 1):
        proposal, log_volume = _propose(halves[active], halves[1 - active], uniform[active, 0], uniform[active, 1])
        proposed = Walkers(proposal, jnp.asarray(evaluate(proposal)))
        halves[active], accepted = _accept(halves[active], proposed, log_volume, uniform[active, 2])
        moved.append(accepted)
    return jax.tree.map(lambda *x: jnp.concatenate(x), *halves), jnp.concatenate(moved)


@jax.jit
def _propose(
    active: Walkers, others: Walkers, for_stretch: Numbers, for_partner: Numbers
) -> tuple[Float[Array, "half d"], Float[Array, " half"]]:
    n, d = others.position.shape
    zeta = (1.0 + (STRETCH - 1.0) * for_stretch) ** 2 / STRETCH  # the inverse distribution function of g
    partner = others.position[(for_partner * n).astype(int)]
    return partner + zeta[:, None] * (active.position - partner), (d - 1) * jnp.log(zeta)


@jax.jit
def _accept(
    active: Walkers, proposed: Walkers, log_volume: Float[Array, " half"], for_acceptance: Numbers
) -> tuple[Walkers, Float[Array, " half"]]:
    value = jnp.where(jnp.isnan(proposed.log_density), -jnp.inf, proposed.log_density)
    accepted = jnp.log(for_acceptance) < log_volume + value - active.log_density
    position = jnp.where(accepted[:, None], proposed.position, active.position)
    return Walkers(position, jnp.where(accepted, value, active.log_density)), accepted.astype(float)


@eqx.filter_jit
def _compiled_block(
    log_density: Callable, walkers: Walkers, uniform: Float[Array, "draw thin 2 3 half"]
) -> tuple[Walkers, Walkers, Float[Array, "draw walker"]]:
    evaluate = jax.vmap(log_density)

    def kept(walkers, uniform):
        walkers, moved = jax.lax.scan(lambda w, u: stretch_move(w, u, evaluate), walkers, uniform)
        return walkers, (walkers, jnp.mean(moved, axis=0))

    walkers, (history, rate) = jax.lax.scan(kept, walkers, uniform)
    return walkers, history, rate


def _called_block(
    evaluate: Callable, walkers: Walkers, uniform: Float[Array, "draw thin 2 3 half"]
) -> tuple[Walkers, Walkers, Float[np.ndarray, "draw walker"]]:
    """The draws of `_compiled_block` by calls of a plain function."""
    history, rates = [], []
    for numbers in np.asarray(uniform):
        moves = []
        for u in numbers:
            walkers, moved = stretch_move(walkers, u, evaluate)
            moves.append(moved)
        history.append(walkers)
        rates.append(np.mean(moves, axis=0))
    return walkers, jax.tree.map(lambda *x: np.stack(x), *history), np.stack(rates)


def sample_ensemble(
    log_density: Callable,
    start: Float[Array | np.ndarray, "walker d"],
    key: PRNGKeyArray,
    *,
    ess: float = 1_000,
    draws: int = DRAWS,
    thin: int = 5,
    warmup_blocks: int = 2,
    max_blocks: int = 100,
    compiled: bool = True,
) -> Draws:
    """Sample until every parameter has `ess` effective draws, bulk and tail, or `max_blocks` blocks are spent.

    log_density  with `compiled`, a jax density of one point (d,); without, any function of a numpy batch (n, d) -> (n,)
    start        an even number of walkers, at least 2 d, spread and not in a plane: draws of a Laplace approximation
    draws, thin  each block keeps `draws` states of all walkers, one in `thin`

    Walkers count as chains. They are not quite independent: for d parameters use well above 2 d of them, or the
    effective size is overstated.
    """
    walkers, d = start.shape
    if walkers % 2 or walkers < 2 * d:
        raise InputError(f"expected an even number of walkers, at least {2 * d}, got {walkers}")
    if compiled:
        value = batch_value(log_density)(jnp.asarray(start, float))
        block = _compiled_block
    else:
        evaluate = _checked(log_density)
        value, log_density, block = jnp.asarray(evaluate(start)), evaluate, _called_block
    if not np.all(np.isfinite(value)):
        raise InputError(
            f"expected walkers that start where the density is finite, got {int(np.sum(~np.isfinite(value)))} of "
            f"{walkers} outside; start nearer to the mode"
        )
    state = Walkers(jnp.asarray(start, float), value)

    def uniform(number: int) -> Array:
        numbers = generator(jax.random.fold_in(key, number)).random((draws, thin, 2, 3, walkers // 2))
        return jnp.asarray(numbers)

    for number in range(warmup_blocks):
        state, _, _ = block(log_density, state, uniform(number))

    def next_block(number: int) -> Draws:
        nonlocal state
        state, history, rate = block(log_density, state, uniform(warmup_blocks + number))
        chains = (np.swapaxes(np.asarray(x), 0, 1) for x in (history.position, history.log_density, rate))
        return Draws(*chains, {"evaluations": walkers * draws * thin})

    return until_effective(next_block, ess, max_blocks)


def _checked(function: Callable) -> Callable:
    """A plain batch function, held to its shape."""

    def evaluate(theta):
        theta = np.asarray(theta)
        value = np.asarray(function(theta), float)
        if value.shape != theta.shape[:1]:
            raise InputError(
                f"expected a log density of {len(theta)} points to have shape ({len(theta)},), got {value.shape}"
            )
        return value

    return evaluate
