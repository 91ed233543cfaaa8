r"""A Cobaya theory that serves what one evaluation holds, and refuses the rest by name.

Cobaya: J. Torrado & A. Lewis, JCAP 05 (2021) 057, arXiv:2005.05290. Conventions of `cobaya.theories.cosmo`.

Between two redshifts, with :math:`k = \Omega_k (H_0/c)^2` (Hogg, astro-ph/9905116, eq. 19):

.. math:: D_A(z_1, z_2) = \frac{D_{M2}\sqrt{1 + k D_{M1}^2} - D_{M1}\sqrt{1 + k D_{M2}^2}}{1+z_2}
"""

from abc import abstractmethod
from collections.abc import Mapping
from typing import Any

import numpy as np
from cobaya.log import LoggedError
from cobaya.theories.cosmo import BoltzmannBase
from cobaya.theory import Theory

from alfonsine.errors import InputError
from alfonsine.hosts import cobaya_words as words
from alfonsine.hosts.missing import MissingQuantity
from alfonsine.hosts.quantities import Quantities
from alfonsine.theory.grids import LIGHT

FIRAS = 2.7255e6  # muK: spectra here are in these units
UNITS = {"FIRASmuK2": 1.0, "FIRASK2": 1e-12}
OWN_UNITS = {"muK2": 1.0, "K2": 1e-12}  # with the temperature of the model


