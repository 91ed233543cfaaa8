"""What a finished run leaves in its folder, for people, for other programs, and for the report."""

import json
import platform
from dataclasses import dataclass, replace
from importlib.metadata import version
from io import BytesIO
from pathlib import Path
from typing import Any

import numpy as np

from alfonsine.certificate.certificate import Certificate
from alfonsine.certificate.record import as_dict, from_json
from alfonsine.emulator.emulator import Emulator
from alfonsine.emulator.stored.file import save_emulator
from alfonsine.errors import InputError
from alfonsine.likelihood.band_likelihood import BandLikelihood
from alfonsine.posterior.formats.arviz import write_netcdf
from alfonsine.posterior.formats.chains import write_chains
from alfonsine.posterior.formats.covmat import CovarianceMatrix, write_covmat
from alfonsine.posterior.posterior import Posterior
from alfonsine.study.clock import Clock
from alfonsine.study.compare import band_errors, best_fit
from alfonsine.study.history import finite
from alfonsine.study.loop import Ending
from alfonsine.study.prepare import Study
from alfonsine.theory.durable import write_durably

EMULATOR = "emulator.safetensors"
PACKAGES = ("alfonsine", "jax", "blackjax", "equinox", "numpy", "scipy")


@dataclass(frozen=True)
class Result:
    """What a run hands on.

    folder       the run folder, where all of this is on disk too
    posterior    emulated posterior with derived parameters
    log_weights  (n,) log factors that turn it into the corrected posterior
    certificate  how far it is from the exact one
    emulator     as stored in the folder
    """

    folder: Path
    posterior: Posterior
    log_weights: np.ndarray
    certificate: Certificate
    emulator: Emulator


def write_records(study: Study, ending: Ending, result: Result) -> None:
    """Write all records but the certificate and the page; each file is whole or not there."""
    folder, posterior = study.folder, result.posterior
    save_emulator(result.emulator, folder / EMULATOR)
    write_posterior(study, posterior, corrected_log_weights=result.log_weights)
    bands = [likelihood for likelihood in study.likelihoods.values() if isinstance(likelihood, BandLikelihood)]
    write_arrays(folder / "emulator_error.npz", **band_errors(bands, ending.lesson, ending.judged, result.emulator))
    panels, arrays, point = best_fit(bands, study, posterior, result.emulator)
    write_arrays(folder / "bestfit.npz", **arrays)
    write_json(folder / "bestfit.json", {"parameters": point, "panels": panels})
    if study.settings.published is not None:
        write_json(folder / "published.json", study.settings.published.model_dump())


def write_posterior(study: Study, posterior: Posterior, **more: np.ndarray) -> None:
    """The posterior for GetDist, for ArviZ, and for the report."""
    edges = (np.asarray(study.space.lower), np.asarray(study.space.upper))
    latex = {name: study.settings.params[name].latex or name for name in posterior.derived}
    write_chains(study.folder / "chain", added_up(posterior), *edges, derived_latex=latex)
    write_covariance(study.folder / "chain.covmat", posterior)
    write_netcdf(study.folder / "posterior.nc", posterior)
    write_arrays(
        study.folder / "posterior.npz",
        names=np.array(posterior.names),
        latex=np.array(posterior.latex),
        samples=posterior.samples,
        weights=posterior.weights,
        derived=np.column_stack([*posterior.derived.values()] or [posterior.samples[:, :0]]),
        derived_names=np.array(list(posterior.derived), dtype=str),
        derived_latex=np.array(list(latex.values()), dtype=str),
        log_posterior=posterior.log_posterior,
        log_likelihoods=np.column_stack([*posterior.log_likelihoods.values()] or [posterior.samples[:, :0]]),
        log_likelihoods_names=np.array(list(posterior.log_likelihoods), dtype=str),
        log_priors=np.column_stack([*posterior.log_priors.values()] or [posterior.samples[:, :0]]),
        log_priors_names=np.array(list(posterior.log_priors), dtype=str),
        chain=posterior.chain,
        diagnostics=np.array(json.dumps(posterior.diagnostics, default=lambda number: number.item())),
        **more,
    )


