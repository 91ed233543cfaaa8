"""Exact calls against accuracy: five cosmological posteriors, published figures, and a peer on the same problem.

    python benchmarks/calls_vs_accuracy.py [FOLDER] [--studies NAMES] [--gpry PYTHON] [--seeds 1] [--figure FILE]

Runs `alfonsine`'s default loop for flat LCDM, w0wa with curvature, N_eff with Y_He, massive neutrinos, and decaying
dark matter (data sets by ALFONSINE_DATA), each in FOLDER/NAME, where finished runs are found and not repeated; the last
two are the folders of `massive_neutrinos.py` and `dcdm.py`, if FOLDER has them. Given the python of an environment with
GPry 4, the toy posteriors of `growth.py` are also learned by GPry and by us from the same first guess; draws of the
exact posterior tell the true divergence of both. Prints tables and, as its last line, one JSON object.
"""

import argparse
import json
import subprocess
import sys
from pathlib import Path

import numpy as np
from finished import finished
from growth import EDGE, exact_draws, problem, study_of

from alfonsine.study.prepare import prepare
from alfonsine.study.run import run
from alfonsine.study.settings import Settings, read_study, settings_from

EXAMPLES = Path(__file__).parents[1] / "examples"
# Exact calls that others publish: (name, calls, source). Budgets and design sizes are marked by what they are.
PUBLISHED = {
    "lcdm": [
        ("CONNECT", 5e4, "arXiv:2205.15726"),
        ("OLE, SPT-lite", 323, "arXiv:2503.13183, notebook"),
        ("BOBE, lite + lensing", 200, "arXiv:2601.11150, documentation: 100 to 200"),
        ("GPry, lite", 251, "arXiv:2211.02045, accepted points of its test"),
    ],
    "w0wa_curvature": [("BOBE, + DESI + SN (budget)", 1500, "arXiv:2601.11150, examples: 400 to 1,500")],
    "neff_helium": [],
    "massive_neutrinos": [("CONNECT", 54000, "arXiv:2205.15726")],
    "dcdm": [("CONNECT", 49700, "arXiv:2205.15726")],
}
LABELS = {
    "lcdm": "LCDM, 6 + 1",
    "w0wa_curvature": "w0, wa, Omega_k, 9 + 1",
    "neff_helium": "N_eff, Y_He, 8 + 1",
    "massive_neutrinos": "neutrino mass and number, 8 + 1",
    "dcdm": "decaying dark matter, 8 + 1",
}
LEAST = 1e-6  # KL below which nobody asks
DRAWS = 3000  # of the exact posterior, to compare surrogates with


def flat(low: float, high: float, ref: float, proposal: float) -> dict:
    """A uniform prior with a first guess."""
    return {"prior": {"min": low, "max": high}, "ref": ref, "proposal": proposal}


def study_named(name: str) -> Settings:
    """The study of one posterior: an example, or one with further parameters."""
    study = read_study(EXAMPLES / f"{name if name in ('massive_neutrinos', 'dcdm') else 'planck_lcdm'}.yaml")
    more: dict[str, dict] = {}
    extra = {}
    if name == "w0wa_curvature":
        # The CMB alone leaves a volume that only priors close: these stand for what BAO and supernovae tell.
        more = {
            "w0_fld": {"prior": {"dist": "norm", "loc": -0.9, "scale": 0.1}, "ref": -0.9, "proposal": 0.1},
            "wa_fld": {"prior": {"dist": "norm", "loc": -0.3, "scale": 0.4}, "ref": -0.3, "proposal": 0.3},
            "Omega_k": {"prior": {"dist": "norm", "loc": 0.0, "scale": 0.005}, "ref": 0.0, "proposal": 0.004},
        }
        # At CLASS's own step in wavenumber, 0.45, curved models are rough: class_roughness.py --curved.
        extra = {"Omega_Lambda": 0, "use_ppf": "yes", "q_linstep": 0.15}
    if name == "neff_helium":
        more = {"N_ur": flat(0.3, 4.5, 2.03, 0.3), "YHe": flat(0.05, 0.45, 0.245, 0.02)}
    if not more:
        return study.model_copy(update={"accuracy": study.accuracy.model_copy(update={"kl": 0.01, "calls": 300})})
    record = study.model_dump(exclude_unset=True, by_alias=True, mode="json")
    record["params"].update(more)
    options = record["theory"]["classy"].setdefault("extra_args", {})
    options.update(extra)
    for taken in more:
        options.pop(taken, None)
    record["accuracy"] = {"kl": 0.01, "calls": 300}
    record.pop("published", None)
    return settings_from(record)


