"""The study file as frozen settings: the blocks of a Cobaya input, with its meanings, and four of ours.

From Cobaya: `theory`, `likelihood`, `params`, `sampler`, `output`. Ours: `emulator`, `accuracy`, `points`,
`compute`, `seed`. What a field allows stands in its type; `examples` holds what an error message suggests.
Nothing here computes; `alfonsine.study.parameters` says what the parameters mean together.
"""

import hashlib
import json
import os
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import (
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    PrivateAttr,
    ValidationError,
    model_validator,
)

from alfonsine.errors import InputError
from alfonsine.study.explain import explain
from alfonsine.study.parameter_settings import ParameterSettings
from alfonsine.study.read import Source, read_yaml


class Block(BaseModel):
    """A frozen block of settings: unknown keys and silent conversions are refused."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True, allow_inf_nan=False)


def _empty_as_mapping(value: Any) -> Any:
    """`classy:` with nothing after it means `classy: {}`, as in Cobaya."""
    return {} if value is None else value


Options = Annotated[dict[str, Any], BeforeValidator(_empty_as_mapping)]
Texts = Annotated[tuple[str, ...], Field(strict=False)]
Numbers = Annotated[tuple[float, ...], Field(strict=False)]


class ClassySettings(Block):
    """CLASS. `extra_args` are passed on as they are; spectra and l_max follow from the likelihoods."""

    extra_args: Options = Field(default={}, examples=["{N_ur: 3.044}"])
    spectra: Annotated[tuple[str, ...], Field(strict=False)] = Field(default=(), examples=["[tt, te, ee, pp]"])
    l_max: int | None = Field(default=None, ge=2, le=20000, examples=[2508])


class PythonSettings(Block):
    """A function of yours, `module:function`, looked for beside the study file and then as Python does.

    `inputs` are the parameters that it knows; where there are none, any parameter is passed on.
    """

    function: str = Field(pattern=r"^[A-Za-z_][\w.]*:[A-Za-z_]\w*$", examples=["my_module:my_function"])
    inputs: Texts = Field(default=(), examples=["[omega_b, n_s]"])


class MisdeedSettings(Block):
    """How a toy misbehaves where `parameter` exceeds `above`."""

    deed: Literal["hang", "crash", "abort", "exit", "nan", "raise", "fail"]
    parameter: str = Field(examples=["x"])
    above: float = Field(examples=[1.0])


class ToySettings(Block):
    """A closed-form theory of the study's own parameters, for tests and for trying things out.

    linear: `matrix` (unit matrix where there is none) times parameters plus `offset`; banana: bent by `bend`.
    `misdeed`, `diary` (a file that gets a line for each call) and `seconds` try the machinery around it.
    """

    name: Literal["linear", "banana"] = "linear"
    matrix: tuple[Numbers, ...] | None = Field(default=None, strict=False, examples=["[[1, 0], [0, 1]]"])
    offset: Numbers | None = Field(default=None, examples=["[0, 0]"])
    bend: float = 0.5
    misdeed: MisdeedSettings | None = None
    diary: str | None = Field(default=None, examples=["calls.txt"])
    seconds: float = Field(default=0.0, ge=0)


class TheorySettings(Block):
    """Exactly one theory code and its settings."""

    classy: Annotated[ClassySettings | None, BeforeValidator(_empty_as_mapping)] = None
    python: Annotated[PythonSettings | None, BeforeValidator(_empty_as_mapping)] = None
    toy: Annotated[ToySettings | None, BeforeValidator(_empty_as_mapping)] = None

    @model_validator(mode="after")
    def _one(self) -> "TheorySettings":
        if len(self.model_fields_set) != 1:
            raise InputError(f"expected one theory code, got {len(self.model_fields_set)}; try 'classy:'")
        return self

    @property
    def code(self) -> str:
        """Name of the code: classy, python or toy."""
        return next(iter(self.model_fields_set))

    @property
    def settings(self) -> ClassySettings | PythonSettings | ToySettings:
        """Settings of that code."""
        return getattr(self, self.code)


class NutsSettings(Block):
    """The gradient sampler: several chains at once, until their effective size is reached."""

    chains: int = Field(default=16, ge=2, le=1024)
    effective_samples: int = Field(default=10000, ge=100, le=10_000_000)


class EnsembleSettings(Block):
    """The affine-invariant ensemble: slower, and without gradients."""

    walkers: int = Field(default=64, ge=8, le=100_000, multiple_of=2)
    effective_samples: int = Field(default=10000, ge=100, le=10_000_000)


class SamplerSettings(Block):
    """How the posterior of the emulator is sampled: nuts, or ensemble where that is named instead."""

    nuts: Annotated[NutsSettings, BeforeValidator(_empty_as_mapping)] = NutsSettings()
    ensemble: Annotated[EnsembleSettings | None, BeforeValidator(_empty_as_mapping)] = None

    @model_validator(mode="after")
    def _one(self) -> "SamplerSettings":
        if {"nuts", "ensemble"} <= self.model_fields_set:
            raise InputError("expected one sampler, got nuts and ensemble; remove one")
        return self

    @property
    def effective_samples(self) -> int:
        """Effective draws of the final posterior."""
        return (self.ensemble or self.nuts).effective_samples


class EmulatorSettings(Block):
    """What the emulator may use; every part is dropped where it does not lower the held-out error."""

    network: Literal["auto", "never", "always"] = "auto"
    max_order: int = Field(default=3, ge=1, le=6)


class AccuracySettings(Block):
    """When to stop.

    kl       limit on the 95 % upper limit of KL(emulated || exact), in nats
    shift    limit on the shift of every parameter's mean, in its standard deviations
    calls    budget of exact calls, judging included
    judging  exact calls at posterior draws that a verdict needs
    """

    kl: float = Field(default=0.01, gt=0, le=10)
    shift: float = Field(default=0.1, gt=0, le=10)
    calls: int = Field(default=200, ge=1, le=10_000_000)
    judging: int = Field(default=24, ge=12, le=100_000)  # with fewer no certificate concludes

    @model_validator(mode="after")
    def _affordable(self) -> "AccuracySettings":
        if self.judging >= self.calls:
            raise InputError(
                f"expected a budget of calls above the {self.judging} of one verdict (judging), "
                f"got {self.calls}; try calls: {4 * self.judging}"
            )
        return self


class PointsSettings(Block):
    """Where exact calls are made: `batch` at a time, from the posterior at `temperature`, after `start`."""

    batch: int = Field(default=8, ge=1, le=100_000)
    temperature: float = Field(default=2.0, ge=1, le=100)
    start: Literal["steps", "latin_hypercube", "sobol"] = "steps"


class ComputeSettings(Block):
    """Local workers (`auto`: one for each core) and the seconds after which a hung call is stopped."""

    workers: Annotated[int, Field(ge=1, le=4096)] | Literal["auto"] = Field(default="auto", examples=["auto"])
    timeout: float = Field(default=300.0, gt=0, le=1_000_000)

    @property
    def count(self) -> int:
        """Number of workers: as given, or the cores that this process may use."""
        if self.workers != "auto":
            return self.workers
        return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


class PublishedSettings(Block):
    """Somebody else's result to draw beside ours: per parameter [mean, plus, minus]."""

    label: str = Field(default="published", examples=["Planck 2018"])
    parameters: dict[str, Numbers] = Field(examples=["{n_s: [0.9649, 0.0044, 0.0044]}"])


