"""What MontePython tells CLASS: each name is an input, a setting of the training, a request, or an error.

A setting is never dropped in silence: another value than that of the training is another model.
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import PurePath
from typing import Any

from alfonsine.emulator.emulator import Emulator
from alfonsine.errors import nearest
from alfonsine.hosts.numbers import FOLLOWS, canonical
from alfonsine.hosts.trained_with import trained_with
from alfonsine.plugins.montepython.errors import CosmoSevereError
from alfonsine.theory import class_defaults
from alfonsine.theory.class_names import INPUT_ALIASES

L_MAX = 2500  # CLASS's own l_max_scalars
# what each word of `output` needs of an emulator: one of these outputs or numbers
NEEDS = {
    "tCl": ("tt", "te", "unlensed_tt", "unlensed_te"),
    "pCl": ("ee", "te", "bb", "unlensed_ee", "unlensed_te"),
    "lCl": ("pp", "tt", "te", "ee", "bb"),
    "mPk": ("pk_lin", "pk_nl", "pk_lin_cb", "pk_nl_cb", "sigma8", "sigma8_z", "f_sigma8", "S8"),
}
REQUESTS = {"output", "lensing", "l_max_scalars", "P_k_max_h/Mpc", "P_k_max_1/Mpc", "z_max_pk"}
# what the real CLASS writes and says, and nothing that it computes
QUIET = {"root", "headers", "format", "base_path", "overwrite_root"}
TECHNICAL = {"l_linstep", "l_logstep", "delta_l_max"} | REQUESTS
OTHER_NAMES = {"nonlinear": "non_linear"}
CONVERTED = {"h", "H0", "A_s", "ln_A_s_1e10", "omega_b", "Omega_b", "omega_cdm", "Omega_cdm"}
SAME = 1e-9  # relative: nearer values are equal


@dataclass(frozen=True)
class Told:
    """One point, and what is asked of it.

    point       the emulator's inputs
    outputs     words of CLASS's `output`
    lensing     whether lensed spectra are asked for
    l_max       last multipole that may be read
    unstated    settings of precision of the training that the parameter file does not mention
    """

    point: Mapping[str, float]
    outputs: frozenset[str]
    lensing: bool
    l_max: int
    unstated: tuple[str, ...]


def plain(name: str) -> str:
    """CLASS's own spelling of a name."""
    name = INPUT_ALIASES.get(name.strip(), name.strip()).replace(" ", "_")
    return OTHER_NAMES.get(name, name)


def understood(
    pars: Mapping[str, Any], emulator: Emulator, precision: Mapping[str, str], ignored: frozenset[str] = frozenset()
) -> Told:
    """Everything that was set, understood; CosmoSevereError in one line for the first that is not.

    precision   CLASS's own precision settings, where they are known
    ignored     names that the user has said to ignore
    """
    passed: dict[str, tuple[str, Any]] = {}
    ignored = frozenset(plain(name) for name in ignored)
    for name, value in pars.items():
        if plain(name) in passed:
            raise CosmoSevereError(f"expected each input once, got '{name}' beside '{passed[plain(name)][0]}'")
        passed[plain(name)] = (name, value)
    point, used = inputs(passed, emulator)
    settings = {plain(n): str(v) for n, v in trained_with(emulator).settings.items()}
    rest = {name: passed[name] for name in passed if name not in used}
    for name, (original, value) in rest.items():
        if name in REQUESTS or name in ignored:
            continue
        if name in QUIET or name.endswith("_verbose") or name.startswith("write_"):
            continue
        _same_setting(name, original, value, settings, emulator, precision)
    unstated = tuple(name for name in settings if name not in rest and name not in REQUESTS and name not in ignored)
    for name in unstated:
        if name not in TECHNICAL and name not in precision and not _is_default(name, settings[name]):
            raise CosmoSevereError(
                f"expected '{name}', which the emulator was trained with, got none; add to the parameter file: "
                f"data.cosmo_arguments['{name}'] = {_literal(settings[name])}"
            )
    return Told(point, *_requests(rest, settings, emulator), tuple(n for n in unstated if n not in REQUESTS))


def inputs(passed: Mapping[str, tuple[str, Any]], emulator: Emulator) -> tuple[dict[str, float], set[str]]:
    """The emulator's inputs, by their names or by an identity from others, and the names used up for them."""
    point, used = {}, set()
    for name in emulator.names:
        if plain(name) in passed:
            point[name] = _number(*passed[plain(name)])
            used.add(plain(name))
    for name in emulator.names:
        if name in point:
            continue
        for needed, function in _ways(canonical(name), emulator):
            if all(n in passed for n in needed):
                point[name] = function(*(_number(*passed[n]) for n in needed))
                used |= set(needed)
                break
        else:
            raise CosmoSevereError(
                f"expected '{name}', an input of the emulator ({', '.join(emulator.names)}), got "
                f"{', '.join(original for original, _ in passed.values()) or 'nothing'}; make it a parameter of the run"
            )
    return point, used


