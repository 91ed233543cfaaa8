"""What Cobaya's likelihoods may require of a theory, and which output here answers it.

Words: the documentation of Cobaya's `BoltzmannBase.must_provide`. Units there: Mpc, 1/Mpc, and C_l in muK^2.
"""

from collections.abc import Mapping
from typing import Any

from alfonsine.hosts.missing import MissingQuantity

# functions of redshift: Cobaya's word -> ours
FUNCTIONS = {
    "Hubble": "H",
    "angular_diameter_distance": "D_A",
    "comoving_radial_distance": "comoving_distance",
    "sigma8_z": "sigma8_z",
    "fsigma8": "f_sigma8",
    "Omega_b": "Omega_b_z",
    "Omega_cdm": "Omega_cdm_z",
    "Omega_nu_massive": "Omega_ncdm_z",
}
SPECTRA = {"Cl": "", "lensed_scal_Cl": "", "unlensed_Cl": "unlensed_"}
TRACERS = {("delta_tot", "delta_tot"): "", ("delta_nonu", "delta_nonu"): "_cb"}
# numbers: Cobaya's word, which is CAMB's, -> ours
NUMBERS = {
    "omegam": "Omega_m",
    "omegamh2": "omega_m",
    "omegal": "Omega_Lambda",
    "omegak": "Omega_k",
    "omk": "Omega_k",
    "rdrag": "rs_drag",
    "zrei": "z_reio",
    "nrun": "alpha_s",
    "nt": "n_t",
    "w": "w0_fld",
    "wa": "wa_fld",
}


def number(name: str) -> str:
    """Our name of a number."""
    return NUMBERS.get(name, name)


def spectrum(kind: str, name: str) -> str:
    """Our name of a spectrum, whose two letters Cobaya gives in any order."""
    order = "tebp"
    return SPECTRA[kind] + "".join(sorted(name.lower(), key=order.find))


def power(pair: tuple[str, str], nonlinear: bool) -> str:
    """Our name of a matter power spectrum; MissingQuantity for other fields than matter."""
    if tuple(sorted(pair)) not in TRACERS:
        raise MissingQuantity(
            f"Cobaya's Pk of {' and '.join(pair)}",
            "power spectra of delta_tot and delta_nonu",
            "let Cobaya's own CLASS or CAMB serve this likelihood",
        )
    return ("pk_nl" if nonlinear else "pk_lin") + TRACERS[tuple(sorted(pair))]


def asked_power(required: Mapping[Any, Any]) -> dict[str, dict[str, Any]]:
    """The power spectra among Cobaya's collected requirements, by our names: {'z': ..., 'k_max': ...}."""
    found = {}
    for key, options in required.items():
        if isinstance(key, tuple) and key[0] == "Pk_grid":
            found[power((key[2], key[3]), bool(key[1]))] = dict(options)
    return found
