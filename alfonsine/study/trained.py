"""Networks of a preset, trained on some exact calls, and their posterior."""

from dataclasses import dataclass

import jax
import numpy as np
from jaxtyping import Array, Float

from alfonsine.emulator.emulator import Emulator
from alfonsine.emulator.networks.model_set import ModelSet
from alfonsine.points.training_set import TrainingSet
from alfonsine.posterior.posterior import Posterior
from alfonsine.posterior.target import Target
from alfonsine.study.box import box
from alfonsine.study.clock import Clock
from alfonsine.study.collect import precision, set_folder, stacked
from alfonsine.study.emulate import card, emulator_inputs
from alfonsine.study.exact import Computed, training_set
from alfonsine.study.infer import sample_target, study_target
from alfonsine.study.prepare import Study
from alfonsine.study.preset import fit_preset, purpose_of
from alfonsine.study.progress import Progress
from alfonsine.theory.output import described


@dataclass(frozen=True)
class Trained:
    """What is known after a training.

    training   the exact calls that have an answer, as functions of the emulator's inputs
    emulator   of the whole box of the priors
    target     the emulated posterior, as a density
    posterior  draws of it
    error      not a number: networks do not say what they would be without one of their points
    """

    training: TrainingSet
    emulator: Emulator
    target: Target
    posterior: Posterior
    error: float = float("nan")


def train_networks(
    study: Study,
    computed: Computed,
    start: Float[np.ndarray, " d"],
    width: Float[np.ndarray, " d"],
    key: Array,
    clock: Clock,
    progress: Progress,
) -> Trained:
    """Train the networks of the preset from nothing on exact calls, or go on where a training of these was interrupted.

    start, width   where to look for the posterior first, and rough widths of it
    """
    settings = study.settings
    with clock.stage("fit"):
        models = model_set(study, computed)
        outputs = models.outputs
        training = training_set(study, computed, emulator_inputs(study))
        told = card(study, training) | {
            "derived": list(outputs["derived"].labels) if "derived" in outputs else [],
            "design": f"iterative, seed {settings.seed}",
            "failed": len(computed.failures),
        }
        emulator = fit_preset(
            settings.emulator, study.folder, settings.source.folder, models, box(study), told, settings.seed, progress
        )
        progress.stop()
        target = study_target(study, emulator)
    with clock.stage("sample"):
        posterior = sample_target(study, target, start, width, jax.random.fold_in(key, 1))
    return Trained(training, emulator, target, posterior)


def model_set(study: Study, computed: Computed) -> ModelSet:
    """The finished calls as a set on disk, which is what networks are trained from."""
    names = emulator_inputs(study)
    found = [call.observables for call in computed.calls if call.observables is not None]
    theta = computed.theta[computed.done][:, list(study.space.index(names))]
    outputs = described(found[0], study.theory.outputs())
    folder = set_folder(study, theta, purpose_of(study.settings.emulator))
    writer = ModelSet.create(folder, names, list(outputs.values()), len(theta), precision(outputs, theta))
    rows = writer.missing
    if len(rows):
        writer.write(rows, theta[rows], stacked([found[i] for i in rows], outputs))
    return writer.close()
