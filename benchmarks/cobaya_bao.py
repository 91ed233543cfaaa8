"""Cobaya's DESI likelihood in the loop: it has no gradient, and is no quadratic of what is emulated.

The studies of desi.py, with Cobaya's `bao.desi_dr2.desi_bao_all` in the place of the built-in data: exact calls beside
those that the built-in likelihood of the same data takes, seconds of each. What a quadratic misses is learned, too
(`alfonsine/likelihood/higher_orders.py`); `--quadratic` leaves that out.

    python benchmarks/cobaya_bao.py --packages COBAYA_PACKAGES [--quadratic] [--output FOLDER]
"""

import argparse
import json
import tempfile
import time
from pathlib import Path

import desi

from alfonsine.likelihood import opaque
from alfonsine.study.prepare import prepare
from alfonsine.study.run import run
from alfonsine.study.settings import settings_from

BUILT_IN, COBAYA = "desi_dr2_bao_table", "bao.desi_dr2.desi_bao_all"
STUDIES = ("LCDM, BAO", "LCDM, BAO + CMB", "w0waCDM, BAO + CMB")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--packages", type=Path, required=True)
    parser.add_argument("--quadratic", action="store_true")
    parser.add_argument("--output", type=Path, default=None)
    asked = parser.parse_args()
    if asked.quadratic:
        opaque.NEGLIGIBLE = float("inf")  # whatever is missed counts as nothing
    place, rows = asked.output or Path(tempfile.mkdtemp()), {}
    for name in STUDIES:
        for likelihood in (BUILT_IN,) * (not asked.quadratic) + (COBAYA,):
            blocks = desi.studies()[name]
            blocks["likelihood"].pop(BUILT_IN)
            options = {"packages_path": str(asked.packages)} if likelihood == COBAYA else None
            blocks["likelihood"] = {likelihood: options, **blocks["likelihood"]}
            folder = place / f"{name} {likelihood}".replace(" ", "_").replace(",", "")
            began = time.perf_counter()
            result = run(prepare(settings_from(blocks), folder))
            record = json.loads((folder / "certificate.json").read_text(encoding="utf-8"))
            rows[f"{name}; {likelihood}"] = row = {
                "outcome": record["outcome"],
                "calls": record["solver_calls"]["total"],
                "kl": record["kl"]["estimate"],
                "kl_upper95": record["kl"]["upper95"],
                "seconds": round(time.perf_counter() - began, 1),
                **desi.summary(result),
            }
            print(f"{name:<20} {likelihood:<28}", "  ".join(f"{k} {v}" for k, v in row.items()), flush=True)
    print(json.dumps({"quadratic": asked.quadratic, "studies": rows}))


if __name__ == "__main__":
    main()
