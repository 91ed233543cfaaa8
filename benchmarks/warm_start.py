"""What a warm start saves: exact calls of studies begun from earlier work, against the same studies begun from nothing.

What is counted does not depend on how long a call takes, so all theories here are closed forms:

other_data       a curved posterior in two dimensions (the banana of an exponential), inferred from one data set, then
                 from another whose centre lies one standard deviation away
extension        a decaying wave with one more parameter, at whose value 0 it is the old one
precision        the same wave from a coarse sum in place of the exact integral: two calls agree
other_precision  from a sum so coarse that they do not: only the places and the posterior are used
bend             `other_data` in six dimensions, four of which are bent by the first two

Each is run cold and warm with several seeds; then one is stopped before its verdict and resumed, and compared with the
undisturbed run and with the cold one.

    python benchmarks/warm_start.py [--quick] [--seeds 3] [--folder FOLDER]
    python benchmarks/warm_start.py --study NEW.yaml --from RUN [--at NAME=VALUE ...] [--folder FOLDER]

The second form runs a study of your own (with CLASS, say) warm and nothing else; what it takes cold is read from
FOLDER/cold where that is a finished run of it. Last line: JSON with, for each case, exact calls in the mean over the
seeds: `cold`, `warm`, `reused`, `training_cold`, `training_warm`; the `outcomes`; `shift`: the largest shift of a mean
between warm and cold in units of its Monte-Carlo error; `kl_upper95` of the warm runs; and for `agreement` the same
shifts of the resumed run from the undisturbed and from the cold one.
"""

import argparse
import copy
import json
import tempfile
from pathlib import Path
from typing import Any
from unittest import mock

import numpy as np
import yaml

CODE = '''
import numpy as np

x = np.linspace(0, 1, 40)
nodes, weights = np.polynomial.legendre.leggauss(24)


def smeared(p, nodes, weights):
    """A decaying wave of a spread of frequencies, integrated over the spread; c bends its baseline."""
    frequency = p["f"] + 0.8 * nodes[:, None]
    wave = np.sum(weights[:, None] * np.cos(frequency * x), axis=0) / weights.sum()
    return {"signal": p["a"] * np.exp(-p["b"] * x) * wave + p.get("c", 0.0) * np.sin(3 * x + p["b"] * p.get("c", 0.0))}


def exact(p):
    return smeared(p, nodes, weights)


def fine(p):
    return smeared(p, *np.polynomial.legendre.leggauss(3))


def coarse(p):
    return smeared(p, *np.polynomial.legendre.leggauss(1))
'''
WAVE = {
    "a": {"prior": {"min": 0, "max": 5}, "ref": 1.3, "proposal": 0.05},
    "b": {"prior": {"min": 0, "max": 5}, "ref": 0.9, "proposal": 0.1},
    "f": {"prior": {"min": 1, "max": 8}, "ref": 4.4, "proposal": 0.1},
}
SLOPE = {"c": {"prior": {"min": -2, "max": 2}, "ref": 0.0, "proposal": 0.05}}
FLAT = {"prior": {"min": -5, "max": 5}, "ref": 0.3, "proposal": 0.2}
COMMON = {"accuracy": {"kl": 0.001, "calls": 400}, "compute": {"workers": 1}}


def wave(function: str, extended: bool = False) -> dict[str, Any]:
    """A study of a decaying wave."""
    x = np.linspace(0, 1, 40)
    smear = np.sin(0.8 * x[1:]) / (0.8 * x[1:])
    data = np.exp(-0.7 * x) * np.cos(4 * x) * np.concatenate([[1.0], smear]) + 0.01 * np.cos(50 * x)
    params = WAVE | (SLOPE if extended else {})
    return copy.deepcopy(
        {
            "theory": {"python": {"function": f"smear:{function}", "inputs": list(params)}},
            "likelihood": {"gaussian": {"observable": "signal", "value": data.tolist(), "error": 0.05}},
            "params": params,
            **COMMON,
        }
    )


