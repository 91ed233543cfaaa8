"""Sampling that may be given up: between two blocks a sampler asks whether anyone still waits for its draws."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar

_wanted: ContextVar[Callable[[], bool]] = ContextVar("wanted", default=lambda: True)


class GivenUpError(Exception):
    """Nobody waits for these draws any more."""


@contextmanager
def while_wanted(wanted: Callable[[], bool]) -> Iterator[None]:
    """Samplers inside, in this thread, end with `GivenUpError` at the first block for which `wanted` says no."""
    token = _wanted.set(wanted)
    try:
        yield
    finally:
        _wanted.reset(token)


def check_wanted() -> None:
    """GivenUpError where the draws of the present thread are wanted no more."""
    if not _wanted.get()():
        raise GivenUpError
