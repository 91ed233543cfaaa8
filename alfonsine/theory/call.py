"""One exact call: what went in, what came out, how long it took."""

from dataclasses import dataclass

from alfonsine.theory.observables import Observables


@dataclass(frozen=True, eq=False)
class Call:
    """A finished exact call.

    key           digest of theory and exact inputs
    inputs        name -> value
    status        "done" or "failed"
    reason        why it failed; empty where it did not
    seconds       wall-clock time of the call
    observables   None where it failed
    fresh         computed by this very request, not found in the archive
    finished      UTC time stamp, ISO 8601
    """

    key: str
    inputs: dict[str, float]
    status: str
    reason: str
    seconds: float
    observables: Observables | None
    fresh: bool = False
    finished: str = ""

    @property
    def done(self) -> bool:
        """Whether there is a result."""
        return self.status == "done"
