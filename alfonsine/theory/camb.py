"""CAMB, through its Python package, which is optional: pip install alfonsine[camb].

CAMB: A. Lewis, A. Challinor, A. Lasenby, ApJ 538 (2000) 473, astro-ph/9911177. Points that differ in the primordial
spectrum or the non-linear correction only share one solution of the perturbations, see `camb_transfers`; `shares`
tells the engine which do.
"""

import json
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from alfonsine.errors import InputError
from alfonsine.theory import camb_background
from alfonsine.theory.boltzmann import BoltzmannCode
from alfonsine.theory.camb_background import check_background, is_fluid, read_background
from alfonsine.theory.camb_check import check_camb
from alfonsine.theory.camb_names import (
    DERIVED,
    NEEDS_MATTER_POWER,
    NEEDS_REIONISATION,
    NONLINEAR,
    PRIMORDIAL,
    renamed,
)
from alfonsine.theory.camb_outputs import read_power, read_spectra
from alfonsine.theory.camb_thermodynamics import check_thermodynamics, read_thermodynamics
from alfonsine.theory.camb_transfers import TRANSFERS
from alfonsine.theory.class_spectra import NEEDS
from alfonsine.theory.grids import MatterPower, known
from alfonsine.theory.installed import installed
from alfonsine.theory.observables import Observables
from alfonsine.theory.python import custom_outputs
from alfonsine.theory.theory import TheoryError, one_line

OURS = {"lmax": "l_max", "redshifts": "matter_power", "WantCls": "spectra", "WantTransfer": "matter_power"}
ERRORS = ("CAMBError", "CAMBValueError", "CAMBUnknownArgumentError", "CAMBFortranError")
MOST_REDSHIFTS = 256  # CAMB's own limit
K_MARGIN, K_LEAST, K_LEAST_NONLINEAR = (
    1.6,
    1.2,
    10.0,
)  # the halo model needs the spectrum far beyond its own wavenumbers


