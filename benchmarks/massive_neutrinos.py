"""Neutrino mass and degeneracy in CONNECT's boxes: exact calls, certified KL, and further exact calls that confirm it.

    python benchmarks/massive_neutrinos.py [FOLDER] [--seeds 1 2] [--fresh 200] [--box]

runs examples/massive_neutrinos.yaml (data sets by ALFONSINE_DATA) with each seed, then judges the result of the first
again with fresh exact calls. With --box the references and proposals of the theory's parameters are taken out of the
study: the posterior is then looked for in the boxes alone. Every call is archived in FOLDER, one folder for each seed,
so the same command goes on where it was stopped. Prints a table and, as its last line, one JSON object: that of the
worst seed.
"""

import argparse
import json
import time
from pathlib import Path
from typing import Any

from finished import finished

from alfonsine.certificate.record import as_dict
from alfonsine.report.report import render
from alfonsine.study.certify import recertify
from alfonsine.study.prepare import prepare
from alfonsine.study.rounds import SEARCH
from alfonsine.study.run import run
from alfonsine.study.settings import Settings, read_study

EXAMPLES = Path(__file__).parents[1] / "examples"


def main() -> None:
    """Run, judge again, print."""
    certified_posteriors("massive_neutrinos")


def certified_posteriors(name: str) -> None:
    """Run one example with several seeds and print what each took and gave."""
    parser = argparse.ArgumentParser()
    parser.add_argument("folder", type=Path, nargs="?", default=Path(f"runs/benchmark_{name}"))
    parser.add_argument("--seeds", type=int, nargs="+", default=[1, 2])
    parser.add_argument("--fresh", type=int, default=200)
    parser.add_argument("--box", action="store_true")
    options = parser.parse_args()
    study = read_study(EXAMPLES / f"{name}.yaml")
    found = [
        certified(
            without_reference(study) if options.box else study,
            options.folder / f"seed_{seed}",
            seed,
            options.fresh * first,
        )
        for first, seed in zip([True] + [False] * len(options.seeds), options.seeds, strict=False)
    ]
    width = max(map(len, found[0]))
    for label in found[0]:
        print(f"{label:<{width}}  " + "  ".join(f"{entry[label]!s:<24}" for entry in found))
    worst = max(found, key=lambda entry: (entry["outcome"] != "pass", entry["solver_calls"]))
    print(json.dumps({**worst, "kl_fresh": found[0]["kl_fresh"], "of_each_seed": found}))


def without_reference(study: Settings) -> Settings:
    """The same study, where nothing is known but the boxes."""
    params = {
        name: parameter.model_copy(update={"ref": None, "proposal": None})
        if parameter.prior is not None and parameter.prior.dist == "uniform"
        else parameter
        for name, parameter in study.params.items()
    }
    return study.model_copy(update={"params": params})


def calls_of(folder: Path, purpose: str) -> int:
    """Exact calls of the rounds with this purpose."""
    rounds = [json.loads(path.read_text()) for path in folder.glob("rounds/*/[0-9]*.json")]
    return sum(len(entry["theta"]) for entry in rounds if entry["purpose"] == purpose)


def certified(settings: Settings, folder: Path, seed: int, fresh: int) -> dict[str, Any]:
    """Run one study, and judge it again with `fresh` further exact calls."""
    begun = time.perf_counter()
    study = prepare(settings.model_copy(update={"seed": seed}), folder)
    run(study)
    render(folder)
    total = time.perf_counter() - begun
    again = as_dict(recertify(study, fresh)) if fresh else None
    found = finished(folder)
    return {
        "seed": seed,
        **found,
        "searching": calls_of(folder, SEARCH),
        "kl_fresh": again and again["kl"]["estimate"],
        "kl_fresh_upper95": again and again["kl"]["upper95"],
        "seconds_not_solver": round(total - found["seconds_solver"], 1),  # the report included
    }


if __name__ == "__main__":
    main()
