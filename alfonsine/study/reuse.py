"""What of earlier work is valid in a study: its calls as they are, if exact ones agree, or only where they lie."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from jaxtyping import Bool, Float

from alfonsine.errors import InputError, nearest
from alfonsine.study.earlier import Earlier
from alfonsine.study.emulate import data_metric, emulator_inputs
from alfonsine.study.prepare import Study
from alfonsine.theory.archive import Archive
from alfonsine.theory.call import Call
from alfonsine.theory.observables import Observables

MOST = 400  # calls taken over: more cost the fits more than they teach
SHARE = 0.5  # of the divergence asked for, that a difference of the exact codes may cause
UNSEEN = 0.1  # of its spread over the earlier calls, by which an output that no data see may differ
# what CLASS and CAMB take where they are told nothing: to be suggested
ORDINARY = {"Omega_k": 0, "omk": 0, "w0_fld": -1, "w": -1, "wa_fld": 0, "wa": 0, "alpha_s": 0, "nrun": 0, "r": 0}


@dataclass(frozen=True)
class Offer:
    """Earlier calls in the parameters of the present study.

    theta   (n, d) points inside its prior
    calls   n calls that gave a result, or failed where `same`
    same    (n,) the call is that of the present theory at this point, to the last bit
    places  (k, d) points of other calls that gave a result
    draws   columns of its posterior, name -> (m,), for the inputs of the emulator that it has
    identity  of their theory
    words   what is reused, what is not, and why; a line each
    """

    theta: Float[np.ndarray, "n d"]
    calls: tuple[Call, ...]
    same: Bool[np.ndarray, " n"]
    places: Float[np.ndarray, "k d"]
    draws: Mapping[str, Float[np.ndarray, " m"]]
    identity: Mapping[str, Any]
    words: tuple[str, ...]


def offer(study: Study, earlier: Earlier, at: Mapping[str, float]) -> Offer:
    """Translate, and sort out what cannot be used; InputError where a parameter has no value."""
    names, inputs, words = study.space.names, emulator_inputs(study), []
    _check_at(study, earlier, at)
    draws = {name: earlier.draws[name] for name in inputs if name in earlier.draws and np.ptp(earlier.draws[name]) > 0}
    none = np.zeros((0, len(names)))
    if not earlier.keys:
        if not draws:
            raise InputError(
                f"expected exact calls or a posterior of {', '.join(inputs)} in '{earlier.source}', got neither"
            )
        told = (f"{earlier.source}: it has no exact calls that could be learned from",)
        return Offer(none, (), np.zeros(0, dtype=bool), none, draws, earlier.identity, told)
    theta = np.column_stack([_column(study, earlier, at, name) for name in names])
    inside = np.all((theta >= np.asarray(study.space.lower)) & (theta <= np.asarray(study.space.upper)), axis=1)
    if not inside.all():
        words.append(f"{earlier.source}: {np.sum(~inside)} of {len(theta)} exact calls lie outside the prior: left out")
    rows = np.flatnonzero(inside)
    identity, points = plain_identity(study), [dict(zip(names, row, strict=True)) for row in theta.tolist()]
    keys = [Archive.key(identity, study.parameters.theory_inputs(points[row])) for row in rows]
    same = np.array([earlier.keys[row] == key for row, key in zip(rows, keys, strict=True)], dtype=bool)
    if len(rows) > MOST:
        kept = _nearest(theta[rows], names, draws)
        words.append(f"{earlier.source}: of {len(rows)} exact calls the {MOST} {'nearest' if draws else 'even'} ones")
        rows, same = rows[kept], same[kept]
    calls = earlier.calls(rows)
    if len(calls) < len(rows):
        raise InputError(f"expected exact calls in the archive of '{earlier.source}', some have gone; is it in use?")
    reason = "" if same.all() else _unlike(study, earlier, calls)
    usable = np.array([s or (c.done and not reason) for s, c in zip(same, calls, strict=True)], dtype=bool)
    checked = int(np.sum(usable & ~same))
    if same.any():
        words.append(f"{earlier.source}: {same.sum()} exact calls are of this theory: learned from")
    if checked:
        words.append(
            f"{earlier.source}: {checked} exact calls of another theory ({difference(earlier.identity, identity)}): "
            "learned from if exact calls agree"
        )
    if reason:
        words.append(
            f"{earlier.source}: {np.sum(~same)} exact calls are not learned from, since {reason}; only where they lie"
        )
    keep, places = np.flatnonzero(usable), [i for i, call in enumerate(calls) if call.done and not usable[i]]
    kept = tuple(calls[i] for i in keep)
    return Offer(theta[rows[keep]], kept, same[keep], theta[rows[places]], draws, earlier.identity, tuple(words))


def plain_identity(study: Study) -> dict[str, Any]:
    """The identity of the theory as an archive gives it back."""
    return json.loads(json.dumps(study.theory.identity()))


def _check_at(study: Study, earlier: Earlier, at: Mapping[str, float]) -> None:
    for name in at:
        if name not in study.space.names:
            raise InputError(f"expected sampled parameters under at, got '{name}'; {nearest(name, study.space.names)}")
        if name in earlier.values:
            raise InputError(f"expected no value of '{name}' under at: '{earlier.source}' has its own; remove it")


def _column(study: Study, earlier: Earlier, at: Mapping[str, float], name: str) -> np.ndarray:
    """Values of one sampled parameter at the earlier calls."""
    n = len(earlier.keys)
    if name in earlier.values:
        return earlier.values[name]
    if name in at:
        return np.full(n, float(at[name]))
    if name not in emulator_inputs(study):
        return np.full(n, float(study.space.reference[study.space.names.index(name)]))
    advice = nearest(name, earlier.values)
    if not advice.startswith("did you mean"):
        value = earlier.identity.get("settings", {}).get(name, ORDINARY.get(name, "..."))
        advice = f"try at: {{{name}: {value}}}"
        if earlier.archive is not None and Path(earlier.source).name == earlier.archive.name:
            advice += ", or its run folder in place of the archive"
    raise InputError(
        f"expected a value of '{name}' at the exact calls of '{earlier.source}', which has no such parameter; {advice}"
    )


def _nearest(theta: np.ndarray, names: Sequence[str], draws: Mapping[str, np.ndarray]) -> np.ndarray:
    """Rows next to the earlier posterior; without one, rows spread evenly over the order in which they were made."""
    shared = [name for name in names if name in draws]
    if not shared:
        return np.linspace(0, len(theta) - 1, MOST).astype(int)
    cloud = np.column_stack([draws[name] for name in shared])
    root = np.linalg.cholesky(np.cov(cloud.T).reshape(len(shared), -1))
    columns = [list(names).index(name) for name in shared]
    white = np.linalg.solve(root, (theta[:, columns] - cloud.mean(axis=0)).T)
    return np.sort(np.argsort(np.linalg.norm(white, axis=0), kind="stable")[:MOST])


def _unlike(study: Study, earlier: Earlier, calls: Sequence[Call]) -> str:
    """Why calls of another theory cannot stand for those of this one, whatever they say; empty where they could."""
    varied = [name for name in calls[0].inputs if name not in study.parameters.inputs]
    varied = [name for name in varied if len({call.inputs.get(name) for call in calls}) > 1]
    if varied:
        return f"they vary '{varied[0]}', which is no parameter here"
    found = next((call.observables for call in calls if call.observables is not None), None)
    if found is None:
        return "none of them gave a result"
    needed = {name: len(axis.values) for each in study.likelihoods.values() for name, axis in each.nodes.items()}
    needed |= {name: output.size for name, output in study.theory.outputs().items() if name != "derived"}
    for name, size in needed.items():
        if name not in found.spectra:
            return f"they lack '{name}'"
        if len(found.spectra[name]) < size:
            return f"they have {len(found.spectra[name])} of {size} numbers '{name}'"
    for name in study.parameters.asked:
        if name not in found.derived:
            return f"they lack the derived '{name}'"
    return ""


def difference(old: Mapping[str, Any], new: Mapping[str, Any]) -> str:
    """In a few words, in what two theories differ."""
    parts = []
    for part in dict.fromkeys([*old, *new]):
        one, other = old.get(part), new.get(part)
        if one == other:
            continue
        if isinstance(one, Mapping) and isinstance(other, Mapping):
            names = [name for name in dict.fromkeys([*one, *other]) if one.get(name) != other.get(name)]
            parts.append(f"{part}: {', '.join(map(str, names[:4]))}{', ...' if len(names) > 4 else ''}")
        else:
            parts.append(part)
    return "other " + "; ".join(parts) if parts else "other inputs"


def adapted(study: Study, call: Call, like: Observables) -> Call:
    """The call with the outputs of `like`, in its order and length, and the derived numbers that the study asks for."""
    assert call.observables is not None
    spectra = {name: call.observables.spectra[name][: len(values)] for name, values in like.spectra.items()}
    derived = {name: call.observables.derived[name] for name in study.parameters.asked}
    return replace(call, observables=Observables(spectra, derived))


@dataclass(frozen=True)
class Verdict:
    """Whether earlier calls give what the present theory does, and what that was judged by."""

    agrees: bool
    words: str


def verdict(study: Study, ours: Sequence[Call], theirs: Sequence[Call], others: Sequence[Call]) -> Verdict:
    r"""Compare calls at the same points; `others` are all earlier calls, for the spread of what no data see.

    Differences d of what the data see are in standard errors of the data, all of them together. If the theories
    differed by as much everywhere, the posterior would move by no more than |d| standard deviations, and its divergence
    be no more than :math:`|d|^2/2`: that may be SHARE of the accuracy asked for.
    """
    allowed = float(np.sqrt(2.0 * SHARE * study.settings.accuracy.kl))
    largest = 0.0
    for mine, other in zip(ours, theirs, strict=True):
        if mine.observables is None:
            return Verdict(False, f"this theory has no answer where they have one: {mine.reason}")
        missing = [name for name in mine.observables.spectra if name not in other.observables.spectra]
        if missing:
            return Verdict(False, f"they lack '{missing[0]}'")
        found, like = adapted(study, other, mine.observables).observables, mine.observables
        lengths = [name for name, values in like.spectra.items() if found.spectra[name].shape != values.shape]
        if lengths:
            return Verdict(False, f"they have fewer numbers '{lengths[0]}'")
        change = {name: (found.spectra[name] - values)[None] for name, values in like.spectra.items()}
        metric = data_metric(tuple(study.likelihoods.values()), like.spectra)
        zero = {name: np.zeros_like(values) for name, values in change.items()}
        total = float(np.linalg.norm(metric(change)))
        if not total <= allowed:  # also where it is not a number
            each = {name: float(np.linalg.norm(metric(zero | {name: change[name]}))) for name in change}
            name = max(each, key=lambda n: each[n])
            return Verdict(False, f"'{name}' differs by {each[name]:.2g} errors of the data, {allowed:.2g} allowed")
        largest = max(largest, total)
        if unseen := _unseen(study, like, found, others):
            return Verdict(False, unseen)
    return Verdict(
        True, f"{len(ours)} of them differ by {largest:.2g} errors of the data at most, {allowed:.2g} allowed"
    )


def _unseen(study: Study, ours: Observables, theirs: Observables, others: Sequence[Call]) -> str:
    """Which output that no data see differs by more than UNSEEN of its spread; empty where none does."""
    seen = {name for likelihood in study.likelihoods.values() for name in likelihood.spectra}
    done = [call.observables for call in others if call.observables is not None]
    for name, values in ours.spectra.items():
        if name not in seen:
            spread = np.std([each.spectra[name][: len(values)] for each in done], axis=0)
            found = _in_spreads(theirs.spectra[name] - values, spread, values)
            if not found <= UNSEEN:
                return f"'{name}' differs by {found:.2g} of its spread, {UNSEEN:g} allowed"
    for name in study.parameters.asked:
        spread = np.std([each.derived[name] for each in done])
        found = _in_spreads(theirs.derived[name] - ours.derived[name], spread, ours.derived[name])
        if not found <= UNSEEN:
            return f"the derived '{name}' differs by {found:.2g} of its spread, {UNSEEN:g} allowed"
    return ""


def _in_spreads(change: Any, spread: Any, value: Any) -> float:
    """The largest change in units of the spread, or of rounding where there is no spread."""
    unit = np.maximum(spread, 1e-9 * np.abs(value) + 1e-300)
    return float(np.max(np.abs(np.atleast_1d(change / unit)), initial=0.0))
