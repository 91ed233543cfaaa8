"""The study file as frozen settings: the blocks of a Cobaya input, with its meanings, and some of ours.

From Cobaya: `theory`, `likelihood`, `params`, `prior`, `sampler`, `output`. Ours: `emulator`, `accuracy`, `points`,
`compute`, `warm_start`, `seed`. What a field allows stands in its type; `examples` holds what an error message
suggests.
Nothing here computes; `alfonsine.study.parameters` says what the parameters mean together.
"""

import hashlib
import json
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import (
    BeforeValidator,
    Field,
    PrivateAttr,
    ValidationError,
    model_validator,
)

from alfonsine.errors import InputError
from alfonsine.space.expression import Expression
from alfonsine.study.compute_settings import ComputeSettings
from alfonsine.study.explain import explain
from alfonsine.study.first_widths import with_first_widths
from alfonsine.study.iterative_settings import IterativeSettings, points_as_mapping
from alfonsine.study.parameter_settings import ParameterSettings, parsed
from alfonsine.study.read import Source, read_yaml
from alfonsine.study.settings_block import Block, Numbers, Options, empty_as_mapping
from alfonsine.study.theory_settings import TheorySettings
from alfonsine.study.warm_start_settings import WarmStarts

JointPrior = Annotated[Expression, BeforeValidator(parsed)]
"""A log density of several parameters, added to the product of their own priors; not normalised."""


class NutsSettings(Block):
    """The gradient sampler: several chains at once, until their effective size is reached.

    covmat   file of a covariance matrix, Cobaya's or MontePython's: its widths are the first steps of parameters
    """

    chains: int = Field(default=16, ge=2, le=1024)
    effective_samples: int = Field(default=10000, ge=100, le=10_000_000)
    covmat: str | None = Field(default=None, min_length=1, examples=["planck.covmat"])


class EnsembleSettings(Block):
    """The affine-invariant ensemble: slower, and without gradients."""

    walkers: int = Field(default=64, ge=8, le=100_000, multiple_of=2)
    effective_samples: int = Field(default=10000, ge=100, le=10_000_000)
    covmat: str | None = Field(default=None, min_length=1, examples=["planck.covmat"])


class SamplerSettings(Block):
    """How the posterior of the emulator is sampled: nuts, or ensemble where that is named instead."""

    nuts: Annotated[NutsSettings, BeforeValidator(empty_as_mapping)] = NutsSettings()
    ensemble: Annotated[EnsembleSettings | None, BeforeValidator(empty_as_mapping)] = None

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
    """Which emulator, and what it may use.

    preset       alfonsine: every part is dropped where it does not lower the held-out error; connect and cosmopower:
                 the networks of these papers, for a design
    options      numbers of a preset to change, by the names of its class; "module:Class" is a part of your own
    members      networks of a preset trained side by side, whose spread is calibrated against held-out error
    components           principal components of each output that the emulator of a design keeps, at most
    network, max_order   of the emulator around a posterior; auto: a cubic, and more where points are plenty for it
    """

    preset: Literal["alfonsine", "connect", "cosmopower"] = "alfonsine"
    options: Options = Field(default={}, examples=["{epochs: 100}"])
    members: int = Field(default=1, ge=1, le=100)
    components: int = Field(default=64, ge=1, le=10_000)
    network: Literal["auto", "never", "always"] = "auto"
    max_order: Annotated[int, Field(ge=1, le=6)] | Literal["auto"] = "auto"

    @model_validator(mode="after")
    def _options_of_a_preset(self) -> "EmulatorSettings":
        if self.preset == "alfonsine" and (self.options or self.members > 1):
            name = "options" if self.options else "members"
            raise InputError(f"expected a preset that has {name}, got none; try preset: connect")
        return self


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
    """Where exact calls are made: `batch` at a time, from the posterior at `temperature`, after `start`.

    start       steps: from the reference along each parameter; search: the posterior is looked for in the box of the
                prior; latin_hypercube, sobol: a design over the box; auto: steps where every parameter of the theory
                has a ref, search otherwise
    iterative   CONNECT's way instead, which has its own numbers
    """

    batch: int = Field(default=8, ge=1, le=100_000)
    temperature: float = Field(default=2.0, ge=1, le=100)
    start: Literal["auto", "steps", "search", "latin_hypercube", "sobol"] = "auto"
    iterative: Annotated[IterativeSettings | None, BeforeValidator(empty_as_mapping)] = None

    @model_validator(mode="after")
    def _iterative_alone(self) -> "PointsSettings":
        others = self.model_fields_set - {"iterative"}
        if self.iterative is not None and others:
            name = sorted(others)[0]
            raise InputError(f"expected nothing beside iterative, got {name}; remove it, or set it inside iterative")
        return self

    @property
    def drawn_at(self) -> float:
        """Temperature of the posterior from which the last points to learn from are drawn."""
        return self.temperature if self.iterative is None else self.iterative.temperature[-1]


