"""Run a study: the loop, the posterior at its full size, the records."""

from collections.abc import Iterator
from contextlib import contextmanager

from threadpoolctl import threadpool_limits

from alfonsine.errors import telling_disk_trouble
from alfonsine.study.clock import Clock
from alfonsine.study.exact import training_set
from alfonsine.study.iterative import Iterations
from alfonsine.study.judge import correction
from alfonsine.study.loop import Ending, Run
from alfonsine.study.made_by import CERTIFICATE, check_not_finished_by_another
from alfonsine.study.measure import judged
from alfonsine.study.prepare import Study
from alfonsine.study.progress import Progress, Silent
from alfonsine.study.records import Result, certificate_record, keep_study, write_json, write_records
from alfonsine.study.rounds import ARCHIVE
from alfonsine.study.watched import clock_of, watched
from alfonsine.study.workers import open_workers
from alfonsine.theory.archive import Archive
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
    check_not_finished_by_another(study.settings, study.folder)
    progress = progress or Silent()
    clock = clock_of(progress)
    study.folder.mkdir(parents=True, exist_ok=True)
    keep_study(study)
    with open_loop(study, progress, clock) as loop:
        ending = loop.go()
    progress.start("final posterior")
    result = conclude(study, ending, clock)
    with clock.stage("records"):
        (study.folder / CERTIFICATE).unlink(missing_ok=True)  # one of another budget would speak of these records
        write_records(study, ending, result)
    write_json(study.folder / CERTIFICATE, certificate_record(study, ending, clock))
    progress.stop()
    return result


def conclude(study: Study, ending: Ending, clock: Clock) -> Result:
    """The posterior at its full effective size, and the log factors that correct it."""
    lesson = ending.lesson
    with clock.stage("sample"):
        posterior = ending.final.draws()
    with clock.stage("judge"):
        log_weights = correction(study, lesson, ending.judged, posterior.samples)
        emulator = lesson.emulator
        if ending.judged.done.any():
            judging = training_set(study, ending.judged, lesson.training.names)
            emulator = judged(study, emulator, lesson.training, judging)
    return Result(study.folder, posterior, log_weights, ending.certificate, emulator)
