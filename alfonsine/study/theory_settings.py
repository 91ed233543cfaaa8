"""The `theory` block of the study file: which exact code, its settings, and the outputs that it is to give.

Names and units of the outputs stand in `alfonsine.theory.grids`; what is unknown is told when the study is prepared.
"""

from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, Field, model_validator

from alfonsine.errors import InputError
from alfonsine.study.settings_block import Block, Numbers, Options, Texts, empty_as_mapping

Function = Annotated[str, Field(pattern=r"^[A-Za-z_][\w.]*:[A-Za-z_]\w*$", examples=["my_module:my_function"])]


class Segment(Block):
    """Part of a grid: `number` steps up to `max`, from where the part before ended."""

    max: float = Field(gt=0, examples=[0.01])
    number: int = Field(ge=1, le=1_000_000, examples=[20])


class GridSettings(Block):
    """Values of an axis: a list, or min, max, number and spacing (log: uniform in ln k, or in ln(1+z)).

    Instead of max and number: segments, each with its own, for a grid that is dense where the function bends.
    """

    values: Numbers | None = Field(default=None, min_length=1, examples=["[0.0, 0.5, 1.0]"])
    min: float | None = Field(default=None, ge=0, examples=[0.0])
    max: float | None = Field(default=None, gt=0, examples=[2.0])
    number: int | None = Field(default=None, ge=2, le=1_000_000, examples=[50])
    segments: tuple[Segment, ...] | None = Field(
        default=None, strict=False, min_length=1, examples=["[{max: 0.01, number: 20}, {max: 1, number: 100}]"]
    )
    spacing: Literal["log", "linear"] = "log"

    @model_validator(mode="after")
    def _complete(self) -> "GridSettings":
        given = {name for name in ("min", "max", "number", "segments") if getattr(self, name) is not None}
        if given == {"min", "segments"}:
            return self
        if self.segments is not None:
            raise InputError("expected min and segments, got other keys beside them; remove those")
        if self.values is None and len(given) < 3:
            raise InputError("expected a list, or min, max and number; try {min: 0.001, max: 1, number: 100}")
        if self.values is not None and (given or "spacing" in self.model_fields_set):
            raise InputError("expected a list, or min, max and number, got both; remove one")
        return self


def _values(value: Any) -> Any:
    """`[0, 1]` means `{values: [0, 1]}`, and a number a list of one."""
    if isinstance(value, list | tuple):
        return {"values": value}
    if isinstance(value, int | float) and not isinstance(value, bool):
        return {"values": [value]}
    return value


Grid = Annotated[GridSettings, BeforeValidator(_values)]


class MatterPowerSettings(Block):
    """P(k, z) as surfaces over z and k."""

    outputs: Texts = Field(default=("pk_lin",), examples=["[pk_lin, pk_nl]"])
    k: Grid = Field(examples=["{min: 0.0001, max: 1, number: 100}"])
    z: Grid = Field(examples=["[0.0, 0.5, 1.0]"])


class FunctionsSettings(Block):
    """Functions of redshift."""

    outputs: Texts = Field(examples=["[H, D_A]"])
    z: Grid = Field(examples=["{min: 0, max: 3, number: 50}"])


class CodeSettings(Block):
    """What CLASS and CAMB have in common.

    extra_args    passed on as they are
    spectra       lensed CMB spectra beside those that the likelihoods read
    unlensed      the same before lensing: outputs unlensed_tt, ...
    l_max         last multipole; follows from the likelihoods where there are some
    multipoles    all; nodes, a fixed list as dense as CLASS's own; or a list. Likelihoods see the others by a spline
    inputs        a function of yours from the parameters to the inputs of the code
    custom        outputs by functions of yours of the computed code, name -> function
    """

    extra_args: Options = Field(default={}, examples=["{N_ur: 3.044}"])
    spectra: Texts = Field(default=(), examples=["[tt, te, ee, pp]"])
    unlensed: Texts = Field(default=(), examples=["[tt, te, ee]"])
    l_max: int | None = Field(default=None, ge=2, le=20000, examples=[2508])
    multipoles: Literal["all", "nodes"] | Annotated[tuple[int, ...], Field(strict=False)] = Field(
        default="all", examples=["nodes"]
    )
    matter_power: MatterPowerSettings | None = Field(
        default=None, examples=["{outputs: [pk_lin], k: {min: 0.0001, max: 1, number: 100}, z: [0.0, 0.5]}"]
    )
    background: FunctionsSettings | None = Field(
        default=None, examples=["{outputs: [H, D_A], z: {min: 0, max: 3, number: 50}}"]
    )
    thermodynamics: FunctionsSettings | None = Field(
        default=None, examples=["{outputs: [x_e, visibility], z: {min: 0, max: 1500, number: 300}}"]
    )
    inputs: Function | None = Field(default=None, examples=["my_module:my_function"])
    custom: dict[str, Function] = Field(default={}, examples=["{my_output: my_module:my_function}"])


