"""One entry of `params`, with Cobaya's meanings.

| entry | the parameter is |
|---|---|
| has `prior` | sampled; `ref` is where exact calls begin, `proposal` the first step |
| a number, or `value: number` | fixed |
| `value: 'lambda a: ...'` | computed from other parameters and passed to the theory |
| nothing, a LaTeX label, or `derived: true` | reported by the theory |
| `derived: 'lambda a: ...'` | computed from other parameters, for the chains only |
| has `drop: true` | not passed to the theory |
"""

from typing import Annotated, Any, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, field_validator, model_validator

from alfonsine.errors import InputError
from alfonsine.space.expression import Expression

Kind = Literal["sampled", "fixed", "computed", "derived"]


class _Block(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", strict=True, allow_inf_nan=False)


class PriorSettings(_Block):
    """Uniform on [min, max], or normal(loc, scale), cut at min and max where they are given."""

    dist: Literal["uniform", "norm"] = "uniform"
    min: float | None = Field(default=None, examples=[0.0])
    max: float | None = Field(default=None, examples=[1.0])
    loc: float | None = Field(default=None, examples=[0.0])
    scale: float | None = Field(default=None, gt=0, examples=[1.0])

    @property
    def _given(self) -> str:
        """What is there of a prior, in words."""
        given = [name for name in ("min", "max", "loc", "scale") if getattr(self, name) is not None]
        return f"{' and '.join(given)} only" if given else "none"

    @model_validator(mode="after")
    def _complete(self) -> "PriorSettings":
        if self.dist == "uniform" and (self.min is None or self.max is None):
            raise InputError(f"expected min and max of a uniform prior, got {self._given}; try {{min: 0, max: 1}}")
        if self.dist == "uniform" and (self.loc is not None or self.scale is not None):
            raise InputError("expected min and max of a uniform prior, got loc or scale; try dist: norm")
        if self.dist == "norm" and (self.loc is None or self.scale is None):
            raise InputError(
                f"expected loc and scale of a normal prior, got {self._given}; try {{dist: norm, loc: 0, scale: 1}}"
            )
        if self.min is not None and self.max is not None and not self.min < self.max:
            raise InputError(
                f"expected min below max, got min {self.min:g}, max {self.max:g}; exchange or correct them"
            )
        return self


class ReferenceSettings(_Block):
    """Where exact calls begin: the centre of a normal. Its scale is the first step, failing a proposal."""

    dist: Literal["norm"] = "norm"
    loc: float = Field(examples=[0.0])
    scale: float | None = Field(default=None, gt=0, examples=[1.0])


def _prior(value: Any) -> Any:
    """`[0, 1]` means `{min: 0, max: 1}`."""
    return dict(zip(("min", "max"), value, strict=True)) if isinstance(value, list) and len(value) == 2 else value


def _reference(value: Any) -> Any:
    """A bare number is the reference itself."""
    return {"loc": value} if isinstance(value, int | float) and not isinstance(value, bool) else value


def parsed(value: Any) -> Any:
    """Text is an expression."""
    return Expression.parse(value) if isinstance(value, str) else value


class ParameterSettings(_Block):
    """One entry of `params`."""

    prior: Annotated[PriorSettings | None, BeforeValidator(_prior)] = Field(default=None, examples=["{min: 0, max: 1}"])
    ref: Annotated[ReferenceSettings | None, BeforeValidator(_reference)] = Field(default=None, examples=[0.5])
    proposal: float | None = Field(default=None, gt=0, examples=[0.01])
    value: float | Expression | None = Field(default=None, examples=[0.06])
    derived: bool | Expression | None = Field(default=None, examples=["true"])
    latex: str | None = Field(default=None, examples=["'n_s'"])
    drop: bool = False

    @model_validator(mode="before")
    @classmethod
    def _short_forms(cls, data: Any) -> Any:
        match data:
            case None:
                return {"derived": True}
            case bool():
                return data  # for the message that a number is expected
            case int() | float():
                return {"value": data}
            case str() if data.lstrip().startswith("lambda"):
                return {"value": data}
            case str():
                return {"latex": data, "derived": True}
        return data

    @field_validator("value", "derived", mode="before")
    @classmethod
    def _expression(cls, value: Any) -> Any:
        return parsed(value)

    @model_validator(mode="after")
    def _one_kind(self) -> "ParameterSettings":
        given = [name for name in ("prior", "value") if getattr(self, name) is not None]
        if isinstance(self.derived, Expression) or (self.derived and not self.kind == "computed"):
            given.append("derived")
        if len(given) > 1:
            raise InputError(f"expected one of prior, value and derived, got {' and '.join(given)}; keep one")
        if self.derived is False and self.kind == "derived":
            raise InputError("expected a prior, a value or derived: true, got derived: false; give one of them")
        for name in ("ref", "proposal"):
            if getattr(self, name) is not None and self.prior is None:
                raise InputError(f"expected {name} beside a prior only, got no prior; add one or remove {name}")
        if self.drop and self.kind == "derived":
            raise InputError("expected drop for a parameter with a value or prior, got a derived one; remove drop")
        return self

    @property
    def kind(self) -> Kind:
        """Sampled, fixed, computed (an input that follows from others) or derived (an output)."""
        if self.prior is not None:
            return "sampled"
        if self.value is None:
            return "derived"
        return "computed" if isinstance(self.value, Expression) else "fixed"