def banana(centre: list[float]) -> dict[str, Any]:
    """A curved posterior in two dimensions: data of (a, b + (a^2 - 1)/2) with a = exp(x) - 1/2."""
    return copy.deepcopy(
        {
            "theory": {"toy": {"name": "banana", "bend": 0.5}},
            "likelihood": {
                "gaussian": {"observable": "data", "value": centre, "covariance": [[0.04, 0.01], [0.01, 0.05]]}
            },
            "params": {
                "x": FLAT | {"drop": True},
                "y": FLAT | {"drop": True},
                "a": {"value": "lambda x: np.exp(x) - 0.5"},
                "b": {"value": "lambda y: y"},
            },
            **COMMON,
        }
    )


def bent(shift: float) -> dict[str, Any]:
    """Six parameters, seen as themselves after an exponential of the first and products with it in the others."""
    names = [f"x{i}" for i in range(6)]
    params: dict[str, Any] = {name: FLAT | {"drop": True} for name in names}
    params["y0"] = {"value": "lambda x0: np.exp(x0) - 0.5"}
    params["y1"] = {"value": "lambda x1, x0: x1*(1 + 0.3*x0)"}
    for i in range(2, 6):
        params[f"y{i}"] = {"value": f"lambda x{i}, x0, x1: x{i} + 0.3*x0*x1 + 0.1*x{i}*x0"}
    return copy.deepcopy(
        {
            "theory": {"toy": {"name": "banana", "bend": 0.2}},
            "likelihood": {"gaussian": {"observable": "data", "value": [0.6 + shift, *[0.1] * 5], "error": 0.2}},
            "params": params,
            **COMMON,
        }
    )


CASES: dict[str, tuple[dict[str, Any], dict[str, Any], dict[str, float]]] = {
    "other_data": (banana([0.6, 0.1]), banana([0.75, 0.25]), {}),
    "extension": (wave("exact"), wave("exact", extended=True), {"c": 0.0}),
    "precision": (wave("fine"), wave("exact"), {}),
    "other_precision": (wave("coarse"), wave("exact"), {}),
    "bend": (bent(0.0), bent(0.15), {}),
}


def go(study: dict[str, Any], folder: Path):
    """Run a study in `folder`; its result, and its counts of exact calls."""
    from alfonsine.study.prepare import prepare
    from alfonsine.study.run import run
    from alfonsine.study.settings import read_study

    folder.mkdir(parents=True, exist_ok=True)
    (folder / "smear.py").write_text(CODE)
    (folder / "study.yaml").write_text(yaml.safe_dump(study, sort_keys=False))
    result = run(prepare(read_study(folder / "study.yaml"), folder / "run"))
    return result, json.loads((folder / "run" / "certificate.json").read_text())["solver_calls"]


def shift(one, other) -> float:
    """Largest difference of a mean, in units of its Monte-Carlo error."""
    error = np.hypot(one.posterior.std() / one.posterior.ess**0.5, other.posterior.std() / other.posterior.ess**0.5)
    return round(float(np.max(np.abs(one.posterior.mean() - other.posterior.mean()) / error)), 2)


def compared(name: str, seeds: int, root: Path) -> dict[str, Any]:
    """One case, cold and warm, from a run of its own per seed."""
    before, after, at = CASES[name]
    rows = []
    for seed in range(1, seeds + 1):
        place = root / name / str(seed)
        earlier, _ = go(before | {"seed": seed}, place / "earlier")
        begun = {"run": str(earlier.folder), "at": at}
        cold, without = go(after | {"seed": seed}, place / "cold")
        warm, with_it = go(after | {"seed": seed, "warm_start": begun}, place / "warm")
        rows.append(
            {
                "cold": without["total"],
                "warm": with_it["total"],
                "training_cold": without["training"],
                "training_warm": with_it["training"],
                "reused": with_it["reused"],
                "shift": shift(warm, cold),
                "kl_upper95": warm.certificate.kl.upper95,
                "outcomes": f"{cold.certificate.outcome.value}, {warm.certificate.outcome.value}",
            }
        )
    means = {key: round(float(np.mean([row[key] for row in rows])), 1) for key in rows[0] if key in COUNTS}
    worst = {key: max(row[key] for row in rows) for key in ("shift", "kl_upper95")}
    return means | worst | {"outcomes": [row["outcomes"] for row in rows]}


