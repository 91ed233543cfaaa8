"""Whether a network improves on the polynomial, asked of points that neither has seen."""

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Float, Int

from alfonsine.emulator.network import Ensemble, Training, train
from alfonsine.emulator.trend import Trend, fit_trend
from alfonsine.space.polynomial import values

HELD_OUT = 0.2
WORTH = 0.9  # the held-out error must fall at least to this fraction
NEGLIGIBLE = 1e-8  # squared data errors; a component known better than that is left alone


def correct_trend(
    u: Float[np.ndarray, "n d"],
    components: Float[np.ndarray, "n k"],
    table: Int[np.ndarray, "terms order"],
    weights: Float[np.ndarray, " n"],
    full: Trend,
    key: jax.Array,
) -> tuple[Float[np.ndarray, "terms k"], Float[np.ndarray, "n k"], Ensemble] | None:
    """Trend plus network where it helps on held-out points, the full trend elsewhere; None where it helps nowhere.

    Returns coefficients, residuals that stand for points not seen, and the network. A fifth of the points is
    held out of both the trend and the network that corrects it. Where the network is used, the residual of a
    point it has seen is scaled up to the size of those it has not.
    """
    n = len(u)
    poor = np.average(full.residuals**2, axis=0, weights=weights) > NEGLIGIBLE
    if not poor.any():
        return None
    held_out = np.sort(np.asarray(jax.random.permutation(key, n)[: max(int(HELD_OUT * n), 2)]))
    seen = np.setdiff1d(np.arange(n), held_out)
    partial = fit_trend(u[seen], components[seen], table, weights[seen])
    residuals = components - values(u, table) @ partial.coefficients
    ensemble = train(u, residuals, held_out, jax.random.fold_in(key, 1), Training())
    left = residuals - np.asarray(jax.vmap(ensemble)(jnp.asarray(u)))
    before = np.average(full.residuals[held_out] ** 2, axis=0, weights=weights[held_out])
    after = np.average(left[held_out] ** 2, axis=0, weights=weights[held_out])
    helps = poor & (after < WORTH * before)
    if not helps.any():
        return None
    inflate = np.sqrt(after / np.maximum(np.mean(left[seen] ** 2, axis=0), 1e-300))
    left[seen] *= np.maximum(inflate, 1.0)
    ensemble = Ensemble(ensemble.members, jnp.where(jnp.asarray(helps), ensemble.scale, 0.0))
    return (
        np.where(helps, partial.coefficients, full.coefficients),
        np.where(helps, left, full.residuals),
        ensemble,
    )
