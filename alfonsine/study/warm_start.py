"""Begin from earlier work: what is known before the first exact call, and the calls that complete it.

Earlier exact calls are lessons, never tests: they may be learned from, but none of them judges. Three cases, decided
call by call:

- the theory is the same, to the last bit of its settings and inputs (other data, other priors): the call is taken over;
- it is another, but has all that is needed (an extension at fixed values of the new parameters, another precision):
  exact calls at two of the points are compared with the earlier ones, in units of the data's error. If they agree the
  earlier calls are learned from, and first points are placed where they say least;
- otherwise its posterior says where to begin, and its points are the first to be computed, chosen for what they teach.

Where to begin is written down before the first exact call, with the calls in the archive of this run, so that it goes
on in the same way if it dies, even if the earlier work has gone.
"""

import hashlib
import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import jax
import numpy as np
from jaxtyping import Array, Bool, Float, Int

from alfonsine.errors import InputError
from alfonsine.study.earlier import DRAWS, read_earlier
from alfonsine.study.emulate import emulator_inputs
from alfonsine.study.exact import Computed, check_observables, exact_log_likelihood
from alfonsine.study.prepare import Study
from alfonsine.study.reuse import Offer, offer, plain_identity
from alfonsine.study.rounds import ARCHIVE, WARM_START, Rounds, write_durably
from alfonsine.theory.archive import Archive
from alfonsine.theory.call import Call

FEWEST_INSIDE = 0.1  # of an earlier posterior's draws must lie within the prior, for it to say where to begin


@dataclass(frozen=True)
class WarmStart:
    """What a study begins from.

    names   of the sampled parameters
    theta   (n, d) points of the earlier calls
    calls   n calls
    same    (n,) of the same theory: valid without a check
    source  (n,) by which of the named works
    places  (k, d) points of earlier calls of which nothing else is used
    draws   (m, inputs) what stands for the posterior, in the inputs of the emulator
    words   what is reused, what is not, and why
    """

    names: tuple[str, ...]
    theta: Float[np.ndarray, "n d"]
    calls: tuple[Call, ...]
    same: Bool[np.ndarray, " n"]
    source: Int[np.ndarray, " n"]
    places: Float[np.ndarray, "k d"]
    draws: Float[np.ndarray, "m inputs"]
    words: tuple[str, ...]

    @property
    def key(self) -> int:
        """Number of its own for every beginning: draws that judge must not repeat those of the earlier work."""
        found = hashlib.sha256(np.ascontiguousarray(self.draws).tobytes())
        found.update("".join(call.key for call in self.calls).encode())
        return int.from_bytes(found.digest()[:4], "little")

    def of(self, rows: Bool[np.ndarray, " n"]) -> Computed:
        """Some of the earlier calls."""
        return Computed(self.theta[rows], tuple(self.calls[row] for row in np.flatnonzero(rows)))


def read_offers(study: Study) -> list[Offer]:
    """What each of the works that the study names offers; InputError where one cannot be used."""
    offers, identity, beside = [], plain_identity(study), study.settings.source.folder
    for position, entry in enumerate(study.settings.warm_start):
        try:
            earlier = read_earlier(entry.run, beside, identity, study.settings.seed)
            if earlier.archive is not None and earlier.archive.parent.absolute() == study.folder.absolute():
                raise InputError(f"expected the run folder of an earlier study, got that of this one ('{entry.run}')")
            offers.append(offer(study, earlier, entry.at))
        except InputError as error:
            raise study.settings.source.error(("warm_start", position), str(error)) from None
    return offers


def planned_warm_start(study: Study) -> WarmStart | None:
    """What a run would begin from, or None where the study names nothing; writes nothing."""
    if not study.settings.warm_start:
        return None
    path = Rounds(study.folder, study.settings.digest).folder / WARM_START
    if path.exists() and (study.folder / ARCHIVE).exists():
        with Archive(study.folder / ARCHIVE, read_only=True) as archive:
            return recorded(study, archive, path)
    return together(study, read_offers(study))


def open_warm_start(study: Study, archive: Archive, rounds: Rounds) -> WarmStart | None:
    """The beginning that was written down, or a new one: its calls in the archive first, then the record."""
    path = rounds.folder / WARM_START
    if not study.settings.warm_start:
        return None
    if path.exists():
        return recorded(study, archive, path)
    offers = read_offers(study)
    found = together(study, offers)
    for each in offers:
        archive.put_all(each.calls, each.identity)
    seeds = {"theta": found.theta, "keys": [c.key for c in found.calls], "same": found.same, "source": found.source}
    record = {"names": found.names, "seeds": seeds, "places": found.places, "draws": found.draws, "words": found.words}
    write_durably(path, json.dumps(record, default=np.ndarray.tolist).encode())
    return found


