"""The main job on real data: exact calls, certified KL, and 200 further exact calls that confirm it.

    python benchmarks/planck_lcdm.py [FOLDER] [--fresh 200] [--seed 1]

runs examples/planck_lcdm.yaml (data sets by ALFONSINE_DATA), renders the report, then judges the result again with
fresh exact calls. Every call is archived in FOLDER, so the same command goes on where it was stopped. Prints a table
and, as its last line, one JSON object.
"""

import time

BEGUN = time.perf_counter()

import argparse  # noqa: E402
import json  # noqa: E402
from pathlib import Path  # noqa: E402

from finished import finished  # noqa: E402

from alfonsine.certificate.record import as_dict  # noqa: E402
from alfonsine.report.report import render  # noqa: E402
from alfonsine.study.certify import recertify  # noqa: E402
from alfonsine.study.prepare import prepare  # noqa: E402
from alfonsine.study.run import run  # noqa: E402
from alfonsine.study.settings import read_study  # noqa: E402

STUDY = Path(__file__).parents[1] / "examples" / "planck_lcdm.yaml"


def main() -> None:
    """Run, judge again, print."""
    parser = argparse.ArgumentParser()
    parser.add_argument("folder", type=Path, nargs="?", default=Path("runs/benchmark_planck_lcdm"))
    parser.add_argument("--fresh", type=int, default=200)
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()
    settings = read_study(STUDY).model_copy(update={"seed": options.seed})
    study = prepare(settings, options.folder)
    run(study)
    render(options.folder)
    total = time.perf_counter() - BEGUN
    fresh = as_dict(recertify(study, options.fresh)) if options.fresh else None
    found = finished(options.folder)
    found |= {
        "kl_fresh": fresh and fresh["kl"]["estimate"],
        "kl_fresh_upper95": fresh and fresh["kl"]["upper95"],
        "seconds_not_solver": round(total - found["seconds_solver"], 1),  # imports and the report included
        "away_from_published": published(study, options.folder),
        "seed": options.seed,
    }
    width = max(map(len, found))
    for name, value in found.items():
        print(f"{name:<{width}}  {value}")
    print(json.dumps(found))


def published(study, folder: Path) -> dict[str, float]:
    """Marginal means against the published ones, in published standard deviations."""
    import numpy as np

    stored = np.load(folder / "posterior.npz", allow_pickle=False)
    names = [*stored["names"], *stored["derived_names"]]
    mean = np.average(np.hstack([stored["samples"], stored["derived"]]), axis=0, weights=stored["weights"])
    reference = study.settings.published.parameters
    return {
        name: round(float(mean[names.index(name)] - value[0]) / (0.5 * (value[1] + value[2])), 3)
        for name, value in reference.items()
    }


if __name__ == "__main__":
    main()
