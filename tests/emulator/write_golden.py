"""Write the golden file of today's format, once per format: `python tests/emulator/write_golden.py`.

A file that is there already is what users have on disk: it is never written again.
"""

import json
from pathlib import Path

import numpy as np
from toy_sky import draws, small_emulator

from alfonsine.emulator.storage import FORMAT, load_emulator, save_emulator

GOLDEN = Path(__file__).parent / "golden"


def main() -> None:
    path = GOLDEN / f"format-{FORMAT}.safetensors"
    if path.exists():
        raise SystemExit(f"{path.name} is there already; raise FORMAT where the format has changed")
    GOLDEN.mkdir(exist_ok=True)
    save_emulator(small_emulator(), path)
    emulator, theta = load_emulator(path), draws(3, seed=99, reach=1.5)
    record = {
        "names": emulator.names,
        "theta": theta.tolist(),
        "outputs": {name: np.asarray(values).tolist() for name, values in emulator(theta).items()},
        "card": emulator.card,
    }
    path.with_suffix(".json").write_text(json.dumps(record, sort_keys=True) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
