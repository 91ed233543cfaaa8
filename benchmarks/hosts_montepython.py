"""Planck-lite LCDM by MontePython's Metropolis with the plug-in: seconds, acceptance, means and widths.

    python benchmarks/hosts_montepython.py CHECKOUT EMULATOR [--reference runs/planck_lcdm/chain]

CHECKOUT is a copy of https://github.com/brinckmann/montepython_public, which is not changed but for links to the two
likelihoods of benchmarks/montepython_planck_lite; EMULATOR is that of examples/planck_lcdm.yaml. MontePython seeds its
chains by the clock: figures differ from run to run. With --reference, chains of ours, the largest shift of a mean in
its standard deviations, and the largest change of a width.
"""

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np

from alfonsine.emulator.stored.file import load_emulator
from alfonsine.plugins.montepython.layout import lay_out

HERE = Path(__file__).parent
LIKELIHOODS = ("planck_lite_2018", "planck_lowl_ee_2018")
# MontePython's name -> mean and width to start from (arXiv:1807.06209), kind, and our name
PARAMETERS = {
    "omega_b": (0.02236, 0.00015, "cosmo", "omega_b"),
    "omega_cdm": (0.1202, 0.0014, "cosmo", "omega_cdm"),
    "100*theta_s": (1.0418, 0.0003, "cosmo", "theta_s_100"),
    "ln10^{10}A_s": (3.045, 0.016, "cosmo", "logA"),
    "n_s": (0.9649, 0.0044, "cosmo", "n_s"),
    "tau_reio": (0.0544, 0.008, "cosmo", "tau_reio"),
    "A_planck": (1.0, 0.0025, "nuisance", "A_planck"),
    "H0": (0, 0, "derived", "H0"),
    "sigma8": (0, 0, "derived", "sigma8"),
    "Omega_m": (0, 0, "derived", "Omega_m"),
}
EDGES = {"tau_reio": (0.01, 0.15)}  # the prior of the example; the others are far from their edges


def parameter_file(emulator: Path) -> str:
    """What a user of MontePython would write for this emulator."""
    settings = {k: v for k, v in load_emulator(emulator).card["theory"]["settings"].items() if not k.startswith("l_")}
    lines = [f"data.experiments = {list(LIKELIHOODS)}"]
    for name, (mean, width, kind, _) in PARAMETERS.items():
        edges = EDGES.get(name, (None, None))
        lines.append(f"data.parameters['{name}'] = [{mean}, {edges[0]}, {edges[1]}, {width}, 1, '{kind}']")
    lines += [f"data.cosmo_arguments['{name}'] = {value}" for name, value in settings.items()]
    lines += ["data.cosmo_arguments['output'] = 'mPk'", "data.N = 10", "data.write_step = 5"]
    return "\n".join(lines) + "\n"


def sample(
    checkout: Path, emulator: Path, folder: Path, covmat: Path, chains: int, steps: int, at_once: int
) -> tuple[list[np.ndarray], float]:
    """Chains (multiplicity, -ln L, parameters), and the seconds that they took."""
    lay_out(folder / "class_emulated", emulator)
    (folder / "lcdm.param").write_text(parameter_file(emulator))
    (folder / "plugin.conf").write_text(f"path['cosmo'] = '{(folder / 'class_emulated').resolve()}'\n")
    for name in LIKELIHOODS:
        link = checkout / "montepython" / "likelihoods" / name
        if not link.exists():
            link.symlink_to((HERE / "montepython_planck_lite" / name).resolve())
    (folder / "without_mpi").mkdir(exist_ok=True)  # MontePython survives no mpi4py, but not one without its library
    (folder / "without_mpi" / "mpi4py.py").write_text("raise ImportError\n")
    path = os.pathsep.join([str(folder / "without_mpi"), os.environ.get("PYTHONPATH", "")])
    environment = os.environ | {"PYTHONPATH": path, "OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1"}
    output = folder / "chains"
    command = [sys.executable, "-W", "ignore", str(checkout / "montepython" / "MontePython.py"), "run", "--silent"]
    command += ["--conf", str(folder / "plugin.conf"), "-o", str(output), "-c", str(covmat), "-N", str(steps)]
    command += ["-p", str(folder / "lcdm.param"), "--update", "0", "-f", "2.2"]
    started, running = time.perf_counter(), []
    for number in range(1, chains + 1):
        with (folder / f"chain_{number}.log").open("w") as log:
            numbered = [*command, "--chain-number", str(number)]
            running.append(subprocess.Popen(numbered, cwd=checkout, env=environment, stdout=log, stderr=log))
        while number == 1 and not list(output.glob("*__1.txt")) and running[0].poll() is None:
            time.sleep(0.2)  # the first lays out their folder
        while sum(process.poll() is None for process in running) >= at_once:
            time.sleep(0.2)
    if any(process.wait() for process in running):
        sys.exit(f"expected chains, got an error of MontePython; see {folder}/chain_*.log")
    seconds = time.perf_counter() - started
    return [np.loadtxt(path, ndmin=2) for path in sorted(output.glob("*__*.txt"))], seconds


