"""The one interface that an exact code offers."""

from collections.abc import Collection, Mapping
from typing import Any, Protocol, runtime_checkable

from alfonsine.theory.observables import Observables
from alfonsine.theory.output import Output


class TheoryError(Exception):
    """The code has no answer at this point; the message is the reason, in one line."""


@runtime_checkable
class Theory(Protocol):
    """An exact code with fixed settings. Implementations are frozen dataclasses that can be pickled.

    They must live in an importable module (not in a script run as `__main__`): worker processes import them.

    One may have an attribute `cheap`: a theory of the same parameters that costs a small part of it and whose derived
    numbers may be what the outputs are simple in.
    """

    def identity(self) -> dict[str, Any]:
        """Code, version, settings, outputs as JSON: with the inputs, all that decides a result."""
        ...

    def outputs(self) -> dict[str, Output]:
        """Every output whose unit and axes are known before a call; derived numbers under "derived".

        A code that knows nothing beforehand says nothing; `output.described` completes it after one call.
        """
        ...

    def check(self, parameters: Collection[str]) -> None:
        """Raise InputError for a parameter that the code does not know, naming the nearest known one.

        `parameters` may be a mapping from names to reference values; these are then tried, too.
        """
        ...

    def compute(self, inputs: Mapping[str, float]) -> Observables:
        """Evaluate the code at one point; TheoryError(reason) where it has no answer."""
        ...


def one_line(error: BaseException | str, limit: int = 400) -> str:
    """Shorten an error to one line."""
    text = " ".join(str(error).split())
    return text if len(text) <= limit else text[: limit - 3] + "..."
