"""The iterations of a `.param` file of CONNECT as the blocks `points` and `accuracy` of a study."""

from itertools import pairwise
from typing import Any

from alfonsine.study.connect_file import ParamFile, is_number
from alfonsine.study.connect_names import DESIGNS
from alfonsine.study.settings import AccuracySettings

FIRST = 5000  # points of the first iteration, a number of its code
ITERATIONS = 5  # that the paper needed for decaying dark matter


def iterations(file: ParamFile) -> dict[str, Any]:
    """Their numbers, and a budget, of which the file has none: for as many as the paper needed, and a verdict."""
    initial, most = int(file.number("N")), int(file.number("N_max_points"))
    design = file.word("initial_sampling")
    if design not in DESIGNS:
        raise file.wrong("initial_sampling", " or ".join(DESIGNS))
    found = {
        "initial": initial,
        "design": DESIGNS[design],
        "first": min(FIRST, most),
        "samples_from": most,
        "temperature": temperatures(file),
        "mcmc_tolerance": float(file.number("mcmc_tol")),
        "iteration_tolerance": float(file.number("iter_tol")),
        "keep_initial": flag(file, "keep_initial_data"),
        "keep_first_iteration": flag(file, "keep_first_iteration"),
    }
    judging = AccuracySettings().judging
    calls = initial + min(FIRST, most) + (ITERATIONS - 1) * most + judging
    why = (
        f"a budget for {ITERATIONS} iterations and a verdict, there being none in the file; without the blocks points, "
        "accuracy and emulator the study places its own points, and needs some hundreds at most"
    )
    file.remarks.append(("accuracy", why))
    return {"points": {"iterative": found}, "accuracy": {"calls": calls, "judging": judging}}


def temperatures(file: ParamFile) -> float | list[float]:
    """One, or those of annealing in their order."""
    value = file.value("temperature")
    each = value if isinstance(value, list) else [value]
    if not each or not all(is_number(t) and t >= 1 for t in each) or any(a <= b for a, b in pairwise(each)):
        raise file.wrong("temperature", "a number of at least 1, or a list of them that falls")
    return [float(t) for t in each] if isinstance(value, list) else float(value)


def flag(file: ParamFile, key: str) -> bool:
    """True or False."""
    value = file.value(key)
    if not isinstance(value, bool):
        raise file.wrong(key, "True or False")
    return value
