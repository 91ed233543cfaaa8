"""One posterior three ways: our NUTS, Cobaya's mcmc and MontePython's Metropolis, all on one emulator.

    python benchmarks/hosts.py --packages COBAYA_PACKAGES [--run FOLDER] [--montepython CHECKOUT] [--processes 2]

Flat LCDM from Planck lite as in examples/planck_lcdm.yaml. FOLDER is a finished run of that study; it is made where it
is not. Cobaya's plik-lite lies in its packages folder; the bins below l = 30 are those of
benchmarks/cobaya_planck_low_l. Without a checkout of MontePython that way is left out. Data in ALFONSINE_DATA.
Largest shift of a mean in standard deviations, and largest ratio of two widths, over all parameters and both hosts.
"""

import argparse
import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import hosts_montepython
import numpy as np
import yaml
from getdist import loadMCSamples

from alfonsine.posterior.formats.covmat import CovarianceMatrix, write_covmat
from alfonsine.study.prepare import prepare
from alfonsine.study.run import run
from alfonsine.study.settings import read_study
from alfonsine.study.stages import sample

HERE = Path(__file__).resolve().parent
EXAMPLE = HERE.parent / "examples" / "planck_lcdm.yaml"
SAMPLED = ("omega_b", "omega_cdm", "theta_s_100", "logA", "n_s", "tau_reio", "A_planck")
DERIVED = ("H0", "Omega_m", "sigma8")
Moments = dict[str, tuple[float, float]]


def ours(folder: Path) -> tuple[Moments, float]:
    """Means and widths of our chains, drawn again; seconds of the drawing."""
    study = prepare(read_study(EXAMPLE), folder)
    if not (folder / "certificate.json").exists():
        run(study)
    began = time.perf_counter()
    posterior = sample(study, 20_000)
    seconds = time.perf_counter() - began
    values = dict(zip(posterior.names, posterior.samples.T, strict=True)) | dict(posterior.derived)
    weights = posterior.weights / posterior.weights.sum()
    found = {}
    for name in (*SAMPLED, *DERIVED):
        mean = float(weights @ values[name])
        found[name] = (mean, float(np.sqrt(weights @ (values[name] - mean) ** 2)))
    return found, seconds


def cobaya_input(emulator: Path, packages: Path, place: Path, start: Moments) -> dict:
    """What a user of Cobaya would write for this emulator."""
    priors = yaml.safe_load(EXAMPLE.read_text(encoding="utf-8"))["params"]
    params = {}
    for name in SAMPLED:
        mean, width = start[name]
        params[name] = {
            "prior": priors[name]["prior"],
            "ref": {"dist": "norm", "loc": mean, "scale": width},
            "proposal": width,
        }
    low = {"python_path": str(HERE / "cobaya_planck_low_l")}
    return {
        "theory": {"alfonsine.plugins.cobaya.Emulated": {"file": str(emulator)}},
        "likelihood": {
            "planck_2018_highl_plik.TTTEEE_lite_native": None,
            "planck_low_l.LowTT": low,
            "planck_low_l.LowEE": low,
        },
        "params": params | dict.fromkeys(DERIVED),
        "sampler": {"mcmc": {"covmat": str(place / "planck.covmat"), "Rminus1_stop": 0.003, "Rminus1_cl_stop": 0.1}},
        "output": str(place / "chains" / "lcdm"),
        "packages_path": str(packages),
    }


