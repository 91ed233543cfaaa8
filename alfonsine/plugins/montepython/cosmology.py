"""`classy.Class`, backed by an emulator: the same names, arguments, units and shapes, and no defaults.

What the emulator holds is served; what needs no perturbations may come from the real CLASS at the same point; all else
raises CosmoSevereError in one line, when it is asked for. Points outside the emulator's domain raise
CosmoComputationError, which MontePython turns into no likelihood.
"""

import importlib.metadata
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Any, ClassVar

import numpy as np

from alfonsine.emulator.domain import OutsideDomain
from alfonsine.emulator.emulator import Emulator
from alfonsine.errors import InputError
from alfonsine.hosts.missing import MissingQuantity
from alfonsine.hosts.outside import Visited
from alfonsine.hosts.quantities import Quantities, quantities_of
from alfonsine.hosts.trained_with import trained_with
from alfonsine.plugins.montepython import answers, power
from alfonsine.plugins.montepython.asked_power import MatterPowerAnswers
from alfonsine.plugins.montepython.errors import CosmoComputationError, CosmoSevereError, NotServed, severe
from alfonsine.plugins.montepython.exact import ExactBackground, exactly, precision
from alfonsine.plugins.montepython.said import once, say
from alfonsine.plugins.montepython.spectra import Spectra, spectra
from alfonsine.plugins.montepython.told import Told, understood

SHORT = "outside the emulator's domain, no likelihood"  # MontePython writes it at each such point


class Number(float):
    """A number that may also be called: `cosmo.h` and `cosmo.h()` are the same."""

    def __call__(self) -> "Number":
        return self


