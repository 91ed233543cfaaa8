"""Run a study, or say what running it would take."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from threadpoolctl import threadpool_limits

from alfonsine.errors import telling_disk_trouble
from alfonsine.study.begin_warm import first_calls
from alfonsine.study.clock import Clock
from alfonsine.study.emulate import emulator_inputs
from alfonsine.study.iterative import Iterations, check_iterations, sizes_of
from alfonsine.study.iterative_settings import Sizes
from alfonsine.study.judge import correction
from alfonsine.study.learn import fewest_to_fit, fewest_to_forecast
from alfonsine.study.loop import Ending, Run
from alfonsine.study.many import batch_size
from alfonsine.study.prepare import Study
from alfonsine.study.progress import Progress, Silent
from alfonsine.study.propose import first_number
from alfonsine.study.records import Result, certificate_record, keep_study, write_json, write_records
from alfonsine.study.rounds import ARCHIVE
from alfonsine.study.warm_start import planned_warm_start
from alfonsine.study.watched import clock_of, watched
from alfonsine.study.workers import open_workers
from alfonsine.theory.archive import Archive, Summary
from alfonsine.theory.engine import Engine
from alfonsine.theory.reserve import room_held


@contextmanager
def open_engine(study: Study) -> Iterator[Engine]:
    """The exact code behind the archive of the run folder."""
    with (
        telling_disk_trouble(),
        Archive(study.folder / ARCHIVE) as archive,
        room_held(archive.path),
        open_workers(study.settings) as workers,
        Engine(study.theory, archive, workers=workers, timeout=study.settings.compute.timeout) as engine,
    ):
        yield engine


@contextmanager
def open_loop(study: Study, progress: Progress, clock: Clock) -> Iterator[Run]:
    """The way of placing points that the study asks for, ready to go: our loop, or CONNECT's iterations.

    Its matrices are small: a second thread of linear algebra only waits, and beside busy workers for long.
    """
    kind = Run if study.settings.points.iterative is None else Iterations
    with open_engine(study) as engine, threadpool_limits(1, user_api="blas"):
        for line in engine.refused:
            progress.say(line)
        loop = kind(study, engine, progress, clock)
        try:
            yield loop
        except BaseException:
            loop.close()
            raise


@watched("run")
@telling_disk_trouble()
def run(study: Study, progress: Progress | None = None) -> Result:
    """Infer and certify: the whole loop, resumed from what the run folder holds; all records are written there."""
    progress = progress or Silent()
    clock = clock_of(progress)
    study.folder.mkdir(parents=True, exist_ok=True)
    keep_study(study)
    with open_loop(study, progress, clock) as loop:
        ending = loop.go()
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
        posterior = ending.final.draws()
    with clock.stage("judge"):
        log_weights = correction(study, lesson, ending.judged, posterior.samples)
    return Result(study.folder, posterior, log_weights, ending.certificate, lesson.emulator)


@dataclass(frozen=True)
class Plan:
    """What a run would take; `str` of it is for people."""

    theory: str
    inputs: tuple[str, ...]
    nuisance: tuple[str, ...]
    spectra: tuple[str, ...]
    first: int
    search: bool
    batch: int
    judging: int
    budget: int
    archived: int
    seconds_per_call: float | None
    workers: int
    place: str
    folder: Path
    warm: tuple[str, ...] = ()
    reused: int = 0
    iterations: Sizes | None = None

    @property
    def least(self) -> int:
        """Calls if everything goes well: the first points, enough for curvature, one verdict.

        Of iterations: the design, and two that agree.
        """
        if self.iterations is not None:
            return min(self.first + self.iterations.first + self.iterations.most + self.judging, self.budget)
        if self.warm and self.reused + self.first >= fewest_to_forecast(len(self.inputs)):
            return min(self.first + self.judging, self.budget)
        learn = max(self.batch, fewest_to_fit(len(self.inputs)))
        while learn < fewest_to_forecast(len(self.inputs)):
            learn += self.batch
        climb = len(self.inputs) + 1 if self.search else 0  # steps from the best point; at least
        return min(self.first + climb + learn + self.judging, self.budget)

    @property
    def then(self) -> str:
        """What follows the first points."""
        if self.iterations is None:
            return f"{self.batch} at a time to learn, {self.judging} to judge"
        first, most = self.iterations.first, self.iterations.most
        return f"iterations: {first} points, then at most {most} at a time; {self.judging} to judge"

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
            "first points": f"{self.first}" + (" over the box of the prior, then a search" if self.search else ""),
            "then": self.then,
            "exact calls": f"{self.least} if all goes well, at most {self.budget}",
            "in the archive": f"{self.archived} finished calls of this code and settings",
            "time": f"{hours}, on {self.place}",
            "run folder": str(self.folder),
        }
        width = max(map(len, lines))
        told = [(name, value) for name, value in lines.items()] + [("warm start", line) for line in self.warm]
        return "\n".join(f"{name:<{width}}  {value}" for name, value in told)


def first_count(study: Study) -> int:
    """Exact calls with which the way of placing points that the study asks for begins."""
    if study.settings.points.iterative is not None:
        return sizes_of(study).initial
    return first_number(study)


def plan(study: Study) -> Plan:
    """Say what `run` would compute. Makes no exact call and writes nothing."""
    settings, iterations = study.settings, None
    if settings.points.iterative is not None:
        check_iterations(study)
        iterations = sizes_of(study)
    path, found = study.folder / ARCHIVE, Summary(0, 0, None)
    if path.exists():
        with Archive(path) as archive:
            found = archive.summary(study.theory.identity())
    warm = planned_warm_start(study)
    begun = first_calls(study, warm, settings.accuracy.calls - settings.accuracy.judging) if warm else None
    needed = {name: name for likelihood in study.likelihoods.values() for name in likelihood.spectra}
    for likelihood in study.likelihoods.values():
        needed |= {name: f"{name} (splined from {len(ell)} multipoles)" for name, ell in likelihood.splined.items()}
    return Plan(
        theory=settings.theory.code,
        inputs=emulator_inputs(study),
        nuisance=tuple(sorted(study.parameters.nuisance)),
        spectra=tuple(needed.values()),
        first=begun.number if begun else first_count(study),
        search=iterations is None and study.settings.start == "search" and begun is None,
        batch=batch_size(settings.points, len(emulator_inputs(study))),
        judging=settings.accuracy.judging,
        budget=settings.accuracy.calls,
        archived=found.total,
        seconds_per_call=found.seconds or (begun.seconds if begun else None),
        workers=settings.compute.count,
        place=settings.compute.place,
        folder=study.folder,
        warm=warm.words if warm else (),
        reused=begun.reused if begun else 0,
        iterations=iterations,
    )
