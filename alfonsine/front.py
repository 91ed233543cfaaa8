"""The front door of a study, from Python as from the command line: read it, run it, and look at what it left."""

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import yaml

from alfonsine.errors import InputError
from alfonsine.study.read import Source
from alfonsine.study.settings import Settings, read_study, settings_from

if TYPE_CHECKING:
    from alfonsine.certificate.certificate import Certificate
    from alfonsine.study.prepare import Study
    from alfonsine.study.records import Result


def run(study: str | Path | Mapping[str, Any], output: str | Path | None = None, *, quiet: bool = False) -> "Result":
    """Infer, and certify: what `alfonsine run` does, with the same records in the run folder, the report included.

    study    a study file; or its blocks as a mapping, in which arrays may stand for lists. Files and functions that
             a mapping names are looked for in the working directory
    output   run folder, in the place of the study's own
    quiet    show no progress

    The same call again goes on where the last one stopped, and hands on what is stored of a finished run. A certificate
    that did not pass is handed on like one that did: `result.certificate.outcome` says which. InputError, in one line,
    where the study is at fault, or where the folder holds the finished run of another.
    """
    prepared = prepare(read(study), output, judged=True)
    from alfonsine.report.report import render
    from alfonsine.study.finished import finished_result
    from alfonsine.study.progress import Silent
    from alfonsine.study.run import run as run_study
    from alfonsine.terminal import Display

    progress = Silent() if quiet else Display()
    if (stored := finished_result(prepared)) is not None:
        progress.say(f"finished before: {prepared.folder}")
        return stored
    try:
        result = run_study(prepared, progress)
    finally:
        progress.stop()
    render(prepared.folder)
    return result


def read_certificate(folder: str | Path) -> "Certificate":
    """The certificate of a finished run; InputError where its folder has none.

    folder   run folder, or the file `certificate.json` in it
    """
    from alfonsine.study.records import read_certificate as read_record

    place = Path(folder)
    found = read_record(place.parent, place.name) if place.suffix == ".json" else read_record(place)
    if found is None:
        raise InputError(f"expected a certificate in '{folder}', found none; a run writes it when it ends")
    return found


def read(study: str | Path | Mapping[str, Any]) -> Settings:
    """The settings of a study file, or of the same blocks as a mapping."""
    if not isinstance(study, Mapping):
        return read_study(Path(study))
    blocks = plain(study)
    return settings_from(blocks, Source(folder=Path.cwd(), text=yaml.safe_dump(blocks, sort_keys=False)))


def prepare(
    settings: Settings, output: str | Path | None = None, judged: bool = False, design: bool = False
) -> "Study":
    """Check all of a study that can be checked without an exact call, and build its parts.

    judged   it needs a likelihood
    design   it may have a design beside it
    """
    file = settings.source.file
    if judged and not settings.likelihood:
        raise InputError(f"expected a likelihood in '{file}', got none; its emulator is made by: alfonsine train")
    if judged and not design and settings.design is not None:
        raise InputError(
            f"expected no design in '{file}', since the loop places its own points, got one; remove it, "
            "or use it: alfonsine train, then sample"
        )
    from alfonsine.study.prepare import prepare  # heavy, and of no use to a file that cannot be read

    return prepare(settings, settings.folder if output is None else Path(output))


def plain(value: Any) -> Any:
    """What YAML would have given: lists in the place of arrays and tuples, Python's own numbers, paths as text."""
    match value:
        case Mapping():
            return {str(key): plain(entry) for key, entry in value.items()}
        case np.ndarray() | np.generic():
            return value.tolist()
        case list() | tuple():
            return [plain(entry) for entry in value]
        case Path():
            return str(value)
    return value
