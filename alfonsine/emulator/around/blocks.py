"""How the outputs are divided: pieces of spectra that share an exact scaling and bend in the same way."""

from collections.abc import Mapping
from types import MappingProxyType
from typing import NamedTuple

import numpy as np
from jaxtyping import Float

from alfonsine.emulator.scaling import DAMPED, PROPORTIONAL

REIONISATION = 30  # below this multipole polarisation is the reionisation bump, steep in the optical depth
POLARISED = ("te", "ee", "bb")


class Piece(NamedTuple):
    """Rows start..stop of one output."""

    name: str
    start: int
    stop: int


def divide(
    sizes: Mapping[str, int], multipoles: Mapping[str, Float[np.ndarray, " _"]] = MappingProxyType({})
) -> list[tuple[Piece, ...]]:
    """Blocks of pieces: damped spectra; their reionisation bump; undamped spectra; derived; anything else.

    Sizes are numbers of rows; multipoles are 2, 3, ... where not given.
    """
    damped, bump, undamped, derived, rest = [], [], [], [], []
    for name, size in sizes.items():
        low = int(np.searchsorted(multipoles.get(name, np.arange(size) + 2.0), REIONISATION))
        if name in POLARISED and 0 < low < size:
            bump.append(Piece(name, 0, low))
            damped.append(Piece(name, low, size))
        elif name in DAMPED:
            damped.append(Piece(name, 0, size))
        elif name in PROPORTIONAL:
            undamped.append(Piece(name, 0, size))
        elif name == "derived":
            derived.append(Piece(name, 0, size))
        else:
            rest.append(Piece(name, 0, size))
    return [tuple(block) for block in (damped, bump, undamped, derived, rest) if block]


def take(outputs: Mapping[str, np.ndarray], block: tuple[Piece, ...]) -> np.ndarray:
    """Stack the pieces of one block side by side, (n, m)."""
    return np.hstack([outputs[piece.name][:, piece.start : piece.stop] for piece in block])


def put(changes: np.ndarray, block: tuple[Piece, ...], sizes: Mapping[str, int]) -> dict[str, np.ndarray]:
    """Full-size outputs that are zero everywhere but in one block."""
    full = {name: np.zeros((len(changes), size)) for name, size in sizes.items()}
    first = 0
    for piece in block:
        width = piece.stop - piece.start
        full[piece.name][:, piece.start : piece.stop] = changes[:, first : first + width]
        first += width
    return full
