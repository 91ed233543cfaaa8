"""Numbers that follow from one evaluation: derived ones, inputs, settings, and what these say exactly about others."""

import math
from collections.abc import Callable, Mapping
from typing import Any

from alfonsine.theory import class_defaults
from alfonsine.theory.camb_names import ALIASES
from alfonsine.theory.class_names import DERIVED, INPUT_ALIASES

# CAMB's inputs under CLASS's names; only those with the same meaning and the same value
OF_CAMB = {"ombh2": "omega_b", "omch2": "omega_cdm", "omk": "Omega_k", "TCMB": "T_cmb", "H0": "H0", "As": "A_s"} | {
    "ns": "n_s",
    "tau": "tau_reio",
}
CAMB_DEFAULTS = {"Omega_k": 0.0, "T_cmb": 2.7255}
SPECIES = ("b", "cdm", "m")
# name -> the names that it follows from, and how
FOLLOWS: tuple[tuple[str, tuple[str, ...], Callable[..., float]], ...] = (
    ("h", ("H0",), lambda H0: H0 / 100),
    ("H0", ("h",), lambda h: 100 * h),
    ("A_s", ("ln_A_s_1e10",), lambda x: 1e-10 * math.exp(x)),
    ("ln_A_s_1e10", ("A_s",), lambda A_s: math.log(1e10 * A_s)),
    ("S8", ("sigma8", "Omega_m"), lambda sigma8, Omega_m: sigma8 * math.sqrt(Omega_m / 0.3)),
    ("sigma8", ("S8", "Omega_m"), lambda S8, Omega_m: S8 / math.sqrt(Omega_m / 0.3)),
    ("exp_m_2_tau_As", ("tau_reio", "A_s"), lambda tau, A_s: math.exp(-2 * tau) * A_s),
    *((f"Omega_{s}", (f"omega_{s}", "h"), lambda omega, h: omega / h**2) for s in SPECIES),
    *((f"omega_{s}", (f"Omega_{s}", "h"), lambda Omega, h: Omega * h**2) for s in SPECIES),
)


def canonical(name: str) -> str:
    """CLASS's own name for a number, where the name is another one for it."""
    return INPUT_ALIASES.get(name, DERIVED.get(name, name))


def completed(numbers: Mapping[str, float]) -> dict[str, float]:
    """All that is known: by CLASS's names, and with what follows exactly."""
    known = {canonical(name): float(value) for name, value in numbers.items()}
    found = True
    while found:
        found = False
        for name, needed, function in FOLLOWS:
            if name not in known and all(n in known for n in needed):
                known[name] = function(*(known[n] for n in needed))
                found = True
    return known


def told(theory: Mapping[str, Any] | None, point: Mapping[str, float]) -> dict[str, float]:
    """Numbers that an exact code was given at one point: its inputs and settings, and its own values of a few others.

    theory   the entry of an emulator's card: code, settings; nothing is known of the settings where a function of the
             user's own makes the inputs of the code
    """
    theory = theory or {}
    code = theory.get("code")
    if code not in ("class", "camb") or "inputs" in theory:
        return dict(point)
    settings = {name: float(value) for name, value in dict(theory.get("settings") or {}).items() if _is_number(value)}
    if code == "class":
        return completed(_class_defaults(settings, point) | settings | dict(point))
    found: dict[str, float] = dict(CAMB_DEFAULTS)
    for name, value in (settings | dict(point)).items():
        target, change = ALIASES.get(name, (name, float))
        if target in OF_CAMB:
            found[OF_CAMB[target]] = float(change(value))
    return completed(found)


def _class_defaults(settings: Mapping[str, float], point: Mapping[str, float]) -> dict[str, float]:
    """T_cmb and curvature where nothing says otherwise."""
    given = {*settings, *point}
    found = {} if "Omega_g" in given or "omega_g" in given else {"T_cmb": class_defaults.NUMBERS["T_cmb"]}
    return found | ({} if "omega_k" in given else {"Omega_k": class_defaults.NUMBERS["Omega_k"]})


def _is_number(value: Any) -> bool:
    try:
        return math.isfinite(float(value))
    except (TypeError, ValueError):
        return False
