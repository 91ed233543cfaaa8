"""CLASS, through its Python wrapper classy.

CLASS: D. Blas, J. Lesgourgues, T. Tram, JCAP 07 (2011) 034, arXiv 1104.2933. classy is imported where it is
used, so that a process may first say how many threads it is to have.
"""

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

import numpy as np

from alfonsine.errors import InputError, nearest
from alfonsine.theory import class_background
from alfonsine.theory.class_background import read_background
from alfonsine.theory.class_check import check_class
from alfonsine.theory.class_input import Setting, class_reason, class_version, renamed, text, texts
from alfonsine.theory.class_names import (
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
    check_multipoles,
    check_spectra,
    nodes,
    read_spectra,
    spectra_outputs,
)
from alfonsine.theory.class_thermodynamics import check_thermodynamics, read_thermodynamics
from alfonsine.theory.grids import Background, MatterPower, Thermodynamics
from alfonsine.theory.observables import Observables
from alfonsine.theory.output import Output, numbers
from alfonsine.theory.python import custom_outputs
from alfonsine.theory.theory import TheoryError
from alfonsine.theory.user_function import UserFunction

OURS = {"l_max_scalars": "l_max", "output": "spectra and derived"}
LENSING_REACH = 2500  # lensing mixes multipoles: with CLASS's own 500 beyond l_max = 600, TT is wrong by 2 %


