"""Judge a finished run again, with exact calls at fresh draws of its posterior."""

import jax
import numpy as np
from jaxtyping import Float

from alfonsine.certificate.certificate import Certificate, certify
from alfonsine.certificate.cut_off import beyond
from alfonsine.certificate.record import as_dict
from alfonsine.certificate.whiten import whitening_of_samples
from alfonsine.posterior.posterior import Posterior
from alfonsine.study.exact import compute_points, exact_log_likelihood
from alfonsine.study.infer import emulated_log_likelihood, study_target
from alfonsine.study.judge import allowed
from alfonsine.study.prepare import Study
from alfonsine.study.progress import Progress, Silent
from alfonsine.study.propose import rng
from alfonsine.study.records import multipoles_record, write_json
from alfonsine.study.run import open_engine
from alfonsine.study.stages import stored_chains, stored_emulator
from alfonsine.study.watched import heard_by, watched


@watched("certify")
def recertify(study: Study, count: int, progress: Progress | None = None, seed: int = 0) -> Certificate:
    """Certificate of the emulator and the chains in the run folder, from `count` exact calls at draws not used before.

    Written to `certificate_fresh.json`. The calls are archived: an interrupted judgement resumes.
    """
    progress = progress or Silent()
    emulator = stored_emulator(study)
    posterior = stored_chains(study, emulator)
    target = study_target(study, emulator)
    own = posterior.samples[:, [posterior.names.index(name) for name in study.space.names]]
    theta = fresh_draws(study, posterior, count, seed)
    progress.start("exact calls to judge", count)
    with open_engine(study) as engine:
        computed = compute_points(study, engine, theta, heard_by(progress))
    progress.stop()
    found = theta[computed.done]
    certificate = certify(
        exact_log_likelihood(study, computed) - emulated_log_likelihood(target, found),
        found,
        study.space.names,
        whitening_of_samples(own),
        failed=len(computed.failures),
        cut_off=beyond(emulator.domain.way_to_edge(own[:, list(target.inputs)]), posterior.weights),
        allowed=allowed(study),
    )
    record = {**as_dict(certificate), "multipoles": multipoles_record(study)}
    write_json(study.folder / "certificate_fresh.json", record)
    return certificate


def fresh_draws(study: Study, posterior: Posterior, count: int, seed: int = 0) -> Float[np.ndarray, "n d"]:
    """The draws of a finished run's chains by which it is judged again: the same for the same count and seed."""
    key = jax.random.fold_in(jax.random.key(study.settings.seed), 2_000_000 + seed)
    return posterior.resampled(count, rng(key)).samples[:, [posterior.names.index(name) for name in study.space.names]]
