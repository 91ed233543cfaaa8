"""The function that is learned: parameters to a short vector in which every output is linear."""

from collections.abc import Sequence
from functools import reduce

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float, Int

from alfonsine.emulator.around.coordinates import Coordinates
from alfonsine.emulator.around.network import Ensemble
from alfonsine.emulator.scaling import Scaling

FEW = 256  # monomials of which none is left out
NOTHING = 1e-7  # coefficient, in errors of the data at inputs of order one, that is taken for zero


class Block(eqx.Module):
    r"""Outputs that share one exact scaling and one set of components: a = s(theta) [1, c(theta)].

    coefficients   (terms, k) trend of each component
    network        correction to the trend, or None
    """

    scaling: Scaling
    coefficients: Float[Array, "terms k"]
    network: Ensemble | None


class Surrogate(eqx.Module):
    """Amplitudes a(theta), K numbers; an output is a matrix times a(theta).

    Only arrays live here: a refitted surrogate of equal shapes runs through the same compiled code.

    table   (terms, order) index table of the monomials

    What follows is spelled out once from these, so that one point takes few and small operations:

    pick     (1 + d, order * terms) the table as zeros and ones: the factors of a monomial are picked by a product,
             since the gradient of an index look-up is a scatter, which costs more on a CPU than all else here
    trend    (terms, K) coefficients of all blocks side by side, with 1 for the first amplitude of each
    scaling  those of all blocks, with a leading axis
    spread   (block, K) which amplitudes belong to which block
    """

    coordinates: Coordinates
    table: Int[Array, "terms order"]
    blocks: tuple[Block, ...]
    pick: Float[Array, "v factors"]
    trend: Float[Array, "terms K"]
    scaling: Scaling
    spread: Float[Array, "block K"]

    def __init__(self, coordinates: Coordinates, table: Int[Array, "terms order"], blocks: tuple[Block, ...]) -> None:
        """Spell the parts out."""
        self.coordinates, self.table, self.blocks = coordinates, table, blocks
        v = jnp.arange(1 + coordinates.centre.size)
        self.pick = (v[:, None] == table.T.reshape(-1)[None, :]).astype(float)
        first = jnp.zeros((len(table), 1)).at[0, 0].set(1.0)  # the constant monomial comes first
        self.trend = jnp.hstack([piece for block in blocks for piece in (first, block.coefficients)])
        self.scaling = jax.tree.map(lambda *x: jnp.stack(x), *[block.scaling for block in blocks])
        owner = np.repeat(np.arange(len(blocks)), self.sizes)
        self.spread = jnp.asarray(np.arange(len(blocks))[:, None] == owner[None, :], dtype=float)

    @property
    def sizes(self) -> tuple[int, ...]:
        """Amplitudes per block."""
        return tuple(1 + block.coefficients.shape[1] for block in self.blocks)

    def pruned(self) -> "Surrogate":
        """The same function without monomials that do nothing, where there are many.

        Some of those are kept so that their number is one of a few: a refit then mostly runs through compiled code.
        """
        terms = len(self.table)
        if terms <= FEW:
            return self
        size = np.max([np.abs(np.asarray(block.coefficients)).max(axis=1) for block in self.blocks], axis=0)
        size[0] = np.inf  # the constant comes first, whatever it is
        used = int(np.sum(size > NOTHING))
        count = min(terms, max(FEW, 2 ** int(np.ceil(np.log2(used)))))
        rows = np.sort(np.argsort(-size, kind="stable")[:count])
        blocks = tuple(Block(b.scaling, b.coefficients[rows], b.network) for b in self.blocks)
        return Surrogate(self.coordinates, self.table[rows], blocks)

    def only(self, wanted: Sequence[int]) -> "Surrogate":
        """The same function with some of its blocks."""
        return Surrogate(self.coordinates, self.table, tuple(self.blocks[i] for i in wanted))

    def __call__(self, theta: Float[Array, " d"]) -> Float[Array, " K"]:
        """Evaluate the amplitudes at one point."""
        u = self.coordinates(theta)
        factors = (jnp.concatenate([jnp.ones(1), u]) @ self.pick).reshape(self.table.shape[::-1])
        values = reduce(jnp.multiply, list(factors)) @ self.trend
        first = 0
        for block, size in zip(self.blocks, self.sizes, strict=True):
            if block.network is not None:
                values = values.at[first + 1 : first + size].add(block.network(u))
            first += size
        return values * (jax.vmap(lambda scaling: scaling(theta))(self.scaling) @ self.spread)
