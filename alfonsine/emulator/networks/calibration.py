"""How far to trust the disagreement of the members of an ensemble."""

import equinox as eqx
import jax.numpy as jnp
import numpy as np
from jaxtyping import Float, Int

from alfonsine.emulator.networks.rows import Rows
from alfonsine.emulator.networks.trained import TrainedNetwork
from alfonsine.errors import InputError

SHARE = 0.6827  # of a normal distribution within one standard deviation


def calibrate(trained: TrainedNetwork, rows: Rows, ids: Int[np.ndarray, " n"], at_a_time: int = 256) -> TrainedNetwork:
    r"""Find for each output the factor f that makes mean +- f spread cover held-out truth as one sigma should.

    .. math:: f = Q_{0.6827}\left(|x - \bar x| / s\right)

    over the rows `ids` and all entries, x the exact output, :math:`\bar x` and s mean and standard deviation of the
    members, all before the last elementwise function. Members that agree with each other and not with the truth get a
    large f. Rows that chose the weights (validation) understate it: give others. Errors of a smooth output are alike
    from entry to entry, so the error of the coverage is that of about as many independent cases as there are rows.
    """
    if trained.members < 2:
        raise InputError(f"expected an ensemble of two members at least, got {trained.members}; train with more")
    if not len(ids):
        raise InputError("expected held-out rows to calibrate on, got none; give the test rows")
    ratios = {name: np.concatenate(found) for name, found in _ratios(trained, rows, ids, at_a_time).items()}
    factors = {}
    for name, ratio in ratios.items():
        finite = ratio[np.isfinite(ratio)]
        factors[name] = float(np.quantile(finite, SHARE)) if len(finite) else 1.0
    return trained.with_factors(factors)


def coverage(trained: TrainedNetwork, rows: Rows, ids: Int[np.ndarray, " n"], at_a_time: int = 256) -> dict[str, float]:
    """Share of entries of each output, over some rows, that lie within the calibrated error of the prediction."""
    found = _ratios(trained, rows, ids, at_a_time)
    kept = {name: (r := np.concatenate(pieces))[np.isfinite(r)] for name, pieces in found.items()}
    factors = {output.name: f for output, f in zip(trained.outputs, trained.factors, strict=True)}
    return {name: float(np.mean(ratio <= factors[name])) for name, ratio in kept.items()}


def _ratios(
    trained: TrainedNetwork, rows: Rows, ids: Int[np.ndarray, " n"], at_a_time: int
) -> dict[str, list[Float[np.ndarray, " r"]]]:
    """|error| / spread of every entry of every row; not a number where members and truth agree exactly.

    Compared at the nodes where there are nodes: what a spline adds is no matter of the network.
    """
    found: dict[str, list[np.ndarray]] = {output.name: [] for output in trained.outputs}
    ends = np.cumsum((0, *trained.sizes))
    predict = eqx.filter_jit(
        lambda record, u: record.chain.inner(eqx.filter_vmap(lambda n: n(u))(record.network).astype(float))
    )
    for first in range(0, len(ids), at_a_time):
        piece = ids[first : first + at_a_time]
        u = ((rows.theta(piece) - np.asarray(trained.shift)) / np.asarray(trained.scale)).astype(np.float32)
        each = np.asarray(predict(trained, jnp.asarray(u)))
        truth = np.asarray(trained.chain.normalisation.before(jnp.asarray(rows.values(piece), float)))
        spread = each.std(axis=0, ddof=1)
        error = np.abs(truth - each.mean(axis=0))
        with np.errstate(divide="ignore", invalid="ignore"):
            ratio = np.where(spread > 0, error / spread, np.nan)
        for i, output in enumerate(trained.outputs):
            found[output.name].append(ratio[:, ends[i] : ends[i + 1]].ravel())
    return found
