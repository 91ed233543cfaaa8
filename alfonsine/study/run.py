"""Run a study, or say what running it would take."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import jax
import numpy as np

from alfonsine.study.clock import Clock
from alfonsine.study.emulate import emulator_inputs
from alfonsine.study.infer import complete, sample_target
from alfonsine.study.judge import correction
from alfonsine.study.learn import fewest_to_fit, fewest_to_forecast
from alfonsine.study.loop import Ending, Run
from alfonsine.study.prepare import Study
from alfonsine.study.progress import Progress, Silent
from alfonsine.study.propose import first_points
from alfonsine.study.records import Result, certificate_record, keep_study, write_json, write_records
from alfonsine.study.watched import clock_of, watched
from alfonsine.theory.archive import Archive
from alfonsine.theory.engine import Engine

ARCHIVE = "archive.sqlite"


@contextmanager
def open_engine(study: Study) -> Iterator[Engine]:
    """The exact code behind the archive of the run folder."""
    compute = study.settings.compute
    with (
        Archive(study.folder / ARCHIVE) as archive,
        Engine(study.theory, archive, workers=compute.count, timeout=compute.timeout) as engine,
    ):
        yield engine


@watched("run")
def run(study: Study, progress: Progress | None = None) -> Result:
    """Infer and certify: the whole loop, resumed from what the run folder holds; all records are written there."""
    progress = progress or Silent()
    clock = clock_of(progress)
    study.folder.mkdir(parents=True, exist_ok=True)
    keep_study(study)
    with open_engine(study) as engine:
        ending = Run(study, engine, progress, clock).go()
    progress.start("final posterior")
    result = conclude(study, ending, clock)
    with clock.stage("records"):
        write_records(study, ending, result)
    write_json(study.folder / "certificate.json", certificate_record(study, ending, clock))
    progress.stop()
    return result


def conclude(study: Study, ending: Ending, clock: Clock) -> Result:
    """The posterior at its full effective size, and the log factors that correct it."""
    lesson = ending.lesson
    with clock.stage("sample"):
        posterior = sample_target(
            study,
            lesson.target,
            lesson.posterior.mean(),
            lesson.posterior.std(),
            jax.random.fold_in(jax.random.key(study.settings.seed), 1_000_000),
            ess=study.settings.sampler.effective_samples,
        )
        posterior = complete(study, posterior, lesson.target, lesson.fit.emulator)
    with clock.stage("judge"):
        log_weights = correction(study, lesson, ending.judged, posterior.samples)
    return Result(study.folder, posterior, log_weights, ending.certificate, lesson.fit.emulator)


@dataclass(frozen=True)
class Plan:
    """What a run would take; `str` of it is for people."""

    theory: str
    inputs: tuple[str, ...]
    nuisance: tuple[str, ...]
    spectra: tuple[str, ...]
    first: int
    batch: int
    judging: int
    budget: int
    archived: int
    seconds_per_call: float | None
    workers: int
    folder: Path

    @property
    def least(self) -> int:
        """Calls if everything goes well: the first points, enough for curvature, one verdict."""
        learn = max(self.batch, fewest_to_fit(len(self.inputs)))
        while learn < fewest_to_forecast(len(self.inputs)):
            learn += self.batch
        return min(self.first + learn + self.judging, self.budget)

    def __str__(self) -> str:
        hours = "not known before the first call"
        if self.seconds_per_call is not None:
            span = [self.seconds_per_call * n / self.workers / 60 for n in (self.least, self.budget)]
            hours = f"{span[0]:.1f} to {span[1]:.1f} minutes at {self.seconds_per_call:.2g} s a call"
            if span[1] < 0.1:
                hours = f"seconds, at {self.seconds_per_call:.1g} s a call"
        lines = {
            "exact code": self.theory,
            "emulated in": ", ".join(self.inputs),
            "likelihoods' own": ", ".join(self.nuisance) or "none",
            "spectra": ", ".join(self.spectra) or "none",
            "first points": f"{self.first}",
            "then": f"{self.batch} at a time to learn, {self.judging} to judge",
            "exact calls": f"{self.least} if all goes well, at most {self.budget}",
            "in the archive": f"{self.archived} finished calls of this code and settings",
            "time": f"{hours}, on {self.workers} workers",
            "run folder": str(self.folder),
        }
        width = max(map(len, lines))
        return "\n".join(f"{name:<{width}}  {value}" for name, value in lines.items())


def plan(study: Study) -> Plan:
    """Say what `run` would compute. Makes no exact call and writes nothing."""
    settings = study.settings
    path, archived, seconds = study.folder / ARCHIVE, 0, None
    if path.exists():
        with Archive(path) as archive:
            calls = list(archive.of(study.theory.identity()))
            archived = len(calls)
            done = [call.seconds for call in calls if call.done]
            seconds = float(np.mean(done)) if done else None
    needed = {name: name for likelihood in study.likelihoods.values() for name in likelihood.spectra}
    for likelihood in study.likelihoods.values():
        needed |= {name: f"{name} (splined from {len(ell)} multipoles)" for name, ell in likelihood.splined.items()}
    return Plan(
        theory=settings.theory.code,
        inputs=emulator_inputs(study),
        nuisance=tuple(sorted(study.parameters.nuisance)),
        spectra=tuple(needed.values()),
        first=len(first_points(study)),
        batch=settings.points.batch,
        judging=settings.accuracy.judging,
        budget=settings.accuracy.calls,
        archived=archived,
        seconds_per_call=seconds,
        workers=settings.compute.count,
        folder=study.folder,
    )
