"""Names of CAMB: the field's other names for its inputs, derived numbers, and the inputs that come after the rest."""

from collections.abc import Callable, Mapping
from math import exp, log
from typing import Any

from alfonsine.errors import InputError

# Inputs of the primordial spectra alone: one solution of the perturbations serves all of their values.
PRIMORDIAL = {"As", "ns", "nrun", "nrunrun", "r", "nt", "ntrun"}
# Inputs of the non-linear correction alone, which comes after the perturbations as well.
NONLINEAR = {"HMCode_A_baryon", "HMCode_eta_baryon", "HMCode_logT_AGN"}

Value = Any
# other name -> name of CAMB, and how the value changes. CLASS's theta_s is at another time and has no entry.
ALIASES: dict[str, tuple[str, Callable[[Value], Value]]] = {
    "logA": ("As", lambda value: 1e-10 * exp(value)),
    "ln10^{10}A_s": ("As", lambda value: 1e-10 * exp(value)),
    "ln_A_s_1e10": ("As", lambda value: 1e-10 * exp(value)),
    "A_s": ("As", lambda value: value),
    "n_s": ("ns", lambda value: value),
    "alpha_s": ("nrun", lambda value: value),
    "n_t": ("nt", lambda value: value),
    "omega_b": ("ombh2", lambda value: value),
    "omegabh2": ("ombh2", lambda value: value),
    "omega_cdm": ("omch2", lambda value: value),
    "omegach2": ("omch2", lambda value: value),
    "tau_reio": ("tau", lambda value: value),
    "Omega_k": ("omk", lambda value: value),
    "N_eff": ("nnu", lambda value: value),
    "w0_fld": ("w", lambda value: value),
    "wa_fld": ("wa", lambda value: value),
    "T_cmb": ("TCMB", lambda value: value),
    "c_min": ("HMCode_A_baryon", lambda value: value),
    "eta_0": ("HMCode_eta_baryon", lambda value: value),
    "log10T_heat_hmcode": ("HMCode_logT_AGN", lambda value: value),
    "h": ("H0", lambda value: 100 * value),
    "theta_star_100": ("thetastar", lambda value: value / 100),
    "100*theta_star": ("thetastar", lambda value: value / 100),
}

# A value that CAMB accepts, for trying whether it knows a name at all.
TYPICAL = {
    "H0": 67.4,
    "thetastar": 0.0104,
    "cosmomc_theta": 0.0104,
    "ombh2": 0.0224,
    "omch2": 0.12,
    "As": 2.1e-9,
    "ns": 0.965,
    "tau": 0.054,
    "zrei": 7.7,
    "mnu": 0.06,
    "nnu": 3.044,
    "omk": 0.001,
    "w": -0.98,
    "wa": 0.01,
    "YHe": 0.245,
    "TCMB": 2.7255,
    "r": 0.01,
    "nt": 0.0,
    "nrun": 0.001,
    "Alens": 1.0,
    "HMCode_A_baryon": 3.13,
    "HMCode_eta_baryon": 0.603,
    "HMCode_logT_AGN": 7.8,
}

# our name -> of a computed camb.CAMBdata. The time z_star is where the optical depth is one without reionisation;
# CLASS counts reionisation, and its z_star, rs_star, ra_star and theta_star_100 differ by up to 0.5 %.
DERIVED: dict[str, Callable[[Any], float]] = {
    "H0": lambda data: data.Params.H0,
    "h": lambda data: data.Params.h,
    "Omega_m": lambda data: data.Params.omegam,
    "omega_m": lambda data: data.Params.omegam * data.Params.h**2,
    "Omega_b": lambda data: data.Params.omegab,
    "omega_b": lambda data: data.Params.ombh2,
    "Omega_cdm": lambda data: data.Params.omegac,
    "omega_cdm": lambda data: data.Params.omch2,
    "Omega_nu": lambda data: data.Params.omeganu,
    "Omega_k": lambda data: data.Params.omk,
    "Omega_Lambda": lambda data: data.omega_de,
    "N_eff": lambda data: data.Params.N_eff,
    "Neff": lambda data: data.Params.N_eff,
    "YHe": lambda data: data.Params.YHe,
    "A_s": lambda data: data.Params.InitPower.As,
    "logA": lambda data: log(1e10 * data.Params.InitPower.As),
    "n_s": lambda data: data.Params.InitPower.ns,
    "z_reio": lambda data: data.Params.Reion.redshift,
    "age": lambda data: data.get_derived_params()["age"],
    "z_star": lambda data: data.get_derived_params()["zstar"],
    "rs_star": lambda data: data.get_derived_params()["rstar"],
    "ra_star": lambda data: 1000 * data.get_derived_params()["DAstar"],
    "theta_star_100": lambda data: data.get_derived_params()["thetastar"],
    "100*theta_star": lambda data: data.get_derived_params()["thetastar"],
    "theta_star": lambda data: data.get_derived_params()["thetastar"] / 100,
    "cosmomc_theta_100": lambda data: 100 * data.cosmomc_theta(),
    "z_d": lambda data: data.get_derived_params()["zdrag"],
    "rs_d": lambda data: data.get_derived_params()["rdrag"],
    "rs_drag": lambda data: data.get_derived_params()["rdrag"],
    "rdrag": lambda data: data.get_derived_params()["rdrag"],
    "z_eq": lambda data: data.get_derived_params()["zeq"],
    "k_eq": lambda data: data.get_derived_params()["keq"],
    "sigma8": lambda data: data.get_sigma8_0(),
    "S8": lambda data: data.get_sigma8_0() * (data.Params.omegam / 0.3) ** 0.5,
}
NEEDS_MATTER_POWER = {"sigma8", "S8"}
NEEDS_REIONISATION = {"z_reio"}


def renamed(values: Mapping[str, Any]) -> dict[str, Any]:
    """Change other names into CAMB's own; InputError for an input given under two of them."""
    found: dict[str, Any] = {}
    for name, value in values.items():
        target, change = ALIASES.get(str(name), (str(name), lambda value: value))
        if target in found:
            raise InputError(f"expected each CAMB input once, got '{name}' beside another name of '{target}'")
        found[target] = change(value)
    return found
