"""CAMB, through its Python package, which is optional: pip install alfonsine[camb].

CAMB: A. Lewis, A. Challinor, A. Lasenby, ApJ 538 (2000) 473, astro-ph/9911177. Points that differ in the primordial
spectrum or the non-linear correction only share one solution of the perturbations, see `camb_transfers`; `shares`
tells the engine which do.
"""

import hashlib
import importlib.metadata
import importlib.util
import json
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path
from typing import Any, Literal

import numpy as np

from alfonsine.errors import InputError
from alfonsine.theory import camb_outputs
from alfonsine.theory.camb_check import check_camb
from alfonsine.theory.camb_names import DERIVED, NEEDS_MATTER_POWER, NONLINEAR, PRIMORDIAL, renamed
from alfonsine.theory.camb_outputs import read_background, read_power, read_spectra
from alfonsine.theory.camb_transfers import TRANSFERS
from alfonsine.theory.class_spectra import NEEDS, check_multipoles, nodes, spectra_outputs
from alfonsine.theory.grids import Background, MatterPower, known
from alfonsine.theory.observables import Observables
from alfonsine.theory.output import Output, numbers
from alfonsine.theory.python import custom_outputs
from alfonsine.theory.theory import TheoryError, one_line
from alfonsine.theory.user_function import UserFunction

OURS = {"lmax": "l_max", "redshifts": "matter_power", "WantCls": "spectra", "WantTransfer": "matter_power"}
ERRORS = ("CAMBError", "CAMBValueError", "CAMBUnknownArgumentError", "CAMBFortranError")
MOST_REDSHIFTS = 256  # CAMB's own limit
K_MARGIN, K_LEAST, K_LEAST_NONLINEAR = (
    1.6,
    1.2,
    10.0,
)  # the halo model needs the spectrum far beyond its own wavenumbers


