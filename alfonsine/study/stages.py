"""Single stages of a study, for those who want less than the whole loop."""

import json
from dataclasses import dataclass

import jax
import jax.numpy as jnp
import numpy as np

from alfonsine.emulator.emulator import Emulator
from alfonsine.emulator.stored.file import load_emulator, save_emulator
from alfonsine.errors import InputError
from alfonsine.posterior.coordinates import Coordinates
from alfonsine.posterior.formats.chains import read_chains
from alfonsine.posterior.importance import importance_evidence
from alfonsine.posterior.posterior import Posterior
from alfonsine.study.infer import complete, sample_target, study_target
from alfonsine.study.prepare import Study
from alfonsine.study.preset import own_parts
from alfonsine.study.progress import Progress, Silent
from alfonsine.study.records import EMULATOR, keep_study, read_certificate, write_json, write_posterior
from alfonsine.study.run import open_loop
from alfonsine.study.watched import clock_of, watched
from alfonsine.study.wide import train_box


@watched("train")
def train(study: Study, progress: Progress | None = None) -> Emulator:
    """Exact calls and fits until the leave-one-out forecast is well below the accuracy asked for; nothing is certified.

    Where the study has a design, its calls and one fit to them.
    """
    if study.settings.design is not None:
        return train_box(study, progress)
    progress = progress or Silent()
    study.folder.mkdir(parents=True, exist_ok=True)
    keep_study(study)
    with open_loop(study, progress, clock_of(progress)) as loop:
        emulator = loop.train().emulator
    save_emulator(emulator, study.folder / EMULATOR)
    return emulator


def stored_emulator(study: Study) -> Emulator:
    """The emulator of the run folder; InputError where there is none or where it is another study's."""
    path = study.folder / EMULATOR
    if not path.exists():
        raise InputError(f"expected an emulator in '{study.folder}', got none; run or train the study first")
    emulator = load_emulator(path, own_parts(study.settings.emulator, study.settings.source.folder))
    if emulator.card.get("theory") != json.loads(json.dumps(study.theory.identity())):
        raise InputError(
            f"expected an emulator of this study's theory in '{path}', got one of other settings or of another "
            "version; run the study again in another folder"
        )
    return emulator


def sample(study: Study, effective: int, progress: Progress | None = None) -> Posterior:
    """Sample the stored emulator's posterior and write the chains again."""
    progress = progress or Silent()
    emulator = stored_emulator(study)
    target = study_target(study, emulator)
    start, width = np.asarray(study.space.reference).copy(), np.asarray(study.space.step).copy()
    columns = list(target.inputs)
    start[columns] = np.asarray(emulator.domain.centre)
    width[columns] = np.asarray(emulator.domain.widths)
    progress.start("sampling")
    key = jax.random.fold_in(jax.random.key(study.settings.seed), 3_000_000)
    posterior = complete(study, sample_target(study, target, start, width, key, ess=effective), target, emulator)
    write_posterior(study, posterior)
    progress.stop()
    return posterior


@dataclass(frozen=True)
class EvidenceFound:
    """ln Z of the emulated posterior, and of the exact one by the judging calls; each with its standard error."""

    emulated: float
    emulated_error: float
    exact: float | None
    exact_error: float | None
    effective: float


def evidence(study: Study) -> EvidenceFound:
    """Evidence by importance sampling from the chains; the certificate's Delta ln Z takes it to the exact code."""
    emulator = stored_emulator(study)
    chains = read_chains(study.folder / "chain")
    order = [chains.names.index(name) for name in study.space.names]
    coordinates = Coordinates.of_samples(study.space.lower, study.space.upper, jnp.asarray(chains.samples[:, order]))
    key = jax.random.fold_in(jax.random.key(study.settings.seed), 4_000_000)
    found = importance_evidence(study_target(study, emulator), coordinates, key)
    exact = error = None
    certificate = read_certificate(study.folder)
    if certificate is not None:
        change = certificate.delta_log_evidence
        exact = found.log_evidence + change.estimate
        error = float(np.hypot(found.error, change.error))
    result = EvidenceFound(found.log_evidence, found.error, exact, error, found.ess)
    write_json(study.folder / "evidence.json", vars(result))
    return result