@dataclass(frozen=True)
class ClassTheory:
    """CLASS with fixed settings.

    settings         any CLASS input, precision included, that does not vary
    spectra          among tt, te, ee, bb, pp, tp; lensed unless settings say lensing: no
    l_max            last multipole; unlensed spectra are computed to 2500 at least (CLASS's delta_l_max)
    derived          names of derived numbers, see `alfonsine.theory.class_names`
    unlensed         spectra before lensing, in the same call: outputs unlensed_tt, ...
    multipoles       all from 2 to l_max, the fixed list of `class_spectra.nodes`, or those given
    matter_power     P(k, z)
    background       functions of redshift, see `grids.BACKGROUND`
    thermodynamics   the same of the plasma, see `grids.THERMODYNAMICS`
    custom           outputs of functions of the computed `classy.Class`, name -> function: a number or a vector
    inputs           a function from the dict of parameters to the dict of CLASS inputs
    """

    settings: Mapping[str, Setting] = field(default_factory=dict, hash=False)
    spectra: tuple[str, ...] = ("tt", "te", "ee")
    l_max: int = 2508
    derived: tuple[str, ...] = ()
    unlensed: tuple[str, ...] = ()
    multipoles: Literal["all", "nodes"] | tuple[int, ...] = "all"
    matter_power: MatterPower | None = None
    background: Background | None = None
    thermodynamics: Thermodynamics | None = None
    custom: Mapping[str, UserFunction] = field(default_factory=dict, hash=False)
    inputs: UserFunction | None = None

    def __post_init__(self) -> None:
        settings = renamed(self.settings)  # complains of names given twice
        modes = str(settings.get("modes", "s" if self.inputs is None else "s,t"))  # a user's function may say more
        check_spectra(self.spectra, self.unlensed if self._lensed else (*self.unlensed, *self.spectra), modes)
        for name in self.derived:
            if name in NEEDS_TENSORS and "t" not in modes:
                raise InputError(f"expected tensor modes (modes: s,t) for the derived '{name}', got none")
            if name not in KNOWN_DERIVED:
                raise InputError(f"expected a derived parameter of CLASS, got '{name}'; {nearest(name, KNOWN_DERIVED)}")
        if self.l_max < 2:
            raise InputError(f"expected l_max of at least 2, got {self.l_max}")
        check_multipoles(self._ell, self.l_max)
        for name in self.settings:
            if name in OURS and not (name == "output" and self.custom):
                raise InputError(f"expected CLASS settings without '{name}', got one; use {OURS[name]} instead")
        if not (self.outputs() or self.custom):
            raise InputError("expected spectra or derived parameters, got neither; try spectra [tt, te, ee]")
        for name in self.custom:
            if name in self.outputs() or name in KNOWN_DERIVED:
                raise InputError(f"expected a new name for an output of your own, got '{name}', which CLASS has")
        power_settings(self.matter_power, self._z_last, settings)
        if self.thermodynamics is not None:
            check_thermodynamics(self.thermodynamics, settings)

    def identity(self) -> dict[str, Any]:
        """Version and build of CLASS, settings under CLASS's own names, outputs.

        What is not asked for is not mentioned, so that an archive stays good when this class learns more.
        """
        version, build = class_version()
        settings = {name: text(value) for name, value in renamed(self.settings).items()}
        outputs: dict[str, Any] = {"spectra": list(self.spectra), "derived": list(self.derived)}
        if self._any_spectra:
            outputs["l_max"] = self.l_max
        if self.unlensed:
            outputs["unlensed"] = list(self.unlensed)
        if self._any_spectra and self.multipoles != "all":
            outputs["multipoles"] = list(self._ell)
        for name in ("matter_power", "background", "thermodynamics"):
            if (asked := getattr(self, name)) is not None:
                outputs[name] = asked.identity()
        if self.custom:
            outputs["custom"] = {name: function.identity() for name, function in self.custom.items()}
        identity = {"code": "class", "version": version, "build": build, "settings": settings, "outputs": outputs}
        return identity if self.inputs is None else {**identity, "inputs": self.inputs.identity()}

    def outputs(self) -> dict[str, Output]:
        """Units and axes; those of `custom` are known after a call, see `output.described`."""
        found = spectra_outputs(self.spectra, self.unlensed, self._ell) if self._any_spectra else {}
        for asked in (self.matter_power, self.background, self.thermodynamics):
            found |= {} if asked is None else asked.outputs()
        return found | ({"derived": numbers(self.derived)} if self.derived else {})

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
    def functions(self) -> tuple[UserFunction, ...]:
        """The user's functions."""
        return (*([] if self.inputs is None else [self.inputs]), *self.custom.values())

    @property
    def _any_spectra(self) -> bool:
        return bool(self.spectra or self.unlensed)

    @property
    def _ell(self) -> tuple[int, ...]:
        """The multipoles of all spectra."""
        if self.multipoles == "all":
            return tuple(range(2, self.l_max + 1))
        if self.multipoles == "nodes":
            steps = (self.settings.get("l_logstep", L_LOGSTEP), self.settings.get("l_linstep", L_LINSTEP))
            return nodes(self.l_max, float(steps[0]), int(steps[1]))
        return self.multipoles

    @property
    def _lensed(self) -> bool:
        wanted = text(self.settings.get("lensing", "yes")).lower().startswith("y")
        return wanted and bool(LENSED & set(self.spectra))

    @property
    def _needs_power(self) -> bool:
        background = () if self.background is None else self.background.names
        return self.matter_power is not None or bool(
            NEEDS_MATTER_POWER & set(self.derived) or class_background.NEEDS_MATTER_POWER & set(background)
        )

    @property
    def _z_last(self) -> float:
        """The earliest time for which P(k) is needed."""
        z = 0.0 if self.matter_power is None else self.matter_power.z[-1]
        if self.background is not None and class_background.NEEDS_MATTER_POWER & set(self.background.names):
            z = max(z, self.background.z[-1])
        return z

    @property
    def _level(self) -> str:
        """The last module of CLASS that must run."""
        if self._any_spectra or "output" in self.settings:
            return "lensing" if self._lensed else "harmonic"
        if self._needs_power:
            return "fourier"
        return "thermodynamics" if self.derived or self.thermodynamics is not None else "background"

    def told(self, inputs: Mapping[str, float]) -> dict[str, str]:
        """Everything that CLASS is told at one point; TheoryError where the user's own `inputs` fails."""
        inputs = renamed(inputs if self.inputs is None else self.inputs.transform(inputs))
        settings = renamed(self.settings)
        both = [name for name in inputs if name in settings]
        if both:
            raise InputError(f"expected '{both[0]}' as a setting or as a parameter, got both; remove one")
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
        if self.background is not None:
            found |= read_background(cosmo, self.background)
        if self.thermodynamics is not None:
            found |= read_thermodynamics(cosmo, self.thermodynamics, self.settings)
        derived = self._derived(cosmo)
        own = custom_outputs(self.custom, cosmo)
        return Observables({**found, **own.spectra}, {**derived, **own.derived})

    def _derived(self, cosmo: Any) -> dict[str, float]:
        named = [name for name in self.derived if name in DERIVED]
        if not self.derived:
            return {}  # not even an empty question: CLASS would compute its thermodynamics for it
        values = cosmo.get_current_derived_parameters(sorted({DERIVED[name] for name in named}))
        derived = {name: float(values[DERIVED[name]]) for name in named}
        for name in self.derived:
            if name in DERIVED_ATTRIBUTES:
                # a method in older versions, a callable number in newer ones
                derived[name] = float(getattr(cosmo, DERIVED_ATTRIBUTES[name])())
        return {name: derived[name] for name in self.derived}