class ClassySettings(CodeSettings):
    """CLASS; `extra_args` are any of its inputs."""


class CambSettings(CodeSettings):
    """CAMB; `extra_args` are those of camb.set_params."""

    extra_args: Options = Field(default={}, examples=["{mnu: 0.06}"])


class OutputSettings(Block):
    """What an array is: its unit, and its axes in order, as `l`, `k`, `z` or anything else."""

    unit: str = Field(default="", examples=["Mpc^3"])
    axes: dict[str, Grid] = Field(min_length=1, examples=["{z: [0, 1], k: {min: 0.01, max: 1, number: 50}}"])


class PythonSettings(Block):
    """A function of yours, `module:function`, looked for beside the study file and then as Python does.

    `inputs` are the parameters that it knows; where there are none, any parameter is passed on. `outputs` say what some
    of the arrays are that it returns; the others are plain vectors. `cheap` is another function of the same parameters
    that costs little: the numbers it returns are tried as inputs of the emulator.
    """

    function: Function
    cheap: Function | None = None
    inputs: Texts = Field(default=(), examples=["[omega_b, n_s]"])
    outputs: dict[str, OutputSettings] = Field(
        default={}, examples=["{pk: {unit: Mpc^3, axes: {z: [0, 1], k: {min: 0.01, max: 1, number: 50}}}}"]
    )


class MisdeedSettings(Block):
    """How a toy misbehaves where `parameter` exceeds `above`."""

    deed: Literal["hang", "crash", "abort", "exit", "nan", "raise", "fail"]
    parameter: str = Field(examples=["x"])
    above: float = Field(examples=[1.0])


class ToySettings(Block):
    """A closed-form theory of the study's own parameters, for tests and for trying things out.

    linear: `matrix` (unit matrix where there is none) times parameters plus `offset`; banana: bent by `bend`;
    twisted: `bands` of any number of parameters, every second of them bent by `bend`.
    `multipoles` make a spectrum of linear: the l of each row.
    `misdeed`, `diary` (a file that gets a line for each call) and `seconds` try the machinery around it.
    """

    name: Literal["linear", "banana", "twisted"] = "linear"
    matrix: tuple[Numbers, ...] | None = Field(default=None, strict=False, examples=["[[1, 0], [0, 1]]"])
    offset: Numbers | None = Field(default=None, examples=["[0, 0]"])
    multipoles: tuple[int, ...] | None = Field(default=None, strict=False, min_length=1, examples=["[2, 3, 5]"])
    bend: float = 0.5
    bands: int = Field(default=300, ge=1, le=100_000)
    misdeed: MisdeedSettings | None = None
    diary: str | None = Field(default=None, examples=["calls.txt"])
    seconds: float = Field(default=0.0, ge=0)


class TheorySettings(Block):
    """Exactly one theory code and its settings."""

    classy: Annotated[ClassySettings | None, BeforeValidator(empty_as_mapping)] = None
    camb: Annotated[CambSettings | None, BeforeValidator(empty_as_mapping)] = None
    python: Annotated[PythonSettings | None, BeforeValidator(empty_as_mapping)] = None
    toy: Annotated[ToySettings | None, BeforeValidator(empty_as_mapping)] = None

    @model_validator(mode="after")
    def _one(self) -> "TheorySettings":
        if len(self.model_fields_set) != 1:
            raise InputError(f"expected one theory code, got {len(self.model_fields_set)}; try 'classy:'")
        return self

    @property
    def code(self) -> str:
        """Name of the code: classy, camb, python or toy."""
        return next(iter(self.model_fields_set))

    @property
    def settings(self) -> ClassySettings | CambSettings | PythonSettings | ToySettings:
        """Settings of that code."""
        return getattr(self, self.code)
