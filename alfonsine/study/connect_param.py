"""A parameter file of CONNECT (arXiv:2205.15726) as a study of ours.

`sampling = 'iterative'` becomes `points: iterative`, `lhc` and `hypersphere` a design, each with the preset `connect`.
What has no counterpart is named at the head of the study, with the reason.
"""

import math
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import yaml

from alfonsine.errors import InputError
from alfonsine.study.connect_file import ParamFile, is_number
from alfonsine.study.connect_iterations import iterations
from alfonsine.study.connect_names import (
    ACTIVATIONS,
    BACKGROUND,
    CODE,
    DESIGNS,
    DROPPED,
    K_GRID,
    LIKELIHOODS,
    LOSSES,
    NORMALISATIONS,
    POWER,
    RENAMED,
    SPECTRA,
    THERMODYNAMICS,
)
from alfonsine.study.settings import settings_from
from alfonsine.theory.class_names import KNOWN_DERIVED

FUNCTIONS_Z = {"min": 0.0, "max": 1100.0, "number": 100}  # where the file leaves it to the solver


def translate(path: Path) -> str:
    """The study, as YAML, of the parameter file at `path`.

    Nothing in the file is executed. InputError, in one line and with its number, for a file that holds more than
    plain values, a name that CONNECT does not know, or a value that is not of its kind.
    """
    translation = _Translation(Path(path))
    study = translation.study()
    settings_from(study)  # a study that we could not read back would be a mistake of ours or of the file
    head = [f"# From {Path(path).name!r} of CONNECT. What was left out or changed, and why:"]
    head += [f"#   {name}: {why}" for name, why in translation.remarks] or ["#   nothing"]
    blocks = [_yaml(name, block) for name, block in study.items()]
    return "\n".join([*head, "", *blocks])


def write_study(path: Path, output: Path) -> None:
    """Write the study of a parameter file, whole or not at all."""
    text = translate(path)
    if not output.parent.is_dir():
        raise InputError(f"expected a folder that exists for the study, got '{output.parent}'; make it first")
    temporary = output.with_name(f".{output.name}.{os.getpid()}")
    temporary.write_text(text, encoding="utf-8")
    os.replace(temporary, output)


