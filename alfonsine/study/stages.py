"""Single stages of a study, for those who want less than the whole loop."""

import json
from dataclasses import dataclass

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array

from alfonsine.emulator.emulator import Emulator
from alfonsine.emulator.stored.file import load_emulator, save_emulator
from alfonsine.errors import InputError
from alfonsine.posterior.coordinates import Coordinates
from alfonsine.posterior.formats.chains import read_chains
from alfonsine.posterior.importance import importance_evidence
from alfonsine.posterior.posterior import Posterior
from alfonsine.posterior.target import Target
from alfonsine.study.infer import complete, sample_target, study_target
from alfonsine.study.made_by import check_made_by, check_not_finished_by_another
from alfonsine.study.prepare import Study
from alfonsine.study.preset import own_parts
from alfonsine.study.progress import Progress, Silent
from alfonsine.study.records import EMULATOR, keep_study, read_certificate, write_json, write_posterior
from alfonsine.study.run import open_loop
from alfonsine.study.watched import clock_of, watched
from alfonsine.study.wide import train_box

SOME = 16  # draws at which chains are compared with their study
SAME = 0.01  # nats within which ln p is the same: chains are written with twelve digits


@watched("train")
def train(study: Study, progress: Progress | None = None) -> Emulator:
    """Exact calls and fits until the leave-one-out forecast is well below the accuracy asked for; nothing is certified.

    Where the study has a design, its calls and one fit to them.
    """
    check_not_finished_by_another(study.settings, study.folder)
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
    check_made_by(study.settings, study.folder)
    emulator = load_emulator(path, own_parts(study.settings.emulator, study.settings.source.folder))
    if emulator.card.get("theory") != json.loads(json.dumps(study.theory.identity())):
        raise InputError(
            f"expected an emulator of this study's theory in '{path}', got one of other settings or of another "
            "version; run the study again in another folder"
        )
    return emulator


def stored_chains(study: Study, emulator: Emulator) -> Posterior:
    """The chains of the run folder; InputError where they are not of this study's posterior of the emulator.

    Their own record of the density tells: so do data that changed in files of the same names, and the chains that
    another study has sampled from the emulator of a design.
    """
    root = study.folder / "chain"
    chains = read_chains(root)
    advice = "sample it again: alfonsine sample"
    missing = [name for name in study.space.names if name not in chains.names]
    if missing:
        raise InputError(f"expected chains of this study in '{root}', got some without '{missing[0]}'; {advice}")
    rows = np.unique(np.linspace(0, len(chains) - 1, SOME).astype(int))
    theta = chains.samples[rows][:, [chains.names.index(name) for name in study.space.names]]
    found = np.asarray(_density(study_target(study, emulator), jnp.asarray(theta)))
    stored = chains.log_posterior[rows]
    apart = np.abs(found - stored)
    if not np.all(apart <= SAME):  # not so for NaN, too
        worst = int(np.argmax(np.where(np.isnan(apart), np.inf, apart)))
        raise InputError(
            f"expected chains of this study in '{root}', got some with ln p = {stored[worst]:.6g} where it has "
            f"{found[worst]:.6g}: other data or priors; {advice}"
        )
    return chains


@eqx.filter_jit
def _density(target: Target, theta: Array) -> Array:
    return jax.vmap(target)(theta)


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
    chains = stored_chains(study, emulator)
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