def posterior(name: str, folder: Path, seed: int) -> dict:
    """Run one study, or find it finished, and say what it took."""
    place = folder / name if (folder / name / "certificate.json").exists() else folder / name / f"seed_{seed}"
    if not (place / "certificate.json").exists():
        run(prepare(study_named(name).model_copy(update={"seed": seed}), place))
    history = json.loads((place / "history.json").read_text())
    path = [(entry["calls"], entry["kl"]) for entry in history if entry["kl"] is not None]
    return {"name": name, "seed": seed, **finished(place), "path": path}


def peer(d: int, seed: int, folder: Path, python: str) -> dict:
    """GPry and our loop on the same toy, from the same first guess."""
    toy, data, _, _ = problem(d)
    study = study_of(d, seed)
    place = folder / f"toy_{d}_seed_{seed}"
    place.mkdir(parents=True, exist_ok=True)
    np.savez(
        place / "problem.npz",
        response=toy.response,
        data=data,
        bend=toy.bend,
        ripple=toy.ripple,
        edge=EDGE,
        reference=[entry["ref"] for entry in study["params"].values()],
        step=[entry["proposal"] for entry in study["params"].values()],
        draws=exact_draws(d, DRAWS, 8),
    )
    here = Path(__file__).parent
    found = {}
    for who, command in {
        "gpry": [python, "-W", "ignore", str(here / "peer_gpry.py"), str(place / "problem.npz"), str(seed)],
        "alfonsine": [
            sys.executable, str(here / "growth.py"), "--one", "--dimensions", str(d), "--seeds", str(seed), "--folder",
            str(folder / "growth"),
        ],
    }.items():  # fmt: skip
        kept = place / f"{who}.json"
        if not kept.exists():
            done = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=False)
            lines = done.stdout.splitlines()
            kept.write_text(lines[-1] if done.returncode == 0 else json.dumps({"exit": done.returncode}))
        found[who] = json.loads(kept.read_text())
    return {"d": d, "seed": seed, **found}