class _Translation(ParamFile):
    """The blocks of the study."""

    def __init__(self, path: Path) -> None:
        super().__init__(path)
        self.sampling = self.word("sampling")
        if self.sampling not in ("lhc", "hypersphere", "iterative"):
            raise self.wrong("sampling", "lhc, hypersphere or iterative")
        self.posterior = self.sampling == "iterative"

    def study(self) -> dict[str, Any]:
        """All blocks, in the order in which one reads them."""
        params = self.params()
        blocks: dict[str, Any] = {"theory": {"classy": self.theory(params)}}
        if self.posterior:
            blocks["likelihood"] = self.likelihoods(params)
        blocks["params"] = params
        if self.posterior:
            blocks |= iterations(self)
        else:
            blocks["design"] = {"kind": DESIGNS[self.sampling], "number": int(self.number("N"))}
        blocks["emulator"] = {"preset": "connect", "options": self.network()}
        if "max_time_for_theory" in self.given:
            blocks["compute"] = {"timeout": self.number("max_time_for_theory")}
        blocks["output"] = f"runs/{self.word('jobname') or self.path.stem}"
        self.rest()
        return blocks

    def params(self) -> dict[str, Any]:
        """Priors, where to begin, and what is reported."""
        parameters, priors = self.table("parameters"), self.table("prior_ranges")
        guesses, widths, logs = self.table("bestfit_guesses"), self.table("sigma_guesses"), self.words("log_priors")
        if not parameters:
            raise self.error(1, "expected parameters = {name: [min, max]}, got none")
        for key, names in (("prior_ranges", priors), ("bestfit_guesses", guesses), ("sigma_guesses", widths)):
            for name in names:
                if name not in parameters:
                    raise self.wrong(key, f"names among parameters, not '{name}'")
        for name in logs:
            if name not in parameters:
                raise self.wrong("log_priors", f"names among parameters, not '{name}'")
        found: dict[str, Any] = {}
        for name in parameters:
            lower, upper = self.prior(name, parameters, priors)
            ours = self.renamed(name)
            found |= self.sampled(ours, lower, upper, guesses.get(name), widths.get(name), name in logs)
        for name in map(self.renamed, self.words("output_derived")):
            if name in found:
                continue
            if name in KNOWN_DERIVED:
                found[name] = {"derived": True}
            else:
                self.remarks.append(("output_derived", f"'{name}' is not among the derived parameters that are known"))
        for name, code in self.table("extra_output").items():
            if CODE.get(str(code)) is None:
                why = (
                    f"'{name}' is code, which is not executed; make it a function and name it in theory: classy: custom"
                )
                self.remarks.append(("extra_output", why))
            elif CODE[str(code)] not in found:
                found[CODE[str(code)]] = {"derived": True}
        return found

    def renamed(self, name: str) -> str:
        """A name that chain files can hold."""
        if name in RENAMED:
            self.remarks.append((name, f"called {RENAMED[name]} here"))
        return RENAMED.get(name, name)

    def prior(self, name: str, parameters: Mapping[str, Any], priors: Mapping[str, Any]) -> tuple[float, float]:
        """The bounds, cut by the range of the prior where a posterior is wanted."""
        lower, upper = self.pair("parameters", name, parameters[name])
        if name in priors:
            low, high = self.pair("prior_ranges", name, priors[name])
            cut = max(lower, low), min(upper, high)
            if cut != (lower, upper) and not self.posterior:
                self.remarks.append(("prior_ranges", f"of '{name}': the box of a design is that of parameters"))
            elif cut != (lower, upper):
                lower, upper = cut
            if low < lower or high > upper:
                self.remarks.append(("prior_ranges", f"of '{name}' reaches beyond parameters, which are the box here"))
        if not lower < upper:
            raise self.wrong("parameters", f"'{name}' with min below max, not [{lower:g}, {upper:g}]")
        return lower, upper

    def sampled(
        self, name: str, lower: float, upper: float, guess: Any, width: Any, logarithmic: bool
    ) -> dict[str, Any]:
        """One sampled parameter; with a logarithmic prior its logarithm is sampled, and it follows from that."""
        for key, value in (("bestfit_guesses", guess), ("sigma_guesses", width)):
            if value is not None and not is_number(value):
                raise self.wrong(key, f"a number for '{name}'")
        if guess is not None and not lower < guess < upper:
            self.remarks.append(("bestfit_guesses", f"of '{name}', {guess:g}, lies outside its bounds"))
            guess = None
        if width is not None and not 0 < width < upper - lower:
            self.remarks.append(("sigma_guesses", f"of '{name}', {width:g}, is not a part of its range"))
            width = None
        own = name
        if logarithmic:
            if lower <= 0:
                raise self.wrong("log_priors", f"a min above zero for '{name}', not {lower:g}")
            own = f"log10_{name}"
            middle = guess if guess is not None else math.sqrt(lower * upper)
            width = None if width is None else min(width / (middle * math.log(10)), math.log10(upper / lower) / 2)
            lower, upper = math.log10(lower), math.log10(upper)
            guess = None if guess is None else math.log10(guess)
        entry: dict[str, Any] = {"prior": {"min": lower, "max": upper}}
        if guess is not None:
            entry["ref"] = guess
        if width is not None:
            entry["proposal"] = width
        if not logarithmic:
            return {own: entry}
        if not own.isidentifier():
            raise self.wrong("log_priors", f"a parameter whose name can stand in an expression, not '{name}'")
        return {own: entry | {"drop": True}, name: {"value": f"lambda {own}: 10**{own}"}}

    def theory(self, params: Mapping[str, Any]) -> dict[str, Any]:
        """Settings and outputs of CLASS."""
        block: dict[str, Any] = {"extra_args": {}}
        for name, value in self.table("extra_input").items():
            if name in params:
                raise self.wrong("extra_input", f"names that are not among parameters, not '{name}'")
            if name == "output":
                self.remarks.append(("extra_input", "'output' follows from what is asked for"))
            elif name == "l_max_scalars":
                block["l_max"] = int(value) if is_number(value) else value
            else:
                block["extra_args"][name] = value
        spectra = self.known("output_Cl", SPECTRA)
        if spectra:
            block["spectra"] = spectra
            block.setdefault("l_max", 2508 if self.posterior else 2500)
        nonlinear = any(key in block["extra_args"] for key in ("non linear", "non_linear"))
        power = self.known("output_Pk", POWER[nonlinear])
        if power:
            k = self.numbers("k_grid") or list(K_GRID)
            z = self.numbers("z_Pk_list") if "z_Pk_list" in self.given else [0.0]
            block["matter_power"] = {"outputs": power, "k": _grid(k), "z": _grid(z)}
            self.remarks.append(("output_Pk", "surfaces over k and z, in Mpc^3 and 1/Mpc"))
        for key, axis, names, ours in (
            ("output_bg", "z_bg_list", BACKGROUND, "background"),
            ("output_th", "z_th_list", THERMODYNAMICS, "thermodynamics"),
        ):
            functions = self.known(key, names)
            if functions:
                z = self.numbers(axis)
                block[ours] = {"outputs": functions, "z": _grid(z) if z else dict(FUNCTIONS_Z)}
                if not z:
                    self.remarks.append((axis, "absent: z from 0 to 1100 was chosen; there it is 100 of CLASS's own"))
                if "H" in functions:
                    self.remarks.append((key, "H is given in km/s/Mpc; there it is in 1/Mpc"))
        return block

    def likelihoods(self, params: dict[str, Any]) -> dict[str, Any]:
        """Those that steer the iterations there and are inferred from here."""
        found = {}
        for name in self.words("sampling_likelihoods"):
            if name not in LIKELIHOODS:
                raise self.wrong("sampling_likelihoods", f"one of {', '.join(LIKELIHOODS)}, not '{name}'")
            found[LIKELIHOODS[name]] = {}
        if not found:
            raise self.wrong("sampling_likelihoods", "at least one likelihood")
        missing = {"tt", "te", "ee"} - set(self.words("output_Cl"))
        if "planck_2018_lite" in found and missing:
            self.remarks.append(("output_Cl", "tt, te and ee are computed, since the likelihood reads them"))
        if "planck_2018_lite" in found:
            params["A_planck"] = {
                "prior": {"dist": "norm", "loc": 1.0, "scale": 0.0025},
                "ref": 1.0,
                "proposal": 0.0025,
            }
            self.remarks.append(("A_planck", "added: the calibration, which this likelihood samples"))
        return found

    def network(self) -> dict[str, Any]:
        """Options of the preset: those of the file, and CONNECT's own where the file has none."""
        found: dict[str, Any] = {
            "layers": int(self.number("N_hidden_layers")),
            "units": int(self.number("N_nodes")),
            "epochs": int(self.number("epochs")),
            "batch": int(self.number("batchsize")),
        }
        for key, ours, names in (
            ("activation_function", "activation", ACTIVATIONS),
            ("loss_function", "loss", LOSSES),
            ("normalisation_method", "normalisation", NORMALISATIONS),
        ):
            asked = self.word(key)
            if asked in names:
                found[ours] = names[asked]
            else:
                self.remarks.append((key, f"'{asked}' has no counterpart; the preset's own is taken"))
        train, validation = self.number("train_ratio"), self.number("val_ratio")
        if not (0 < train < 1 and 0 < validation < train):
            raise self.wrong("train_ratio", "a part of one, above val_ratio")
        found["fractions"] = [round(train - validation, 12), validation, round(1 - train, 12)]
        return found

    def rest(self) -> None:
        """A remark on everything that is given and was not looked at."""
        told = {name for name, _ in self.remarks}
        for name in self.given:
            if name not in self.used | told:
                self.remarks.append((name, DROPPED.get(name, "nothing that is asked for needs it")))

    def known(self, key: str, names: Mapping[str, str]) -> list[str]:
        """Ours for each word of a list; remarks on those that have none."""
        found = []
        for word in self.words(key):
            if word not in names:
                self.remarks.append((key, f"'{word}' has no counterpart here"))
            elif names[word] not in found:
                found.append(names[word])
        return found


def _grid(values: list[float]) -> list[float]:
    """Increasing, each once."""
    return sorted({float(v) for v in values})


def _yaml(name: str, block: Any) -> str:
    """One block, its innermost lists and tables on one line."""
    inner = None if isinstance(block, dict) else False
    return yaml.safe_dump({name: block}, sort_keys=False, default_flow_style=inner, allow_unicode=True, width=110)
