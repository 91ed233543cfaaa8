"""What CLASS and CAMB have in common: what may be asked of a code that solves the Boltzmann equations."""

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

import numpy as np

from alfonsine.errors import InputError
from alfonsine.theory.class_spectra import L_LOGSTEP, check_multipoles, nodes, spectra_outputs
from alfonsine.theory.grids import Background, MatterPower, Thermodynamics
from alfonsine.theory.output import Axis, Output, numbers
from alfonsine.theory.user_function import UserFunction

DENSE_LINSTEP = 20


@dataclass(frozen=True)
class BoltzmannCode:
    """The settings of a code, and the outputs that are asked of it.

    settings         any input of the code, precision included, that does not vary
    spectra          among tt, te, ee, bb, pp, tp; lensed
    l_max            last multipole
    derived          names of derived numbers
    unlensed         spectra before lensing, in the same call: outputs unlensed_tt, ...
    multipoles       all from 2 to l_max, the fixed list of `class_spectra.nodes`, or those given
    matter_power     P(k, z)
    background       functions of redshift, see `grids.BACKGROUND`
    thermodynamics   the same of the plasma, see `grids.THERMODYNAMICS`
    at_data          functions of redshift at the redshifts of data, each at its own
    numbers          derived numbers that data are compared with: outputs of one entry each
    custom           outputs of functions of the computed code, name -> function: a number or a vector
    inputs           a function from the dict of parameters to the dict of inputs of the code
    """

    settings: Mapping[str, Any] = field(default_factory=dict, hash=False)
    spectra: tuple[str, ...] = ("tt", "te", "ee")
    l_max: int = 2508
    derived: tuple[str, ...] = ()
    unlensed: tuple[str, ...] = ()
    multipoles: Literal["all", "nodes"] | tuple[int, ...] = "all"
    matter_power: MatterPower | None = None
    background: Background | None = None
    thermodynamics: Thermodynamics | None = None
    at_data: tuple[Background, ...] = ()
    numbers: tuple[str, ...] = ()
    custom: Mapping[str, UserFunction] = field(default_factory=dict, hash=False)
    inputs: UserFunction | None = None

    def outputs(self) -> dict[str, Output]:
        """Units and axes; those of `custom` are known after a call, see `output.described`."""
        found = spectra_outputs(self.spectra, self.unlensed, self._ell) if self._any_spectra else {}
        for asked in (self.matter_power, *self.backgrounds, self.thermodynamics):
            found |= {} if asked is None else asked.outputs()
        found |= {name: Output(name, "", (Axis("index", "", (0.0,)),)) for name in self.numbers}
        return found | ({"derived": numbers(self.derived)} if self.derived else {})

    @property
    def functions(self) -> tuple[UserFunction, ...]:
        """The user's functions."""
        return (*([] if self.inputs is None else [self.inputs]), *self.custom.values())

    @property
    def backgrounds(self) -> tuple[Background, ...]:
        """All functions of redshift of the homogeneous universe."""
        return (*([] if self.background is None else [self.background]), *self.at_data)

    @property
    def _all_numbers(self) -> tuple[str, ...]:
        """Derived numbers, whatever they are for."""
        return tuple(dict.fromkeys((*self.derived, *self.numbers)))

    def _named(self, numbers: Mapping[str, float]) -> tuple[dict[str, np.ndarray], dict[str, float]]:
        """The numbers as outputs of their own, and as derived ones."""
        return {name: np.array([numbers[name]]) for name in self.numbers}, {
            name: numbers[name] for name in self.derived
        }

    @property
    def _any_spectra(self) -> bool:
        return bool(self.spectra or self.unlensed)

    @property
    def _ell(self) -> tuple[int, ...]:
        """The multipoles of all spectra."""
        if self.multipoles == "all":
            return tuple(range(2, self.l_max + 1))
        return nodes(self.l_max, *self._steps) if self.multipoles == "nodes" else self.multipoles

    @property
    def _steps(self) -> tuple[float, int]:
        """Steps of the fixed list of multipoles: dense enough that the spline errs by 0.02 of Planck's errors."""
        return L_LOGSTEP, DENSE_LINSTEP

    def _check_asked(self, code: str, derived: Collection[str]) -> None:
        """InputError unless something is asked for, at multipoles that exist, and under names that are free."""
        if self.l_max < 2:
            raise InputError(f"expected l_max of at least 2, got {self.l_max}")
        check_multipoles(self._ell, self.l_max)
        if not (self.outputs() or self.custom):
            raise InputError("expected spectra or derived parameters, got neither; try spectra [tt, te, ee]")
        for name in self.custom:
            if name in self.outputs() or name in derived:
                raise InputError(f"expected a new name for an output of your own, got '{name}', which {code} has")

    def _identity(self, code: str, build: tuple[str, str], settings: Mapping[str, Any]) -> dict[str, Any]:
        """Code, version and build, settings, outputs.

        What is not asked for is not mentioned, so that an archive stays good when the code's class learns more.
        """
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
        if self.at_data:
            outputs["at_data"] = [asked.identity() for asked in self.at_data]
        if self.numbers:
            outputs["numbers"] = list(self.numbers)
        if self.custom:
            outputs["custom"] = {name: function.identity() for name, function in self.custom.items()}
        version, digest = build
        identity = {"code": code, "version": version, "build": digest, "settings": settings, "outputs": outputs}
        return identity if self.inputs is None else {**identity, "inputs": self.inputs.identity()}

    def _inputs(
        self, point: Mapping[str, float], renamed: Callable[[Mapping[str, Any]], dict[str, Any]]
    ) -> dict[str, Any]:
        """A point under the code's own names; InputError for one that is a setting, too.

        TheoryError where the user's own `inputs` fails.
        """
        told = renamed(point if self.inputs is None else self.inputs.transform(point))
        settings = renamed(self.settings)
        both = [name for name in told if name in settings]
        if both:
            raise InputError(f"expected '{both[0]}' as a setting or as a parameter, got both; remove one")
        return told