def added_up(posterior: Posterior) -> Posterior:
    """The same with ln p = ln prior + ln L, as columns of a chain are to add up.

    Beyond the emulator's domain the sampler saw a soft wall, too, which is neither of them (`posterior.target`).
    """
    parts = [*posterior.log_priors.values(), *posterior.log_likelihoods.values()]
    return replace(posterior, log_posterior=np.sum(parts, axis=0))


def write_covariance(path: Path, posterior: Posterior) -> None:
    """The covariance of the sampled parameters, as a proposal for other samplers; none where the draws have none."""
    try:
        write_covmat(path, CovarianceMatrix.of(posterior))
    except InputError:  # too few draws, or a parameter that does not move: no reason to lose the run
        path.unlink(missing_ok=True)


def read_certificate(folder: Path, name: str = "certificate.json") -> Certificate | None:
    """The certificate of a run folder, if there is one; InputError for one that cannot be read."""
    path = folder / name
    if not path.exists():
        return None
    try:
        return from_json(path.read_text(encoding="utf-8"))
    except (InputError, OSError, UnicodeDecodeError) as error:
        reason = str(error).removeprefix("expected a certificate in JSON, got ").removesuffix("; write it again")
        raise InputError(
            f"expected a certificate in '{path}', got a damaged file ({reason}); delete it: a run writes it again"
        ) from None


def certificate_record(study: Study, ending: Ending, clock: Clock) -> dict[str, Any]:
    """The certificate with what the run cost and what it ran on."""
    total = len(ending.calls.theta)
    judging = len(ending.judged.theta)
    taught = int(ending.calls.done.sum() - ending.judged.done.sum())
    discarded = taught + ending.reused - len(ending.lesson.training)
    return {
        **as_dict(ending.certificate),
        "study": study.settings.digest,
        "solver_calls": {
            "total": total,
            "training": total - judging - discarded,
            "judging": judging,
            "failed": len(ending.calls.failures),
            "cheap": ending.cheap,
            "reused": ending.reused,
            **({"discarded": discarded} if discarded else {}),
        },
        "inputs": list(ending.inputs),
        "seconds": {name: round(spent, 3) for name, spent in {**clock.seconds, "total": clock.total}.items()},
        "seconds_per_call": finite(float(np.mean([call.seconds for call in ending.calls.calls]))),
        "multipoles": multipoles_record(study),
        "versions": versions(study),
        "seed": study.settings.seed,
    }


def multipoles_record(study: Study) -> dict[str, dict[str, dict[str, float]]]:
    """Per data set, the outputs that the theory gives at some nodes only: how many, from, to, largest step.

    The data see the others by `theory.class_spline`, of exact spectra as of emulated ones.
    """
    return {
        label: {
            name: {
                "nodes": len(axis.values),
                "first": axis.values[0],
                "last": axis.values[-1],
                "largest_step": float(np.max(np.diff(axis.array))),
            }
            for name, axis in likelihood.splined.items()
        }
        for label, likelihood in study.likelihoods.items()
        if likelihood.splined
    }


def versions(study: Study) -> dict[str, str]:
    """Versions of all that could change a number."""
    code = study.settings.theory.code
    packages = [*PACKAGES, *([code] if code in ("classy", "camb") else [])]
    return {"python": platform.python_version(), **{name: version(name) for name in packages}}


def write_json(path: Path, values: Any) -> None:
    """Write JSON, whole or not at all."""
    write_durably(path, json.dumps(values, indent=1).encode())


def write_arrays(path: Path, **arrays: np.ndarray) -> None:
    """Write an .npz, whole or not at all."""
    buffer = BytesIO()
    np.savez_compressed(buffer, **arrays)
    write_durably(path, buffer.getvalue())


def keep_study(study: Study) -> None:
    """Copy the study file as it was read."""
    if text := study.settings.source.text:
        write_durably(study.folder / "study.yaml", text.encode())