class Served(BoltzmannBase):
    """Answers Cobaya's get_X from the `Quantities` of the current point, wherever these come from."""

    extra_args: dict[str, Any] | None = None
    path: str | None = None  # an option of Cobaya's own codes: an input for one of them may have it

    @abstractmethod
    def quantities(self, params: Mapping[str, float]) -> Quantities | None:
        """All that is known at a point; None where the likelihood is to be zero."""

    def probe(self) -> Quantities | None:
        """An example of what will be served, so that what is missing is told before the first point; or None."""
        return None

    def get_can_provide_methods(self) -> dict[str, Any]:
        """What can be asked for: every get_X of this class. Cobaya itself overlooks methods whose types are checked."""
        names = (name for name in dir(type(self)) if name.startswith("get_") and not hasattr(Theory, name))
        return {name.removeprefix("get_"): getattr(type(self), name) for name in names}

    def must_provide(self, **requirements: Any) -> None:
        """Collect what is required; LoggedError, in one line, for what will not be there."""
        super().must_provide(**requirements)
        probe = self.probe()
        if probe is None:
            return
        try:
            for key, options in self._must_provide.items():
                self._try(probe, key, options)
        except InputError as error:
            raise LoggedError(self.log, "%s", str(error).replace("%", "%%")) from None

    def calculate(self, state: dict[str, Any], want_derived: bool = True, **params: float) -> bool:
        """Put everything known at this point into the state."""
        found = self.quantities(params)
        if found is None:
            return False
        state["quantities"] = found
        if want_derived:
            state["derived"] = {name: found.number(words.number(name), name) for name in self.output_params}
        return True

    @property
    def held(self) -> Quantities:
        """What is known at the current point."""
        return self.current_state["quantities"]

    def _try(self, held: Quantities, key: Any, options: Any) -> None:
        """MissingQuantity where a requirement cannot be served."""
        if key in words.SPECTRA:
            self._spectra(held, key, options)
        elif key in words.FUNCTIONS:
            held.of_redshift(words.FUNCTIONS[key], np.asarray(options["z"], dtype=float), f"Cobaya's {key}")
        elif isinstance(key, tuple) and key[0] == "Pk_grid":
            name = words.power((key[2], key[3]), bool(key[1]))
            asked = f"Cobaya's Pk ({name})"
            held.surface(name, asked).at(float(options["k_max"]), np.asarray(options["z"], dtype=float), asked)
        elif key == "angular_diameter_distance_2":
            self._between(held, options["z_pairs"])
        elif key == "jacobian":
            return
        elif options is None:
            held.number(words.number(key), f"the parameter '{key}'")
        else:
            word = key[0] if isinstance(key, tuple) else key
            raise MissingQuantity(f"Cobaya's {word}", held.held, "let Cobaya's own CLASS or CAMB serve this likelihood")

    def _spectra(self, held: Quantities, kind: str, asked: Mapping[str, int]) -> dict[str, np.ndarray]:
        """The spectra asked for, all to the largest l_max asked for."""
        if kind == "lensed_scal_Cl" and held.knows("r") and held.number("r") != 0:
            raise MissingQuantity("Cobaya's lensed_scal_Cl", "spectra with tensor modes", "ask for Cl instead")
        l_max = max(asked.values(), default=2)
        found = {}
        for name in asked:
            ours = words.spectrum(kind, name)
            found[name] = held.spectrum(ours, l_max, f"Cobaya's {kind} '{name}'")
        return found

    def _cl(self, kind: str, ell_factor: bool, units: str) -> dict[str, np.ndarray]:
        asked = self._must_provide.get(kind)
        if not asked:
            raise LoggedError(self.log, "expected %s among the requirements, got none; require it first", kind)
        if units not in UNITS | OWN_UNITS:
            known = ", ".join(UNITS | OWN_UNITS)
            raise LoggedError(self.log, "expected units among %s, got '%s'", known, units)
        scale = UNITS.get(units)
        if scale is None:
            scale = OWN_UNITS[units] * (self.held.number("T_cmb", "T_cmb, for units") * 1e6 / FIRAS) ** 2
        found = self._spectra(self.held, kind, asked)
        ell = np.arange(max(asked.values()) + 1)
        for name in found:
            potentials = name.count("p")
            found[name] *= scale ** (1 - potentials / 2)
            if ell_factor:
                found[name] *= (ell * (ell + 1.0)) ** (1 + potentials / 2) / (2 * np.pi)
        return {"ell": ell, **found}

    def get_Cl(self, ell_factor: bool = False, units: str = "FIRASmuK2") -> dict[str, np.ndarray]:
        """Lensed spectra from l = 0, with 'ell'."""
        return self._cl("Cl", ell_factor, units)

    def get_unlensed_Cl(self, ell_factor: bool = False, units: str = "FIRASmuK2") -> dict[str, np.ndarray]:
        """Spectra before lensing."""
        return self._cl("unlensed_Cl", ell_factor, units)

    def get_lensed_scal_Cl(self, ell_factor: bool = False, units: str = "FIRASmuK2") -> dict[str, np.ndarray]:
        """Lensed spectra of scalar modes: those that there are, where there are no tensors."""
        return self._cl("lensed_scal_Cl", ell_factor, units)

    def get_Hubble(self, z: Any, units: str = "km/s/Mpc") -> np.ndarray:
        """H(z); in 1/Mpc it is H/c."""
        if units not in ("km/s/Mpc", "1/Mpc"):
            raise LoggedError(self.log, "expected units of H: km/s/Mpc or 1/Mpc, got '%s'", units)
        return self._function("Hubble", z) / (LIGHT if units == "1/Mpc" else 1.0)

    def _function(self, word: str, z: Any) -> np.ndarray:
        z = np.atleast_1d(np.asarray(z, dtype=float))
        return np.array(self.held.of_redshift(words.FUNCTIONS[word], z, f"Cobaya's {word}"))

    def _get_z_dependent(self, quantity: str, z: Any, pool: Any = None) -> np.ndarray:
        """Every other function of redshift: what the methods of the base class read."""
        return self._function(quantity, z)

    @staticmethod
    def _between(held: Quantities, pairs: Any) -> np.ndarray:
        pairs = np.atleast_2d(np.asarray(pairs, dtype=float))
        first, second = ((1 + z) * held.of_redshift("D_A", z, "Cobaya's angular_diameter_distance_2") for z in pairs.T)
        curvature = held.number("Omega_k", "the curvature, for distances between redshifts")
        k = curvature * (held.number("H0") / LIGHT) ** 2 if curvature else 0.0
        between = second * np.sqrt(1 + k * first**2) - first * np.sqrt(1 + k * second**2)
        return np.where(pairs[:, 0] <= pairs[:, 1], between / (1 + pairs[:, 1]), 0.0)  # Cobaya's rule

    def get_angular_diameter_distance_2(self, z_pairs: Any) -> np.ndarray:
        """Angular diameter distance between pairs of redshifts [Mpc]; zero where the first is the larger."""
        return self._between(self.held, z_pairs)

    def get_Pk_grid(
        self, var_pair: tuple[str, str] = ("delta_tot", "delta_tot"), nonlinear: bool = True
    ) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """K [1/Mpc], z, P(z, k) [Mpc^3] on the emulator's own grid."""
        name = words.power(var_pair, bool(nonlinear))
        found = self.held.surface(name, f"Cobaya's Pk ({name})")
        return found.k.copy(), found.z.copy(), found.values.copy()

    def get_sigma_R(self, var_pair: tuple[str, str] = ("delta_tot", "delta_tot")) -> Any:
        """Not served: an integral over all wavenumbers."""
        raise LoggedError(self.log, "expected Cobaya's sigma_R, got none from an emulator; ask for sigma8_z")

    def get_source_Cl(self) -> Any:
        """Not served."""
        raise LoggedError(self.log, "expected Cobaya's source_Cl, got none from an emulator; use CAMB itself")

    def get_param(self, p: str) -> float:
        """A derived number."""
        return self.held.number(words.number(p), f"the parameter '{p}'")
