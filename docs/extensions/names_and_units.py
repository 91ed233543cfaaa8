"""Tables of names and units, written from the code that reads the names; what the code does not say is said here.

A name that the code knows and this file does not, or the other way round, is an error of the build.
"""

import inspect
import re
from collections.abc import Iterable

from markdown_directive import table, writes
from sphinx.application import Sphinx

from alfonsine.likelihood.registry import LIKELIHOODS
from alfonsine.theory import camb_names, class_names, class_spectra, grids

SPECTRA = {
    "tt": "temperature",
    "te": "temperature and E-polarisation",
    "ee": "E-polarisation",
    "bb": "B-polarisation",
    "pp": "lensing potential",
    "tp": "temperature and lensing potential",
}
# name -> unit, and what it is
NUMBERS = {
    "H0": ("km/s/Mpc", "expansion rate today"),
    "h": ("", "H0 over 100 km/s/Mpc"),
    "age": ("Gyr", "age of the universe"),
    "conformal_age": ("Mpc", "conformal time today, times c"),
    "Omega_m, Omega_b, Omega_cdm, Omega_nu, Omega_g, Omega_r, Omega_k, Omega_Lambda, Omega_fld, Omega0_fld": (
        "",
        "densities today over the critical one: matter, baryons, cold dark matter, massive neutrinos, photons, "
        "radiation, curvature, cosmological constant, fluid (twice)",
    ),
    "omega_m, omega_b, omega_cdm": ("", "the same times h squared"),
    "N_eff, Neff": ("", "effective number of neutrinos"),
    "m_ncdm_tot": ("eV", "93.14 eV times the density of massive neutrinos times h squared"),
    "T_cmb": ("K", "temperature of the microwave background today"),
    "YHe": ("", "primordial helium, part of the baryons' mass"),
    "n_e": ("1/m^3", "electrons today, free or not"),
    "tau_reio": ("", "optical depth of reionisation"),
    "z_reio": ("", "redshift of reionisation"),
    "z_rec": ("", "redshift of recombination: the visibility is largest"),
    "z_star": ("", "redshift at which the optical depth is one"),
    "z_d": ("", "redshift at which the baryons are set free (drag)"),
    "tau_rec, tau_star, tau_d": ("Mpc", "conformal time then, times c"),
    "rs_rec, rs_star": ("Mpc", "comoving sound horizon then"),
    "rs_d, rs_drag, rdrag": ("Mpc", "comoving sound horizon at the drag epoch"),
    "da_rec, da_star": ("Mpc", "physical angular diameter distance to then"),
    "ra_rec, ra_star": ("Mpc", "comoving angular diameter distance to then"),
    "theta_s_100, 100*theta_s, 100theta_s, theta_s_1e2": ("", "100 times the angle of the sound horizon, at `z_rec`"),
    "theta_star_100, 100*theta_star": ("", "the same at `z_star`"),
    "theta_star": ("rad", "that angle at last scattering as Planck and DESI define it: reionisation is not counted"),
    "cosmomc_theta_100": ("", "100 times CosmoMC's approximation of that angle"),
    "A_s": ("", "primordial amplitude at the pivot, 0.05/Mpc unless set otherwise"),
    "logA, ln10^{10}A_s, ln_A_s_1e10": ("", "natural logarithm of 10^10 times that"),
    "n_s, alpha_s, beta_s": ("", "tilt of the scalar spectrum, its running, and that of the running"),
    "r, n_t, alpha_t": ("", "tensors: ratio to scalars, tilt, running; only with `modes: s,t`"),
    "exp_m_2_tau_As": ("", "A_s times exp(-2 tau)"),
    "sigma8, sigma8_cb": ("", "linear fluctuation in spheres of 8 Mpc/h today: of all matter, without neutrinos"),
    "S8": ("", "sigma8 times the root of Omega_m/0.3"),
    "z_eq, a_eq": ("", "equality of matter and radiation: redshift, scale factor"),
    "k_eq, H_eq": ("1/Mpc", "the wavenumber a H/c then, and H/c"),
    "tau_eq": ("Mpc", "conformal time then, times c"),
}
SPECIES_WORDS = {
    "conformal_time": "since the beginning, times c",
    "Omega_m_z": "density of matter over the critical one at z",
    "Omega_r_z": "the same of radiation",
    "rho_tot": "of all species, as `rho_crit`",
}


def setup(app: Sphinx) -> dict[str, bool]:
    """Make the directive `names`, whose argument says of what."""
    app.add_directive("names", writes(names))
    return {"parallel_read_safe": True, "parallel_write_safe": True}


def names(what: str) -> str:
    """The table of that name."""
    return TABLES[what]()


def spectra() -> str:
    """CMB spectra."""
    agree("spectra", SPECTRA, class_spectra.NEEDS)
    rows = [(code(name), unit(class_spectra.UNITS[name]), SPECTRA[name]) for name in class_spectra.NEEDS]
    return table(("output", "unit", "of"), rows)


