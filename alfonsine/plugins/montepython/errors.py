"""The two errors of `classy`, by which MontePython tells a bad setting from a bad point."""

from collections.abc import Callable
from typing import Any

from alfonsine.hosts.missing import MissingQuantity


class CosmoError(Exception):
    """An error of the cosmological module; `message` is its one line."""

    def __init__(self, message: str = "") -> None:
        super().__init__(message)
        self.message = message

    def __str__(self) -> str:
        return f"alfonsine: {self.message}"


class CosmoSevereError(CosmoError):
    """A setting that is not understood, or a question that cannot be answered: MontePython stops."""


class CosmoComputationError(CosmoError):
    """A point that cannot be computed: MontePython gives it no likelihood, and goes on."""


class NotServed(CosmoSevereError, AttributeError):
    """An attribute of CLASS that an emulator cannot have; `hasattr` says so."""


def severe(question: Callable[[], Any]) -> Any:
    """The answer to a question; what is missing raises CosmoSevereError with the same line."""
    try:
        return question()
    except MissingQuantity as error:
        raise CosmoSevereError(str(error)) from None