class EmulatedClass(MatterPowerAnswers):
    """The interface of `classy.Class`; `Class` of a laid-out folder is this with an emulator."""

    emulator: ClassVar[Emulator]
    source: ClassVar[str]
    exact: ClassVar[bool] = True
    ignored: ClassVar[frozenset[str]] = frozenset()
    visited: ClassVar[Visited]

    def __init__(self, default: bool = False) -> None:
        self._pars: dict[str, Any] = {}
        self._told: Told | None = None
        self._held: Quantities | None = None
        self._background: ExactBackground | None = None
        if default:
            self.set_default()

    # what is set and computed

    @property
    def pars(self) -> dict[str, Any]:
        """All that was set."""
        return self._pars

    @property
    def state(self) -> bool:
        """Whether there is something computed."""
        return self._held is not None

    def set_default(self) -> None:
        """As CLASS does."""
        self.set(output="tCl mPk")

    def set(self, *pars: Mapping[str, Any] | Iterable[tuple[str, Any]], **more: Any) -> bool | None:
        """Set inputs by a dict or by name; those set before stay."""
        if len(pars) > 1:
            raise CosmoSevereError(f"expected one dict of inputs, got {len(pars)} arguments")
        before = dict(self._pars)
        self._pars.update(dict(pars[0]) if pars else {}, **more)
        if self._pars == before:
            return None
        self.struct_cleanup()
        return True

    def empty(self) -> None:
        """Forget all that was set."""
        self._pars = {}
        self.struct_cleanup()

    def struct_cleanup(self) -> None:
        """Forget all that was computed."""
        self._told = self._held = None
        if self._background is not None:
            self._background.free()
        self._background = None

    def compute(self, level: str | list[str] = ["distortions"]) -> None:  # noqa: B006 - CLASS's own default
        """Understand what was set, and evaluate the emulator; the level does not matter.

        CosmoSevereError for an input or setting that is not understood, CosmoComputationError outside the domain.
        """
        if self._held is not None:
            return
        told = understood(self._pars, self.emulator, _precision(self.emulator), self.ignored)
        if told.unstated:
            known = ", ".join(f"{name} = {self._settings.get(name)}" for name in told.unstated)
            once(f"the emulator '{self.source}' was trained with {known}, which the parameter file does not set")
        self.visited.points += 1
        try:
            self._held = quantities_of(self.emulator, told.point, self.source)
        except OutsideDomain as error:
            self.visited.refused(error)
            raise CosmoComputationError(SHORT) from None
        except InputError as error:
            raise CosmoComputationError(str(error)) from None
        self._told = told
        its = trained_with(self.emulator)
        if self.exact and its.theory.get("code") == "class" and "inputs" not in its.theory:
            self._background = ExactBackground(dict(its.theory.get("settings") or {}), its.inputs(told.point))

    # spectra

    def lensed_cl(self, lmax: int = -1, nofail: bool = False) -> Spectra:
        """Lensed C_l, without unit, for l = 0..lmax."""
        if not self._now.lensing:
            raise CosmoSevereError("expected lensing = yes for lensed_cl, got none; set lensing: 'yes'")
        return self._spectra(True, lmax, nofail)

    def raw_cl(self, lmax: int = -1, nofail: bool = False) -> Spectra:
        """Unlensed C_l, without unit, for l = 0..lmax."""
        return self._spectra(False, lmax, nofail)

    def _spectra(self, lensed: bool, lmax: int, nofail: bool) -> Spectra:
        told, held = self._now, self._quantities
        if lmax > told.l_max and not nofail:
            raise CosmoSevereError(f"expected at most l_max_scalars = {told.l_max} multipoles, got {lmax}")
        plain_are_lensed = not self._settings.get("lensing", "yes").lower().startswith("n")
        last = told.l_max if lmax == -1 else int(lmax)
        return severe(lambda: spectra(held, lensed, plain_are_lensed, told.outputs, last))

    # numbers

    def get_current_derived_parameters(self, names: list[str]) -> dict[str, float]:
        """Derived numbers by CLASS's names."""
        return {name: self._derived(name) for name in names}

    def _derived(self, name: str) -> float:
        asked = f"the derived parameter '{name}'"
        if name.endswith("_h") and name in answers.THERMODYNAMICS:  # lengths in Mpc/h
            return self._derived(name[:-2]) * self._derived("h")
        ours = answers.OTHER_NAMES.get(name, name)
        if self._quantities.knows(ours):
            return self._quantities.number(ours)
        for level in ("background", "thermodynamics"):
            if name in getattr(answers, level.upper()) and self._has_exact(f"'{name}'"):
                return float(self._exact(level).get_current_derived_parameters([name])[name])
        return severe(lambda: self._quantities.number(ours, asked))

    def __getattr__(self, name: str) -> Any:
        if name.startswith("_"):
            raise AttributeError(name)
        if name in answers.CONSTANTS:
            return answers.CONSTANTS[name]
        if name in answers.NUMBERS:
            return Number(self._attribute(name))
        if name in answers.FUNCTIONS:
            return lambda z: self._function(name, z)
        if name in answers.PASSED_ON:
            return self._passed_on(name)
        raise NotServed(
            f"expected what an emulator can hold, got cosmo.{name}, which is not served; "
            "use the real CLASS for this likelihood"
        )

    def _attribute(self, name: str) -> float:
        held, level = self._quantities, answers.NUMBERS[name]
        factor = 1 / answers.LIGHT if name == "H0" else 1.0  # 1/Mpc here, and km/s/Mpc among the derived
        if held.knows(name):
            return factor * held.number(name)
        if level and self._has_exact(f"cosmo.{name}"):
            return float(getattr(self._exact(level), name)())
        return severe(lambda: factor * held.number(name, f"cosmo.{name}"))

    def Omega0_m(self) -> float:
        """Matter today."""
        return float(self.Omega_m)

    def Omega0_k(self) -> float:
        """Curvature today."""
        return float(self.Omega_k)

    def Omega0_cdm(self) -> float:
        """Cold dark matter today."""
        return float(self.Omega_cdm)

    # functions of redshift

    def _function(self, method: str, z: Any) -> Any:
        """A number for a number, an array for an array."""
        held, name = self._quantities, answers.FUNCTIONS[method]
        asked = f"cosmo.{method}"
        at = np.atleast_1d(np.asarray(z, dtype=float))
        if not np.all(at >= 0):  # nor does CLASS know the future, but it does not always say so
            raise CosmoSevereError(f"expected redshifts of 0 or more for {asked}, got {at[~(at >= 0)][0]:g}")
        try:
            found = held.of_redshift(name, at, asked) * (1 / answers.LIGHT if name == "H" else 1.0)
        except MissingQuantity as error:
            if not self._has_exact(asked):
                raise CosmoSevereError(str(error)) from None
            exact = getattr(self._exact(answers.LEVEL.get(method, "background")), method)
            found = np.atleast_1d(exactly(lambda: exact(at)))
        return found[0] if np.isscalar(z) else found

    def z_of_r(self, z: Any) -> tuple[Any, Any]:
        """Comoving distance r(z) [Mpc], and dz/dr = H(z) [1/Mpc]."""
        return self._function("comoving_distance", z), self._function("Hubble", z)

    def scale_independent_f_sigma8(self, z: Any) -> Any:
        """Growth rate times sigma8(z)."""
        at = np.atleast_1d(np.asarray(z, dtype=float))
        found = severe(lambda: self._quantities.of_redshift("f_sigma8", at, "cosmo.scale_independent_f_sigma8"))
        return found[0] if np.isscalar(z) else found

    # what is behind it

    @property
    def _settings(self) -> dict[str, str]:
        return {name: str(value) for name, value in trained_with(self.emulator).settings.items()}

    @property
    def _nonlinear(self) -> bool:
        return power.nonlinear(self._settings)

    @property
    def _now(self) -> Told:
        self.compute()
        assert self._told is not None
        return self._told

    @property
    def _quantities(self) -> Quantities:
        self.compute()
        assert self._held is not None
        return self._held

    def _has_exact(self, asked: str) -> bool:
        """Whether the real CLASS may be asked; says once that it is."""
        self.compute()
        if self._background is None:
            return False
        once(f"{asked} is not in the emulator '{self.source}': the real CLASS computes it, without perturbations")
        return True

    def _exact(self, level: str) -> Any:
        assert self._background is not None
        return self._background.at(level)

    def _passed_on(self, name: str) -> Callable[..., Any]:
        if not self._has_exact(f"cosmo.{name}"):
            raise NotServed(
                f"expected what the emulator '{self.source}' holds, got cosmo.{name}; lay the folder out without "
                "--no-background, or use the real CLASS for this likelihood"
            )
        return getattr(self._exact(answers.PASSED_ON[name]), name)


