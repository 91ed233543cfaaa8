"""The matter power spectrum of CLASS."""

from collections.abc import Mapping
from typing import Any

import numpy as np
from jaxtyping import Float

from alfonsine.errors import InputError
from alfonsine.theory.grids import MatterPower
from alfonsine.theory.theory import TheoryError

METHODS = ("halofit", "hmcode")
# CLASS splines ln P over ln k with a free end: at the last wavenumber itself that is wrong by 4e-4, with this margin
# by 2e-5
K_MARGIN = 1.6
K_LEAST = 1.0  # 1/Mpc, CLASS's own; sigma8 needs as much
CLIFF = 0.01  # a non-linear correction that ends at less than this is as good as none


def power_settings(power: MatterPower | None, z_last: float, settings: Mapping[str, Any]) -> dict[str, float]:
    """What CLASS must be told to reach the last wavenumber and redshift; the user's own larger values stand.

    InputError for a smaller one, for a limit in h/Mpc, and for pk_nl without a method.
    """
    told = {}
    if power is not None:
        if power.nonlinear and str(settings.get("non_linear", settings.get("non linear"))).lower() not in METHODS:
            raise InputError(
                f"expected a method for {power.nonlinear[0]}, got none; "
                "try non_linear: hmcode, or halofit, in extra_args"
            )
        if "P_k_max_h/Mpc" in settings:
            raise InputError("expected P_k_max_1/Mpc beside a grid of k in 1/Mpc, got 'P_k_max_h/Mpc'; rename it")
        _reaches(settings, "P_k_max_1/Mpc", power.k[-1])
        told["P_k_max_1/Mpc"] = max(K_LEAST, K_MARGIN * power.k[-1])
    if z_last > 0:
        _reaches(settings, "z_max_pk", z_last)
        told["z_max_pk"] = z_last
    return told


def _reaches(settings: Mapping[str, Any], name: str, needed: float) -> None:
    try:
        given = float(settings.get(name, needed))
    except (TypeError, ValueError):
        raise InputError(f"expected a number for {name}, got '{settings[name]}'") from None
    if given < needed:
        raise InputError(f"expected {name} of at least {needed:g}, the end of the grid, got {given:g}; remove it")


def read_power(cosmo: Any, power: MatterPower) -> dict[str, Float[np.ndarray, " zk"]]:
    """P(k, z) of a computed `classy.Class`, z first, flattened."""
    return {name: _surface(cosmo, power, name) for name in power.names}


def _surface(cosmo: Any, power: MatterPower, name: str) -> Float[np.ndarray, " zk"]:
    k, z = np.array(power.k), np.array(power.z)
    nonlinear, cb = name.startswith("pk_nl"), name.endswith("_cb")
    if nonlinear:
        single = cosmo.pk_cb if cb else cosmo.pk
    else:
        single = cosmo.pk_cb_lin if cb else cosmo.pk_lin
    # The loop in C says nothing where it has no answer and leaves zeros: outside its wavenumbers, and everywhere
    # without massive neutrinos or a non-linear method. The function for a single point says why, or extrapolates
    # to small k with the primordial spectrum; it takes a millisecond.
    single(k[-1], z[-1])
    found = (cosmo.get_pk_cb_array if cb else cosmo.get_pk_array)(k, z, len(k), len(z), nonlinear).reshape(len(z), -1)
    for i, j in zip(*np.nonzero(found <= 0), strict=True):
        found[i, j] = single(k[j], z[i])
    if not np.all(found > 0):
        raise TheoryError(f"CLASS gives no {name} at some of the wavenumbers and redshifts asked for")
    if nonlinear:
        _refuse_cliff(name, found[:, -1], cosmo.pk_cb_lin if cb else cosmo.pk_lin, k[-1], z)
    return found.ravel()


def _refuse_cliff(
    name: str, nonlinear: Float[np.ndarray, " z"], linear: Any, last: float, z: Float[np.ndarray, " z"]
) -> None:
    """TheoryError where CLASS has turned to the linear spectrum without a word, at its last wavenumber and some z.

    It does so from the redshift on at which its non-linear scale is beyond `P_k_max_1/Mpc`, be the correction just
    before that redshift a factor of ten: a cliff in the parameters, at which no answer can be trusted.
    """
    boost = nonlinear / np.array([linear(last, each) for each in z])
    off = boost == 1.0
    before = np.append(np.inf, np.abs(boost - 1.0))[:-1]  # each redshift's lower neighbour; none below the first
    cliffs = np.flatnonzero(off & (before > CLIFF) & ~np.append(False, off[:-1]))
    if len(cliffs):
        raise TheoryError(
            f"CLASS gives the linear spectrum as {name} from z = {z[cliffs[0]]:g} on, since its non-linear scale is "
            "beyond P_k_max_1/Mpc: try a larger P_k_max_1/Mpc in extra_args, or smaller redshifts"
        )
