"""What a network is and how it is trained, every number of it, as a record."""

import dataclasses
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from alfonsine.errors import InputError


@dataclass(frozen=True)
class Stage:
    """One learning rate: at most `epochs` passes in batches of at most `batch`, fewer by `patience`.

    patience   passes without a better validation loss after which the stage ends; None for never
    """

    rate: float
    epochs: int
    batch: int
    patience: int | None = None

    def __post_init__(self) -> None:
        if not (self.rate > 0 and self.epochs > 0 and self.batch > 0 and (self.patience is None or self.patience > 0)):
            raise InputError(f"expected positive rate, epochs, batch and patience of a stage, got {self}")


@dataclass(frozen=True)
class Derivatives:
    """Known derivatives of the outputs along p directions, and what missing them costs.

    directions   p vectors in the units of the d inputs, of about the spread of the training set
    outputs      output -> the output of the same training set that holds its derivatives, (p, m) flattened
    weight       of the mean squared error of the derivatives of the normalised entries, added to the loss
    """

    directions: tuple[tuple[float, ...], ...]
    outputs: Mapping[str, str]
    weight: float = 1.0


@dataclass(frozen=True)
class Plan:
    """One network.

    outputs       what it predicts, side by side
    widths        units of each hidden layer
    activation    name, or one for each hidden layer; "module:Class" is the user's own, as everywhere below
    weights       initial weights: "glorot", "he", or a standard deviation
    components    predict this many principal components of the normalised outputs; None: the outputs themselves
    stages        one after the other, each from the best weights so far
    epsilon       Adam's
    amsgrad       Adam with the largest second moment so far
    max_norm      upper limit of the norm of the weights into each hidden unit
    z_per_model   a row is (theta, z) -> the output at z, and each model gives this many; None: z is an axis as any
    z_seed        which redshifts
    nodes         output -> multipoles that are predicted; the others follow from a spline
    split_seed, fractions   the split, if the training set has none yet
    """

    outputs: tuple[str, ...]
    widths: tuple[int, ...]
    stages: tuple[Stage, ...]
    activation: str | tuple[str, ...] = "alsing"
    activation_options: Mapping[str, float] = field(default_factory=dict)
    architecture: str = "dense"
    architecture_options: Mapping[str, float] = field(default_factory=dict)
    weights: str | float = "he"
    normalisation: str = "standardisation"
    normalisation_options: Mapping[str, float] = field(default_factory=dict)
    components: int | None = None
    loss: str = "mean_square"
    loss_options: Mapping[str, float] = field(default_factory=dict)
    epsilon: float = 1e-7
    amsgrad: bool = False
    max_norm: float | None = None
    z_per_model: int | None = None
    z_seed: int = 0
    nodes: Mapping[str, tuple[float, ...]] = field(default_factory=dict)
    derivatives: Derivatives | None = None
    split_seed: int = 0
    fractions: tuple[float, float, float] = (0.8, 0.1, 0.1)

    def __post_init__(self) -> None:
        if not self.outputs or not self.widths or not self.stages or min(self.widths) < 1:
            raise InputError("expected at least one output, hidden layer and stage, got none of one of them")
        if not isinstance(self.activation, str) and len(self.activation) != len(self.widths):
            raise InputError(f"expected {len(self.widths)} activations, got {len(self.activation)}; one for each layer")

    @property
    def activations(self) -> tuple[str, ...]:
        """One name for each hidden layer."""
        return (self.activation,) * len(self.widths) if isinstance(self.activation, str) else self.activation

    @property
    def parts(self) -> tuple[str, ...]:
        """Names of all classes that it is made of."""
        return (*dict.fromkeys(self.activations), self.architecture, self.normalisation, self.loss)

    def record(self) -> dict[str, Any]:
        """Plain values, as JSON gives them back."""
        return json.loads(json.dumps(dataclasses.asdict(self)))
