"""CLASS, through its Python wrapper classy.

CLASS: D. Blas, J. Lesgourgues, T. Tram, JCAP 07 (2011) 034, arXiv 1104.2933. classy is imported where it is
used, so that a process may first say how many threads it is to have.
"""

import hashlib
import importlib.metadata
import importlib.util
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np
from pebble import ProcessExpired

from alfonsine.errors import InputError, nearest
from alfonsine.theory.class_names import (
    DERIVED,
    DERIVED_ATTRIBUTES,
    INPUT_ALIASES,
    KNOWN_DERIVED,
    NEEDS_MATTER_POWER,
    TYPICAL,
    known_inputs,
)
from alfonsine.theory.observables import Observables
from alfonsine.theory.theory import TheoryError, one_line
from alfonsine.theory.workers import run_apart

Scalar = float | int | str | bool
Setting = Scalar | list[Scalar] | tuple[Scalar, ...]
OUTPUTS = {"tt": "tCl", "te": "tCl pCl", "ee": "pCl", "bb": "pCl", "pp": "lCl", "tp": "tCl lCl"}
LENSED = {"tt", "te", "ee", "bb"}
OURS = {"l_max_scalars": "l_max", "output": "spectra and derived"}
CHECK_LIMIT = 120.0  # seconds; reading the input takes one, but theta_s is found by shooting
LENSING_REACH = 2500  # lensing mixes multipoles: with CLASS's own 500 beyond l_max = 600, TT is wrong by 2 %
LONGEST = 1023  # characters of a name or value in CLASS, which copies them without looking


@dataclass(frozen=True)
class ClassTheory:
    """CLASS with fixed settings.

    settings   any CLASS input, precision included, that does not vary
    spectra    among tt, te, ee, bb, pp, tp; lensed unless settings say lensing: no
    l_max      last multipole; unlensed spectra are computed to 2500 at least (CLASS's delta_l_max)
    derived    names of derived numbers, see `alfonsine.theory.class_names`
    """

    settings: Mapping[str, Setting] = field(default_factory=dict, hash=False)
    spectra: tuple[str, ...] = ("tt", "te", "ee")
    l_max: int = 2508
    derived: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        for spectrum in self.spectra:
            if spectrum not in OUTPUTS:
                raise InputError(f"expected a CMB spectrum, got '{spectrum}'; {nearest(spectrum, OUTPUTS)}")
        for name in self.derived:
            if name not in KNOWN_DERIVED:
                raise InputError(f"expected a derived parameter of CLASS, got '{name}'; {nearest(name, KNOWN_DERIVED)}")
        if self.l_max < 2:
            raise InputError(f"expected l_max of at least 2, got {self.l_max}")
        for name in self.settings:
            if name in OURS:
                raise InputError(f"expected CLASS settings without '{name}', got one; use {OURS[name]} instead")
        if not self.spectra and not self.derived:
            raise InputError("expected spectra or derived parameters, got neither; try spectra [tt, te, ee]")
        _renamed(self.settings)  # complains of names given twice

    def identity(self) -> dict[str, Any]:
        """Version and build of CLASS, settings under CLASS's own names, outputs."""
        version, build = _version()
        settings = {name: _text(value) for name, value in _renamed(self.settings).items()}
        outputs = {"spectra": list(self.spectra), "derived": list(self.derived)}
        if self.spectra:
            outputs["l_max"] = self.l_max
        return {"code": "class", "version": version, "build": build, "settings": settings, "outputs": outputs}

    def check(self, parameters: Collection[str]) -> None:
        """Let CLASS read settings and parameters, in a process of its own, without spectra (2 s)."""
        given = parameters if isinstance(parameters, Mapping) else None
        values = {name: TYPICAL.get(INPUT_ALIASES.get(name, name), 0.1) for name in parameters}
        values.update(given or {})
        try:
            kind, detail = run_apart(_read, self._input(values), timeout=CHECK_LIMIT)
        except TimeoutError:
            kind, detail = "error", f"no answer within {CHECK_LIMIT:g} s"
        except ProcessExpired as error:
            kind, detail = "error", f"a crash with exit code {error.exitcode}"
        asked = {INPUT_ALIASES.get(name, name): name for name in (*self.settings, *parameters)}
        if kind == "unread":
            unread = [asked.get(name, name) for name in detail.split(", ")]
        elif kind == "error" and given is None:
            # one of our made-up values may be at fault: only the names can be judged
            unread = [name for name in parameters if name not in known_inputs()]
        else:
            unread = []
        if unread:
            where = "a setting" if unread[0] in self.settings else "a parameter"
            others = known_inputs() - set(unread)
            close = nearest(unread[0], others) if unread[0] not in known_inputs() else "it has no effect here"
            if close.startswith("known:"):
                close = "see CLASS's explanatory.ini"
            raise InputError(f"expected {where} that CLASS reads, got '{unread[0]}'; {close}")
        if kind == "missing" or (kind == "error" and given is not None):
            raise InputError(f"expected settings and reference values that CLASS accepts, got '{detail}'")

    def compute(self, inputs: Mapping[str, float]) -> Observables:
        """Run CLASS at one point; TheoryError with CLASS's own reason where it fails."""
        from classy import Class, CosmoComputationError, CosmoSevereError

        cosmo = Class()
        try:
            cosmo.set(self._input(inputs))
            cosmo.compute([self._level])
            return Observables(self._spectra(cosmo), self._derived(cosmo))
        except (CosmoComputationError, CosmoSevereError) as error:
            raise TheoryError(class_reason(error)) from None
        finally:
            cosmo.struct_cleanup()  # hundreds of megabytes that the garbage collector does not see
            cosmo.empty()

    @property
    def _lensed(self) -> bool:
        wanted = _text(self.settings.get("lensing", "yes")).lower().startswith("y")
        return wanted and bool(LENSED & set(self.spectra))

    @property
    def _level(self) -> str:
        if self.spectra:
            return "lensing" if self._lensed else "harmonic"
        return "fourier" if NEEDS_MATTER_POWER & set(self.derived) else "thermodynamics"

    def _input(self, inputs: Mapping[str, float]) -> dict[str, str]:
        """Everything that CLASS is told."""
        both = [name for name in _renamed(inputs) if name in _renamed(self.settings)]
        if both:
            raise InputError(f"expected '{both[0]}' as a setting or as a parameter, got both; remove one")
        told = {**_renamed(self.settings), **{name: float(value) for name, value in _renamed(inputs).items()}}
        output = {part for spectrum in self.spectra for part in OUTPUTS[spectrum].split()}
        told.pop("lensing", None)
        if self._lensed:
            output.add("lCl")
            told["lensing"] = "yes"
            if self.l_max + 500 < LENSING_REACH:
                told.setdefault("delta_l_max", LENSING_REACH - self.l_max)
        if NEEDS_MATTER_POWER & set(self.derived):
            output.add("mPk")
        if self.spectra:
            told["l_max_scalars"] = self.l_max
        if output:
            told["output"] = ",".join(sorted(output))
        texts = {name: _text(value) for name, value in told.items()}
        for name, text in texts.items():
            if max(len(name.encode()), len(text.encode())) > LONGEST:
                raise InputError(f"expected names and values of CLASS of at most {LONGEST} bytes, got {name[:40]}...")
        return texts

    def _spectra(self, cosmo: Any) -> dict[str, np.ndarray]:
        if not self.spectra:
            return {}
        raw = cosmo.lensed_cl(self.l_max) if self._lensed else cosmo.raw_cl(self.l_max)
        kelvin = 1e6 * float(cosmo.T_cmb())  # in muK
        power = {"pp": 0, "tp": 1}
        return {name: raw[name][2:] * kelvin ** power.get(name, 2) for name in self.spectra}

    def _derived(self, cosmo: Any) -> dict[str, float]:
        named = [name for name in self.derived if name in DERIVED]
        values = cosmo.get_current_derived_parameters(sorted({DERIVED[name] for name in named}))
        derived = {name: float(values[DERIVED[name]]) for name in named}
        for name in self.derived:
            if name in DERIVED_ATTRIBUTES:
                # a method in older versions, a callable number in newer ones
                derived[name] = float(getattr(cosmo, DERIVED_ATTRIBUTES[name])())
        return {name: derived[name] for name in self.derived}


