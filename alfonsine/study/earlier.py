"""Earlier work, read from its run folder, from an archive or from an emulator, in its own parameters."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from jaxtyping import Float

from alfonsine.emulator.stored.file import load_emulator
from alfonsine.errors import InputError
from alfonsine.likelihood.npz import UNREADABLE
from alfonsine.study.parameters import parameters
from alfonsine.study.rounds import ARCHIVE, WARM_START
from alfonsine.study.settings import read_study
from alfonsine.theory.archive import Archive
from alfonsine.theory.call import Call

DRAWS = 1000  # that stand for its posterior


@dataclass(frozen=True)
class Earlier:
    """What earlier work knows.

    source    as the study names it
    archive   where its exact calls are; None where there are none
    identity  of their theory
    keys      (n,) of its finished calls
    values    name -> (n,): every parameter that has a value there, sampled, fixed or computed
    draws     name -> (m,) draws of its posterior, derived parameters included; empty where there is none
    """

    source: str
    archive: Path | None
    identity: Mapping[str, Any]
    keys: tuple[str, ...]
    values: Mapping[str, Float[np.ndarray, " n"]]
    draws: Mapping[str, Float[np.ndarray, " m"]]

    def calls(self, rows: np.ndarray) -> tuple[Call, ...]:
        """The exact calls of these rows."""
        if self.archive is None or not len(rows):
            return ()
        with Archive(self.archive, read_only=True) as archive:
            found = [archive.get(self.keys[row]) for row in rows]
        return tuple(call for call in found if call is not None)


def read_earlier(source: str, beside: Path | None, identity: Mapping[str, Any], seed: int) -> Earlier:
    """Read the folder or file `source`, looked for from where one stands and beside the study.

    Calls of the theory `identity` are preferred, where it has any. InputError in one line for anything else.
    """
    places = [Path(source), *([] if beside is None else [beside / source])]
    path = next((place for place in places if place.exists()), None)
    if path is None:
        raise InputError(f"expected a run folder, an archive or an emulator at '{source}', found nothing there")
    if path.is_dir():
        return _run_folder(source, path, identity, seed)
    if path.suffix == ".safetensors":
        return _emulator(source, path, seed)
    return _archive(source, path, identity)


def _run_folder(source: str, folder: Path, identity: Mapping[str, Any], seed: int) -> Earlier:
    """Points from the rounds, with the names of the study; whether they were computed, and how, the archive knows.

    A point whose key the archive holds is that call, whatever else has been changed in the folder since.
    """
    for needed in ("study.yaml", ARCHIVE):
        if not (folder / needed).is_file():
            raise InputError(f"expected a run folder with {needed} at '{source}', got a folder without it")
    try:
        roles = parameters(read_study(folder / "study.yaml"))
    except InputError as error:
        raise InputError(f"expected the study of an earlier run in '{source}', got {error}") from None
    points = _points(folder, len(roles.sampled))
    values = [roles.values(dict(zip(roles.sampled, row, strict=True))) for row in points]
    best: tuple[Mapping[str, Any], list[int], list[str]] = ({}, [], [])
    with Archive(folder / ARCHIVE, read_only=True) as archive:
        for theory in archive.theories():
            names = next((inputs.keys() for _, inputs in archive.inputs_of(theory)), ())
            if not set(names) <= set(roles.given):
                continue  # of another study in the same folder
            keys = [Archive.key(theory, {name: each[name] for name in names}) for each in values]
            known = archive.known(keys)
            rows = [row for row, key in enumerate(keys) if key in known]
            if rows and (theory == identity or len(rows) > len(best[1])):
                best = (theory, rows, [keys[row] for row in rows])
            if rows and theory == identity:
                break
    theory, rows, keys = best
    columns = {name: np.array([values[row][name] for row in rows], dtype=float) for name in roles.given}
    return Earlier(source, folder / ARCHIVE, theory, tuple(keys), columns, _draws(source, folder, seed))


def _points(folder: Path, dimension: int) -> list[list[float]]:
    """Every point that was ever asked for, in the order of names of the study, without repetitions."""
    found: dict[tuple[float, ...], None] = {}
    for path in sorted((folder / "rounds").glob("*/*.json")):
        try:
            record = json.loads(path.read_text(encoding="utf-8"))
            theta = record["seeds"]["theta"] if path.name == WARM_START else record["theta"]
            found |= dict.fromkeys(tuple(map(float, row)) for row in theta if len(row) == dimension)
        except (KeyError, TypeError, ValueError):
            continue  # a damaged record costs the points in it
    return [list(row) for row in found]


def _draws(source: str, folder: Path, seed: int) -> dict[str, np.ndarray]:
    """Equally weighted draws of a finished run's posterior."""
    path = folder / "posterior.npz"
    if not path.is_file():
        return {}
    try:
        with path.open("rb") as stream, np.load(stream, allow_pickle=False) as stored:
            weights = stored["weights"] / stored["weights"].sum()
            rows = np.random.default_rng(seed).choice(len(weights), DRAWS, p=weights)
            samples = np.hstack([stored["samples"], stored["derived"]])[rows]
            names = [*stored["names"].tolist(), *stored["derived_names"].tolist()]
    except UNREADABLE as error:
        raise InputError(
            f"expected a posterior in '{source}', got a damaged {path.name} ({error!s:.200}); delete it"
        ) from None
    return dict(zip(names, samples.T, strict=True))


def _archive(source: str, path: Path, identity: Mapping[str, Any]) -> Earlier:
    """An archive alone: its points are inputs of the theory. Its own theory, or that with most calls."""
    with Archive(path, read_only=True) as archive:
        theories = archive.theories()
        if not theories:
            raise InputError(f"expected an archive with exact calls at '{source}', got an empty one")
        theory = identity if identity in theories else max(theories, key=lambda each: archive.summary(each).done)
        found = list(archive.inputs_of(theory))
    names = list(found[0][1]) if found else []
    found = [(key, inputs) for key, inputs in found if set(inputs) == set(names)]
    columns = {name: np.array([inputs[name] for _, inputs in found], dtype=float) for name in names}
    return Earlier(source, path, theory, tuple(key for key, _ in found), columns, {})


def _emulator(source: str, path: Path, seed: int) -> Earlier:
    """An emulator alone says where its posterior lay: its centre and its widths, as independent normals."""
    emulator = load_emulator(path)
    if not emulator.card.get("features"):
        raise InputError(f"expected an emulator around a posterior at '{source}', got one of a whole box")
    centre, widths = np.asarray(emulator.domain.centre), np.asarray(emulator.domain.widths)
    normal = np.random.default_rng(seed).standard_normal((DRAWS, len(centre)))
    draws = dict(zip(emulator.names, (centre + widths * normal).T, strict=True))
    return Earlier(source, None, emulator.card.get("theory", {}), (), {}, draws)
