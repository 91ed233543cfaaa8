"""Outputs divided into blocks and put together again."""

import numpy as np
import pytest
from toy_sky import draws, spectra

from alfonsine.emulator.around.blocks import divide, put, take

OUTPUTS = spectra(draws(5, seed=0))
SIZES = {name: values.shape[1] for name, values in OUTPUTS.items()}


def test_every_row_is_in_exactly_one_block():
    seen = {name: np.zeros(size, dtype=int) for name, size in SIZES.items()}
    for block in divide(SIZES):
        for piece in block:
            seen[piece.name][piece.start : piece.stop] += 1
    assert all((counts == 1).all() for counts in seen.values())


def test_taking_and_putting_gives_the_outputs_back():
    whole = {name: np.zeros_like(values) for name, values in OUTPUTS.items()}
    for block in divide(SIZES):
        taken = take(OUTPUTS, block)
        for name, part in put(taken, block, SIZES).items():
            whole[name] += part
        np.testing.assert_array_equal(take(put(taken, block, SIZES), block), taken)
    for name, values in OUTPUTS.items():
        np.testing.assert_array_equal(whole[name], values)


def test_the_reionisation_bump_stands_alone():
    """Multipoles 2 to 29 of polarisation, and no temperature: e^(-2 tau) does not hold there."""
    alone = [block for block in divide(SIZES) if {piece.name for piece in block} == {"te", "ee"}]
    assert [(piece.start + 2, piece.stop + 1) for piece in alone[0]] == [(2, 29), (2, 29)]
    assert not any(piece.name == "tt" and piece.stop != SIZES["tt"] for block in divide(SIZES) for piece in block)


def test_the_bump_ends_at_the_same_multipole_at_nodes():
    ell = np.array([2.0, 10.0, 29.0, 30.0, 500.0])
    (damped, bump) = divide({"tt": 5, "ee": 5}, {"tt": ell, "ee": ell})
    assert [(p.name, p.start, p.stop) for p in (*damped, *bump)] == [("tt", 0, 5), ("ee", 3, 5), ("ee", 0, 3)]
    assert divide({"ee": 2}, {"ee": np.array([40.0, 500.0])}) == [(("ee", 0, 2),)]


@pytest.mark.parametrize(
    ("sizes", "names"),
    [
        ({"tt": 9}, [["tt"]]),
        ({"pp": 9, "tt": 9}, [["tt"], ["pp"]]),
        ({"ee": 28}, [["ee"]]),
        ({"derived": 2, "bao": 4, "pk": 3}, [["derived"], ["bao", "pk"]]),
    ],
)
def test_blocks_that_would_be_empty_do_not_exist(sizes, names):
    assert [[piece.name for piece in block] for block in divide(sizes)] == names
