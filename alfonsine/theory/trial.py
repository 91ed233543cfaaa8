"""A trial of a code: let it read its input in a process of its own, before the first exact call."""

from collections.abc import Callable, Mapping
from typing import Any

from pebble import ProcessExpired

from alfonsine.theory.workers import run_apart

LIMIT = 120.0  # seconds; reading the input takes one, but an angle of the sound horizon is found by shooting


def tried(
    read: Callable[[Any, Mapping[str, float]], tuple[str, str]], theory: Any, values: Mapping[str, float]
) -> tuple[str, str]:
    """What `read(theory, values)` found: a kind of mistake, "fine" for none, and its detail in one line.

    A crash, and no answer in two minutes, are of the kind "error". Where `read` says "function" and gives a label and
    a problem, the failure of that function of the user is raised, an InputError.
    """
    try:
        kind, detail = run_apart(read, theory, values, timeout=LIMIT)
    except TimeoutError:
        return "error", f"no answer within {LIMIT:g} s"
    except ProcessExpired as error:
        return "error", f"a crash with exit code {error.exitcode}"
    if kind == "function":
        label, _, problem = detail.partition(" ")
        raise next(f for f in theory.functions if f.label == label).failure(problem)
    return kind, detail
