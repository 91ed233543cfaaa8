"""`points: iterative`: the numbers of CONNECT's iterative sampling, and how many exact calls each part of it gets.

Defaults are those of the paper (arXiv:2205.15726), sections 3 and 5, and of its public code where the paper gives none;
numbers of points are its shares of all calls that train, since it has 50,000 of them and a study here a few hundred.
"""

from typing import Annotated, Any, Literal, NamedTuple

from pydantic import BeforeValidator, Field, model_validator

from alfonsine.errors import InputError, nearest
from alfonsine.study.settings_block import Block

INITIAL, FIRST, MOST = 0.2, 0.1, 0.4  # of 50,000 calls: 10,000, then 5,000, then 20,000 at most


class Sizes(NamedTuple):
    """Exact calls of each part.

    initial   the design over the prior
    first     the first iteration
    samples   points from the ends of the chains, of any later one
    most      of these, computed at most
    """

    initial: int
    first: int
    samples: int
    most: int


def one_as_list(value: Any) -> Any:
    """One temperature is a list of one."""
    return [value] if isinstance(value, int | float) and not isinstance(value, bool) else value


Temperatures = Annotated[
    tuple[Annotated[float, Field(ge=1, le=1000)], ...], Field(strict=False, min_length=1), BeforeValidator(one_as_list)
]


class IterativeSettings(Block):
    """CONNECT's iterative sampling.

    initial               points of the first design, all over the prior
    design                of that: latin_hypercube, or hypersphere (the ball inside the box)
    first                 points of the first iteration, which an emulator of the whole prior proposes
    samples_from          points from the ends of the chains that a later iteration filters
    most_per_iteration    of these, computed at most
    temperature           T of the sampled posterior; of several, the next after convergence at the one before
    mcmc_tolerance        R - 1 between chains, of every parameter, below which they are long enough
    iteration_tolerance   R - 1 between the samples of two iterations, of every parameter, below which there is no third
    fewest_new            part of an iteration's points that the filter must leave for there to be another
    most_iterations       after which it ends in any case
    keep_initial, keep_first_iteration   whether the last emulators learn from these too
    neighbours, deviations               n and k of the filter
    """

    initial: int | None = Field(default=None, ge=4, le=10_000_000, examples=[100])
    design: Literal["latin_hypercube", "hypersphere"] = "latin_hypercube"
    first: int | None = Field(default=None, ge=2, le=10_000_000, examples=[50])
    samples_from: int | None = Field(default=None, ge=2, le=10_000_000, examples=[200])
    most_per_iteration: int | None = Field(default=None, ge=1, le=10_000_000, examples=[200])
    temperature: Temperatures = Field(default=(5.0,), examples=["5.0, or [20.0, 5.0]"])
    mcmc_tolerance: float = Field(default=0.01, gt=0, le=1)
    iteration_tolerance: float = Field(default=0.01, gt=0, le=10)
    fewest_new: float = Field(default=0.1, ge=0, lt=1)
    most_iterations: int = Field(default=20, ge=1, le=10_000)
    keep_initial: bool = False
    keep_first_iteration: bool = False
    neighbours: int = Field(default=10, ge=1, le=10_000)
    deviations: float = Field(default=2.0, ge=0, le=100)

    @model_validator(mode="after")
    def _annealing_cools(self) -> "IterativeSettings":
        if any(later >= earlier for earlier, later in zip(self.temperature[:-1], self.temperature[1:], strict=True)):
            raise ValueError(
                f"expected temperatures that fall, got {list(self.temperature)}; "
                f"try temperature: {sorted(set(self.temperature), reverse=True)}"
            )
        return self

    @model_validator(mode="after")
    def _no_more_than_there_are(self) -> "IterativeSettings":
        if self.samples_from is not None and (self.most_per_iteration or 0) > self.samples_from:
            raise ValueError(
                f"expected most_per_iteration no larger than samples_from, got {self.most_per_iteration} of "
                f"{self.samples_from}; remove one of them"
            )
        return self

    def sizes(self, training: int, dimension: int) -> Sizes:
        """Points of each part where `training` calls are to be spent on them; what is not given is the paper's share.

        Never fewer than a fit in so many dimensions needs.
        """
        least = dimension + 4
        most = self.most_per_iteration or self.samples_from or max(round(MOST * training), least)
        return Sizes(
            self.initial or max(round(INITIAL * training), least),
            self.first or max(round(FIRST * training), least),
            self.samples_from or most,
            most,
        )


def points_as_mapping(value: Any) -> Any:
    """`points:` with nothing means the defaults, and `points: iterative` those of that."""
    if isinstance(value, str):
        if value != "iterative":
            raise InputError(f"expected iterative, or a mapping, got '{value}'; {nearest(value, ['iterative'])}")
        return {"iterative": {}}
    return {} if value is None else value
