"""What all blocks of settings share: they are frozen, and refuse unknown keys and silent conversions."""

from typing import Annotated, Any

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field


class Block(BaseModel):
    """A frozen block of settings: unknown keys and silent conversions are refused."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True, allow_inf_nan=False)


def empty_as_mapping(value: Any) -> Any:
    """`classy:` with nothing after it means `classy: {}`, as in Cobaya."""
    return {} if value is None else value


Options = Annotated[dict[str, Any], BeforeValidator(empty_as_mapping)]
Texts = Annotated[tuple[str, ...], Field(strict=False)]
Numbers = Annotated[tuple[float, ...], Field(strict=False)]