def power() -> str:
    """Matter power spectra."""
    return table(
        ("output", "unit", "what it is"), [(code(n), unit("Mpc^3"), words) for n, words in grids.POWER.items()]
    )


def thermodynamics() -> str:
    """Functions of redshift of the plasma, in the words of the comments beside them in the code."""
    said = comments("THERMODYNAMICS")
    rows = [(code(name), unit(of), said[name]) for name, of in grids.THERMODYNAMICS.items()]
    return table(("output", "unit", "what it is"), rows)


def background() -> str:
    """The same of the homogeneous universe; those of the species in two lines."""
    said = comments("BACKGROUND") | SPECIES_WORDS
    single = {f"Omega_{species}_z" for species in grids.SPECIES} | {f"rho_{species}" for species in grids.SPECIES}
    rows = [(code(name), unit(of), said[name]) for name, of in grids.BACKGROUND.items() if name not in single]
    rows += [("`Omega_X_z`", "none", "the same of a species X"), ("`rho_X`", "1/Mpc²", "as `rho_crit`, of a species X")]
    species = ", ".join(code(name) for name in grids.SPECIES)
    return table(("output", "unit", "what it is"), rows) + f"\n\nSpecies X: {species}.\n"


def numbers() -> str:
    """Derived numbers of CLASS and CAMB."""
    told = [name for group in NUMBERS for name in group.split(", ")]
    agree("derived numbers", told, {*class_names.KNOWN_DERIVED, *camb_names.DERIVED})
    rows = []
    for group, (of_unit, words) in NUMBERS.items():
        members = group.split(", ")
        by = {"CLASS": class_names.KNOWN_DERIVED, "CAMB": camb_names.DERIVED}
        has = {of: [name for name in members if name in known] for of, known in by.items()}
        told = [f"{of}: {', '.join(map(code, found)) or 'none'}" for of, found in has.items() if found != members]
        rows.append((", ".join(map(code, members)), unit(of_unit), words + (f" ({'; '.join(told)})" if told else "")))
    return table(("name", "unit", "what it is"), rows)


def aliases() -> str:
    """Names of inputs that are understood beside the code's own."""
    of_class = {}
    for other, own in class_names.INPUT_ALIASES.items():
        of_class.setdefault(own, []).append(other)
    of_camb: dict[str, list[str]] = {}
    for other, (own, _) in camb_names.ALIASES.items():
        of_camb.setdefault(own, []).append(other)
    rows = [("CLASS", code(own), ", ".join(map(code, others))) for own, others in of_class.items()]
    rows += [("CAMB", code(own), ", ".join(map(code, others))) for own, others in of_camb.items()]
    return table(("code", "its own name", "also understood"), rows)


def likelihoods() -> str:
    """Likelihoods, with their options and defaults."""
    rows = []
    for name, make in LIKELIHOODS.items():
        options = [code(option(given, facts.default)) for given, facts in inspect.signature(make).parameters.items()]
        rows.append((code(name), first_line(make), ", ".join(options) or "none"))
    return table(("likelihood", "what it is", "options"), rows)


def first_line(thing: object) -> str:
    """What a docstring says first, without its end mark."""
    return (inspect.getdoc(thing) or "").splitlines()[0].split("; InputError")[0].rstrip(".")


def option(name: str, default: object) -> str:
    """An option with its default, where there is one, as in a study file."""
    if default in (inspect.Parameter.empty, None):
        return name
    return f"{name}: {str(default).lower() if isinstance(default, bool) else default}"


def comments(mapping: str) -> dict[str, str]:
    """The comment behind each name of a dictionary in `grids`."""
    source = inspect.getsource(grids).split(f"\n{mapping} = {{", 1)[1].split("\n}", 1)[0]
    return {name: words for name, words in re.findall(r'^ +"(\w+)": .*?# (.+)$', source, re.MULTILINE)}


def agree(what: str, here: Iterable[str], there: Iterable[str]) -> None:
    """ValueError unless both have the same names."""
    if missing := set(there) - set(here):
        raise ValueError(f"{what}: expected a word on {sorted(missing)} in docs/extensions/names_and_units.py")
    if unknown := set(here) - set(there):
        raise ValueError(f"{what}: expected names that the code knows, got {sorted(unknown)}")


def code(name: str) -> str:
    """As code."""
    return f"`{name}`"


def unit(of: str) -> str:
    """A unit for people."""
    return of.replace("muK", "µK").replace("^2", "²").replace("^3", "³") or "none"


TABLES = {
    "spectra": spectra,
    "power": power,
    "background": background,
    "thermodynamics": thermodynamics,
    "numbers": numbers,
    "aliases": aliases,
    "likelihoods": likelihoods,
}
