"""The matter power spectrum in the forms in which CLASS hands it over."""

from collections.abc import Mapping

import numpy as np

from alfonsine.hosts.missing import MissingQuantity
from alfonsine.hosts.quantities import Quantities
from alfonsine.theory.class_power import METHODS

EIGHT = 8.0  # Mpc/h


def nonlinear(settings: Mapping[str, str]) -> bool:
    """Whether CLASS's plain `pk` is the non-linear one."""
    return str(settings.get("non_linear", settings.get("non linear", "no"))).lower() in METHODS


def name_of(linear: bool, cb: bool) -> str:
    """Our name of a spectrum."""
    return ("pk_lin" if linear else "pk_nl") + ("_cb" if cb else "")


def array(held: Quantities, name: str, k: np.ndarray, z: np.ndarray, asked: str) -> np.ndarray:
    """P at k[index_k, index_z, index_mu] and z[index_z]."""
    return held.surface(name, asked).at(np.asarray(k, dtype=float), np.asarray(z, dtype=float)[None, :, None], asked)


def flat(held: Quantities, name: str, k: np.ndarray, z: np.ndarray, asked: str) -> np.ndarray:
    """P at all pairs, redshift by redshift."""
    k, z = (np.asarray(each, dtype=float) for each in (k, z))
    return held.surface(name, asked).at(k[None, :], z[:, None], asked).ravel()


def grid(held: Quantities, name: str, h: float, asked: str) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """The emulator's own grid: P[index_k, index_z], k, and z from high to low."""
    surface = held.surface(name, asked)
    return surface.values.T[:, ::-1].copy(), surface.k / h, surface.z[::-1].copy()


def sigma(held: Quantities, radius: np.ndarray, z: np.ndarray, name: str, asked: str) -> np.ndarray:
    """Fluctuations in spheres of 8 Mpc/h, the only ones that are held, at z; [index_z, index_R].

    name   of the number today: sigma8, or sigma8_cb
    """
    if not np.allclose(radius, EIGHT, rtol=1e-9, atol=0):
        raise MissingQuantity(
            f"{asked} in spheres of {np.ravel(radius)[0]:g} Mpc/h",
            "an emulator of those in 8 Mpc/h",
            "ask for R = 8 Mpc/h, or compute it from its power spectrum",
        )
    if np.all(z == 0) and held.knows(name):
        values = np.full(len(z), held.number(name))
    elif name == "sigma8":
        values = held.of_redshift("sigma8_z", z, asked)
    else:
        values = (
            np.full(len(z), held.number(name, asked)) if np.all(z == 0) else held.of_redshift("sigma8_cb_z", z, asked)
        )
    return np.repeat(values[:, None], len(radius), axis=1)
