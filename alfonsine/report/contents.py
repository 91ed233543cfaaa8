"""What a report is made of: the records of a run folder, read once into one frozen value.

Every file is optional, because a report is wanted most when a run went wrong: what is absent or unreadable
becomes a sentence in `notes`, to be shown where the figure would have been. Nothing that is read is executed.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from jaxtyping import Float

from alfonsine.report.parse import Damaged, arrays, json_value, number, study_settings, text, written_number
from alfonsine.report.records import BestFit, Failure, Published, Round, Sample, SpectrumError
from alfonsine.report.run_folder import names_in, without_records


@dataclass(frozen=True)
class Contents:
    """Everything a report shows.

    certificate   as written; `alfonsine.report.words` reads it
    best_point    name -> value of the best fit
    ranges        name -> hard edges of its prior, None where there is none
    limit         the largest KL that the study accepts [nats]
    notes         file -> a sentence on what is missing or damaged
    """

    title: str
    certificate: Mapping[str, Any]
    rounds: tuple[Round, ...]
    failures: tuple[Failure, ...]
    sample: Sample | None
    published: Published | None
    emulator_error: tuple[SpectrumError, ...]
    best_fit: tuple[BestFit, ...]
    best_point: Mapping[str, float]
    study: str
    ranges: Mapping[str, tuple[float | None, float | None]]
    limit: float | None
    notes: Mapping[str, str]

    @classmethod
    def read(cls, folder: str | Path) -> "Contents":
        """Read the records in `folder`; InputError where there is no run at all."""
        folder = Path(folder)
        if not names_in(folder) & {*ABSENT, "published.json"}:
            raise without_records(folder)
        notes: dict[str, str] = {}

        def take(name: str, read: Callable[[Path], Any], default: Any) -> Any:
            if not (folder / name).is_file():
                if name in ABSENT:
                    notes[name] = ABSENT[name]
                return default
            try:
                return read(folder / name)
            except Damaged as damage:
                notes[name] = f"The file {name} is there but cannot be read: {damage}."
                return default

        certificate = take("certificate.json", lambda path: json_value(path, dict), {})
        study, settings = take("study.yaml", study_settings, ("", {}))
        panels, best_point = take("bestfit.npz", _best_fit, ((), {}))
        return cls(
            title=text(settings.get("title")) or folder.resolve().name,
            certificate=certificate,
            rounds=take("history.json", rounds_of, ()),
            failures=take("failures.json", failures_of, ()),
            sample=take("posterior.npz", _sample, None),
            published=take("published.json", _published, None),
            emulator_error=take("emulator_error.npz", _emulator_error, ()),
            best_fit=panels,
            best_point=best_point,
            study=study,
            ranges=_ranges(settings),
            limit=_limit(certificate, settings),
            notes=notes,
        )


FLAT = 1e-9  # of ln L: a correction that varies by less than this is none

ABSENT = {
    "certificate.json": "The run has not written a certificate: it was interrupted, or is still going on.",
    "history.json": "The run has kept no history, so its way to the result cannot be drawn.",
    "failures.json": "The run has kept no list of failed calls.",
    "posterior.npz": "The run has not written a posterior, so there are no parameters to show.",
    "emulator_error.npz": "The run has not recorded the emulator's error against multipole.",
    "bestfit.npz": "The run has not recorded a best fit.",
    "study.yaml": "The study file was not kept in the run folder.",
}


def rounds_of(path: Path) -> tuple[Round, ...]:
    """The rounds in history.json."""
    rounds = []
    for position, entry in enumerate(json_value(path, list)):
        entry = entry if isinstance(entry, dict) else {}
        calls = number(entry.get("calls"))
        if calls is None:
            raise Damaged(f"its entry {position} has no number of calls")
        seconds = entry.get("seconds")
        seconds = seconds if isinstance(seconds, dict) else {"all": seconds}
        training, judged = number(entry.get("training")), number(entry.get("judged"))
        rounds.append(
            Round(
                number=int(number(entry.get("round")) or 0),
                calls=int(calls),
                training=None if training is None else int(training),
                judged=None if judged is None else int(judged),
                kl=number(entry.get("kl")),
                kl_upper95=number(entry.get("kl_upper95")),
                loo_error=number(entry.get("loo_error")),
                seconds={str(stage): s for stage, v in seconds.items() if (s := number(v)) is not None},
                outcome=text(entry.get("outcome")),
            )
        )
    return tuple(rounds)


def failures_of(path: Path) -> tuple[Failure, ...]:
    """The calls in failures.json."""
    failures = []
    for entry in json_value(path, list):
        entry = entry if isinstance(entry, dict) else {"reason": entry}
        inputs = entry.get("inputs")
        failures.append(
            Failure(
                inputs=inputs if isinstance(inputs, dict) else {},
                reason=text(entry.get("reason")) or "no reason given",
                seconds=number(entry.get("seconds")),
            )
        )
    return tuple(failures)


def _sample(path: Path) -> Sample:
    """Columns that are not finite throughout are dropped: a derived value may be undefined somewhere."""
    stored = arrays(path, required=("names", "samples"))
    values, names = np.atleast_2d(stored["samples"]), stored["names"]
    n, d = values.shape
    if len(names) != d:
        raise Damaged(f"it has {d} columns of samples and {len(names)} names")
    latex = stored.get("latex", names)
    if "derived" in stored and "derived_names" in stored and stored["derived"].shape[:1] == (n,):
        derived_names = stored["derived_names"]
        values = np.column_stack([values, stored["derived"]])
        names = np.concatenate([names, derived_names])
        latex = np.concatenate([latex, stored.get("derived_latex", derived_names)])
    weights = stored.get("weights", np.ones(n))
    keep = np.isfinite(values).all(axis=0)
    if values.shape[1] != len(names) or len(latex) != len(names) or weights.shape != (n,) or n < 2:
        raise Damaged("its arrays do not have the same length")
    if not keep[:d].all() or not (weights >= 0).all() or not 0 < weights.sum() < np.inf:
        raise Damaged("its samples or weights are not finite")
    return Sample(
        names=tuple(str(name) for name, kept in zip(names, keep, strict=True) if kept),
        latex=tuple(str(label) for label, kept in zip(latex, keep, strict=True) if kept),
        sampled=d,
        values=np.asarray(values[:, keep], dtype=float),
        weights=np.asarray(weights, dtype=float),
        corrected_weights=_corrected(weights, stored.get("corrected_log_weights")),
    )


def _corrected(weights: np.ndarray, log_factor: np.ndarray | None) -> Float[np.ndarray, " n"] | None:
    """Weights times exp(log factor); points without a finite factor count nothing. None where the factor is flat."""
    if log_factor is None or log_factor.shape != weights.shape or not np.isfinite(log_factor).any():
        return None
    finite = np.isfinite(log_factor)
    if finite.all() and np.ptp(log_factor) < FLAT:
        return None
    factor = np.exp(np.where(finite, log_factor - np.max(log_factor[finite]), -np.inf))
    return np.asarray(weights * factor, dtype=float)


def _published(path: Path) -> Published:
    stored = json_value(path, dict)
    parameters = {}
    for name, values in (stored.get("parameters") or {}).items():
        numbers = [number(v) for v in values] if isinstance(values, list) else []
        if len(numbers) == 2:
            numbers = [*numbers, numbers[1]]
        if len(numbers) == 3 and None not in numbers:
            parameters[name] = (numbers[0], abs(numbers[1]), abs(numbers[2]))
    return Published(label=text(stored.get("label")) or "published", parameters=parameters)


def _emulator_error(path: Path) -> tuple[SpectrumError, ...]:
    stored = arrays(path)
    names = [key.removesuffix("_l") for key in stored if key.endswith("_l")]
    columns = [_finite_columns(stored, name, ("l", "rms", "max")) for name in names]
    return tuple(SpectrumError(name, *found) for name, found in zip(names, columns, strict=True))


def _best_fit(path: Path) -> tuple[tuple[BestFit, ...], Mapping[str, float]]:
    stored = arrays(path)
    companion = path.with_suffix(".json")
    described = json_value(companion, dict) if companion.is_file() else {}
    listed = described.get("panels")
    if not isinstance(listed, list):
        listed = [key.removesuffix("_model") for key in stored if key.endswith("_model")]
    panels = []
    for panel in listed:
        panel = panel if isinstance(panel, dict) else {"name": panel}
        name = text(panel.get("name"))
        curve = f"{name}_curve_x" in stored
        x, data, error, model = _finite_columns(stored, name, ("x", "data", "error", "model"))
        if not (error > 0).all():
            raise Damaged(f"its errors of '{name}' are not all positive")
        panels.append(
            BestFit(
                title=text(panel.get("title")) or name,
                x_label=text(panel.get("x_label")),
                y_label=text(panel.get("y_label")),
                x_scale="log" if panel.get("x_scale") == "log" else "linear",
                x=x,
                data=data,
                error=error,
                model=model,
                curve=_finite_columns(stored, name, ("curve_x", "curve_y")) if curve else None,
            )
        )
    point = described.get("parameters")
    point = point if isinstance(point, dict) else {}
    return tuple(panels), {str(k): x for k, v in point.items() if (x := number(v)) is not None}


def _finite_columns(stored: Mapping[str, np.ndarray], name: str, ends: Sequence[str]) -> tuple[np.ndarray, ...]:
    """The arrays `<name>_<end>`, which belong together, where all of them are finite."""
    columns = [stored.get(f"{name}_{end}") for end in ends]
    if any(column is None or column.ndim != 1 or column.shape != columns[0].shape for column in columns):
        raise Damaged(f"its arrays of '{name}' are missing or do not have the same length")
    finite = np.isfinite(columns).all(axis=0)
    if not finite.any():
        raise Damaged(f"its arrays of '{name}' hold no number")
    return tuple(np.asarray(column[finite], dtype=float) for column in columns)


def _ranges(settings: Mapping[str, Any]) -> dict[str, tuple[float | None, float | None]]:
    """Hard edges of the uniform priors, so that a density is not smoothed across them."""
    edges = {}
    params = settings.get("params")
    for name, entry in (params if isinstance(params, dict) else {}).items():
        prior = entry.get("prior") if isinstance(entry, dict) else None
        if isinstance(prior, dict):
            edges[str(name)] = (written_number(prior.get("min")), written_number(prior.get("max")))
        elif isinstance(prior, list) and len(prior) == 2:
            edges[str(name)] = (written_number(prior[0]), written_number(prior[1]))
    return edges


def _limit(certificate: Mapping[str, Any], settings: Mapping[str, Any]) -> float | None:
    """The largest KL that the study accepts."""
    for place in (certificate.get("limits"), certificate.get("limit"), settings.get("accuracy")):
        value = written_number(place.get("kl") if isinstance(place, dict) else place)
        if value is not None:
            return value
    return None
