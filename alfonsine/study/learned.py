"""What every way of learning hands to the judges and to the records."""

from typing import Protocol, runtime_checkable

from alfonsine.emulator.emulator import Emulator
from alfonsine.points.training_set import TrainingSet
from alfonsine.posterior.posterior import Posterior
from alfonsine.posterior.target import Target


@runtime_checkable
class Learned(Protocol):
    """An emulator with its posterior, however it was made."""

    @property
    def training(self) -> TrainingSet:
        """What it was learned from."""

    @property
    def emulator(self) -> Emulator:
        """All outputs as functions of the parameters."""

    @property
    def error(self) -> float:
        """Its own estimate of its squared error in squared data errors; not a number where it has none."""

    @property
    def target(self) -> Target:
        """The emulated posterior, as a density."""

    @property
    def posterior(self) -> Posterior:
        """Draws of it."""