def _ways(name: str, emulator: Emulator) -> list[tuple[tuple[str, ...], Any]]:
    """Identities that give an input; by the Hubble rate only where that is an input, too."""
    hubble = bool({canonical(n) for n in emulator.names} & {"H0", "h"})
    found = []
    for target, needed, function in FOLLOWS:
        if target == name and name in CONVERTED and (len(needed) == 1 or hubble):
            found.append((needed, function))
            if "h" in needed[1:]:
                found.append(((needed[0], "H0"), lambda value, H0, f=function: f(value, H0 / 100)))
    return found


def _same_setting(
    name: str, original: str, value: Any, settings: Mapping[str, str], emulator: Emulator, precision: Mapping[str, str]
) -> None:
    """CosmoSevereError unless a setting is that of the training: told to CLASS then, or CLASS's own."""
    if name in settings:
        known, whose = settings[name], "the emulator was trained with"
    elif name in class_defaults.NUMBERS:
        known, whose = str(class_defaults.NUMBERS[name]), "the emulator was trained with CLASS's own,"
    elif name in class_defaults.WORDS:
        known, whose = class_defaults.WORDS[name], "the emulator was trained with CLASS's own,"
    elif name in precision:
        known, whose = precision[name], "the emulator was trained with CLASS's own,"
    else:
        names = (*emulator.names, *settings)
        raise CosmoSevereError(
            f"expected inputs of the emulator ({', '.join(emulator.names)}) or settings that it was trained with "
            f"({', '.join(settings) or 'none'}), got '{original}' = {value}; {nearest(original, names)}"
        )
    if not equal(known, value):
        raise CosmoSevereError(
            f"expected '{original}' = {known} ({whose} {known}), got {value}; set it to {known}, or train an emulator "
            "with your value"
        )


def equal(known: str, value: Any) -> bool:
    """Whether two settings mean the same: numbers to rounding, words by case, lists piece by piece, files by name."""
    first, second = (str(each).replace(" ", "").split(",") for each in (known, _plain_value(value)))
    if len(first) != len(second):
        return False
    return all(_equal(a, b) for a, b in zip(first, second, strict=True))


def _equal(a: str, b: str) -> bool:
    try:
        return math.isclose(float(a), float(b), rel_tol=SAME, abs_tol=1e-300)
    except ValueError:
        a, b = (PurePath(each).name if "/" in each else each.lower() for each in (a, b))
        answers = {"y": "yes", "n": "no", "true": "yes", "false": "no", "": "no"}
        return answers.get(a, a) == answers.get(b, b) or {a, b} in ({"none", "no"}, {"none", ""})


def _plain_value(value: Any) -> str:
    return ",".join(str(each) for each in value) if isinstance(value, list | tuple) else str(value)


def _is_default(name: str, value: str) -> bool:
    return any(
        name in known and equal(str(known[name]), value) for known in (class_defaults.NUMBERS, class_defaults.WORDS)
    )


def _requests(
    rest: Mapping[str, tuple[str, Any]], settings: Mapping[str, str], emulator: Emulator
) -> tuple[frozenset[str], bool, int]:
    """Words of `output`, lensing, last multipole; CosmoSevereError for a word that the emulator has nothing for."""
    words = frozenset(str(rest.get("output", ("", ""))[1]).replace(",", " ").split())
    held = {*emulator.outputs, *(label for output in emulator.outputs.values() for label in output.labels)}
    for word in sorted(words):
        if not held & set(NEEDS.get(word, ())):
            needed = f"one of {', '.join(NEEDS[word])}" if word in NEEDS else "what no emulator has"
            raise CosmoSevereError(
                f"expected words of output that the emulator can serve, got '{word}', which needs {needed}, beside "
                f"{', '.join(emulator.outputs)}; take it out of output, or add it to the theory block of the "
                "emulator's study"
            )
    lensing = str(rest.get("lensing", ("", "no"))[1]).strip().lower().startswith("y")
    if lensing and settings.get("lensing", "yes").lower().startswith("n"):
        raise CosmoSevereError("expected lensing = no, which the emulator was trained with, got yes")
    l_max = int(_number(*rest.get("l_max_scalars", ("l_max_scalars", L_MAX))))
    asked = "l_max_scalars" in rest and words & {"tCl", "pCl", "lCl"}
    reach = [
        output.axes[0].values[-1]
        for output in emulator.outputs.values()
        if output.axes[:1] and output.axes[0].name == "l"
    ]
    if asked and reach and l_max > max(reach):
        raise CosmoSevereError(
            f"expected l_max_scalars of at most {max(reach):g}, to which the emulator reaches, got {l_max}; "
            f"set l_max: {l_max} in the theory block of its study, and train again"
        )
    return words, lensing, l_max


def _number(name: str, value: Any) -> float:
    try:
        number = float(value)
    except (TypeError, ValueError):
        number = math.nan
    if not math.isfinite(number):
        raise CosmoSevereError(f"expected a number for '{name}', got '{value}'")
    return number


def _literal(value: str) -> str:
    try:
        float(value)
        return value
    except ValueError:
        return repr(value)