@dataclass(frozen=True)
class CambTheory(BoltzmannCode):
    """CAMB with fixed settings, arguments of camb.set_params; the other fields are those of `BoltzmannCode`.

    Spectra are lensed, with tensors. Names of derived numbers: `alfonsine.theory.camb_names`. Outputs have the names
    and units of `ClassTheory`; what CAMB means by them is said in `camb_outputs`, `camb_background` and
    `camb_thermodynamics`. `custom` is of the computed `camb.CAMBdata`, which has no reionisation where there is P(k)
    and no spectrum.
    """

    def __post_init__(self) -> None:
        settings = renamed(self.settings)
        for name in (*self.spectra, *self.unlensed):
            known(name, NEEDS, "a CMB spectrum")
        for name in self._all_numbers:
            known(name, DERIVED, "a derived parameter of CAMB")
        for asked in self.backgrounds:
            check_background(asked)
        if self.thermodynamics is not None:
            check_thermodynamics(self.thermodynamics)
        for name in settings:
            if name in OURS:
                raise InputError(f"expected CAMB settings without '{name}', got one; use {OURS[name]} instead")
        self._check_asked("CAMB", DERIVED)
        if self.matter_power is not None:
            self._check_power(self.matter_power, settings)
        if len(self._redshifts) > MOST_REDSHIFTS:
            raise InputError(f"expected at most {MOST_REDSHIFTS} redshifts in CAMB, got {len(self._redshifts)}")

    @staticmethod
    def _check_power(power: MatterPower, settings: Mapping[str, Any]) -> None:
        if power.nonlinear and "halofit_version" not in settings:
            raise InputError(
                f"expected a method for {power.nonlinear[0]}, got none; try halofit_version: mead2020 in extra_args"
            )
        if float(settings.get("kmax", power.k[-1])) < power.k[-1]:
            raise InputError(
                f"expected kmax of at least {power.k[-1]:g}, the end of the grid, got {settings['kmax']}; remove it"
            )

    def identity(self) -> dict[str, Any]:
        """Version and build of CAMB, settings under CAMB's own names, outputs."""
        return self._identity("camb", camb_version(), renamed(self.settings))

    def check(self, parameters: Collection[str]) -> None:
        """Let CAMB read settings and parameters, in a process of its own, up to the background (2 s)."""
        check_camb(self, parameters)

    def compute(self, inputs: Mapping[str, float]) -> Observables:
        """Run CAMB at one point; TheoryError with CAMB's own reason where it fails."""
        import camb
        from camb import baseconfig

        key = (json.dumps(self.identity(), sort_keys=True), self._solution(told := self.told(inputs)))
        try:
            parameters = self.parameters(told)
            if parameters.WantCls or parameters.WantTransfer:
                data = TRANSFERS.of(key, lambda: camb.get_transfer_functions(parameters, only_time_sources=True))
                data.Params.NonLinearModel = parameters.NonLinearModel
                data.power_spectra_from_transfer(parameters.InitPower, silent=True)
            else:
                data = camb.get_background(parameters)
            return self._observables(data, parameters, told)
        except tuple(getattr(baseconfig, name) for name in ERRORS) as error:
            TRANSFERS.forget(key)  # nobody knows what state an error in Fortran leaves
            raise TheoryError(one_line(error)) from None

    def shares(self, inputs: Mapping[str, float]) -> str | None:
        """Equal for points that one solution of the perturbations serves; None where that is not known."""
        if self.inputs is not None:
            return None  # a user's function is called in workers only
        return self._solution(self.told(inputs))

    @property
    def solves(self) -> int:
        """Solutions of the perturbations that this process has made so far, for any settings."""
        return TRANSFERS.solves

    def told(self, inputs: Mapping[str, float]) -> dict[str, Any]:
        """The inputs under CAMB's own names; InputError for one that is a setting, too."""
        return self._inputs(inputs, renamed)

    def parameters(self, point: Mapping[str, Any]) -> Any:
        """`camb.CAMBparams` of one point, as `told` gives it."""
        import camb

        settings = renamed(self.settings)
        told: dict[str, Any] = {"silent": True, **settings, **point}
        if self.spectra or self.unlensed:
            told["lmax"] = self.l_max
        else:
            told["WantCls"] = False
        if self._redshifts:
            least = K_LEAST
            if self.matter_power is not None:
                nonlinear = K_LEAST_NONLINEAR if self.matter_power.nonlinear else K_LEAST
                least = max(nonlinear, K_MARGIN * self.matter_power.k[-1])
            told = {"kmax": least, **told, "redshifts": self._redshifts}
        else:
            del told["silent"]  # an argument of the matter power alone
        return camb.set_params(**told)

    @property
    def _redshifts(self) -> list[float]:
        """Those at which matter power is computed, earliest first."""
        z = set() if self.matter_power is None else set(self.matter_power.z)
        for asked in self.backgrounds:
            if camb_background.NEEDS_MATTER_POWER & set(asked.names):
                z |= set(asked.z)
        if NEEDS_MATTER_POWER & set(self._all_numbers):
            z.add(0.0)
        return sorted(z, reverse=True)

    @staticmethod
    def _solution(told: Mapping[str, Any]) -> str:
        """All that the perturbations depend on; whether there are tensors is part of it."""
        before = {name: value for name, value in told.items() if name not in PRIMORDIAL | NONLINEAR}
        rest = {name: float(v).hex() if isinstance(v, int | float) else v for name, v in before.items()}
        return json.dumps([rest, bool(told.get("r", 0.0))], sort_keys=True)

    def fluid(self, told: Mapping[str, Any]) -> bool:
        """Whether CAMB, told this beside the settings, has a fluid for its dark energy."""
        return is_fluid({*renamed(self.settings), *told})

    def _observables(self, data: Any, parameters: Any, told: Mapping[str, Any]) -> Observables:
        found: dict[str, Any] = {}
        if self.spectra or self.unlensed:
            found |= read_spectra(data, self.spectra, self.unlensed, np.array(self._ell))
        if self.matter_power is not None:
            found |= read_power(data, self.matter_power)
        for asked in self.backgrounds:
            found |= read_background(data, asked, self.fluid(told))
        ionised = self._ionised(data, parameters)
        if self.thermodynamics is not None:
            found |= read_thermodynamics(ionised, self.thermodynamics)
        computed = {n: float(DERIVED[n](ionised if n in NEEDS_REIONISATION else data)) for n in self._all_numbers}
        numbers, derived = self._named(computed)
        own = custom_outputs(self.custom, data)
        return Observables({**found, **numbers, **own.spectra}, {**derived, **own.derived})

    @classmethod
    def known_derived(cls) -> Collection[str]:
        """Names of derived numbers."""
        return DERIVED

    def _ionised(self, data: Any, parameters: Any) -> Any:
        """Background with reionisation, which CAMB leaves out of `data` where it solves for P(k) alone; 0.02 s."""
        import camb

        if self.thermodynamics is None and not NEEDS_REIONISATION & set(self._all_numbers):
            return data
        history = parameters.copy()
        history.WantTransfer = False  # it is this that has CAMB leave it out
        return camb.get_background(history)


def camb_version() -> tuple[str, str]:
    """Version and build of camb."""
    return installed("camb", "camblib.*")
