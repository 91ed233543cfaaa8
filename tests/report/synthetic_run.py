"""A plausible run folder without a run: Planck-like numbers from closed forms, written as a study writes them."""

import json
from pathlib import Path

import numpy as np

NAMES = ("omega_b", "omega_cdm", "theta_s_100", "logA", "n_s", "tau_reio", "A_planck")
LATEX = (
    r"\Omega_\mathrm{b} h^2", r"\Omega_\mathrm{c} h^2", r"100\theta_\mathrm{s}", r"\ln(10^{10} A_\mathrm{s})",
    r"n_\mathrm{s}", r"\tau_\mathrm{reio}", r"y_\mathrm{cal}",
)  # fmt: skip
MEAN = np.array([0.02236, 0.1202, 1.04184, 3.045, 0.9649, 0.0544, 1.0004])
SIGMA = np.array([0.00015, 0.0014, 0.00029, 0.016, 0.0044, 0.0078, 0.0024])
STUDY = """\
# Planck 2018 lite, flat LCDM
theory:
  classy: {extra_args: {N_ur: 2.0328, N_ncdm: 1, m_ncdm: 0.06}}
likelihood:
  planck_2018_lite: {spectra: [tt, te, ee]}
params:
  omega_b: {prior: {min: 0.005, max: 0.1}, ref: 0.0228, proposal: 0.00015, latex: '\\Omega_\\mathrm{b} h^2'}
  tau_reio: {prior: {min: 0.01, max: 0.8}, ref: 0.078, proposal: 0.008, latex: '\\tau_\\mathrm{reio}'}
accuracy: {kl: 2e-3, shift: 0.1, calls: 80}
seed: 1252
"""
CERTIFICATE = {
    "outcome": "pass",
    "advice": "Nothing to do. For a KL below 0.0003, allow about 50 calls more.",
    "kl": {
        "estimate": 0.00042, "upper95": 0.00131, "floor": 0.00015,
        "forward": {"estimate": 0.00043, "error": 0.00021}, "reverse": {"estimate": 0.00042, "error": 0.0002},
    },
    "shift_sigma": {n: {"estimate": 0.004 * (i - 2.4), "error": 0.0062} for i, n in enumerate(NAMES)},
    "width_ratio": {n: {"estimate": 1 + 0.003 * (i - 3), "error": 0.005} for i, n in enumerate(NAMES)},
    "total_variation": {"estimate": 0.0116, "error": 0.0019},
    "pareto_khat": -0.12,
    "ess": 23.98,
    "delta_log_evidence": {"estimate": -0.0113, "error": 0.0059},
    "tolerance": {"coverage": 0.9, "confidence": 0.92, "bound": 0.071},
    "solver_calls": {"total": 54, "training": 48, "judging": 24, "failed": 3},
    "seconds": {"solver": 201.4, "fit": 6.2, "sample": 14.8, "compile": 17.3, "total": 246.0},
    "versions": {"alfonsine": "0.1.0", "classy": "3.4.1", "jax": "0.10.2", "python": "3.11.7"},
    "seed": 1252,
}  # fmt: skip
HISTORY = [
    {"round": 0, "calls": 8, "training": 8, "judged": 0, "kl": None, "kl_upper95": None, "loo_error": None,
     "seconds": {"solver": 31.0, "fit": 1.1}, "outcome": "inconclusive"},
    {"round": 1, "calls": 16, "training": 16, "judged": 8, "kl": 1.9, "kl_upper95": 9.1, "loo_error": 0.8,
     "seconds": {"solver": 30.2, "fit": 0.9}, "outcome": "fail"},
    {"round": 2, "calls": 24, "training": 24, "judged": 8, "kl": 0.061, "kl_upper95": 0.32, "loo_error": 0.11,
     "seconds": {"solver": 29.8, "fit": 1.0}, "outcome": "fail"},
    {"round": 3, "calls": 36, "training": 36, "judged": 12, "kl": 0.0038, "kl_upper95": 0.012, "loo_error": 0.03,
     "seconds": {"solver": 45.1, "fit": 1.3}, "outcome": "inconclusive"},
    {"round": 4, "calls": 54, "training": 48, "judged": 24, "kl": 0.00042, "kl_upper95": 0.00131,
     "loo_error": 0.021, "seconds": {"solver": 65.3, "fit": 1.9}, "outcome": "pass"},
]  # fmt: skip
FAILURES = [
    {"inputs": {"omega_b": 0.0481, "tau_reio": 0.31}, "reason": "CLASS: reionization not found", "seconds": 2.1},
    {"inputs": {"omega_b": 0.0512, "tau_reio": 0.33}, "reason": "CLASS: reionization not found", "seconds": 2.3},
    {"inputs": {"omega_b": 0.0602, "tau_reio": 0.12}, "reason": "stopped after 60 s", "seconds": 60.2},
]  # fmt: skip
PUBLISHED = {
    "label": "Planck 2018",
    "parameters": {
        "omega_b": [0.02236, 0.00015, 0.00015], "omega_cdm": [0.1202, 0.0014, 0.0014], "n_s": [0.9649, 0.0044, 0.0044],
        "logA": [3.045, 0.016, 0.016], "tau_reio": [0.0544, 0.0070, 0.0081], "H0": [67.27, 0.60, 0.60],
    },
}  # fmt: skip