class Settings(Block):
    """A study, checked block by block."""

    theory: TheorySettings = Field(examples=["classy:"])
    likelihood: dict[str, Options] = Field(min_length=1, examples=["planck_2018_lite:"])
    params: dict[str, ParameterSettings] = Field(min_length=1, examples=["n_s: {prior: {min: 0.9, max: 1.0}}"])
    sampler: Annotated[SamplerSettings, BeforeValidator(_empty_as_mapping)] = SamplerSettings()
    output: str | None = Field(default=None, min_length=1, examples=["runs/planck"])
    emulator: Annotated[EmulatorSettings, BeforeValidator(_empty_as_mapping)] = EmulatorSettings()
    accuracy: Annotated[AccuracySettings, BeforeValidator(_empty_as_mapping)] = AccuracySettings()
    points: Annotated[PointsSettings, BeforeValidator(_empty_as_mapping)] = PointsSettings()
    compute: Annotated[ComputeSettings, BeforeValidator(_empty_as_mapping)] = ComputeSettings()
    published: PublishedSettings | None = Field(
        default=None, examples=["{label: Planck 2018, parameters: {n_s: [0.9649, 0.0044, 0.0044]}}"]
    )
    seed: int = Field(default=1, ge=0, lt=2**32)
    _source: Source = PrivateAttr(default_factory=Source)

    @property
    def source(self) -> Source:
        """The file that the settings were read from, for messages and for the copy in the run folder."""
        return self._source

    @property
    def digest(self) -> str:
        """Short digest of all that decides which points are computed and how they are judged."""
        chosen = self.model_dump(exclude={"compute", "output", "published"})
        return hashlib.sha256(json.dumps(chosen, sort_keys=True, default=str).encode()).hexdigest()[:12]

    @property
    def folder(self) -> Path:
        """The run folder: `output`, or `runs/` and the name of the study file."""
        return Path(self.output) if self.output else Path("runs") / Path(self.source.file).stem


def settings_from(data: dict[str, Any], source: Source | None = None) -> Settings:
    """Check plain values against the settings; InputError in one line for the first that does not fit."""
    source = source or Source()
    try:
        settings = Settings.model_validate(data)
    except ValidationError as error:
        raise explain(error, Settings, source) from None
    settings._source = source
    return settings


def read_study(path: Path) -> Settings:
    """Read and check the study file at `path`."""
    return settings_from(*read_yaml(Path(path)))