@dataclass(frozen=True)
class CambTheory:
    """CAMB with fixed settings; outputs have the names and units of `ClassTheory`.

    settings       arguments of camb.set_params that do not vary
    spectra        among tt, te, ee, bb, pp, tp; lensed, tensors included
    l_max          last multipole
    derived        names of derived numbers, see `alfonsine.theory.camb_names`
    unlensed       spectra before lensing: outputs unlensed_tt, ...
    multipoles     all from 2 to l_max, the fixed list of `class_spectra.nodes`, or those given
    matter_power   P(k, z): pk_lin, pk_nl (with halofit_version in settings), pk_lin_cb
    background     functions of redshift among `camb_outputs.BACKGROUND`
    custom         outputs of functions of the computed `camb.CAMBdata`, name -> function
    inputs         a function from the dict of parameters to the dict of CAMB inputs
    """

    settings: Mapping[str, Any] = field(default_factory=dict, hash=False)
    spectra: tuple[str, ...] = ("tt", "te", "ee")
    l_max: int = 2508
    derived: tuple[str, ...] = ()
    unlensed: tuple[str, ...] = ()
    multipoles: Literal["all", "nodes"] | tuple[int, ...] = "all"
    matter_power: MatterPower | None = None
    background: Background | None = None
    custom: Mapping[str, UserFunction] = field(default_factory=dict, hash=False)
    inputs: UserFunction | None = None

    def __post_init__(self) -> None:
        settings = renamed(self.settings)
        for name in (*self.spectra, *self.unlensed):
            known(name, NEEDS, "a CMB spectrum")
        for name in self.derived:
            known(name, DERIVED, "a derived parameter of CAMB")
        for name in () if self.matter_power is None else self.matter_power.names:
            known(name, camb_outputs.POWER, "a matter power spectrum of CAMB")
        for name in () if self.background is None else self.background.names:
            known(name, camb_outputs.BACKGROUND, "a background function of CAMB")
        if self.l_max < 2:
            raise InputError(f"expected l_max of at least 2, got {self.l_max}")
        check_multipoles(self._ell, self.l_max)
        for name in settings:
            if name in OURS:
                raise InputError(f"expected CAMB settings without '{name}', got one; use {OURS[name]} instead")
        if not (self.outputs() or self.custom):
            raise InputError("expected spectra or derived parameters, got neither; try spectra [tt, te, ee]")
        for name in self.custom:
            if name in self.outputs() or name in DERIVED:
                raise InputError(f"expected a new name for an output of your own, got '{name}', which CAMB has")
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
        version, build = camb_version()
        outputs: dict[str, Any] = {"spectra": list(self.spectra), "derived": list(self.derived)}
        if self.spectra or self.unlensed:
            outputs["l_max"] = self.l_max
        if self.unlensed:
            outputs["unlensed"] = list(self.unlensed)
        if (self.spectra or self.unlensed) and self.multipoles != "all":
            outputs["multipoles"] = list(self._ell)
        for name in ("matter_power", "background"):
            if (asked := getattr(self, name)) is not None:
                outputs[name] = asked.identity()
        if self.custom:
            outputs["custom"] = {name: function.identity() for name, function in self.custom.items()}
        settings = renamed(self.settings)
        identity = {"code": "camb", "version": version, "build": build, "settings": settings, "outputs": outputs}
        return identity if self.inputs is None else {**identity, "inputs": self.inputs.identity()}

    def outputs(self) -> dict[str, Output]:
        """Units and axes; those of `custom` are known after a call, see `output.described`."""
        any_spectra = self.spectra or self.unlensed
        found = spectra_outputs(self.spectra, self.unlensed, self._ell) if any_spectra else {}
        for asked in (self.matter_power, self.background):
            found |= {} if asked is None else asked.outputs()
        return found | ({"derived": numbers(self.derived)} if self.derived else {})

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
            return self._observables(data)
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

    @property
    def functions(self) -> tuple[UserFunction, ...]:
        """The user's functions."""
        return (*([] if self.inputs is None else [self.inputs]), *self.custom.values())

    def told(self, inputs: Mapping[str, float]) -> dict[str, Any]:
        """The inputs under CAMB's own names; InputError for one that is a setting, too."""
        told = renamed(inputs if self.inputs is None else self.inputs.transform(inputs))
        both = [name for name in told if name in renamed(self.settings)]
        if both:
            raise InputError(f"expected '{both[0]}' as a setting or as a parameter, got both; remove one")
        return told

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
    def _ell(self) -> tuple[int, ...]:
        if self.multipoles == "all":
            return tuple(range(2, self.l_max + 1))
        return nodes(self.l_max) if self.multipoles == "nodes" else self.multipoles

    @property
    def _redshifts(self) -> list[float]:
        """Those at which matter power is computed, earliest first."""
        z = set() if self.matter_power is None else set(self.matter_power.z)
        if self.background is not None and camb_outputs.NEEDS_MATTER_POWER & set(self.background.names):
            z |= set(self.background.z)
        if NEEDS_MATTER_POWER & set(self.derived):
            z.add(0.0)
        return sorted(z, reverse=True)

    @staticmethod
    def _solution(told: Mapping[str, Any]) -> str:
        """All that the perturbations depend on; whether there are tensors is part of it."""
        before = {name: value for name, value in told.items() if name not in PRIMORDIAL | NONLINEAR}
        rest = {name: float(v).hex() if isinstance(v, int | float) else v for name, v in before.items()}
        return json.dumps([rest, bool(told.get("r", 0.0))], sort_keys=True)

    def _observables(self, data: Any) -> Observables:
        found: dict[str, Any] = {}
        if self.spectra or self.unlensed:
            found |= read_spectra(data, self.spectra, self.unlensed, np.array(self._ell))
        if self.matter_power is not None:
            found |= read_power(data, self.matter_power)
        if self.background is not None:
            found |= read_background(data, self.background)
        derived = {name: float(DERIVED[name](data)) for name in self.derived}
        own = custom_outputs(self.custom, data)
        return Observables({**found, **own.spectra}, {**derived, **own.derived})


@lru_cache(maxsize=1)
def camb_version() -> tuple[str, str]:
    """Version of camb, and a digest of its library: a modified CAMB often keeps its version number."""
    specification = importlib.util.find_spec("camb")
    if specification is None or specification.origin is None:
        raise InputError("expected the package camb, got none; install it with: pip install camb")
    libraries = sorted(Path(specification.origin).parent.glob("camblib.*"))
    digest = hashlib.sha256(b"".join(path.read_bytes() for path in libraries)).hexdigest()[:16]
    return importlib.metadata.version("camb"), digest