def summary(chains: list[np.ndarray], burnt: float = 0.1) -> dict[str, object]:
    """Acceptance, Gelman-Rubin, means and widths, without the first steps of each chain."""
    kept, means, variances = [], [], []
    for chain in chains:
        chain = chain[np.cumsum(chain[:, 0]) > burnt * chain[:, 0].sum()]
        kept.append(chain)
        mean = np.average(chain[:, 2:], axis=0, weights=chain[:, 0])
        means.append(mean)
        variances.append(np.average((chain[:, 2:] - mean) ** 2, axis=0, weights=chain[:, 0]))
    whole = np.concatenate(kept)
    mean = np.average(whole[:, 2:], axis=0, weights=whole[:, 0])
    width = np.sqrt(np.average((whole[:, 2:] - mean) ** 2, axis=0, weights=whole[:, 0]))
    names = [ours for *_, ours in PARAMETERS.values()]
    return {
        "steps": int(sum(chain[:, 0].sum() for chain in chains)),
        "acceptance": float(sum(len(chain) for chain in chains) / sum(chain[:, 0].sum() for chain in chains)),
        "gelman_rubin": float(np.max(np.var(means, axis=0, ddof=1) / np.mean(variances, axis=0))),
        "means": dict(zip(names, mean.tolist(), strict=True)),
        "widths": dict(zip(names, width.tolist(), strict=True)),
    }


def compared(found: dict, reference: str) -> dict[str, float]:
    """Largest shift and change of width against weighted chains of ours."""
    from getdist import loadMCSamples

    samples = loadMCSamples(reference, settings={"ignore_rows": 0})
    shifts, ratios = [], []
    for name, mean in found["means"].items():
        if name not in samples.getParamNames().list():
            continue
        width = samples.std(name)
        shifts.append(abs(mean - samples.mean(name)) / width)
        ratios.append(found["widths"][name] / width)
    return {"max_shift_sigma": float(max(shifts)), "max_width_ratio": float(max(max(r, 1 / r) for r in ratios))}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("checkout", type=Path)
    parser.add_argument("emulator", type=Path)
    parser.add_argument("--covmat", type=Path, help="a covariance matrix of MontePython to propose from")
    parser.add_argument("--reference")
    parser.add_argument("--output", type=Path)
    parser.add_argument("--chains", type=int, default=4)
    parser.add_argument("--steps", type=int, default=30_000)
    parser.add_argument("--at-once", type=int, default=2)
    given = parser.parse_args()
    data = Path(os.environ.get("ALFONSINE_DATA", "."))
    covmat = given.covmat or data / "covmats" / "montepython_base2018TTTEEE_lite.covmat"
    folder = given.output or Path(tempfile.mkdtemp(prefix="montepython-"))
    folder.mkdir(parents=True, exist_ok=True)
    paths = (each.resolve() for each in (given.checkout, given.emulator, folder, covmat))
    chains, seconds = sample(*paths, given.chains, given.steps, given.at_once)
    found = {"benchmark": "hosts_montepython", **summary(chains), "seconds": round(seconds, 1), "chains": len(chains)}
    if given.reference:
        found |= compared(found, given.reference)
    for name, mean in found["means"].items():
        print(f"{name:12} {mean:11.6f} +- {found['widths'][name]:.6f}")
    print(f"{found['steps']} steps in {len(chains)} chains, acceptance {found['acceptance']:.2f}, ", end="")
    print(f"R-1 {found['gelman_rubin']:.4f}, {seconds:.0f} s")
    print(json.dumps(found))


if __name__ == "__main__":
    main()
