"""Let CAMB read its settings and parameters, in a process of its own, before the first exact call."""

from collections.abc import Collection, Mapping
from typing import TYPE_CHECKING

from alfonsine.errors import InputError, nearest
from alfonsine.theory.camb_background import NEEDS_MATTER_POWER, read_background
from alfonsine.theory.camb_names import ALIASES, TYPICAL, renamed
from alfonsine.theory.grids import OF_THE_DRAG_HORIZON, Background
from alfonsine.theory.theory import TheoryError, one_line
from alfonsine.theory.trial import tried
from alfonsine.theory.user_function import first_problem

if TYPE_CHECKING:
    from alfonsine.theory.camb import CambTheory


def check_camb(theory: "CambTheory", parameters: Collection[str]) -> None:
    """InputError for what CAMB does not read, does not accept, or cannot give; see `CambTheory.check`."""
    given = parameters if isinstance(parameters, Mapping) else None
    values = dict(given) if given is not None else {name: _typical(name) for name in parameters}
    if theory.inputs is None:
        theory.told(values)  # complains of names given twice, without a process
    kind, detail = tried(_read, theory, values)
    if kind == "absent":
        raise InputError(f"expected outputs that this cosmology has, got {detail}")
    if kind == "unread":
        name, *names = detail.split(" ")
        where = "a setting" if name in renamed(theory.settings) else "a parameter"
        raise InputError(f"expected {where} that CAMB reads, got '{name}'; {nearest(name, names)}")
    if kind == "missing" or (kind == "error" and given is not None):
        raise InputError(f"expected settings and reference values that CAMB accepts, got '{detail}'")


def _typical(name: str) -> float:
    """A value for trying a name: CAMB's typical one, carried back through the change of the alias."""
    if name not in ALIASES:
        return TYPICAL.get(name, 0.1)
    return {"logA": 3.045, "ln10^{10}A_s": 3.045, "ln_A_s_1e10": 3.045, "h": 0.674}.get(
        name, 1.04 if "theta" in name else TYPICAL[ALIASES[name][0]]
    )


def _read(theory: "CambTheory", values: dict[str, float]) -> tuple[str, str]:
    """Let CAMB read its input, and find the background: ("fine", or what went wrong; detail)."""
    try:
        import camb
        from camb.baseconfig import CAMBUnknownArgumentError
    except ImportError as error:
        return "missing", f"{one_line(error)}; install it with: pip install camb"
    if problem := first_problem(theory.functions):
        return "function", problem
    try:
        parameters = theory.parameters(told := theory.told(values))
        data = camb.get_background(parameters, no_thermo=True)
        for asked in theory.backgrounds:
            names = tuple(n for n in asked.names if n not in NEEDS_MATTER_POWER and n not in OF_THE_DRAG_HORIZON)
            if names:
                try:
                    read_background(data, Background(names, asked.z), theory.fluid(told))
                except TheoryError as error:
                    return "absent", str(error)
    except InputError:
        raise
    except CAMBUnknownArgumentError as error:
        known = {*camb.get_valid_numerical_params(), *ALIASES}
        return "unread", " ".join([str(error).rsplit(": ", 1)[-1], *sorted(known)])
    except (TheoryError, Exception) as error:
        return "error", one_line(error)
    return "fine", ""
