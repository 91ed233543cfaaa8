"""What the entries of `params` mean together: the sampled space, and the way from there to the theory.

sampled theta  ->  + fixed  ->  + computed, in order of need  ->  - dropped - nuisance  ->  theory
"""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from alfonsine.errors import InputError, nearest
from alfonsine.space.expression import Expression, in_order
from alfonsine.space.parameter_space import Parameter, ParameterSpace
from alfonsine.study.parameter_settings import ParameterSettings
from alfonsine.study.settings import Settings

STEPS_ACROSS = 50.0  # widths of a flat prior are some tens of posterior standard deviations


@dataclass(frozen=True)
class Parameters:
    """The roles of all parameters.

    sampled   names in the order of the study, which is the order of the `ParameterSpace`
    fixed     name -> value
    computed  name -> expression, in an order in which each can be evaluated
    asked     outputs that the theory is asked for
    later     name -> expression of any of the above, evaluated for the chains only
    dropped   names that the theory is not given
    nuisance  names that belong to the likelihoods and not to the theory
    """

    sampled: tuple[str, ...]
    fixed: Mapping[str, float]
    computed: Mapping[str, Expression]
    asked: tuple[str, ...]
    later: Mapping[str, Expression]
    dropped: frozenset[str]
    nuisance: frozenset[str] = frozenset()

    @property
    def given(self) -> tuple[str, ...]:
        """Every parameter that has a value before the theory is called."""
        return (*self.sampled, *self.fixed, *self.computed)

    @property
    def inputs(self) -> tuple[str, ...]:
        """Names that the theory is given."""
        return tuple(n for n in self.given if n not in self.dropped and n not in self.nuisance)

    @property
    def needed(self) -> frozenset[str]:
        """Names on which the theory depends, directly or through an expression."""
        found = set(self.inputs)
        for name in reversed(tuple(self.computed)):
            if name in found:
                found |= set(self.computed[name].arguments)
        return frozenset(found)

    def values(self, theta: Mapping[str, Any]) -> dict[str, Any]:
        """Sampled, fixed and computed values at `theta` (name -> number, or array of equal shapes)."""
        values: dict[str, Any] = {name: theta[name] for name in self.sampled} | dict(self.fixed)
        for name, expression in self.computed.items():
            values[name] = expression(values)
        return values

    def theory_inputs(self, theta: Mapping[str, Any]) -> dict[str, float]:
        """What the theory is called with at `theta`: without dropped and nuisance parameters."""
        values = self.values(theta)
        return {name: float(values[name]) for name in self.inputs}

    def nuisance_values(self, theta: Mapping[str, Any], names: Collection[str]) -> dict[str, Any]:
        """Values of the likelihoods' parameters `names` at `theta`, whether sampled, fixed or computed."""
        values = self.values(theta)
        return {name: values[name] for name in names}

    def derived_values(self, theta: Mapping[str, Any], outputs: Mapping[str, Any]) -> dict[str, Any]:
        """Every reported parameter that is not sampled: computed, from the theory's `outputs`, or later."""
        values = self.values(theta) | {name: outputs[name] for name in self.asked}
        for name, expression in self.later.items():
            values[name] = expression(values)
        return {name: values[name] for name in (*self.computed, *self.asked, *self.later)}

    def way(self, names: Collection[str]) -> dict[str, Any]:
        """The way from the emulator's inputs `names` to the theory's, as plain values for its card.

        fixed     name -> value
        computed  name -> text of its expression
        dropped   names among all of these that the theory was not given
        """
        needed = self.needed
        return {
            "fixed": {name: value for name, value in self.fixed.items() if name in needed},
            "computed": {name: each.text for name, each in self.computed.items() if name in needed},
            "dropped": sorted({*names, *needed} & self.dropped),
        }

    def with_nuisance(self, names: Collection[str]) -> "Parameters":
        """The same, once it is known which parameters the likelihoods claim."""
        return Parameters(**{**vars(self), "nuisance": frozenset(names)})


def parameter_space(settings: Settings) -> ParameterSpace:
    """The sampled parameters of a study; InputError for a reference outside its prior and the like."""
    sampled = {name: p for name, p in settings.params.items() if p.kind == "sampled"}
    if not sampled:
        raise settings.source.error(
            ("params",), "expected at least one sampled parameter, got none; give one of them a prior"
        )
    found = []
    for name, parameter in sampled.items():
        try:
            found.append(_parameter(name, parameter))
        except InputError as error:
            part = next((p for p in ("ref", "proposal") if getattr(parameter, p) is not None), "prior")
            raise settings.source.error(("params", name, part), _after(str(error), f"'{name}': ")) from None
    return ParameterSpace.of(found, _joint(settings, sampled))


