"""Cautious reading of a run's files: a damaged file raises `Damaged`, a value of a wrong type is None."""

import json
import math
import zipfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import yaml


class Damaged(Exception):
    """Why a file of the run cannot be used, as the end of a sentence."""


@dataclass(frozen=True)
class Measured:
    """A number with its error, or with its 95 % upper limit, where they are known."""

    estimate: float
    error: float | None = None
    upper95: float | None = None


def number(value: Any) -> float | None:
    """A finite number, or None for anything else (JSON has room for NaN and words)."""
    if isinstance(value, bool) or not isinstance(value, int | float | np.integer | np.floating):
        return None
    return float(value) if math.isfinite(value) else None


def written_number(value: Any) -> float | None:
    """The same for YAML, whose version 1.1 takes `1e-3` (without a point) for a word."""
    try:
        return number(float(value) if isinstance(value, str) else value)
    except ValueError:
        return None


def text(value: Any) -> str:
    """The words in `value`: a string as it is, a list of strings as sentences, nothing for None."""
    if isinstance(value, list | tuple):
        return " ".join(filter(None, map(text, value)))
    return "" if value is None else str(value).strip()


def measured(value: Any) -> Measured | None:
    """A number written plainly, as {estimate, error, upper95}, or as [estimate, error]."""
    if isinstance(value, dict):
        estimate = number(value.get("estimate", value.get("value")))
        error, upper = number(value.get("error")), number(value.get("upper95"))
    elif isinstance(value, list):
        estimate, error, upper = *(number(v) for v in [*value, None, None][:2]), None
    else:
        estimate, error, upper = number(value), None, None
    return None if estimate is None else Measured(estimate, error, upper)


def json_value(path: Path, kind: type) -> Any:
    """The JSON in `path`, which must be a `kind` (dict or list)."""
    try:
        value = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise Damaged(f"it is not valid JSON ({error})") from error
    if not isinstance(value, kind):
        raise Damaged(f"expected a {kind.__name__}, got a {type(value).__name__}")
    return value


def arrays(path: Path, required: Sequence[str] = ()) -> dict[str, np.ndarray]:
    """The arrays of an npz file, without unpickling anything."""
    try:
        with path.open("rb") as stream, np.load(stream, allow_pickle=False) as stored:
            found = {name: stored[name] for name in stored.files}
    except (OSError, ValueError, EOFError, zipfile.BadZipFile) as error:
        raise Damaged("it is not a file of plain arrays") from error
    missing = [name for name in required if name not in found]
    if missing:
        raise Damaged(f"it has no array '{missing[0]}'")
    return found


def study_settings(path: Path) -> tuple[str, dict[str, Any]]:
    """The study as written, and its settings (empty where it is not a YAML mapping)."""
    try:
        written = path.read_text(encoding="utf-8", errors="replace")
    except OSError as error:
        raise Damaged(str(error)) from error
    try:
        settings = yaml.safe_load(written)
    except yaml.YAMLError:
        settings = None
    return written, settings if isinstance(settings, dict) else {}
