"""Functions of redshift of CAMB's background, in the names and units of all codes."""

from collections.abc import Callable, Collection
from typing import Any

import numpy as np
from jaxtyping import Float

from alfonsine.errors import InputError
from alfonsine.theory.grids import LIGHT, OF_THE_DRAG_HORIZON, Background
from alfonsine.theory.growth import A_INITIAL, growth
from alfonsine.theory.theory import TheoryError

NEEDS_MATTER_POWER = {"sigma8_z", "f_sigma8"}
GROWTH = ("D", "f")
# our species -> CAMB's; its dark energy is either a cosmological constant or a fluid
SPECIES = {
    "g": "photon",
    "b": "baryon",
    "cdm": "cdm",
    "ur": "neutrino",
    "ncdm": "nu",
    "lambda": "de",
    "fld": "de",
}
ABSENT = {
    "idm": "CAMB has no interacting dark matter: use CLASS",
    "idr": "CAMB has no interacting dark radiation: use CLASS",
    "dcdm": "CAMB has no decaying dark matter: use CLASS",
    "dr": "CAMB has no decaying dark matter: use CLASS",
    "scf": "a scalar field is CAMB's dark energy: use fld in its place",
}
FLUID = {"w", "wa", "use_tabulated_w", "dark_energy_model"}  # inputs that make a fluid of the dark energy
STEP = 3e-3  # in ln a, of a derivative of fourth order: good to 1e-8 where CAMB's own density is smooth

METHODS: dict[str, Callable[[Any, np.ndarray], np.ndarray]] = {
    "H": lambda data, z: data.hubble_parameter(z),
    "D_A": lambda data, z: data.angular_diameter_distance(z),
    "D_L": lambda data, z: data.luminosity_distance(z),
    "comoving_distance": lambda data, z: data.comoving_radial_distance(z),
    "time": lambda data, z: np.array([data.physical_time(float(x)) for x in z]),
    "conformal_time": lambda data, z: data.conformal_time(z),
    "sound_horizon": lambda data, z: data.sound_horizon(z),
    "mu": lambda data, z: 5 * np.log10(data.luminosity_distance(z)) + 25,
    **{
        name: lambda data, z, of=function: of(
            z, data.hubble_parameter(z), data.angular_diameter_distance(z), data.get_derived_params()["rdrag"]
        )
        for name, function in OF_THE_DRAG_HORIZON.items()
    },
    "sigma8_z": lambda data, z: _at(data, z, data.get_sigma8()),
    "f_sigma8": lambda data, z: _at(data, z, data.get_fsigma8()),
    "w_fld": lambda data, z: data.get_dark_energy_rho_w(1 / (1 + z))[1],
    "Omega_m_z": lambda data, z: _matter(data, z) / _scaled(data, "tot", z),
    "Omega_r_z": lambda data, z: _radiation(data, z) / _scaled(data, "tot", z),
    "rho_crit": lambda data, z: (data.hubble_parameter(z) / LIGHT) ** 2,
    # the "tot" of CAMB counts curvature as a species
    "rho_tot": lambda data, z: (_scaled(data, "tot", z) - _scaled(data, "K", z)) * (1 + z) ** 4,
}


def check_background(background: Background) -> None:
    """InputError for a species that CAMB has not, and for growth before its beginning."""
    for name in background.names:
        if why := ABSENT.get(_species(name)):
            raise InputError(f"expected a background function of CAMB, got '{name}'; {why}")
    if set(GROWTH) & set(background.names) and background.z[-1] >= 1 / A_INITIAL - 1:
        raise InputError(f"axis 'z': expected redshifts below {1 / A_INITIAL:g} for D and f, got {background.z[-1]:g}")


def is_fluid(told: Collection[str]) -> bool:
    """Whether the dark energy is a fluid: by the names that CAMB is told, so that it is the same at all points."""
    return bool(FLUID & set(told))