_known: dict[int, dict[str, str]] = {}


def _precision(emulator: Emulator) -> dict[str, str]:
    """CLASS's precision settings; their values only where the CLASS here is that of the training."""
    if id(emulator) not in _known:
        version = str(trained_with(emulator).theory.get("version"))
        try:
            same = importlib.metadata.version("classy") == version
        except importlib.metadata.PackageNotFoundError:
            same = False
        known = precision()
        _known[id(emulator)] = known if same else dict.fromkeys(known, f"that of CLASS {version}")
    return _known[id(emulator)]


def class_of(
    emulator: Emulator, source: str | Path, exact: bool = True, ignored: Iterable[str] = ()
) -> type[EmulatedClass]:
    """The class with an emulator; CosmoSevereError for one whose exact code is not CLASS.

    exact     whether the real CLASS may serve what needs no perturbations
    ignored   names of inputs that are to be ignored, by the user's word
    """
    code = trained_with(emulator).theory.get("code")
    if code != "class":
        raise CosmoSevereError(f"expected an emulator of CLASS in '{source}', got one of {code or 'unknown origin'}")
    members = {"emulator": emulator, "source": str(source), "exact": exact, "ignored": frozenset(ignored)}
    return type("Class", (EmulatedClass,), {**members, "visited": Visited(str(source), say)})