def figure(rows: list[dict], toys: list[dict], path: Path) -> None:
    """Calls of every posterior with published points; KL along each run; the toy with its peer."""
    import matplotlib

    matplotlib.use("Agg")
    from matplotlib import pyplot as plt

    panels, (left, middle, right) = plt.subplots(
        1, 3, figsize=(14, 4.6), layout="constrained", gridspec_kw={"width_ratios": [1.5, 1, 0.8]}
    )
    names = [name for name in LABELS if any(row["name"] == name for row in rows)][::-1]
    for k, name in enumerate(names):
        for row in (row for row in rows if row["name"] == name):
            passed = row["outcome"] == "pass"
            left.plot(row["solver_calls"], k, "o", color="C0", ms=8, mfc="C0" if passed else "none")
            left.annotate(
                f"{row['solver_calls']}", (row["solver_calls"], k), (7, 0), textcoords="offset points", va="center"
            )
        for i, (who, calls, _) in enumerate(PUBLISHED[name]):
            left.plot(calls, k, "D", color="C3", mfc="none")
            left.annotate(
                who,
                (calls, k),
                (0, -14 - 11 * (i % 3)),
                textcoords="offset points",
                ha="center",
                color="C3",
                fontsize=8,
            )
    left.plot([], [], "o", color="C0", label="alfonsine, certified (open: not passed)")
    left.plot([], [], "D", color="C3", mfc="none", label="published by others, other data and accuracy")
    left.set(xscale="log", xlim=(20, 2e5), ylim=(-1.2, len(names) - 0.5), xlabel="exact calls")
    left.set_yticks(range(len(names)), [LABELS[name] for name in names])
    left.legend(loc="lower left", frameon=False, fontsize=8)
    for k, name in enumerate(LABELS):
        for row in (row for row in rows if row["name"] == name):
            path_of = np.array([[calls, kl] for calls, kl in row["path"] if np.isfinite(kl) and kl > 0])
            middle.plot(*path_of.T, "-", color=f"C{k}", lw=1, label=LABELS[name].rpartition(",")[0])
            middle.plot(row["solver_calls"], row["kl_upper95"], "v", color=f"C{k}")
    middle.axhline(0.01, color="0.6", ls=":")
    middle.set(yscale="log", xlabel="exact calls", ylabel="KL of the next calls; triangle: upper95 at the end")
    middle.set_xlim(left=0)
    middle.legend(frameon=False, fontsize=8)
    for who, colour in (("alfonsine", "C0"), ("gpry", "C3")):
        for toy in (toy for toy in toys if "kl_true" in toy[who]):
            at = toy[who]["solver_calls"], max(toy[who]["kl_true"], LEAST)
            right.plot(*at, "o", color=colour)
            right.annotate(f"d = {toy['d']}", at, (4, 4), textcoords="offset points")
        right.plot([], [], "o", color=colour, label={"gpry": "GPry, measured"}.get(who, who))
    right.set(yscale="log", xlabel="exact calls", ylabel=f"true KL, toy of d parameters; at {LEAST:g}: no more")
    right.set(xlim=(0, 1.2 * right.get_xlim()[1]), ylim=(LEAST / 2, 0.1))
    right.legend(frameon=False, fontsize=8)
    path.parent.mkdir(parents=True, exist_ok=True)
    panels.savefig(path, dpi=110)


def main() -> None:
    """Run what is asked for, print, draw."""
    parser = argparse.ArgumentParser()
    parser.add_argument("folder", type=Path, nargs="?", default=Path("runs/calls_vs_accuracy"))
    parser.add_argument("--studies", nargs="*", default=list(LABELS))
    parser.add_argument("--seeds", type=int, nargs="+", default=[1])
    parser.add_argument("--gpry", help="python of an environment with GPry")
    parser.add_argument("--dimensions", type=int, nargs="*", default=[2, 4, 8], help="of the toys")
    parser.add_argument("--figure", type=Path)
    options = parser.parse_args()
    rows = [posterior(name, options.folder, seed) for name in options.studies for seed in options.seeds]
    for row in rows:
        print(
            f"{row['name']:<18} seed {row['seed']}: {row['outcome']:<12} {row['solver_calls']:4d} calls, KL upper95 "
            f"{row['kl_upper95']:.2g}, largest shift {row['largest_shift']:.3f}, "
            f"{row['seconds_not_solver']:.0f} s besides"
        )
    toys = [
        peer(d, seed, options.folder, options.gpry)
        for d in options.dimensions
        for seed in options.seeds
        if options.gpry
    ]
    for toy in toys:
        for who in ("alfonsine", "gpry"):
            said = toy[who]
            told = (
                f"{said['solver_calls']} calls, true KL {said['kl_true']:.2g}" if "solver_calls" in said else "failed"
            )
            print(f"toy, d = {toy['d']}, seed {toy['seed']}: {who:<10} {told}")
    if options.figure:
        figure(rows, toys, options.figure)
    print(json.dumps({"posteriors": rows, "toys": toys, "published": PUBLISHED}))


if __name__ == "__main__":
    main()