def _joint(settings: Settings, sampled: Collection[str]) -> list[Expression]:
    """Priors of several parameters together; InputError for one of others than sampled parameters."""
    for label, expression in settings.prior.items():
        for name in expression.arguments:
            if name not in sampled:
                hint = nearest(name, sampled)
                raise settings.source.error(("prior", label), f"expected sampled parameters, got '{name}'; {hint}")
    return list(settings.prior.values())


def parameters(settings: Settings) -> Parameters:
    """Sort the parameters by role; InputError for an expression of something unknown, or of itself."""
    by_kind: dict[str, dict[str, ParameterSettings]] = {k: {} for k in ("sampled", "fixed", "computed", "derived")}
    for name, parameter in settings.params.items():
        by_kind[parameter.kind][name] = parameter
    computed = {n: p.value for n, p in by_kind["computed"].items() if isinstance(p.value, Expression)}
    later = {n: p.derived for n, p in by_kind["derived"].items() if isinstance(p.derived, Expression)}
    asked = tuple(n for n in by_kind["derived"] if n not in later)
    before = [*by_kind["sampled"], *by_kind["fixed"]]
    result = Parameters(
        sampled=tuple(by_kind["sampled"]),
        fixed={n: float(p.value) for n, p in by_kind["fixed"].items() if isinstance(p.value, int | float)},
        computed=_in_order(settings, computed, before, "value"),
        asked=asked,
        later=_in_order(settings, later, [*before, *computed, *asked], "derived"),
        dropped=frozenset(n for n, p in settings.params.items() if p.drop),
    )
    _check_reference(settings, result)
    return result


def _parameter(name: str, settings: ParameterSettings) -> Parameter:
    """Fill in what the study leaves open: reference at the centre, step from what is known of the width."""
    prior, ref = settings.prior, settings.ref
    assert prior is not None
    lower = -np.inf if prior.min is None else prior.min
    upper = np.inf if prior.max is None else prior.max
    normal = prior.dist == "norm"
    centre = prior.loc if normal and lower < prior.loc < upper else 0.5 * (lower + upper)
    width = (ref.scale if ref else None) or (prior.scale if normal else (upper - lower) / STEPS_ACROSS)
    step = settings.proposal or width
    if not step < upper - lower:
        raise InputError(
            f"'{name}': expected a proposal below the width {upper - lower:g} of the prior, got {step:g}; "
            "about one posterior standard deviation serves well"
        )
    return Parameter(
        name=name,
        lower=float(lower),
        upper=float(upper),
        reference=float(ref.loc if ref else centre),
        step=float(step),
        latex=settings.latex or name,
        loc=float(prior.loc) if normal else 0.0,
        scale=float(prior.scale) if normal else float("inf"),
    )


def _in_order(
    settings: Settings, expressions: Mapping[str, Expression], known: Collection[str], key: str
) -> dict[str, Expression]:
    """Order expressions so that each needs only what stands before it; InputError for those that cannot be had."""
    ordered = in_order(expressions, known)
    if len(ordered) < len(expressions):
        raise _unresolved(settings, expressions, ordered, known, key)
    return ordered


def _unresolved(
    settings: Settings,
    expressions: Mapping[str, Expression],
    ordered: Collection[str],
    known: Collection[str],
    key: str,
) -> InputError:
    """Tell a name that has no value from expressions that wait for each other."""
    waiting = [(n, a) for n, e in expressions.items() if n not in ordered for a in e.arguments]
    for name, argument in waiting:
        if argument not in {*known, *expressions}:
            hint = nearest(argument, {*known, *expressions} - {name})
            message = f"expected parameters with a value, got '{argument}'; {hint}"
            return settings.source.error(("params", name, key), message)
    name, argument = next((n, a) for n, a in waiting if a not in {*known, *ordered})
    return settings.source.error(
        ("params", name, key), f"expected no circle of expressions, got '{name}' <- '{argument}'"
    )


def _check_reference(settings: Settings, result: Parameters) -> None:
    """An expression must have a finite value where the first exact call will be made."""
    if not (result.sampled and (result.computed or settings.prior)):
        return
    space = parameter_space(settings)
    values = result.values(dict(zip(space.names, np.asarray(space.reference), strict=True)))
    for label, expression in settings.prior.items():
        if not np.isfinite(expression(values)):
            raise settings.source.error(
                ("prior", label),
                f"expected a finite value at the reference point, got {expression(values)}; correct ref",
            )
    for name in result.computed:
        if not np.isfinite(values[name]):
            raise settings.source.error(
                ("params", name, "value"),
                f"expected a finite value at the reference point, got {values[name]}; correct it, or ref",
            )


def _after(text: str, mark: str) -> str:
    """Cut off a name that the location already tells."""
    return text.split(mark, 1)[-1]
