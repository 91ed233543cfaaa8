"""A Cobaya input, as far as our loop is concerned: the study that it means."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import yaml

from alfonsine.errors import InputError
from alfonsine.plain_yaml import Location
from alfonsine.study.read import Source
from alfonsine.study.settings import Settings, settings_from
from alfonsine.theory.class_names import KNOWN_DERIVED

OWN = ("accuracy", "points", "compute", "seed", "emulator", "warm_start")  # blocks of a study that an input may add
# what Cobaya adds to the options of a component, which are none of the component's own
ADDED = ("input_params", "output_params", "version", "speed", "external", "python_path", "provides", "requires")
HEAD = "# The study that a Cobaya input meant: alfonsine certify, sample and evidence take this file.\n"
KEPT = ("prior", "ref", "proposal", "value", "derived", "latex", "drop")


def study_of(info: Mapping[str, Any], code: str, theory: str, own: Mapping[str, Any]) -> dict[str, Any]:
    """Plain blocks of a study, from the complete input of a Cobaya model.

    info     the input, as `Model.info()` gives it
    code     classy or camb
    theory   the name of our component in it
    own      blocks for the loop

    InputError for what cannot be carried over: functions in place of text, other theories.
    """
    others = [name for name in info.get("theory") or {} if name != theory]
    if others:
        raise InputError(f"expected one theory, got '{others[0]}' beside '{theory}'; remove it")
    packages = info.get("packages_path")
    study: dict[str, Any] = {
        "theory": {code: {"extra_args": dict(info["theory"][theory].get("extra_args") or {})}},
        "likelihood": {
            name: _likelihood(name, options or {}, packages) for name, options in info["likelihood"].items()
        },
        "params": _parameters(info["params"], info.get("likelihood") or {}),
        **own,
    }
    prior = {name: text for name, text in (info.get("prior") or {}).items()}
    for name, text in prior.items():
        if not isinstance(text, str):
            raise InputError(f"prior '{name}': expected text, got {type(text).__name__}; write 'lambda a, b: ...'")
    return study | ({"prior": prior} if prior else {})


@dataclass(frozen=True)
class Input(Source):
    """A Cobaya input as the source of settings: errors name places in it.

    theory   the name of our component in it
    """

    theory: str = ""

    def error(self, location: Location, message: str, line_of: Location | None = None) -> InputError:
        """`theory.classy.loop.accuracy.kl: message`."""
        inside = {"theory": location[2:], **{block: ("loop", *location) for block in OWN}}
        first = location[0] if location else ""
        place = ("theory", self.theory, *inside[first]) if first in inside else location
        return InputError(": ".join(part for part in (".".join(map(str, place)), message) if part))


def meant(blocks: Mapping[str, Any], theory: str, output: str | None) -> tuple[Settings, Path]:
    """The settings of these blocks, and the run folder, in which they are kept as a study of their own.

    output   the folder; runs/cobaya-<digest> if not given
    """
    here = Input(folder=Path.cwd(), theory=theory)
    folder = Path(output or Path("runs") / f"cobaya-{settings_from(dict(blocks), here).digest}")
    text = HEAD + yaml.safe_dump({**blocks, "output": str(folder)}, sort_keys=False, allow_unicode=True)
    return settings_from(dict(blocks), replace(here, text=text)), folder


def _likelihood(name: str, options: Mapping[str, Any], packages: str | None) -> dict[str, Any]:
    """The options of a likelihood, and where its data lie."""
    if callable(options) or callable(options.get("external")):
        raise InputError(
            f"likelihood '{name}': expected one that worker processes can load, got a function of this program; "
            "put it into a module and name 'module.Class'"
        )
    kept = {key: value for key, value in options.items() if key not in ADDED and value is not None}
    return kept | ({"packages_path": str(packages)} if packages else {})


def _parameters(params: Mapping[str, Any], likelihoods: Mapping[str, Any]) -> dict[str, Any]:
    """The entries of params, without what is Cobaya's own, and without the chi-squares that it adds."""
    found = {}
    for name, entry in params.items():
        if name.startswith("chi2__"):
            continue
        if not isinstance(entry, Mapping):
            found[name] = entry
            continue
        kept = {key: entry[key] for key in KEPT if entry.get(key) is not None}
        for key, value in kept.items():
            if callable(value):
                raise InputError(
                    f"params '{name}': expected text in {key}, got a function of this program; write 'lambda x: ...'"
                )
        if "value" in kept and kept.get("derived") is True:
            del kept["derived"]  # computed from others here, and reported in any case
        if isinstance(kept.get("ref"), list | tuple):
            kept["ref"] = sum(kept["ref"]) / len(kept["ref"])
        if isinstance(kept.get("ref"), Mapping) and kept["ref"].get("dist") != "norm":
            kept["ref"] = _middle(kept["ref"])
        found[name] = kept or None
    return found


def _middle(ref: Mapping[str, Any]) -> float:
    """A reference that is no normal: its middle."""
    if {"min", "max"} <= set(ref):
        return 0.5 * (ref["min"] + ref["max"])
    raise InputError(f"expected a ref that is a number, normal or uniform, got {dict(ref)}; try ref: 0.5")


def provided() -> frozenset[str]:
    """Numbers that either code can report."""
    from alfonsine.theory.camb_names import DERIVED

    return frozenset({*KNOWN_DERIVED, *DERIVED})
