"""The block `warm_start`: which earlier work a study begins from."""

from typing import Annotated, Any

from pydantic import BeforeValidator, Field

from alfonsine.study.settings_block import Block


class WarmStartSettings(Block):
    """Earlier work that a study begins from.

    run   the folder of a run, or an archive or the file of an emulator alone
    at    values, in the earlier exact calls, of sampled parameters that the earlier work does not mention
    """

    run: str = Field(min_length=1, examples=["runs/planck_lcdm"])
    at: dict[str, float] = Field(default={}, examples=["{w0_fld: -1}"])


def listed(value: Any) -> Any:
    """A folder, a mapping, or a list of these: always a list of mappings."""
    entries = value if isinstance(value, list) else [] if value is None else [value]
    return [{"run": entry} if isinstance(entry, str) else entry for entry in entries]


WarmStarts = Annotated[tuple[WarmStartSettings, ...], Field(strict=False), BeforeValidator(listed)]
