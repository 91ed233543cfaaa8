"""What is written down before exact calls are made, so that a run that dies goes on as if it had not.

One file per round holds its points; together with the archive that is all a later process needs to be where this one
was, since fits and draws are cheap and determined by the points, the calls and the seed.
"""

import json
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
from jaxtyping import Float

from alfonsine.errors import InputError
from alfonsine.theory.durable import write_durably

START, SEARCH, LEARN, JUDGE = "start", "search", "learn", "judge"
ARCHIVE = "archive.sqlite"  # of the run folder
WARM_START = "warm_start.json"  # beside the rounds: what they begin from


@dataclass(frozen=True)
class Round:
    """One batch of exact calls.

    number       0, 1, 2, ...
    purpose      start: before anything is known; search: to find where the posterior is; learn: to teach the
                 emulator; judge: draws from the emulated posterior that decide on it
    theta        (n, d) points
    """

    number: int
    purpose: str
    theta: Float[np.ndarray, "n d"]


class Rounds:
    """The rounds of one study in a run folder; each is durable before it is acted upon.

    A study that has been changed has rounds of its own: draws that were to judge another posterior judge nothing
    here. Its exact calls are found in the archive all the same.
    """

    def __init__(self, folder: Path, study: str) -> None:
        self.folder = folder / "rounds" / study

    def get(self, number: int) -> Round | None:
        """Read a round, or None where it has not been written."""
        path = self._path(number)
        if not path.exists():
            return None
        try:
            values = json.loads(path.read_text(encoding="utf-8"))
            theta = np.array(values["theta"], dtype=float)
            return Round(int(values["number"]), str(values["purpose"]), theta)
        except (KeyError, TypeError, ValueError) as error:
            raise InputError(
                f"expected a record of round {number} in '{path}', got a damaged file ({error}); "
                "delete the folder it is in: the archive keeps the exact calls"
            ) from None

    @property
    def begun(self) -> list[Round]:
        """All that have been written."""
        entries: list[Round] = []
        while (entry := self.get(len(entries))) is not None:
            entries.append(entry)
        return entries

    def put(self, entry: Round) -> None:
        """Write a round; after this returns it survives a crash of the machine."""
        plain = {k: v.tolist() if isinstance(v, np.ndarray) else v for k, v in asdict(entry).items()}
        write_durably(self._path(entry.number), json.dumps(plain).encode())

    def _path(self, number: int) -> Path:
        return self.folder / f"{number:04d}.json"
