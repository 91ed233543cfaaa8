"""Names of one and the same parameter in CosmoMC, CAMB, CLASS and MontePython.

Only those that mean exactly the same: CosmoMC's `theta` is CAMB's 100 cosmomc_theta and not CLASS's 100 theta_s; nnu is
not N_ur; mnu is a sum, m_ncdm one mass.
"""

from collections.abc import Iterable

from alfonsine.theory.class_names import INPUT_ALIASES

_SAME = INPUT_ALIASES | {
    "omegak": "Omega_k",
    "omk": "Omega_k",
    "w": "w0_fld",
    "wa": "wa_fld",
    "theta": "theta_MC_100",
    "calPlanck": "A_planck",
}
_MONTEPYTHON = {"theta_s_100": "100*theta_s", "ln_A_s_1e10": "ln10^{10}A_s"}  # as its parameter files have them


def meaning(name: str) -> str:
    """One name for all that mean the same: CLASS's, where it has one."""
    return _SAME.get(name, name)


def of_same_meaning(name: str, known: Iterable[str]) -> str | None:
    """Among `known`, the name itself, or another of the same meaning; None where there is none."""
    known = tuple(known)
    if name in known:
        return name
    return next((other for other in known if meaning(other) == meaning(name)), None)


def montepython_name(name: str) -> str:
    """The name in MontePython's files."""
    return _MONTEPYTHON.get(meaning(name), meaning(name))
