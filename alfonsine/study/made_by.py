"""Which study made a run folder: what is stored there is of use to that one, and is not overwritten by another.

The certificate holds the digest of its study, and `study.yaml` its text. Two studies that differ in `accuracy` alone
are one here: a run is continued with a larger budget in the folder in which it stopped.
"""

import json
from collections.abc import Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from alfonsine.errors import InputError
from alfonsine.study.read import read_yaml
from alfonsine.study.settings import Settings, settings_from

CERTIFICATE, STUDY = "certificate.json", "study.yaml"
LONGEST = 40  # letters of a value in a message
ABSENT = object()


def check_made_by(settings: Settings, folder: Path) -> None:
    """InputError in one line where the emulator and the chains in the folder are another study's.

    Not of the emulator of a design: it serves any data, and the theory that it must be of is checked with it.
    """
    kept = kept_settings(folder, settings)
    designed = settings.design is not None or (kept is not None and kept.design is not None)
    if designed and not (folder / CERTIFICATE).exists():
        return
    if (told := difference(settings, folder)) is not None:
        raise InputError(
            f"expected the study that made '{folder}', got another{told}; "
            f"give that one (the folder keeps it: {folder / STUDY}), or run this one in another folder"
        )


def check_not_finished_by_another(settings: Settings, folder: Path) -> None:
    """InputError in one line where the folder holds a finished run of another study, which would be lost."""
    if (told := finished_by_another(settings, folder)) is not None:
        raise InputError(
            f"expected the study that made '{folder}', which holds its finished run, got another{told}; "
            "give another output, or remove the folder"
        )


def finished_by_another(settings: Settings, folder: Path) -> str | None:
    """How the study differs from that whose finished run is in the folder, in words; None where nothing is lost."""
    return difference(settings, folder) if (folder / CERTIFICATE).exists() else None


def difference(settings: Settings, folder: Path) -> str | None:
    """': key is a there, and b in study.yaml' for the first key that differs, empty where that is not known.

    None where the study made the folder, or where it does not say which study did.
    """
    digest = made_by(folder)
    if digest == settings.digest:
        return None
    kept = kept_settings(folder, settings)
    if kept is None:
        return None if digest is None else ""
    for key, theirs, ours in differing(plain(kept), plain(settings)):
        return f": {key} is {said(theirs)} there, and {said(ours)} in {settings.source.file}"
    return None


def made_by(folder: Path) -> str | None:
    """The digest of the study whose certificate is in the folder."""
    try:
        stored = json.loads((folder / CERTIFICATE).read_text(encoding="utf-8"))
        return str(stored["study"])
    except (OSError, ValueError, KeyError, TypeError):
        return None


def kept_settings(folder: Path, asked: Settings) -> Settings | None:
    """The study that the folder keeps; None where it keeps none, or none that this version reads.

    The files that it names are looked for where those of the study that is asked for are.
    """
    try:
        data, source = read_yaml(folder / STUDY)
        return settings_from(data, replace(source, folder=asked.source.folder))
    except InputError:
        return None


def plain(settings: Settings) -> dict[str, Any]:
    """What decides on the posterior and on how it is emulated and drawn, as JSON has it."""
    chosen = {name: block for name, block in settings.deciding.items() if name != "accuracy"}
    return json.loads(json.dumps(chosen, default=str))


def differing(one: Any, other: Any, key: str = "") -> Iterator[tuple[str, Any, Any]]:
    """Each place at which two plain values differ: its dotted name, and both values."""
    if isinstance(one, Mapping) and isinstance(other, Mapping):
        for name in dict.fromkeys([*one, *other]):
            place = f"{key}.{name}" if key else name
            yield from differing(one.get(name, ABSENT), other.get(name, ABSENT), place)
    elif isinstance(one, list) and isinstance(other, list) and len(one) == len(other):
        for i, (mine, theirs) in enumerate(zip(one, other, strict=True)):
            yield from differing(mine, theirs, f"{key}[{i}]")
    elif one is ABSENT or other is ABSENT or one != other:
        yield key, one, other


def said(value: Any) -> str:
    """A value in a message; what is long is cut."""
    if value is ABSENT or value is None:
        return "not given"
    text = value if isinstance(value, str) else json.dumps(value)
    return text if len(text) <= LONGEST else f"{text[: LONGEST - 4]} ..."