def write(folder: Path, n: int = 10_000, seed: int = 3) -> Path:
    """Write the run folder; single files may then be changed or deleted."""
    folder.mkdir(parents=True, exist_ok=True)
    rng = np.random.default_rng(seed)
    for name, value in (
        ("certificate", CERTIFICATE), ("history", HISTORY), ("failures", FAILURES), ("published", PUBLISHED),
        ("bestfit", _panels()),
    ):  # fmt: skip
        (folder / f"{name}.json").write_text(json.dumps(value))
    (folder / "study.yaml").write_text(STUDY)
    np.savez(folder / "posterior.npz", **posterior(rng, n))
    np.savez(folder / "emulator_error.npz", **_emulator_error(rng))
    np.savez(folder / "bestfit.npz", **_best_fit(rng))
    return folder


def posterior(rng: np.random.Generator, n: int) -> dict[str, np.ndarray]:
    """Correlated, slightly curved draws with a small known correction: linear in n_s."""
    d = len(NAMES)
    mixing = np.eye(d)
    mixing[1, 0], mixing[4, 0], mixing[4, 1], mixing[3, 5] = -0.4, 0.5, -0.7, 1.6
    unit = rng.normal(size=(n, d)) @ mixing.T
    unit /= np.sqrt((mixing**2).sum(axis=1))
    unit[:, 5] = np.abs(unit[:, 5] + 6.0) - 6.0 + 0.05 * (unit[:, 3] ** 2 - 1)
    samples = MEAN + SIGMA * unit
    hubble = 67.3 + 0.6 * (0.5 * unit[:, 0] - 0.8 * unit[:, 1]) + 0.05 * rng.normal(size=n)
    sigma8 = 0.812 + 0.0073 * (0.7 * unit[:, 3] + 0.5 * unit[:, 1])
    return {
        "names": np.array(NAMES), "latex": np.array(LATEX), "samples": samples, "weights": np.ones(n),
        "corrected_log_weights": 0.01 * unit[:, 4] + 0.004 * unit[:, 0] ** 2,
        "derived": np.column_stack([hubble, sigma8]), "derived_names": np.array(["H0", "sigma8"]),
        "derived_latex": np.array(["H_0", r"\sigma_8"]),
    }  # fmt: skip


def _spectrum(name: str, ell: np.ndarray) -> np.ndarray:
    """Peaks, damping and a plateau: the look of D_l, not its physics."""
    damping, phase = np.exp(-((ell / 1150.0) ** 1.25)), np.pi * ell / 301.0
    if name == "tt":
        return 900 / (1 + (ell / 300) ** 2) + damping * (2700 + 2600 * np.cos(phase - 2.2 + 0 * ell) + 300)
    if name == "te":
        return 130 * np.sin(phase - 2.2) * damping * (1 - np.exp(-ell / 200))
    return 45 * (1 - np.cos(phase - 2.2)) * damping * (ell / 900) ** 0.8 + 0.3


_SIZE = {"tt": (215, 60.0), "te": (199, 9.0), "ee": (199, 1.6)}


def _panels() -> dict[str, object]:
    panels = [
        {"name": name, "likelihood": "planck_2018_lite", "title": f"Planck 2018 lite {name.upper()}",
         "x_label": r"multipole $\ell$", "y_label": rf"$D_\ell^\mathrm{{{name.upper()}}}$ [$\mu$K$^2$]"}
        for name in _SIZE
    ]  # fmt: skip
    return {
        "log_posterior": -311.2,
        "parameters": dict(zip(NAMES, MEAN.tolist(), strict=True)),
        "panels": panels,
    }


def _best_fit(rng: np.random.Generator) -> dict[str, np.ndarray]:
    stored = {}
    for name, (bands, noise) in _SIZE.items():
        x = np.linspace(32, 30 + 11 * bands, bands)
        error = noise * (0.35 + (x / 1500) ** 3 + 6 / np.sqrt(x))
        model = _spectrum(name, x)
        ell = np.arange(2.0, x.max() + 30)
        stored |= {
            f"{name}_x": x, f"{name}_error": error, f"{name}_model": model,
            f"{name}_data": model + error * rng.normal(size=bands),
            f"{name}_curve_x": ell, f"{name}_curve_y": _spectrum(name, ell),
        }  # fmt: skip
    return stored


def _emulator_error(rng: np.random.Generator) -> dict[str, np.ndarray]:
    stored = {}
    for i, name in enumerate(_SIZE):
        ell = np.arange(2.0, 2509.0)
        ripple = 0.5 + 0.5 * np.sin(ell / (48.0 + 7 * i)) ** 2
        rms = 0.004 * ripple * np.exp(-((ell - 900) ** 2) / 1.2e6) + 0.0004
        stored |= {
            f"{name}_l": ell,
            f"{name}_rms": rms,
            f"{name}_max": rms * (2.4 + 0.2 * rng.random(ell.size)),
        }
    return stored
