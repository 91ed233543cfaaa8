"""Dark energy from DESI DR2 BAO: calls, seconds, posteriors and best fits against the published ones.

Four studies made of examples/desi_w0wa.yaml: LCDM and w0waCDM, with BAO alone and with the compressed CMB. Published
(arXiv:2503.14738): BAO alone, LCDM, Omega_m = 0.2975 +- 0.0086; BAO alone, w0waCDM, w0 = -0.48 +0.35 -0.17; with the
CMB, chi-square at the maximum a posteriori of w0waCDM minus that of LCDM = -8.0. The chi-square is that of the exact
code at the emulated maximum.

    python benchmarks/desi.py [--output FOLDER] [--only STUDY] [--temperature T] [--seed S]
"""

import argparse
import json
import tempfile
import time
from pathlib import Path

import jax.numpy as jnp
import numpy as np
import yaml

from alfonsine.emulator.stored.file import load_emulator
from alfonsine.posterior.coordinates import Coordinates
from alfonsine.posterior.optimum import find_optimum
from alfonsine.study.exact import compute_points, exact_log_likelihood
from alfonsine.study.infer import study_target
from alfonsine.study.prepare import prepare
from alfonsine.study.run import open_engine, run
from alfonsine.study.settings import settings_from

EXAMPLE = Path(__file__).parents[1] / "examples" / "desi_w0wa.yaml"
OMEGA_B, OMEGA_NU = 0.0222, 0.000644  # BAO alone know neither; the horizon is then a matter of H0
ALONE = {
    "Omega_m": {"prior": {"min": 0.1, "max": 0.9}, "ref": {"loc": 0.3, "scale": 0.01}, "drop": True},
    "H0": {"prior": {"min": 40, "max": 100}, "ref": {"loc": 69, "scale": 0.6}},
    "omega_b": OMEGA_B,
    "omega_cdm": f"lambda Omega_m, H0: Omega_m*(H0/100)**2 - {OMEGA_B + OMEGA_NU}",
}
BENT_ALONE = {
    "w0_fld": {"prior": {"min": -3, "max": 1}, "ref": {"loc": -0.5, "scale": 0.25}},
    "wa_fld": {"prior": {"min": -3, "max": 2}, "ref": {"loc": -1.6, "scale": 0.6}},
}
BENT = 3.0


def studies() -> dict[str, dict]:
    """Name -> study."""
    both = yaml.safe_load(EXAMPLE.read_text(encoding="utf-8"))
    both.pop("published")
    lcdm = json.loads(json.dumps(both))
    for name in ("w0_fld", "wa_fld"):
        lcdm["params"].pop(name)
    lcdm.pop("prior")
    lcdm["theory"]["classy"]["extra_args"].pop("Omega_Lambda")
    lcdm["params"]["H0"]["ref"] = {"loc": 68.3, "scale": 0.4}
    lcdm["params"]["omega_cdm"]["ref"] = {"loc": 0.118, "scale": 0.0008}
    found = {"LCDM, BAO": lcdm, "w0waCDM, BAO": both, "LCDM, BAO + CMB": lcdm, "w0waCDM, BAO + CMB": both}
    for name, study in found.items():
        found[name] = study = json.loads(json.dumps(study))
        if not name.endswith("CMB"):
            study["likelihood"].pop("cmb_compressed")
            study["params"] = ALONE | ({} if name.startswith("LCDM") else BENT_ALONE)
            if "w0_fld" in study["params"]:
                study["points"]["temperature"] = (
                    BENT  # the ridge is bent and ends at the prior's edge: points beyond it
                )
    return found


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--output", type=Path, default=None)
    parser.add_argument("--only", default="", choices=["", *studies()])
    parser.add_argument("--temperature", type=float, help="of the points, in the place of the study's own")
    parser.add_argument("--seed", type=int, default=1)
    asked = parser.parse_args()
    place = asked.output or Path(tempfile.mkdtemp())
    rows, best = {}, {}
    for name, blocks in studies().items():
        if asked.only and asked.only != name:
            continue
        blocks |= {"seed": asked.seed}
        if asked.temperature:
            blocks["points"]["temperature"] = asked.temperature
        study = prepare(settings_from(blocks), place / name.replace(" ", "_").replace(",", ""))
        began = time.perf_counter()
        result = run(study)
        seconds = time.perf_counter() - began
        record = json.loads((study.folder / "certificate.json").read_text(encoding="utf-8"))
        best[name] = chi_square_at_best(study)
        rows[name] = {
            "outcome": record["outcome"],
            "calls": record["solver_calls"]["total"],
            "kl_upper95": record["kl"]["upper95"],
            "seconds": round(seconds, 1),
            "chi2": round(best[name], 3),
            **summary(result),
        }
        print(f"{name:<20}", "  ".join(f"{key} {value}" for key, value in rows[name].items()), flush=True)
    change = None
    if {"LCDM, BAO + CMB", "w0waCDM, BAO + CMB"} <= set(best):
        change = best["w0waCDM, BAO + CMB"] - best["LCDM, BAO + CMB"]
        print(f"chi-square of w0waCDM minus LCDM, BAO + CMB: {change:.2f} (published -8.0)")
    print(json.dumps({"studies": rows, "delta_chi2": None if change is None else round(change, 3)}))


def summary(result) -> dict[str, str]:
    """Mean and the 68 % interval about it of the parameters that the paper quotes."""
    found, posterior = {}, result.posterior
    values = dict(zip(posterior.names, posterior.samples.T, strict=True)) | dict(posterior.derived)
    weights = posterior.weights / posterior.weights.sum()
    for name in ("Omega_m", "w0_fld", "wa_fld", "H0"):
        if name not in values:
            continue
        mean = float(weights @ values[name])
        low, high = densest(values[name], weights)
        found[name] = f"{mean:.4f} +{high - mean:.4f} -{mean - low:.4f}"
    return found


def densest(values: np.ndarray, weights: np.ndarray, share: float = 0.683) -> tuple[float, float]:
    """Shortest interval that holds a share of the posterior: what the paper's asymmetric errors are."""
    order = np.argsort(values)
    values, total = values[order], np.cumsum(weights[order])
    last = np.searchsorted(total, np.minimum(total + share, 1.0 - 1e-12))
    kept = total + share <= 1.0
    width = np.where(kept, values[np.minimum(last, len(values) - 1)] - values, np.inf)
    i = int(np.argmin(width))
    return float(values[i]), float(values[min(last[i], len(values) - 1)])


def chi_square_at_best(study) -> float:
    """-2 ln L (without normalisation) of the exact code at the emulated maximum of the posterior."""
    emulator = load_emulator(study.folder / "emulator.safetensors")
    target = study_target(study, emulator)
    space = study.space
    start = np.load(study.folder / "posterior.npz")["samples"]
    coordinates = Coordinates.of_samples(space.lower, space.upper, jnp.asarray(start))
    theta = np.asarray(find_optimum(target, coordinates, of="theta").theta)[None]
    with open_engine(study) as engine:
        log_likelihood = exact_log_likelihood(study, compute_points(study, engine, theta))[0]
    constant = sum(float(each.form.constant) for each in study.likelihoods.values())
    return -2.0 * (float(log_likelihood) - constant)


if __name__ == "__main__":
    main()