COUNTS = ("cold", "warm", "training_cold", "training_warm", "reused")


def agreement(root: Path) -> dict[str, float]:
    """The warm start of `other_data`, stopped before its verdict and resumed without the earlier run."""
    from alfonsine.study.loop import Run

    place = root / "other_data" / "1"
    study = CASES["other_data"][1] | {"seed": 1, "warm_start": {"run": str(place / "earlier" / "run")}}
    with mock.patch.object(Run, "judge", side_effect=KeyboardInterrupt):
        try:
            go(study, root / "resumed")
        except KeyboardInterrupt:
            pass
    moved = place / "gone"
    (place / "earlier").rename(moved)
    resumed, calls = go(study, root / "resumed")
    moved.rename(place / "earlier")
    undisturbed, _ = go(study, place / "warm")
    cold, _ = go(CASES["other_data"][1] | {"seed": 1}, place / "cold")
    return {
        "calls": calls["total"],
        "resumed_undisturbed": shift(resumed, undisturbed),
        "resumed_cold": shift(resumed, cold),
    }


def own(asked: argparse.Namespace, root: Path) -> dict[str, Any]:
    """A study of the user's own, warm; compared with FOLDER/cold where that is a finished run of it."""
    from alfonsine.study.plan import plan
    from alfonsine.study.prepare import prepare
    from alfonsine.study.read import read_yaml
    from alfonsine.study.run import run
    from alfonsine.study.settings import settings_from

    data, source = read_yaml(asked.study)
    at = {name: float(value) for name, value in (each.split("=") for each in asked.at)}
    settings = settings_from(data | {"warm_start": {"run": str(asked.earlier), "at": at}}, source)
    study = prepare(settings, root / "warm")
    print(plan(study))
    result = run(study)
    found = json.loads((root / "warm" / "certificate.json").read_text())
    row = {"warm": found["solver_calls"], "kl_upper95": found["kl"]["upper95"], "outcome": found["outcome"]}
    if (root / "cold" / "certificate.json").exists():
        row["cold"] = json.loads((root / "cold" / "certificate.json").read_text())["solver_calls"]
    print(result.certificate.outcome.sentence)
    return row


def main() -> None:
    """Print a table, and JSON."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--quick", action="store_true")
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--folder", type=Path)
    parser.add_argument("--study", type=Path)
    parser.add_argument("--from", type=Path, dest="earlier")
    parser.add_argument("--at", nargs="*", default=[])
    asked = parser.parse_args()
    if (asked.study is None) != (asked.earlier is None):
        parser.error("expected --study and --from together, got one of them")
    with tempfile.TemporaryDirectory() as temporary:
        root = asked.folder or Path(temporary)
        if asked.study:
            print(json.dumps(own(asked, root)))
            return
        found = {}
        print(f"{'case':<16} {'cold':>6} {'warm':>6} {'reused':>7} {'shift':>6} {'KL below':>9}  outcomes (cold, warm)")
        for name in ("other_data", "precision") if asked.quick else CASES:
            found[name] = row = compared(name, 1 if asked.quick else asked.seeds, root)
            print(
                f"{name:<16} {row['cold']:>6} {row['warm']:>6} {row['reused']:>7} {row['shift']:>6} "
                f"{row['kl_upper95']:>9.2g}  {'; '.join(row['outcomes'])}",
                flush=True,
            )
        found["agreement"] = agreement(root)
        print("resumed against undisturbed, and against cold: {resumed_undisturbed}, {resumed_cold}".format(
            **found["agreement"]))  # fmt: skip
        print(json.dumps(found))


if __name__ == "__main__":
    main()
