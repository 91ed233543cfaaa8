"""The surrogate of a box: Chebyshev series in the inputs on which each group of outputs depends."""

from collections.abc import Sequence

import equinox as eqx
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float, Int

from alfonsine.emulator.around.network import Ensemble
from alfonsine.emulator.blockwise import Blockwise
from alfonsine.emulator.box.cube import Cube
from alfonsine.emulator.scaling import Scaling


class ChebyshevBlock(eqx.Module):
    r"""Amplitudes :math:`s(\theta)\,[1, g_e(\theta), c(u)]`: exact scaling, known slopes, series.

    inputs         positions in theta of the inputs of the series
    slopes         positions in theta of parameters whose effect on what is learned is known to be a line: with
                   g = theta_e - origin_e, or the logarithm of their ratio where the second entry is true
    scaling        factor s; its origin is also that of the slopes
    cube           of the inputs
    table          (terms, d) degrees of each term
    coefficients   (terms, k)
    network        correction to the series, or None
    """

    inputs: tuple[int, ...] = eqx.field(static=True)
    slopes: tuple[tuple[int, bool], ...] = eqx.field(static=True)
    scaling: Scaling
    cube: Cube
    table: Int[Array, "terms d"]
    coefficients: Float[Array, "terms k"]
    network: Ensemble | None
    picks: tuple[Float[Array, "powers terms"], ...]

    def __init__(
        self,
        inputs: Sequence[int],
        slopes: Sequence[tuple[int, bool]],
        scaling: Scaling,
        cube: Cube,
        table: Int[Array, "terms d"],
        coefficients: Float[Array, "terms k"],
        network: Ensemble | None = None,
    ) -> None:
        """Spell out which power of which input each term takes: products, since a look-up's gradient is a scatter."""
        self.inputs, self.scaling, self.cube = tuple(inputs), scaling, cube
        self.slopes = tuple((int(i), bool(log)) for i, log in slopes)
        self.table, self.coefficients, self.network = table, coefficients, network
        degrees = np.asarray(table)
        self.picks = tuple(
            jnp.asarray(np.arange(column.max() + 1)[:, None] == column[None, :], dtype=coefficients.dtype)
            for column in degrees.T
        )

    @property
    def size(self) -> int:
        """Number of amplitudes."""
        return 1 + len(self.slopes) + self.coefficients.shape[1]

    def __call__(self, theta: Float[Array, " d"]) -> Float[Array, " k"]:
        """Evaluate the amplitudes at one point."""
        u = self.cube(jnp.stack([theta[i] for i in self.inputs])) if self.inputs else jnp.zeros(0)
        u = u.astype(self.coefficients.dtype)
        product = jnp.ones(len(self.table), u.dtype)
        if self.inputs:
            highest = max(len(pick) for pick in self.picks)
            for each, pick in zip(powers(u, highest), self.picks, strict=True):
                product = product * (each[: len(pick)] @ pick)
        series = product @ self.coefficients
        if self.network is not None:
            series = series + self.network(u)
        origin = self.scaling.origin
        known = [jnp.log(theta[i] / origin[i]) if log else theta[i] - origin[i] for i, log in self.slopes]
        return self.scaling(theta) * jnp.concatenate([jnp.stack([jnp.ones(()), *known]), series])


def powers(x: Float[Array, " d"], count: int) -> Float[Array, "d count"]:
    """T_0(x) to T_{count - 1}(x), their number doubled at each step: T_{m+j} = 2 T_m T_j - T_{m-j}."""
    found = jnp.stack([jnp.ones_like(x), x], axis=1)
    while found.shape[1] < count:
        last = found[:, -1:]
        found = jnp.concatenate([found, 2.0 * last * found[:, 1:] - found[:, -2::-1]], axis=1)
    return found[:, :count]


class ChebyshevSurrogate(Blockwise):
    """Chebyshev series, one for each group of outputs that bend alike."""

    blocks: tuple[ChebyshevBlock, ...]
