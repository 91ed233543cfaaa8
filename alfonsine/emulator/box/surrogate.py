"""The surrogate of a box: Chebyshev series in the inputs on which each group of outputs depends."""

from collections.abc import Sequence

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float, Int

from alfonsine.emulator.blockwise import Blockwise
from alfonsine.emulator.box.chebyshev import powers
from alfonsine.emulator.box.cube import Cube
from alfonsine.emulator.scaling import Scaling


class Terms(eqx.Module):
    """Products of Chebyshev polynomials of some of the inputs.

    inputs   their positions in theta
    cube     of these inputs
    table    (terms, d) degrees
    """

    inputs: tuple[int, ...] = eqx.field(static=True)
    cube: Cube
    table: Int[Array, "terms d"]
    picks: tuple[Float[Array, "powers terms"], ...]

    def __init__(self, inputs: Sequence[int], cube: Cube, table: Int[Array, "terms d"], precision: str) -> None:
        """Spell out which power of which input each term takes: products, since a look-up's gradient is a scatter."""
        self.inputs, self.cube, self.table = tuple(inputs), cube, table
        self.picks = tuple(
            jnp.asarray(np.arange(column.max() + 1)[:, None] == column[None, :], dtype=precision)
            for column in np.asarray(table).T
        )

    def __call__(self, theta: Float[Array, " d"]) -> Float[Array, " terms"]:
        """Evaluate every term at one point, in the precision of the picks."""
        if not self.inputs:
            return jnp.ones(len(self.table))
        u = self.cube(jnp.stack([theta[i] for i in self.inputs])).astype(self.picks[0].dtype)
        product = jnp.ones(len(self.table), u.dtype)
        highest = max(len(pick) for pick in self.picks)
        for each, pick in zip(powers(u, highest), self.picks, strict=True):
            product = product * (each[: len(pick)] @ pick)
        return product

    def equals(self, other: "Terms") -> bool:
        """Whether both are the same functions of theta."""
        mine, theirs = ((*jax.tree.leaves(t.cube), t.table) for t in (self, other))
        return self.inputs == other.inputs and all(map(np.array_equal, mine, theirs))


class ChebyshevBlock(eqx.Module):
    r"""Amplitudes :math:`s(\theta)\,[1, g_e(\theta), c(u)]`: exact scaling, known slopes, series.

    slopes         positions in theta of parameters whose effect on what is learned is known to be a line: with
                   g = theta_e - origin_e, or the logarithm of their ratio where the second entry is true
    scaling        factor s; its origin is also that of the slopes
    coefficients   (terms, k)
    """

    slopes: tuple[tuple[int, bool], ...] = eqx.field(static=True)
    scaling: Scaling
    coefficients: Float[Array, "terms k"]

    @property
    def size(self) -> int:
        """Number of amplitudes."""
        return 1 + len(self.slopes) + self.coefficients.shape[1]

    def __call__(self, theta: Float[Array, " d"], terms: Float[Array, " terms"]) -> Float[Array, " k"]:
        """Evaluate the amplitudes at one point, given the terms there."""
        origin = self.scaling.origin
        known = [jnp.log(theta[i] / origin[i]) if log else theta[i] - origin[i] for i, log in self.slopes]
        series = terms @ self.coefficients
        return self.scaling(theta) * jnp.concatenate([jnp.stack([jnp.ones(()), *known]), series])


class ChebyshevSurrogate(Blockwise):
    """Chebyshev series of several groups of outputs, of which those that bend alike share their terms.

    blocks   one for each group of outputs
    terms    evaluated once at each point
    shared   which of the terms each block is a series in
    """

    blocks: tuple[ChebyshevBlock, ...]
    terms: tuple[Terms, ...]
    shared: tuple[int, ...] = eqx.field(static=True)

    @classmethod
    def of(cls, pairs: Sequence[tuple[Terms, ChebyshevBlock]]) -> "ChebyshevSurrogate":
        """Blocks, each with its terms; those that are equal are kept once."""
        distinct: list[Terms] = []
        shared = []
        for terms, _ in pairs:
            same = next((i for i, known in enumerate(distinct) if known.equals(terms)), len(distinct))
            distinct += [terms] if same == len(distinct) else []
            shared.append(same)
        return cls(tuple(block for _, block in pairs), tuple(distinct), tuple(shared))

    def only(self, wanted: Sequence[int]) -> "ChebyshevSurrogate":
        """The same function with some of its blocks."""
        return self.of([(self.terms[self.shared[i]], self.blocks[i]) for i in wanted])

    def __call__(self, theta: Float[Array, " d"]) -> Float[Array, " K"]:
        """Evaluate the amplitudes at one point."""
        terms = [each(theta) for each in self.terms]
        return jnp.concatenate([b(theta, terms[i]) for b, i in zip(self.blocks, self.shared, strict=True)])
