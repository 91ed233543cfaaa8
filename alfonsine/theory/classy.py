"""CLASS, through its Python wrapper classy.

CLASS: D. Blas, J. Lesgourgues, T. Tram, JCAP 07 (2011) 034, arXiv 1104.2933. classy is imported where it is
used, so that a process may first say how many threads it is to have.
"""

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from alfonsine.errors import InputError, nearest
from alfonsine.theory import class_background
from alfonsine.theory.boltzmann import BoltzmannCode
from alfonsine.theory.class_background import read_background
from alfonsine.theory.class_check import check_class
from alfonsine.theory.class_input import Setting, class_reason, class_version, renamed, text, texts
from alfonsine.theory.class_names import (
    COMPUTED,
    DERIVED,
    DERIVED_ATTRIBUTES,
    KNOWN_DERIVED,
    NEEDS_MATTER_POWER,
    NEEDS_TENSORS,
)
from alfonsine.theory.class_power import power_settings, read_power
from alfonsine.theory.class_spectra import (
    L_LINSTEP,
    L_LOGSTEP,
    LENSED,
    NEEDS,
    check_spectra,
    read_spectra,
)
from alfonsine.theory.class_thermodynamics import check_thermodynamics, read_thermodynamics
from alfonsine.theory.grids import OF_THE_DRAG_HORIZON
from alfonsine.theory.observables import Observables
from alfonsine.theory.output import Output, numbers
from alfonsine.theory.python import custom_outputs
from alfonsine.theory.theory import TheoryError

# what the spectra may be simple in, from background and thermodynamics alone
CHEAP = ("theta_s_100", "H0", "rs_drag", "ra_rec", "omega_m", "Omega_Lambda", "z_eq", "age")
OURS = {"l_max_scalars": "l_max", "output": "spectra and derived"}
LENSING_REACH = 2500  # lensing mixes multipoles: with CLASS's own 500 beyond l_max = 600, TT is wrong by 2 %