def recorded(study: Study, archive: Archive, path: Path) -> WarmStart:
    """Read what was written down; InputError where it is damaged."""
    try:
        record = json.loads(path.read_text(encoding="utf-8"))
        seeds, d = record["seeds"], study.space.dimension
        n, calls = len(seeds["keys"]), [archive.get(key) for key in seeds["keys"]]
        if record["names"] != list(study.space.names) or None in calls:
            raise ValueError("names or calls that are not there")
        return WarmStart(
            study.space.names,
            np.array(seeds["theta"], dtype=float).reshape(n, d),
            tuple(call for call in calls if call is not None),
            np.array(seeds["same"], dtype=bool).reshape(n),
            np.array(seeds["source"], dtype=int).reshape(n),
            np.array(record["places"], dtype=float).reshape(-1, d),
            np.array(record["draws"], dtype=float),
            tuple(record["words"]),
        )
    except (KeyError, TypeError, ValueError) as error:
        if isinstance(error, InputError):
            raise
        raise InputError(
            f"expected a record of the warm start in '{path}', got a damaged file ({error}); "
            "delete the folder it is in: the archive keeps the exact calls"
        ) from None


def together(study: Study, offers: Sequence[Offer]) -> WarmStart:
    """Several offers as one: each call once, and for each parameter the first posterior that has it."""
    rows: dict[str, tuple[int, int]] = {}
    for position, each in enumerate(offers):
        for row, call in enumerate(each.calls):
            rows.setdefault(call.key, (position, row))
    theta = np.array([offers[i].theta[row] for i, row in rows.values()], dtype=float).reshape(-1, study.space.dimension)
    calls = tuple(offers[i].calls[row] for i, row in rows.values())
    same = np.array([offers[i].same[row] for i, row in rows.values()], dtype=bool)
    source = np.array([i for i, _ in rows.values()], dtype=int)
    valid = Computed(theta[same], tuple(calls[row] for row in np.flatnonzero(same)))
    check_observables(study, valid.calls)
    draws, words = expected_draws(study, offers, valid)
    told = (*(line for each in offers for line in each.words), *words)
    places = np.vstack([each.places for each in offers])
    return WarmStart(study.space.names, theta, calls, same, source, places, draws, told)


def expected_draws(
    study: Study, offers: Sequence[Offer], valid: Computed
) -> tuple[Float[np.ndarray, "m inputs"], list[str]]:
    """Draws that stand for the posterior: earlier ones where there are any, else about `ref` with `proposal`.

    Where no earlier posterior is known but calls of this theory are, they are drawn about the likeliest of them.
    """
    names = emulator_inputs(study)
    space = study.space.select(names)
    lower, upper, middle, step = (np.asarray(x) for x in (space.lower, space.upper, space.reference, space.step))
    words, generator = [], np.random.default_rng(study.settings.seed)
    if valid.done.any() and not any(each.draws for each in offers):
        best = valid.theta[valid.done][int(np.argmax(exact_log_likelihood(study, valid)))]
        middle = best[list(study.space.index(names))]
        words.append("no earlier posterior: it is looked for about the likeliest of the earlier calls")
    draws = middle + step * generator.standard_normal((DRAWS, len(names)))
    draws = np.where((draws >= lower) & (draws <= upper), draws, np.clip(2.0 * middle - draws, lower, upper))
    known: list[str] = []
    for each in offers:
        new = [name for name in each.draws if name not in known]
        if not new:
            continue
        columns = [names.index(name) for name in new]
        cloud = np.column_stack([each.draws[name] for name in new])
        cloud = cloud[np.all((cloud >= lower[columns]) & (cloud <= upper[columns]), axis=1)]
        if len(cloud) < FEWEST_INSIDE * DRAWS:
            words.append(f"the earlier posterior of {', '.join(new)} lies outside this prior: not used")
            continue
        draws[:, columns] = cloud[generator.choice(len(cloud), DRAWS)]
        known += new
    rest = [name for name in names if name not in known]
    if known:
        about = f"; ref and proposal of {', '.join(rest)}" if rest else ""
        words.append(f"where to begin: the earlier posterior of {', '.join(known)}{about}")
    return draws, words


def own_key(key: Array, warm: WarmStart | None) -> Array:
    """The key of a run: its own where it begins from earlier work."""
    return key if warm is None else jax.random.fold_in(key, warm.key)
