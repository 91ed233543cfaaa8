"""Names of CLASS: aliases in use elsewhere, derived quantities, inputs that the installed version knows."""

import importlib.util
import re
from collections.abc import Callable
from functools import lru_cache
from pathlib import Path
from typing import Any

from alfonsine.theory.last_scattering import theta_star

# Only names with exactly the same meaning. CAMB's cosmomc_theta is not CLASS's theta_s, and nnu is not N_ur.
INPUT_ALIASES = {
    "logA": "ln_A_s_1e10",
    "ln10^{10}A_s": "ln_A_s_1e10",
    "ln10A_s": "ln_A_s_1e10",
    "As": "A_s",
    "ns": "n_s",
    "tau": "tau_reio",
    "ombh2": "omega_b",
    "omch2": "omega_cdm",
    "omegabh2": "omega_b",
    "omegach2": "omega_cdm",
    "100theta_s": "theta_s_100",
    "100*theta_s": "theta_s_100",
    "theta_s_1e2": "theta_s_100",
}

# our name -> name in Class.get_current_derived_parameters
DERIVED = {
    "H0": "H0",
    "h": "h",
    "Omega_m": "Omega_m",
    "omega_m": "omega_m",
    "Omega_Lambda": "Omega_Lambda",
    "Omega0_fld": "Omega0_fld",
    "age": "age",
    "conformal_age": "conformal_age",
    "Neff": "Neff",
    "N_eff": "Neff",
    "m_ncdm_tot": "m_ncdm_tot",
    "tau_reio": "tau_reio",
    "z_reio": "z_reio",
    "z_rec": "z_rec",
    "tau_rec": "tau_rec",
    "rs_rec": "rs_rec",
    "ra_rec": "ra_rec",
    "da_rec": "da_rec",
    "z_star": "z_star",
    "tau_star": "tau_star",
    "rs_star": "rs_star",
    "ra_star": "ra_star",
    "da_star": "da_star",
    "z_d": "z_d",
    "tau_d": "tau_d",
    "rs_d": "rs_d",
    "rs_drag": "rs_d",
    "rdrag": "rs_d",
    "100*theta_s": "theta_s_100",
    "theta_s_100": "theta_s_100",
    "theta_s_1e2": "theta_s_100",
    "100theta_s": "theta_s_100",
    "100*theta_star": "theta_star_100",
    "theta_star_100": "theta_star_100",
    "YHe": "YHe",
    "n_e": "n_e",
    "A_s": "A_s",
    "ln_A_s_1e10": "ln_A_s_1e10",
    "ln10^{10}A_s": "ln_A_s_1e10",
    "logA": "ln_A_s_1e10",
    "n_s": "n_s",
    "alpha_s": "alpha_s",
    "beta_s": "beta_s",
    "r": "r",
    "n_t": "n_t",
    "alpha_t": "alpha_t",
    "exp_m_2_tau_As": "exp_m_2_tau_As",
    "sigma8": "sigma8",
    "sigma8_cb": "sigma8_cb",
    "z_eq": "z_eq",
    "a_eq": "a_eq",
    "k_eq": "k_eq",
    "H_eq": "H_eq",
    "tau_eq": "tau_eq",
}
# our name -> attribute of Class
DERIVED_ATTRIBUTES = {
    "Omega_b": "Omega_b",
    "omega_b": "omega_b",
    "Omega_cdm": "Omega_cdm",
    "Omega_nu": "Omega_nu",
    "Omega_g": "Omega_g",
    "Omega_r": "Omega_r",
    "Omega_k": "Omega_k",
    "Omega_fld": "Omega_fld",
    "T_cmb": "T_cmb",
    "S8": "S8",
}
# our name -> of a computed Class
COMPUTED: dict[str, Callable[[Any], float]] = {
    "omega_cdm": lambda cosmo: cosmo.Omega_cdm() * cosmo.h() ** 2,
    "theta_star": theta_star,
}
NEEDS_TENSORS = {"r", "n_t", "alpha_t"}  # without tensor modes CLASS says r = 1, which means nothing
NEEDS_MATTER_POWER = {"sigma8", "sigma8_cb", "S8"}
KNOWN_DERIVED = {*DERIVED, *DERIVED_ATTRIBUTES, *COMPUTED}

# A value that CLASS accepts, for trying whether it knows a name at all.
TYPICAL = {
    "H0": 67.4,
    "h": 0.674,
    "theta_s_100": 1.042,
    "omega_b": 0.0224,
    "Omega_b": 0.049,
    "omega_cdm": 0.12,
    "Omega_cdm": 0.265,
    "A_s": 2.1e-9,
    "ln_A_s_1e10": 3.045,
    "sigma8": 0.81,
    "n_s": 0.965,
    "tau_reio": 0.054,
    "z_reio": 7.7,
    "N_ur": 3.044,
    "N_eff": 3.044,
    "m_ncdm": 0.06,
    "deg_ncdm": 1.0,
    "T_ncdm": 0.71611,
    "Omega_k": 0.001,
    "w0_fld": -0.98,
    "wa_fld": 0.01,
    "YHe": 0.245,
    "T_cmb": 2.7255,
    "alpha_s": 0.001,
    "r": 0.01,
    "Gamma_dcdm": 10.0,
    "omega_ini_dcdm": 0.01,
}
_READ = re.compile(r'(?:class_read_\w+|parser_read_\w+)\s*\(\s*(?:pfc\s*,\s*)?"([^"]+)"')
_PRECISION = re.compile(r"class_\w*_parameter\(\s*(\w+)\s*,")


@lru_cache(maxsize=1)
def known_inputs() -> frozenset[str]:
    """Names that the installed CLASS reads, from its source where that is installed, else the common ones.

    Good for suggestions only: CLASS itself decides.
    """
    names = {*TYPICAL, *INPUT_ALIASES}
    specification = importlib.util.find_spec("classy")
    folder = Path(specification.origin).parent if specification and specification.origin else Path()
    for file, pattern in (
        (folder / "source" / "input.c", _READ),
        (folder / "include" / "precisions.h", _PRECISION),
    ):
        if file.is_file():
            names.update(pattern.findall(file.read_text(errors="replace")))
    return frozenset(names)