def by_cobaya(info: dict, place: Path, processes: int) -> tuple[Moments, float, int]:
    """Means and widths of cobaya-run, started by mpirun for several chains; seconds; rows after burn-in."""
    (place / "lcdm.yaml").write_text(yaml.safe_dump(info))
    program = Path(sys.executable).parent / "cobaya-run"
    command, environment = [str(program), str(place / "lcdm.yaml"), "--force"], os.environ | {"OMP_NUM_THREADS": "1"}
    mpirun = shutil.which("mpirun", path=f"{program.parent}{os.pathsep}{os.environ.get('PATH', '')}")
    if processes > 1 and mpirun:
        command = [mpirun, "--allow-run-as-root", "--oversubscribe", "-n", str(processes), *command]
    else:
        environment["COBAYA_NOMPI"] = "True"
    began = time.perf_counter()
    with (place / "cobaya.log").open("w") as log:
        if subprocess.run(command, env=environment, stdout=log, stderr=log).returncode:
            sys.exit(f"expected chains, got an error of Cobaya; see {place / 'cobaya.log'}")
    seconds = time.perf_counter() - began
    samples = loadMCSamples(info["output"], settings={"ignore_rows": 0.2})
    found = {name: (float(samples.mean(name)), float(samples.std(name))) for name in (*SAMPLED, *DERIVED)}
    return found, seconds, int(samples.numrows)


def compared(found: Moments, reference: Moments) -> tuple[float, float]:
    """Largest shift of a mean, in the reference's widths, and largest ratio of widths, above one."""
    shift = max(abs(found[name][0] - mean) / width for name, (mean, width) in reference.items())
    ratio = max(max(found[name][1] / width, width / found[name][1]) for name, (_, width) in reference.items())
    return float(shift), float(ratio)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--packages", type=Path, required=True)
    parser.add_argument("--run", type=Path)
    parser.add_argument("--montepython", type=Path)
    parser.add_argument("--processes", type=int, default=2)
    parser.add_argument("--steps", type=int, default=30_000)
    parser.add_argument("--output", type=Path)
    given = parser.parse_args()
    place = (given.output or Path(tempfile.mkdtemp(prefix="hosts-"))).resolve()
    place.mkdir(parents=True, exist_ok=True)
    folder = (given.run or place / "run").resolve()
    ways: dict[str, tuple[Moments, float]] = {"our NUTS": ours(folder)}
    reference, _ = ways["our NUTS"]
    chains = loadMCSamples(str(folder / "chain"), settings={"ignore_rows": 0})
    rows = [chains.getParamNames().list().index(name) for name in SAMPLED]
    write_covmat(place / "planck.covmat", CovarianceMatrix(SAMPLED, chains.cov(rows)))
    info = cobaya_input(folder / "emulator.safetensors", given.packages.resolve(), place, reference)
    moments, seconds, rows = by_cobaya(info, place, given.processes)
    ways["Cobaya's mcmc"] = (moments, seconds)
    if given.montepython:
        covmat = Path(os.environ["ALFONSINE_DATA"]) / "covmats" / "montepython_base2018TTTEEE_lite.covmat"
        (place / "montepython").mkdir(exist_ok=True)
        paths = (given.montepython, folder / "emulator.safetensors", place / "montepython", covmat)
        chains, seconds = hosts_montepython.sample(*(p.resolve() for p in paths), 4, given.steps, given.processes)
        found = hosts_montepython.summary(chains)
        moments = {name: (found["means"][name], found["widths"][name]) for name in reference}
        ways["MontePython"] = (moments, seconds)
    print(f"{'':<12}" + "".join(f"{way:>26}" for way in ways))
    for name in reference:
        print(f"{name:<12}" + "".join(f"{m[name][0]:>14.6f} +-{m[name][1]:>9.6f}" for m, _ in ways.values()))
    print(f"{'seconds':<12}" + "".join(f"{seconds:>26.0f}" for _, seconds in ways.values()))
    both = [compared(moments, reference) for way, (moments, _) in ways.items() if way != "our NUTS"]
    print(f"Cobaya's chains have {rows} rows after burn-in; {given.processes} processes")
    result = {"max_shift_sigma": max(s for s, _ in both), "max_width_ratio": max(r for _, r in both)}
    print(json.dumps(result | {"seconds": {way: round(seconds, 1) for way, (_, seconds) in ways.items()}}))


if __name__ == "__main__":
    main()
