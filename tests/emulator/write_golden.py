"""Write the golden files of today's format, each once: `python tests/emulator/write_golden.py`.

A file that is there already is what users have on disk: it is left as it is. Raise FORMAT where that has changed.
"""

import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
from box_sky import draws as box_draws
from box_sky import fitted
from dense_sky import dense_emulator
from own_sky import own_emulator
from toy_set import points
from toy_sky import draws, small_emulator

from alfonsine.emulator.emulator import Emulator
from alfonsine.emulator.stored.file import FORMAT, load_emulator, save_emulator

GOLDEN = Path(__file__).parent / "golden"


def main() -> None:
    """One file for each kind of surrogate."""
    write("", small_emulator, draws(3, seed=99, reach=1.5))
    write("-chebyshev", lambda: fitted(n=40, components=4, terms=12).emulator, box_draws(3, seed=99))
    write("-dense", dense_emulator, box_draws(3, seed=99))
    write("-network", lambda: own_emulator(members=2), points(3, seed=99))


def write(kind: str, made: Callable[[], Emulator], theta: np.ndarray) -> None:
    """The file, and beside it what it predicts."""
    path = GOLDEN / f"format-{FORMAT}{kind}.safetensors"
    if path.exists():
        return
    GOLDEN.mkdir(exist_ok=True)
    save_emulator(made(), path)
    emulator = load_emulator(path, GOLDEN)
    record = {
        "names": emulator.names,
        "theta": theta.tolist(),
        "outputs": {name: np.asarray(values).tolist() for name, values in emulator(theta).items()},
        "card": emulator.card,
    }
    path.with_suffix(".json").write_text(json.dumps(record, sort_keys=True) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
