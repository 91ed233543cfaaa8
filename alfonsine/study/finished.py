"""Whether a run folder holds the finished run of a study, so that there is nothing to do again."""

import json
import zlib
from collections.abc import Mapping
from zipfile import BadZipFile

import numpy as np

from alfonsine.certificate.certificate import Certificate
from alfonsine.emulator.emulator import Emulator
from alfonsine.errors import InputError
from alfonsine.posterior.posterior import Posterior
from alfonsine.study.made_by import made_by
from alfonsine.study.prepare import Study
from alfonsine.study.records import Result, read_certificate
from alfonsine.study.stages import stored_chains, stored_emulator

RECORDS = ("study.yaml", "emulator.safetensors", "chain.paramnames", "posterior.npz", "report.html")


def is_finished(study: Study) -> bool:
    """True where a certificate of this very study is there with its emulator, its chains and its report.

    Where one of them is missing or damaged, or where the exact code or the data have changed behind the same names,
    the run goes on: it makes what is missing from the exact calls that it has.
    """
    return _stored(study) is not None


def finished_result(study: Study) -> Result | None:
    """What the run handed on, read from its records; None where it is not finished, or where these are not whole.

    So where its chains were sampled again, which have no weights of the judging calls.
    """
    found = _stored(study)
    if found is None:
        return None
    certificate, emulator, stored = found
    try:
        return Result(study.folder, posterior_of(stored), stored["corrected_log_weights"], certificate, emulator)
    except (KeyError, ValueError, InputError):
        return None


def _stored(study: Study) -> tuple[Certificate, Emulator, dict[str, np.ndarray]] | None:
    """Certificate, emulator and arrays of the posterior, where all are there and fit together."""
    folder = study.folder
    if made_by(folder) != study.settings.digest or not all((folder / name).exists() for name in RECORDS):
        return None
    try:
        certificate, emulator = read_certificate(folder), stored_emulator(study)
        chains = stored_chains(study, emulator)
        with np.load(folder / "posterior.npz") as file:
            stored = dict(file)
        whole = certificate is not None and len(stored["samples"]) == len(chains)  # none of their files is missing
    except (InputError, OSError, EOFError, ValueError, KeyError, BadZipFile, zlib.error):
        return None
    return (certificate, emulator, stored) if whole else None


def posterior_of(stored: Mapping[str, np.ndarray]) -> Posterior:
    """The posterior in `posterior.npz`, with its diagnostics; KeyError for one of an earlier version."""

    def columns(values: str, names: str) -> dict[str, np.ndarray]:
        return dict(zip(stored[names].tolist(), stored[values].T, strict=True))

    return Posterior(
        names=tuple(stored["names"].tolist()),
        latex=tuple(stored["latex"].tolist()),
        samples=stored["samples"],
        weights=stored["weights"],
        log_posterior=stored["log_posterior"],
        log_likelihoods=columns("log_likelihoods", "log_likelihoods_names"),
        log_priors=columns("log_priors", "log_priors_names"),
        chain=stored["chain"],
        derived=columns("derived", "derived_names"),
        diagnostics=json.loads(stored["diagnostics"].item()),
    )
