"""From settings to all that a run needs; what can be wrong is found here, before the first exact call."""

import os
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from safetensors import SafetensorError, safe_open

from alfonsine.errors import InputError, nearest
from alfonsine.likelihood.likelihood import Likelihood
from alfonsine.likelihood.registry import load_likelihood
from alfonsine.plain_yaml import Location
from alfonsine.space.parameter_space import ParameterSpace
from alfonsine.study.asked import Read
from alfonsine.study.build import build_theory
from alfonsine.study.parameters import Parameters, parameter_space, parameters
from alfonsine.study.settings import Settings
from alfonsine.theory.output import functions
from alfonsine.theory.theory import Theory

COLUMNS = {"weight", "minuslogpost", "minuslogprior", "chi2", "chain", "draw", "logL"}
COLUMNS_OF = ("chi2__", "minuslogprior__")


@dataclass(frozen=True)
class Study:
    """A study that can be run: settings, run folder, sampled space, roles, theory, likelihoods."""

    settings: Settings
    folder: Path
    space: ParameterSpace
    parameters: Parameters
    theory: Theory
    likelihoods: Mapping[str, Likelihood]  # as they read what the theory gives: at its multipoles


def prepare(settings: Settings, folder: Path) -> Study:
    """Build the parts of a study and check that they fit; InputError in one line where they do not.

    Makes no exact call and writes nothing.
    """
    _check_names(settings)
    space, roles = parameter_space(settings), parameters(settings)
    if settings.likelihood:
        _check_budget(settings, space)
    with _at(settings, ("output",)):
        check_folder(folder)
    likelihoods = {}
    for name, options in settings.likelihood.items():
        with _at(settings, ("likelihood", name)):
            likelihoods[name] = load_likelihood(
                name, {option: _beside(settings, option, value) for option, value in options.items()}
            )
    roles = roles.with_nuisance(_nuisance(settings, roles, likelihoods))
    with _at(settings, ("theory", settings.theory.code)):
        theory = build_theory(settings, roles, Read.by(likelihoods))
    with _at(settings, ("theory", settings.theory.code, "multipoles")):
        given = functions(theory.outputs())
        likelihoods = {name: likelihood.at(given) for name, likelihood in likelihoods.items()}
    _check_parameters(settings, space, roles, theory)
    return Study(settings, folder, space, roles, theory, likelihoods)


def check_folder(folder: Path) -> None:
    """The run folder, or where it will be made, can be written to, and what an earlier run left is whole."""
    there = next(path for path in (folder.absolute(), *folder.absolute().parents) if path.exists())
    if not there.is_dir():
        raise InputError(f"expected a folder for the output, got the file '{there}'; choose another")
    try:
        with tempfile.TemporaryFile(dir=there):
            pass
    except OSError as error:
        raise InputError(
            f"expected a folder that can be written to, got '{there}' ({os.strerror(error.errno or 0)})"
        ) from None
    emulator = folder / "emulator.safetensors"
    if emulator.exists():
        try:
            with safe_open(emulator, framework="numpy") as stored:
                stored.keys()
        except (SafetensorError, OSError) as error:
            raise InputError(
                f"expected a whole emulator in '{emulator}', got a damaged file ({error}); delete it: "
                "the archive keeps all exact calls"
            ) from None


@contextmanager
def _at(settings: Settings, location: Location) -> Iterator[None]:
    """Say where in the study file an InputError from another room belongs."""
    try:
        yield
    except InputError as error:
        raise settings.source.error(location, str(error).removeprefix(f"{location[-1]}: ")) from None


def _beside(settings: Settings, option: str, value: Any) -> Any:
    """A file, or folder, is looked for beside the study file, as the user's module is, and then where we are."""
    named = isinstance(value, str) and bool(Path(value).suffix or option == "folder")
    if not named or settings.source.folder is None:
        return value
    path = settings.source.folder / value
    return str(path) if (path.is_dir() if option == "folder" else path.is_file()) else value


def _check_names(settings: Settings) -> None:
    """Chains are columns of text, and GetDist marks derived parameters by *."""
    for name in settings.params:
        if not name or any(letter in name for letter in " \t*#"):
            raise settings.source.error(
                ("params", name),
                f"expected a name without space, * or #, got '{name}'; CLASS also knows 100*theta_s as theta_s_100",
            )
        if name in COLUMNS or name.startswith(COLUMNS_OF):
            raise settings.source.error(
                ("params", name), f"expected another name than '{name}', a column of every chain; rename it"
            )
    for label in settings.prior:
        if not label or label == "0" or any(letter in label for letter in " \t*#"):
            raise settings.source.error(
                ("prior", label),
                f"expected a name without space, * or #, and not 0, got '{label}'; the chains have a column of it",
            )


def _check_budget(settings: Settings, space: ParameterSpace) -> None:
    """A budget that cannot reach a verdict is refused before it is spent."""
    judging, least = settings.accuracy.judging, 1 + space.dimension + settings.accuracy.judging
    if settings.accuracy.calls < least:
        raise settings.source.error(
            ("accuracy", "calls"),
            f"expected at least {least} (1 + {space.dimension} to begin, {judging} to judge), "
            f"got {settings.accuracy.calls}",
        )


def _nuisance(settings: Settings, roles: Parameters, likelihoods: Mapping[str, Likelihood]) -> list[str]:
    """Parameters that likelihoods claim; each must have a value."""
    for name, likelihood in likelihoods.items():
        for parameter in likelihood.nuisance:
            if parameter not in roles.given:
                raise _without_value(settings, name, parameter, parameter in likelihood.calibrations)
    return [parameter for likelihood in likelihoods.values() for parameter in likelihood.nuisance]


def _without_value(settings: Settings, likelihood: str, parameter: str, calibration: bool) -> InputError:
    """A likelihood's own parameter that is not in `params`, or is there without prior and value."""
    prior = "{dist: norm, loc: 1, scale: 0.01}" if calibration else "{min: 0, max: 1}"
    line = f"'{parameter}: {{prior: {prior}}}', with the prior of your data, or a number to fix it: '{parameter}: 1'"
    if parameter in settings.params:
        return settings.source.error(
            ("params", parameter),
            f"expected a prior or a number for this parameter of the likelihood {likelihood}, got neither; write "
            + line,
        )
    close = nearest(parameter, settings.params)
    close = f"; {close}" if close.startswith("did you mean") else ""
    return settings.source.error(
        ("likelihood", likelihood), f"expected its parameter '{parameter}' in params, got none; add {line}{close}"
    )


def _check_parameters(settings: Settings, space: ParameterSpace, roles: Parameters, theory: Theory) -> None:
    """Let the code read its inputs at the reference point."""
    reference = dict(zip(space.names, np.asarray(space.reference).tolist(), strict=True))
    inputs = roles.theory_inputs(reference)
    try:
        theory.check(inputs)
    except InputError as error:
        raise settings.source.error(_blamed(settings, str(error)), str(error)) from None


def _blamed(settings: Settings, message: str) -> Location:
    """Where the name stands that a theory complains of: the first that it quotes."""
    code = settings.theory.code
    settings_of_code = getattr(settings.theory.settings, "extra_args", {})
    places = [("params", name) for name in settings.params]
    places += [("theory", code, "extra_args", name) for name in settings_of_code]
    named = [place for place in places if f"'{place[-1]}'" in message]
    return min(named, key=lambda place: message.index(f"'{place[-1]}'"), default=("theory", code))