def read_background(data: Any, background: Background, fluid: bool) -> dict[str, Float[np.ndarray, " z"]]:
    """The functions of a computed `camb.CAMBdata`; TheoryError for a species without density.

    Densities are 8 pi G rho / 3 c^2, and fractions are of the critical density (H/c)^2. As in CLASS a massive
    neutrino counts as matter with rho - 3 p and as radiation with 3 p; CAMB says no pressure, but its density has a
    slope, and rho - 3 p = a^-4 d(a^4 rho)/d ln a. D and f solve the equation that CLASS solves, in CAMB's universe,
    see `growth`; CAMB itself has growth by wavenumber only. sigma8_z and f_sigma8 are those of its perturbations, and
    f_sigma8 = sigma_vd^2 / sigma_dd, by the correlation of velocity and density (Planck 2015 XIII, A&A 594 (2016) A13),
    not the product of f and sigma8_z. CAMB's sound horizon begins at a = 1e-9, which is 1e-4 of it at
    z = 1e5, and has no curvature inside. The dark energy is `fld` where `fluid`, else `lambda`.
    """
    z = np.array(background.z)
    for name in background.names:
        if _species(name) == ("lambda" if fluid else "fld") or (name == "w_fld" and not fluid):
            other = "a fluid: use fld in its place" if fluid else "a constant: use rho_lambda, or tell CAMB its w"
            raise TheoryError(f"no '{name}' in this cosmology: its dark energy is {other}")
    grown = dict(zip(GROWTH, _growth(data, z), strict=True)) if set(GROWTH) & set(background.names) else {}
    found = {name: grown[name] if name in grown else _function(data, name, z) for name in background.names}
    return {name: np.asarray(values, dtype=np.float64) for name, values in found.items()}


def rows(wanted: np.ndarray, z: np.ndarray) -> list[int]:
    """Where the redshifts asked for stand among those that were computed."""
    return [int(np.argmin(np.abs(z - value))) for value in wanted]


def _species(name: str) -> str:
    return name.removeprefix("rho_").removeprefix("Omega_").removesuffix("_z")


def _function(data: Any, name: str, z: np.ndarray) -> np.ndarray:
    if name in METHODS:
        return METHODS[name](data, z)
    density = _scaled(data, SPECIES[_species(name)], z) * (1 + z) ** 4
    if not np.any(density > 0):
        raise TheoryError(f"no '{name}' in this cosmology: its density is zero")
    return density / METHODS["rho_crit"](data, z) if name.startswith("Omega_") else density


def _scaled(data: Any, species: str, z: np.ndarray) -> np.ndarray:
    """a^4 rho [1/Mpc^2]; CAMB gives 8 pi G a^4 rho / c^2."""
    return data.get_background_densities(1 / (1 + z), [species])[species] / 3


def _slow(data: Any, z: np.ndarray) -> np.ndarray:
    """a^4 (rho - 3 p) of massive neutrinos: the slope of a^4 rho in ln a."""
    far, near = ([_scaled(data, "nu", np.expm1(np.log1p(z) - s * n * STEP)) for s in (1, -1)] for n in (2, 1))
    return (8 * (near[0] - near[1]) - (far[0] - far[1])) / (12 * STEP)


def _matter(data: Any, z: np.ndarray) -> np.ndarray:
    return _scaled(data, "cdm", z) + _scaled(data, "baryon", z) + _slow(data, z)


def _radiation(data: Any, z: np.ndarray) -> np.ndarray:
    fast = _scaled(data, "nu", z) - _slow(data, z)
    return _scaled(data, "photon", z) + _scaled(data, "neutrino", z) + fast


def _growth(data: Any, z: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    today = np.zeros(1)
    matter = float((_scaled(data, "cdm", today) + _scaled(data, "baryon", today))[0])
    return growth(lambda a: np.sqrt(_scaled(data, "tot", 1 / a - 1)), matter, z)


def _at(data: Any, z: np.ndarray, values: np.ndarray) -> np.ndarray:
    """CAMB's own redshifts are all that was asked for, from early to late."""
    return values[rows(z, np.array(data.Params.Transfer.PK_redshifts[: len(values)]))]