@dataclass(frozen=True)
class ClassTheory(BoltzmannCode):
    """CLASS with fixed settings, any CLASS input; the other fields are those of `BoltzmannCode`.

    Spectra are lensed unless the settings say lensing: no, and unlensed ones are computed to l = 2500 at least (CLASS's
    delta_l_max). Names of derived numbers: `alfonsine.theory.class_names`. `custom` is of the computed `classy.Class`.
    """

    settings: Mapping[str, Setting] = field(default_factory=dict, hash=False)

    def __post_init__(self) -> None:
        settings = renamed(self.settings)  # complains of names given twice
        modes = str(settings.get("modes", "s" if self.inputs is None else "s,t"))  # a user's function may say more
        check_spectra(self.spectra, self.unlensed if self._lensed else (*self.unlensed, *self.spectra), modes)
        for name in self._all_numbers:
            if name in NEEDS_TENSORS and "t" not in modes:
                raise InputError(f"expected tensor modes (modes: s,t) for the derived '{name}', got none")
            if name not in KNOWN_DERIVED:
                raise InputError(f"expected a derived parameter of CLASS, got '{name}'; {nearest(name, KNOWN_DERIVED)}")
        for name in self.settings:
            if name in OURS and not (name == "output" and self.custom):
                raise InputError(f"expected CLASS settings without '{name}', got one; use {OURS[name]} instead")
        self._check_asked("CLASS", KNOWN_DERIVED)
        power_settings(self.matter_power, self._z_last, settings)
        if self.thermodynamics is not None:
            check_thermodynamics(self.thermodynamics, settings)

    def identity(self) -> dict[str, Any]:
        """Version and build of CLASS, settings under CLASS's own names, outputs."""
        settings = {name: text(value) for name, value in renamed(self.settings).items()}
        return self._identity("class", class_version(), settings)

    def check(self, parameters: Collection[str]) -> None:
        """Let CLASS read settings and parameters, in a process of its own, without spectra (2 s)."""
        check_class(self, parameters)

    def compute(self, inputs: Mapping[str, float]) -> Observables:
        """Run CLASS at one point; TheoryError with CLASS's own reason where it fails."""
        from classy import Class, CosmoComputationError, CosmoSevereError

        cosmo = Class()
        try:
            cosmo.set(self.told(inputs))
            cosmo.compute([self._level])
            return self._observables(cosmo)
        except (CosmoComputationError, CosmoSevereError) as error:
            raise TheoryError(class_reason(error)) from None
        finally:
            cosmo.struct_cleanup()  # hundreds of megabytes that the garbage collector does not see
            cosmo.empty()

    @property
    def cheap(self) -> "CheapClass | None":
        """The same code up to the plasma's history: quantities that cost a hundredth of a call.

        None where the whole call goes no further.
        """
        if self._level in ("background", "thermodynamics"):
            return None
        fields = {name: getattr(self, name) for name in self.__dataclass_fields__}
        return CheapClass(**fields | {"derived": CHEAP, "numbers": (), "custom": {}})

    @property
    def _steps(self) -> tuple[float, int]:
        steps = (self.settings.get("l_logstep", L_LOGSTEP), self.settings.get("l_linstep", L_LINSTEP))
        return float(steps[0]), int(steps[1])

    @property
    def _lensed(self) -> bool:
        wanted = text(self.settings.get("lensing", "yes")).lower().startswith("y")
        return wanted and bool(LENSED & set(self.spectra))

    @property
    def _needs_power(self) -> bool:
        functions = {name for asked in self.backgrounds for name in asked.names}
        return self.matter_power is not None or bool(
            NEEDS_MATTER_POWER & set(self._all_numbers) or class_background.NEEDS_MATTER_POWER & functions
        )

    @property
    def _z_last(self) -> float:
        """The earliest time for which P(k) is needed."""
        z = 0.0 if self.matter_power is None else self.matter_power.z[-1]
        grown = (asked for asked in self.backgrounds if class_background.NEEDS_MATTER_POWER & set(asked.names))
        return max([z, *(asked.z[-1] for asked in grown)])

    @property
    def _level(self) -> str:
        """The last module of CLASS that must run."""
        if self._any_spectra or "output" in self.settings:
            return "lensing" if self._lensed else "harmonic"
        if self._needs_power:
            return "fourier"
        drag = any(OF_THE_DRAG_HORIZON.keys() & set(asked.names) for asked in self.backgrounds)
        plasma = drag or self._all_numbers or self.thermodynamics is not None
        return "thermodynamics" if plasma else "background"

    def told(self, inputs: Mapping[str, float]) -> dict[str, str]:
        """Everything that CLASS is told at one point; TheoryError where the user's own `inputs` fails."""
        inputs, settings = self._inputs(inputs, renamed), renamed(self.settings)
        if self.inputs is None:
            inputs = {name: float(value) for name, value in inputs.items()}
        told = {**settings, **inputs}
        asked = (*self.spectra, *self.unlensed)
        output = {part for spectrum in asked for part in NEEDS[spectrum].split()}
        output |= set(str(told.pop("output", "")).replace(",", " ").split())
        told.pop("lensing", None)
        if self._lensed:
            output.add("lCl")
            told["lensing"] = "yes"
            if self.l_max + 500 < LENSING_REACH:
                told.setdefault("delta_l_max", LENSING_REACH - self.l_max)
        if self._needs_power:
            output.add("mPk")
            told = power_settings(self.matter_power, self._z_last, settings) | told
        if self._any_spectra:
            told["l_max_scalars"] = self.l_max
        if "bb" in self.unlensed:
            told.setdefault("l_max_tensors", self.l_max)  # CLASS stops at 500 and says zero beyond
        if output:
            told["output"] = ",".join(sorted(output))
        return texts(told)

    def _observables(self, cosmo: Any) -> Observables:
        found: dict[str, Any] = {}
        if self._any_spectra:
            found |= read_spectra(cosmo, self.spectra, self.unlensed, self._lensed, np.array(self._ell))
        if self.matter_power is not None:
            found |= read_power(cosmo, self.matter_power)
        for asked in self.backgrounds:
            found |= read_background(cosmo, asked)
        if self.thermodynamics is not None:
            found |= read_thermodynamics(cosmo, self.thermodynamics, self.settings)
        numbers, derived = self._named(self._derived(cosmo))
        own = custom_outputs(self.custom, cosmo)
        return Observables({**found, **numbers, **own.spectra}, {**derived, **own.derived})

    def _derived(self, cosmo: Any) -> dict[str, float]:
        named = [name for name in self._all_numbers if name in DERIVED]
        if not self._all_numbers:
            return {}  # not even an empty question: CLASS would compute its thermodynamics for it
        values = cosmo.get_current_derived_parameters(sorted({DERIVED[name] for name in named}))
        derived = {name: float(values[DERIVED[name]]) for name in named}
        for name in self._all_numbers:
            if name in COMPUTED:
                derived[name] = float(COMPUTED[name](cosmo))
            if name in DERIVED_ATTRIBUTES:
                # a method in older versions, a callable number in newer ones
                derived[name] = float(getattr(cosmo, DERIVED_ATTRIBUTES[name])())
        return derived

    @classmethod
    def known_derived(cls) -> Collection[str]:
        """Names of derived numbers."""
        return KNOWN_DERIVED


@dataclass(frozen=True)
class CheapClass(ClassTheory):
    """CLASS with the same settings, stopped before its perturbations: derived numbers alone, 0.05 to 0.3 s."""

    def identity(self) -> dict[str, Any]:
        """That of the whole, and where it stops."""
        return {**super().identity(), "stops_after": "thermodynamics"}

    def outputs(self) -> dict[str, Output]:
        """The derived numbers."""
        return {"derived": numbers(self.derived)}

    @property
    def _level(self) -> str:
        return "thermodynamics"

    def _observables(self, cosmo: Any) -> Observables:
        return Observables({}, self._derived(cosmo))