def class_reason(error: BaseException | str) -> str:
    """The last link of CLASS's chain of error messages, which is the cause."""
    return one_line(str(error).rsplit("=>", 1)[-1])


def _read(told: dict[str, str]) -> tuple[str, str]:
    """Let CLASS read its input, and no more: ("fine" | "unread" | "error" | "missing", detail)."""
    try:
        from classy import Class
    except ImportError as error:
        return "missing", f"{one_line(error)}; install it with: pip install classy"
    cosmo = Class()
    try:
        cosmo.set(told)
        cosmo.compute(["input"])
    except Exception as error:
        _, found, names = str(error).partition("did not read input parameter(s): ")
        return ("unread", names.strip()) if found else ("error", class_reason(error))
    finally:
        cosmo.struct_cleanup()
        cosmo.empty()
    return "fine", ""


def _renamed(values: Mapping[str, Any]) -> dict[str, Any]:
    """Change aliases into the names that CLASS knows."""
    renamed: dict[str, Any] = {}
    for name, value in values.items():
        target = INPUT_ALIASES.get(str(name), str(name))
        if target in renamed:
            raise InputError(f"expected each CLASS input once, got '{name}' beside another name of '{target}'")
        renamed[target] = value
    return renamed


def _text(value: Setting) -> str:
    """Write a value as CLASS reads it; floats keep all their digits."""
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, list | tuple):
        return ",".join(_text(item) for item in value)
    if not isinstance(value, int | float | str):
        raise InputError(f"expected numbers, words or lists of them as CLASS settings, got {value!r}")
    return repr(float(value)) if isinstance(value, float) else str(value)


@lru_cache(maxsize=1)
def _version() -> tuple[str, str]:
    """Version of classy, and a digest of its library: a modified CLASS often keeps its version number."""
    specification = importlib.util.find_spec("classy")
    if specification is None or specification.origin is None:
        raise InputError("expected the package classy, got none; install it with: pip install classy")
    origin = Path(specification.origin)
    library = sorted(origin.parent.glob("_classy*.so")) if origin.name == "__init__.py" else [origin]
    digest = hashlib.sha256(b"".join(path.read_bytes() for path in library)).hexdigest()[:16]
    try:
        return importlib.metadata.version("classy"), digest
    except importlib.metadata.PackageNotFoundError:
        return "unknown", digest