class DesignSettings(Block):
    """A fixed set of exact calls all over the box of the priors, for an emulator that serves more than one posterior.

    kind      latin_hypercube, sobol, or hypersphere (the ball inside the box)
    number    models to learn from
    held_out  models, spread evenly over the same region, that are not learned from and say how good the emulator is
    solves    expensive solutions among the models to learn from: each serves number/solves of them, which differ in
              what the code computes quickly (CAMB: primordial spectrum and halo model); one for each by default
    density   even, or edges: models to learn from are denser towards the edges of the box, where errors are largest;
              those that are held out are even
    """

    kind: Literal["latin_hypercube", "sobol", "hypersphere"] = "latin_hypercube"
    number: int = Field(ge=4, le=10_000_000, examples=[1000])
    held_out: int = Field(default=100, ge=10, le=1_000_000)
    solves: int | None = Field(default=None, ge=2, examples=[250])
    density: Literal["even", "edges"] = "even"

    @model_validator(mode="after")
    def _a_ball_has_no_edges(self) -> "DesignSettings":
        if self.kind == "hypersphere" and self.density == "edges":
            raise ValueError("expected density: even in a hypersphere, got edges; try kind: latin_hypercube")
        return self

    @model_validator(mode="after")
    def _solves_within_number(self) -> "DesignSettings":
        if self.solves is not None and self.solves > self.number:
            raise ValueError(f"expected at most {self.number} solves, one for each model, got {self.solves}")
        return self


class PublishedSettings(Block):
    """Somebody else's result to draw beside ours: per parameter [mean, plus, minus]."""

    label: str = Field(default="published", examples=["Planck 2018"])
    parameters: dict[str, Numbers] = Field(examples=["{n_s: [0.9649, 0.0044, 0.0044]}"])


class Settings(Block):
    """A study, checked block by block."""

    theory: TheorySettings = Field(examples=["classy:"])
    likelihood: dict[str, Options] = Field(default={}, examples=["planck_2018_lite:"])
    prior: dict[str, JointPrior] = Field(default={}, examples=["{w0wa: 'lambda w0, wa: np.log(w0 + wa < 0)'}"])
    params: dict[str, ParameterSettings] = Field(min_length=1, examples=["n_s: {prior: {min: 0.9, max: 1.0}}"])
    sampler: Annotated[SamplerSettings, BeforeValidator(empty_as_mapping)] = SamplerSettings()
    output: str | None = Field(default=None, min_length=1, examples=["runs/planck"])
    emulator: Annotated[EmulatorSettings, BeforeValidator(empty_as_mapping)] = EmulatorSettings()
    accuracy: Annotated[AccuracySettings, BeforeValidator(empty_as_mapping)] = AccuracySettings()
    points: Annotated[PointsSettings, BeforeValidator(points_as_mapping)] = PointsSettings()
    design: DesignSettings | None = Field(default=None, examples=["{kind: latin_hypercube, number: 1000}"])
    compute: Annotated[ComputeSettings, BeforeValidator(empty_as_mapping)] = ComputeSettings()
    warm_start: WarmStarts = Field(default=(), examples=["runs/planck_lcdm"])
    published: PublishedSettings | None = Field(
        default=None, examples=["{label: Planck 2018, parameters: {n_s: [0.9649, 0.0044, 0.0044]}}"]
    )
    seed: int = Field(default=1, ge=0, lt=2**32)
    _source: Source = PrivateAttr(default_factory=Source)

    @model_validator(mode="after")
    def _purpose(self) -> "Settings":
        if not self.likelihood and self.design is None:
            raise InputError(
                "expected a likelihood, or a design for an emulator without one, got neither; "
                "try 'likelihood: {planck_2018_lite: }' or 'design: {number: 1000}'"
            )
        if self.design is not None and self.warm_start:
            raise InputError("expected no warm_start beside a design, whose points are its own, got one; remove it")
        if self.points.iterative is not None and self.warm_start:
            raise InputError("expected no warm_start beside iterations, which begin anew, got one; remove it")
        if self.design is None and self.points.iterative is None and self.emulator.preset != "alfonsine":
            raise InputError(
                f"expected a design for the preset {self.emulator.preset}, got none; try 'design: {{number: 10000}}', "
                "or 'points: iterative'"
            )
        return self

    @property
    def source(self) -> Source:
        """The file that the settings were read from, for messages and for the copy in the run folder."""
        return self._source

    @property
    def deciding(self) -> dict[str, Any]:
        """All that decides which points are computed and how they are judged, block by block."""
        # rounds from before there was any stay good
        unused = {name for name in ("warm_start", "prior") if not getattr(self, name)}
        chosen = self.model_dump(exclude={"compute", "output", "published", "design", *unused})
        if self.points.iterative is None:  # such studies have digests from before there was anything else
            del chosen["points"]["iterative"]
        for sampler in filter(None, chosen["sampler"].values()):
            del sampler["covmat"]  # its widths are among the proposals
        chosen["points"]["start"] = self.start
        return chosen

    @property
    def digest(self) -> str:
        """Short digest of what decides."""
        return hashlib.sha256(json.dumps(self.deciding, sort_keys=True, default=str).encode()).hexdigest()[:12]

    @property
    def start(self) -> str:
        """How the loop begins: as the study says, else by steps from a reference, where all of it is given."""
        if self.points.start != "auto":
            return self.points.start
        priors = [p for p in self.params.values() if p.prior is not None]
        return "steps" if all(p.ref is not None or p.prior.dist == "norm" for p in priors) else "search"

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
    return with_first_widths(settings)


def read_study(path: Path) -> Settings:
    """Read and check the study file at `path`."""
    return settings_from(*read_yaml(Path(path)))
