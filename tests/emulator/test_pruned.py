"""A surrogate of many monomials without those that do nothing is the same function, in one of a few shapes."""

import jax.numpy as jnp
import numpy as np
import pytest

from alfonsine.emulator.around.coordinates import Coordinates
from alfonsine.emulator.around.features import Features
from alfonsine.emulator.around.surrogate import FEW, Block, Surrogate
from alfonsine.emulator.scaling import Scaling
from alfonsine.space.polynomial import monomials

D = 12
TABLE = monomials(D, 3)  # 455 terms
NAMES = tuple(f"x{i}" for i in range(D))


def surrogate(used, order=3):
    """Two blocks, of which each uses every other of `used` terms drawn at random."""
    table = monomials(D, order)
    rng = np.random.default_rng(used)
    rows = rng.choice(np.arange(1, len(table)), used, replace=False)
    blocks = []
    for mine in (rows[::2], rows[1::2]):
        coefficients = np.zeros((len(table), 3))
        coefficients[mine] = rng.normal(size=(len(mine), 3))
        blocks.append(Block(Scaling.of("data", NAMES, np.ones(D)), jnp.asarray(coefficients), None))
    return Surrogate(Coordinates(jnp.zeros(D), jnp.ones(D), Features.identity(D)), jnp.asarray(table), tuple(blocks))


@pytest.mark.parametrize("used", [1, 40, 250, 300])
def test_it_is_the_same_function(used):
    whole, theta = surrogate(used), jnp.asarray(np.random.default_rng(1).normal(size=D))
    np.testing.assert_allclose(whole.pruned()(theta), whole(theta), rtol=1e-12, atol=1e-12)


def test_its_number_of_terms_is_one_of_a_few():
    assert [len(surrogate(used).pruned().table) for used in (1, 40, 250)] == [FEW] * 3
    assert len(surrogate(300).pruned().table) == len(TABLE)  # 512 would be more than there are
    assert len(np.unique(surrogate(40).pruned().table, axis=0)) == FEW


def test_few_terms_are_left_alone():
    small = surrogate(20, order=2)
    assert small.pruned() is small
