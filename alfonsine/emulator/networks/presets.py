"""The two published recipes, every number of them, and where this one differs and why.

A preset says, for a training set, which networks there are to be. All numbers can be overridden: `Connect(epochs=50)`.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field

from alfonsine.emulator.networks.model_set import ModelSet
from alfonsine.emulator.networks.plan import Derivatives, Plan, Stage
from alfonsine.theory.grids import POWER

POSITIVE = ("tt", "ee", "pp", "bb", "unlensed_tt", "unlensed_ee", "pk", "pk_nonlin", *POWER)


@dataclass(frozen=True)
class Connect:
    """CONNECT (arXiv:2205.15726): one network for everything.

    Sections 2.1 to 2.4 and, for what the paper leaves open (learning rate, Adam's numbers, initial weights, limit of
    the weights), its public code. Different here:

    - the weights kept are the best on the validation rows; the public code compares training losses;
    - the split is random over all rows; there, it is taken from a window of the file, the test rows being its end;
    - min-max is undone with the minimum; there, with the maximum;
    - trailing rows that fill no batch: all batches are made equally large instead.

    nodes   output -> multipoles at which CLASS itself computes, where the training set has all of them
    """

    layers: int = 6
    units: int = 512
    activation: str = "alsing"
    activation_spread: float = 512**-0.5
    architecture: str = "dense"
    weights: str | float = "glorot"
    loss: str = "cosmic_variance"
    loss_options: Mapping[str, float] = field(default_factory=dict)
    normalisation: str = "standardisation"
    rate: float = 1e-4
    epochs: int = 300
    batch: int = 512
    epsilon: float = 1e-4
    amsgrad: bool = True
    max_norm: float | None = 5.0
    fractions: tuple[float, float, float] = (0.89, 0.01, 0.1)
    split_seed: int = 0
    nodes: Mapping[str, tuple[float, ...]] = field(default_factory=dict)
    derivatives: Derivatives | None = None

    def plans(self, model_set: ModelSet) -> dict[str, Plan]:
        """One plan, named "all"."""
        derived = set(self.derivatives.outputs.values()) if self.derivatives else set()
        plan = Plan(
            outputs=tuple(name for name in model_set.outputs if name not in derived),
            widths=(self.units,) * self.layers,
            stages=(Stage(self.rate, self.epochs, self.batch),),
            activation=self.activation,
            activation_options=_spread(self.activation, self.activation_spread),
            architecture=self.architecture,
            weights=self.weights,
            normalisation=self.normalisation,
            loss=self.loss,
            loss_options=self.loss_options,
            epsilon=self.epsilon,
            amsgrad=self.amsgrad,
            max_norm=self.max_norm,
            nodes=self.nodes,
            derivatives=self.derivatives,
            split_seed=self.split_seed,
            fractions=self.fractions,
        )
        return {"all": plan}


@dataclass(frozen=True)
class CosmoPower:
    """CosmoPower (arXiv:2106.03846, and its public code): one network for each output.

    Different here:

    - the weights kept are the best on the validation rows, and each stage starts from them; there, the last ones are;
    - the split is drawn once; there, again for each learning rate, so that rows once trained on later validate;
    - statistics and components are learned from training rows only; there, from all;
    - Adam's memory starts anew with each stage, since the weights do;
    - initial weights of networks of components have He's deviation for the layer they are in; there, all layers have
      that of the first.

    components    output -> number of principal components; these outputs are standardised and never logarithms, but
                  for those in `log10`
    log10         outputs whose logarithm is learned: all others named in neither get `otherwise`
    z_per_model   redshifts drawn from each model of an output with an axis "z"; published: one
    """

    layers: int = 4
    units: int = 512
    activation: str = "alsing"
    activation_spread: float = 1.0
    architecture: str = "dense"
    weights: str | float = 1e-3
    weights_of_components: str | float = "he"
    components: Mapping[str, int] = field(default_factory=lambda: {"te": 512, "pp": 64})
    log10: tuple[str, ...] = POSITIVE
    otherwise: str = "standardisation"
    loss: str = "root_mean_square"
    rates: tuple[float, ...] = (1e-2, 1e-3, 1e-4, 1e-5, 1e-6)
    epochs: int = 1000
    batch: int = 1024
    patience: int = 100
    epsilon: float = 1e-7
    z_per_model: int = 1
    fractions: tuple[float, float, float] = (0.8, 0.1, 0.1)
    split_seed: int = 0
    derivatives: Derivatives | None = None

    def plans(self, model_set: ModelSet) -> dict[str, Plan]:
        """One plan for each output, under its name."""
        derived = set(self.derivatives.outputs.values()) if self.derivatives else set()
        return {name: self._plan(model_set, name) for name in model_set.outputs if name not in derived}

    def _plan(self, model_set: ModelSet, name: str) -> Plan:
        surface = any(axis.name == "z" for axis in model_set.outputs[name].axes)
        surface = surface and len(model_set.outputs[name].axes) > 1
        components = self.components.get(name)
        given = self.derivatives
        return Plan(
            outputs=(name,),
            widths=(self.units,) * self.layers,
            stages=tuple(Stage(rate, self.epochs, self.batch, self.patience) for rate in self.rates),
            activation=self.activation,
            activation_options=_spread(self.activation, self.activation_spread),
            architecture=self.architecture,
            weights=self.weights if components is None else self.weights_of_components,
            normalisation="log10" if name in self.log10 else self.otherwise,
            components=components,
            loss=self.loss,
            epsilon=self.epsilon,
            z_per_model=self.z_per_model if surface else None,
            z_seed=self.split_seed,
            derivatives=given if given is not None and name in given.outputs else None,
            split_seed=self.split_seed,
            fractions=self.fractions,
        )


PRESETS: dict[str, type[Connect] | type[CosmoPower]] = {"connect": Connect, "cosmopower": CosmoPower}


def _spread(activation: str, spread: float) -> dict[str, float]:
    """The option of the activations that have trained parameters."""
    return {"spread": spread} if activation in ("alsing", "nygaard") else {}
