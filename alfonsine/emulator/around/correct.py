"""Whether a network improves on the polynomial, asked of points that neither has seen."""

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Bool, Float, Int

from alfonsine.emulator.around.network import Ensemble, Training, train
from alfonsine.emulator.around.relevant import best_trend
from alfonsine.emulator.around.trend import Trend
from alfonsine.space.polynomial import values

HELD_OUT = 0.2
WORTH = 0.9  # the held-out error must fall at least to this fraction
SURE = 2.0  # and by this many of its standard errors
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
    held out of both the trend and the network that corrects it: half of them decide when to stop, and the other
    half, which has chosen nothing, whether it helps. Where the network is used, the residual of a point it has
    seen is scaled up to the size of those it has not.
    """
    n = len(u)
    poor = np.average(full.residuals**2, axis=0, weights=weights) > NEGLIGIBLE
    if not poor.any():
        return None
    order = np.asarray(jax.random.permutation(key, n))
    size = max(int(HELD_OUT * n / 2), 2)
    stop, verdict, seen = (np.sort(rows) for rows in np.split(order, [size, 2 * size]))
    partial = best_trend(u[seen], components[seen], table, weights[seen])
    residuals = components - values(u, table) @ partial.coefficients
    used = np.concatenate([seen, stop])
    validation = np.arange(len(seen), len(used))
    ensemble = train(u[used], residuals[used], validation, jax.random.fold_in(key, 1), Training())
    left = residuals - np.asarray(jax.vmap(ensemble)(jnp.asarray(u)))
    helps = poor & better(full.residuals[verdict] ** 2, left[verdict] ** 2, weights[verdict])
    if not helps.any():
        return None
    after = np.average(left[verdict] ** 2, axis=0, weights=weights[verdict])
    inflate = np.sqrt(after / np.maximum(np.mean(left[used] ** 2, axis=0), 1e-300))
    left[used] *= np.maximum(inflate, 1.0)
    ensemble = Ensemble(ensemble.members, jnp.where(jnp.asarray(helps), ensemble.scale, 0.0))
    return (
        np.where(helps, partial.coefficients, full.coefficients),
        np.where(helps, left, full.residuals),
        ensemble,
    )


def better(
    before: Float[np.ndarray, "v k"], after: Float[np.ndarray, "v k"], weights: Float[np.ndarray, " v"]
) -> Bool[np.ndarray, " k"]:
    """For which components the squared error fell by a worthwhile fraction, and by more than chance."""
    share = weights / weights.sum()
    gain = before - after
    mean = share @ gain
    error = np.sqrt(share**2 @ (gain - mean) ** 2)
    return (share @ after < WORTH * (share @ before)) & (mean > SURE * error)
