"""Let CLASS read its settings and parameters, in a process of its own, before the first exact call."""

from collections.abc import Collection, Mapping
from typing import TYPE_CHECKING

from alfonsine.errors import InputError, nearest
from alfonsine.theory.class_background import absent
from alfonsine.theory.class_input import class_reason
from alfonsine.theory.class_names import INPUT_ALIASES, TYPICAL, known_inputs
from alfonsine.theory.theory import TheoryError, one_line
from alfonsine.theory.trial import tried
from alfonsine.theory.user_function import first_problem

if TYPE_CHECKING:
    from alfonsine.theory.classy import ClassTheory


def check_class(theory: "ClassTheory", parameters: Collection[str]) -> None:
    """InputError for what CLASS does not read, does not accept, or cannot give; see `ClassTheory.check`."""
    given = parameters if isinstance(parameters, Mapping) else None
    values = {name: TYPICAL.get(INPUT_ALIASES.get(name, name), 0.1) for name in parameters}
    values.update(given or {})
    if theory.inputs is None:
        theory.told(values)  # complains of names given twice, without a process
    kind, detail = tried(_read, theory, values)
    if kind == "absent":
        raise InputError(f"expected outputs that this cosmology has, got '{detail}'; remove it, or add what it is of")
    unread = _unread(theory, parameters, kind, detail)
    if unread:
        raise _not_read(theory, unread)
    if kind == "missing" or (kind == "error" and given is not None):
        raise InputError(f"expected settings and reference values that CLASS accepts, got '{detail}'")


def _unread(theory: "ClassTheory", parameters: Collection[str], kind: str, detail: str) -> list[str]:
    asked = {INPUT_ALIASES.get(name, name): name for name in (*theory.settings, *parameters)}
    if kind == "unread":
        return [asked.get(name, name) for name in detail.split(", ")]
    if kind == "error" and not isinstance(parameters, Mapping) and theory.inputs is None:
        # one of our made-up values may be at fault: only the names can be judged
        return [name for name in parameters if name not in known_inputs()]
    return []


def _not_read(theory: "ClassTheory", unread: list[str]) -> InputError:
    name = unread[0]
    if name in theory.settings:
        where = "a setting"
    else:
        where = "a parameter" if theory.inputs is None else f"parameters from {theory.inputs.label}"
    close = "it has no effect here" if name in known_inputs() else nearest(name, known_inputs() - set(unread))
    if close.startswith("known:"):
        close = "see CLASS's explanatory.ini"
    return InputError(f"expected {where} that CLASS reads, got '{name}'; {close}")


def _read(theory: "ClassTheory", values: dict[str, float]) -> tuple[str, str]:
    """Let CLASS read its input, and no more than it must: ("fine", or what went wrong; detail)."""
    try:
        from classy import Class
    except ImportError as error:
        return "missing", f"{one_line(error)}; install it with: pip install classy"
    if problem := first_problem(theory.functions):
        return "function", problem
    cosmo = Class()
    try:
        cosmo.set(theory.told(values))
        cosmo.compute(["input"])
        # which species there are is known after the background, a twentieth of a second
        for asked in theory.backgrounds:
            cosmo.compute(["background"])
            if name := absent(cosmo, asked):
                return "absent", name
        if theory.matter_power is not None and theory.matter_power.without_neutrinos:
            cosmo.compute(["background"])
            if not any(column.startswith("(.)rho_ncdm") for column in cosmo.get_background()):
                return "absent", theory.matter_power.without_neutrinos[0]
    except InputError:
        raise
    except TheoryError as error:
        return "error", one_line(error)
    except Exception as error:
        _, found, names = str(error).partition("did not read input parameter(s): ")
        return ("unread", names.strip()) if found else ("error", class_reason(error))
    finally:
        cosmo.struct_cleanup()
        cosmo.empty()
    return "fine", ""
