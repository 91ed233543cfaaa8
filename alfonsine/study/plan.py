"""Say what running a study would take."""

from collections.abc import Iterable
from dataclasses import dataclass
from itertools import islice
from pathlib import Path

from alfonsine.study.begin_warm import first_calls
from alfonsine.study.emulate import emulator_inputs
from alfonsine.study.exact import check_observables
from alfonsine.study.iterative import check_iterations, sizes_of
from alfonsine.study.iterative_settings import Sizes
from alfonsine.study.learn import fewest_to_fit, fewest_to_forecast
from alfonsine.study.made_by import finished_by_another, made_by
from alfonsine.study.many import batch_size
from alfonsine.study.prepare import Study
from alfonsine.study.propose import first_number
from alfonsine.study.records import read_certificate
from alfonsine.study.rounds import ARCHIVE, Rounds
from alfonsine.study.warm_start import planned_warm_start
from alfonsine.theory.archive import Archive, Summary
from alfonsine.theory.call import Call

NODES = {"l": "multipoles", "z": "redshifts"}


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
    so_far: str
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
            hours = f"{span[0]:.1f} to {span[1]:.1f} minutes at {self.seconds_per_call:.2g} s a call, exact calls alone"
            if span[1] < 0.1:
                hours = f"seconds, at {self.seconds_per_call:.1g} s a call, exact calls alone"
        lines = {
            "exact code": self.theory,
            "emulated in": ", ".join(self.inputs),
            "likelihoods' own": ", ".join(self.nuisance) or "none",
            "outputs read": ", ".join(self.spectra) or "none",
            "first points": f"{self.first}" + (" over the box of the prior, then a search" if self.search else ""),
            "then": self.then,
            "exact calls": f"{self.least} if all goes well, at most {self.budget}",
            "in the archive": f"{self.archived} finished calls of this code and settings",
            "time": f"{hours}, on {self.place}",
            "run folder": str(self.folder),
            "so far": self.so_far,
        }
        width = max(map(len, lines))
        told = [(name, value) for name, value in lines.items()] + [("warm start", line) for line in self.warm]
        return "\n".join(f"{name:<{width}}  {value}" for name, value in told)


def first_count(study: Study) -> int:
    """Exact calls with which the way of placing points that the study asks for begins."""
    if study.settings.points.iterative is not None:
        return sizes_of(study).initial
    return first_number(study)


def so_far(study: Study) -> str:
    """What the run folder holds of this very study."""
    certificate = read_certificate(study.folder)
    if certificate is not None and made_by(study.folder) == study.settings.digest:
        return f"finished, outcome {certificate.outcome.value}; run would show it, without an exact call"
    if (told := finished_by_another(study.settings, study.folder)) is not None:
        return f"the finished run of another study{told}; run refuses to overwrite it: give another output"
    begun = Rounds(study.folder, study.settings.digest).begun
    if not begun:
        return "not begun" if certificate is None else "finished at another accuracy; run goes on with its exact calls"
    return f"begun, {sum(len(entry.theta) for entry in begun)} exact calls asked for; run goes on from there"


def _first_done(archive: Archive, study: Study) -> Iterable[Call]:
    """One call that has an answer says what the code returns; none where there is none."""
    return islice((call for call in archive.of(study.theory.identity()) if call.done), 1)


def plan(study: Study) -> Plan:
    """Say what `run` would compute. Makes no exact call and writes nothing.

    What earlier calls of the same code returned is held against what the likelihoods read.
    """
    settings, iterations = study.settings, None
    if settings.points.iterative is not None:
        check_iterations(study)
        iterations = sizes_of(study)
    path, found = study.folder / ARCHIVE, Summary(0, 0, None)
    if path.exists():
        with Archive(path) as archive:
            found = archive.summary(study.theory.identity())
            check_observables(study, _first_done(archive, study))
    warm = planned_warm_start(study)
    begun = first_calls(study, warm, settings.accuracy.calls - settings.accuracy.judging) if warm else None
    needed = {name: name for likelihood in study.likelihoods.values() for name in likelihood.spectra}
    for likelihood in study.likelihoods.values():
        for name, axis in likelihood.splined.items():
            needed[name] = f"{name} (splined from {len(axis.values)} {NODES[axis.name]})"
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
        so_far=so_far(study),
        warm=warm.words if warm else (),
        reused=begun.reused if begun else 0,
        iterations=iterations,
    )
